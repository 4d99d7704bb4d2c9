//! What a list proves about days: everything when it is over, a part of it on the way, and little when it is out of order.

use super::*;

fn today() -> NaiveDate {
    "2026-10-21".parse().unwrap()
}

fn back(days: u64) -> NaiveDate {
    today() - Days::new(days)
}

/// A page of activities that began so many days ago.
fn page(ago: impl IntoIterator<Item = u64>) -> Vec<Row<'static>> {
    let row = |days: u64| Row {
        item: days.to_string(),
        day: Some(back(days)),
        body: "{}".into(),
        blank: false,
        manual: false,
    };
    ago.into_iter().map(row).collect()
}

/// The days that a page of a listing proves, by how long ago they are; newest first.
fn proven(listing: &mut Listing, ago: impl IntoIterator<Item = u64>, last: bool) -> Vec<i64> {
    let marks = listing.advance(&page(ago), last, today(), today(), 30).map_err(|_| ()).unwrap();
    let days = marks.iter().filter_map(|mark| mark.item.parse::<NaiveDate>().ok());
    days.rev().map(|day| (today() - day).num_days()).collect()
}

fn listing() -> Listing {
    Listing::new(None, today())
}

#[test]
fn pages_in_order_prove_the_days_above_the_page_before() {
    let mut listing = listing();
    assert_eq!(proven(&mut listing, [0, 3, 2, 9], false), [] as [i64; 0], "the next page has to go on from there");
    assert_eq!(proven(&mut listing, [9, 20], false), Vec::from_iter(0..=7));
    assert_eq!(proven(&mut listing, [21], true), Vec::from_iter(8..=365));
}

#[test]
fn an_old_activity_among_new_ones_proves_nothing_before_the_end() {
    for first in [[0, 2000, 3, 4], [0, 3, 4, 2000]] {
        let mut listing = listing();
        assert_eq!(proven(&mut listing, first, false), [] as [i64; 0]);
        assert_eq!(proven(&mut listing, [5, 6, 7, 8], false), [] as [i64; 0]);
        assert_eq!(proven(&mut listing, [9, 10], true), Vec::from_iter(0..=2000));
    }
    // Days that an earlier page seemed to prove are open again.
    let mut listing = listing();
    proven(&mut listing, [0, 9], false);
    assert_eq!(proven(&mut listing, [10, 20], false), Vec::from_iter(0..=7));
    assert_eq!(proven(&mut listing, [5, 30], false), [] as [i64; 0]);
    assert_eq!(listing.left, today());
}

#[test]
fn a_list_has_an_end() {
    let mut listing = listing();
    let mut pages = (0..).map(|page| page * 1000..(page + 1) * 1000);
    let mut turn = |listing: &mut Listing| {
        let numbers = pages.next().unwrap();
        let mut rows = page(numbers.clone().map(|_| 0));
        rows.iter_mut().zip(numbers).for_each(|(row, number)| row.item = number.to_string());
        listing.advance(&rows, false, today(), today(), 30).is_ok()
    };
    assert!((0..50).all(|_| turn(&mut listing)));
    assert!(!turn(&mut listing));
}

#[test]
fn a_page_that_was_there_before_is_no_next_page() {
    let mut listing = listing();
    assert!(listing.advance(&page([1, 2]), false, today(), today(), 30).is_ok());
    assert!(listing.advance(&page([2, 1]), false, today(), today(), 30).is_err());
}

#[test]
fn the_first_day_there_is_has_none_before_it() {
    let mut listing = Listing::new(Some(NaiveDate::MIN), NaiveDate::MIN);
    let marks = listing.advance(&[], true, NaiveDate::MIN, NaiveDate::MIN, 30).map_err(|_| ()).unwrap();
    assert_eq!(marks.len(), 1);
}
