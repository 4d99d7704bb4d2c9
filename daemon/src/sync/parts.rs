//! Answers of several parts: what Garmin leaves out of one is taken over from the answer that is held, so that a part which is absent today
//! costs nothing that was read before. The run calls it before it records. It must not know any metric by name.

use std::collections::{BTreeMap, BTreeSet};

use garminsync_store::{Error, Store};
use serde_json::Value;
use serde_json::value::RawValue;

use super::archive::{self, Part, Row};
use super::route::Route;

/// The parts that came with nothing: no answer, or no row. Where the rows of a list have neither a day nor a name of their own, an empty list
/// counts: what stood in it is gone.
pub fn missing<'a>(route: &Route, parts: &[Part<'a>]) -> BTreeSet<&'a str> {
    let told_apart = !route.day.is_empty() || !route.item.is_empty();
    let is_empty = |page: &&str| archive::count(route, page).is_ok_and(|(rows, _)| rows == 0);
    let is_missing = |part: &&Part<'_>| part.pages.is_empty() || (told_apart && part.pages.iter().all(is_empty));
    parts.iter().filter(|_| !route.parts.is_empty()).filter(is_missing).map(|part| part.name).collect()
}

/// Gives each row the missing parts that are held of it. What stands in another part now has moved there.
///
/// # Errors
/// [`Error`] of the store.
pub fn take_over(
    store: &Store,
    (account, dataset): (&str, &str),
    route: &Route,
    missing: &BTreeSet<&str>,
    rows: &mut [Row<'_>],
) -> Result<(), Error> {
    for row in rows.iter_mut().filter(|row| !missing.is_empty() && !row.blank) {
        let held = store.answer(account, dataset, &row.item)?;
        if let Some(whole) = held.and_then(|held| filled_up(route, missing, &row.body, &held)) {
            row.body = whole.into();
        }
    }
    Ok(())
}

/// Whether an answer holds something in one of these parts.
pub fn holds(answer: &str, parts: &BTreeSet<&str>) -> bool {
    read(answer).is_some_and(|members| parts.iter().any(|part| members.get(part).is_some_and(|rows| !rows.is_empty())))
}

fn read(answer: &str) -> Option<BTreeMap<&str, Vec<&RawValue>>> {
    serde_json::from_str(answer).ok()
}

fn filled_up(route: &Route, missing: &BTreeSet<&str>, answer: &str, held: &str) -> Option<String> {
    let (mut members, held) = (read(answer)?, read(held)?);
    let name = |row: &RawValue| -> Option<String> {
        let row: Value = serde_json::from_str(row.get()).ok()?;
        row.pointer(&route.item).filter(|_| !route.item.is_empty()).map(ToString::to_string)
    };
    let known: BTreeSet<String> = members.values().flatten().filter_map(|row| name(row)).collect();
    for (part, rows) in held.into_iter().filter(|(part, _)| missing.contains(part)) {
        let moved = |row: &RawValue| name(row).is_some_and(|name| known.contains(&name));
        members.insert(part, rows.into_iter().filter(|row| !moved(row)).collect());
    }
    serde_json::to_string(&members).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_taken_over_as_it_was_and_what_has_moved_is_not() {
        let parts = ["current", "historical"].map(|name| (name.to_owned(), "/x".to_owned())).into();
        let mut route = Route { parts, item: "/id".into(), ..Route::default() };
        let part = |name, page: Option<&'static str>| Part { name, pages: page.into_iter().collect() };
        let missing = |route: &Route, current, historical| {
            missing(route, &[part("current", current), part("historical", historical)])
        };
        let rows = Some(r#"[{"id":1}]"#);
        assert_eq!(missing(&route, rows, None), ["historical"].into());
        assert_eq!(missing(&route, Some("[]"), rows), ["current"].into());
        assert_eq!(missing(&route, rows, rows), [].into());
        let held = r#"{"current":[{"id": 1,"x":1.10}],"historical":[{"id":2}]}"#;
        let filled = |route: &Route, part, answer| filled_up(route, &[part].into(), answer, held).unwrap();
        assert_eq!(
            filled(&route, "historical", r#"{"current":[{"id":1}],"historical":[]}"#),
            r#"{"current":[{"id":1}],"historical":[{"id":2}]}"#
        );
        let moved = r#"{"current":[],"historical":[{"id":2},{"id":1}]}"#;
        assert_eq!(filled(&route, "current", moved), moved);
        assert_eq!(
            filled(&route, "current", r#"{"historical":[{"id":2}]}"#),
            r#"{"current":[{"id": 1,"x":1.10}],"historical":[{"id":2}]}"#
        );
        assert!(holds(held, &["current"].into()));
        assert!(!holds(held, &["other"].into()) && !holds("null", &["current"].into()));
        // A list whose rows have no names is believed to be empty; one that did not come is not.
        route.item = String::new();
        assert_eq!(missing(&route, rows, Some("[]")), [].into());
        assert_eq!(missing(&route, rows, None), ["historical"].into());
    }
}
