//! The rules of a Personal API key, around their boundaries.

use std::time::Duration;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_000_000, 0).unwrap()
}

fn bearer(life: TimeDelta, key_ends: Option<DateTime<Utc>>) -> PersonalToken {
    PersonalToken { access: "a.b.c".to_owned().into(), expires_at: now() + life, key_expires_at: key_ends }
}

#[test]
fn the_end_is_told_at_fourteen_and_at_three_days() {
    let second = TimeDelta::seconds(1);
    for (left, told) in [
        (TimeDelta::days(365), None),
        (TimeDelta::days(14) + second, None),
        (TimeDelta::days(14), Some(Notice::Soon)),
        (TimeDelta::days(3) + second, Some(Notice::Soon)),
        (TimeDelta::days(3), Some(Notice::VerySoon)),
        (second, Some(Notice::VerySoon)),
        (TimeDelta::zero(), Some(Notice::Over)),
        (-TimeDelta::days(900), Some(Notice::Over)),
    ] {
        assert_eq!(notice(now() + left, now()), told, "{left}");
    }
    let all = [Notice::Soon, Notice::VerySoon, Notice::Over].map(|notice| ending_words(notice, now()));
    assert!(all.iter().all(|words| words.contains("2026-10-26")), "{all:?}");
    assert!(all[0] != all[1] && all[1] != all[2]);
}

#[test]
fn a_last_day_lasts_until_its_end() {
    let day = NaiveDate::from_ymd_opt(2027, 1, 31).unwrap();
    assert_eq!(End::Said(day).at().to_rfc3339(), "2027-01-31T23:59:59+00:00");
}

#[test]
fn a_token_knows_better_than_a_person() {
    let said = End::Said(now().date_naive());
    let day = TimeDelta::hours(24);
    let after = |ends: Option<End>, bearer: &PersonalToken| {
        let mut facts = KeyFacts { ends, ..KeyFacts::default() };
        facts.accepted(bearer, now());
        facts.ends
    };
    let far = End::Said(now().date_naive() + day * 30);
    assert_eq!(after(Some(far.clone()), &bearer(day, None)), Some(far.clone()));
    let shown = now() + TimeDelta::hours(5);
    assert_eq!(after(Some(far), &bearer(TimeDelta::hours(5), Some(shown))), Some(End::Shown(shown)));
    assert_eq!(after(Some(said), &bearer(day, None)), None, "it lives longer than was said");
    assert_eq!(after(Some(End::Shown(shown)), &bearer(day, None)), None, "and than an earlier token showed");
    assert_eq!(after(None, &bearer(day, None)), None);
}

#[test]
fn a_refused_key_rests_an_hour_then_longer() {
    let mut facts = KeyFacts::default();
    let mut hours = |error: &Error| {
        assert!(facts.refused(error, now()));
        let again = facts.refusal.as_ref().and_then(|refusal| refusal.again_at).unwrap();
        assert!(!facts.look_due(again - TimeDelta::seconds(1)) && facts.look_due(again));
        (again - now()).num_hours()
    };
    assert_eq!([(); 7].map(|()| hours(&Error::InvalidCredentials)), [1, 2, 4, 8, 16, 24, 24]);
    let mut facts = KeyFacts::default();
    assert!(facts.refused(&Error::Forbidden, now()));
    assert_eq!(facts.refusal.as_ref().and_then(|refusal| refusal.again_at), Some(now() + TimeDelta::hours(6)));
    facts.accepted(&bearer(TimeDelta::hours(24), None), now());
    assert_eq!(facts.refusal, None);
    assert!(!facts.refused(&Error::ServerTrouble { status: 503 }, now()) && facts.refusal.is_none());
}

#[test]
fn a_429_pauses_as_long_as_it_says_or_a_quarter_of_an_hour() {
    let pause = |asked: Option<u64>| {
        let mut facts = KeyFacts::default();
        facts.throttled(asked.map(Duration::from_secs), now());
        facts.pause_left(now()).unwrap().as_secs()
    };
    assert_eq!([None, Some(14), Some(60), Some(61), Some(7200)].map(pause), [900, 14, 60, 900, 7200]);
    assert_eq!(pause(Some(999_999)), 24 * 3600);
    let mut facts = KeyFacts::default();
    facts.throttled(None, now());
    assert!(!facts.look_due(now()) && facts.look_due(now() + TimeDelta::minutes(15)));
    assert_eq!(facts.pause_left(now() - TimeDelta::days(900)), None, "the clock was ahead when it was written");
}

#[test]
fn a_key_that_nobody_uses_is_tried_once_a_day() {
    let mut facts = KeyFacts::default();
    assert!(facts.look_due(now()), "never tried");
    facts.accepted(&bearer(TimeDelta::hours(24), None), now());
    assert!(!facts.look_due(now() + TimeDelta::hours(23)));
    assert!(facts.look_due(now() + TimeDelta::hours(24)));
    assert!(!facts.look_due(now() - TimeDelta::hours(23)), "a clock set back by a day is waited for");
    assert!(facts.look_due(now() - TimeDelta::days(900)), "one that was years ahead is not");
}

/// Nobody may have said when a key in a file ends, and Garmin tells it on the last day; but none lives longer than a year.
#[test]
fn a_key_of_unknown_end_is_spoken_of_when_a_year_is_nearly_over() {
    let facts = KeyFacts::of("k".into(), now());
    let at = |days: i64| now() + TimeDelta::days(days);
    for (day, told) in [(0, false), (350, false), (351, true), (364, true), (365, false), (366, false)] {
        assert_eq!(facts.nearly_ends_at(at(day)), told.then(|| at(365)), "{day}");
    }
    let known = KeyFacts { ends: Some(End::Said(at(400).date_naive())), ..facts.clone() };
    assert_eq!(known.nearly_ends_at(at(360)), None);
    let of_an_older_version = KeyFacts { seen_at: None, ..facts };
    assert_eq!(of_an_older_version.nearly_ends_at(at(360)), None);
    assert!(latest_words(at(365)).contains("2027-10-26 at the latest"));
}

#[test]
fn what_the_configuration_says_counts_until_a_token_shows_better() {
    let mut facts = KeyFacts::of("k".into(), now());
    let (over, first, second) =
        (now().date_naive() - TimeDelta::days(1), now().date_naive(), now().date_naive() + TimeDelta::days(9));
    facts.said_to_end(over, now());
    assert_eq!(facts.ends, None, "that was another key");
    facts.said_to_end(first, now());
    facts.said_to_end(second, now());
    assert_eq!(facts.ends, Some(End::Said(second)));
    // A new key in the file, and still the old one's day in the configuration, also after a restart.
    let later = now() + TimeDelta::days(5);
    let mut new = facts.replaced_by("k2".into(), later);
    for at in [later, later + TimeDelta::days(2)] {
        new.said_to_end(second, at);
        assert_eq!(new.ends, None);
    }
    let mut newest = new.replaced_by("k3".into(), later);
    newest.said_to_end(second, later);
    assert_eq!(newest.ends, None, "two keys in a day, and the day is the first one's");
    new.said_to_end(second.succ_opt().unwrap(), later);
    assert_eq!(new.ends.map(|end| end.at() > later), Some(true));
    facts.ends = Some(End::Shown(now()));
    facts.said_to_end(second, now());
    assert_eq!(facts.ends, Some(End::Shown(now())));
}

/// The configuration and the key's file are written one after the other: the new day may be read while the old key still lies there.
#[test]
fn a_new_day_may_be_said_before_its_key_comes() {
    let day = |days: i64| (now() + TimeDelta::days(days)).date_naive();
    let (changed, restart) = (now() + TimeDelta::days(80), now() + TimeDelta::days(80) + TimeDelta::hours(3));
    let mut facts = KeyFacts::of("k".into(), now());
    facts.said_to_end(day(90), now());
    facts.said_to_end(day(400), changed);
    facts.said_to_end(day(400), restart);
    let mut new = facts.replaced_by("k2".into(), restart);
    new.said_to_end(day(400), restart);
    assert_eq!(new.ends, Some(End::Said(day(400))), "it was said for this one");
    // Nobody says another day for the next: what was said a day ago was not meant for it.
    let mut next = new.replaced_by("k3".into(), restart + SAME_OCCASION + TimeDelta::seconds(1));
    next.said_to_end(day(400), restart + TimeDelta::days(2));
    assert_eq!(next.ends, None);
}

/// On a key's last day its token shows the end; the day that the configuration says is that key's all the same.
#[test]
fn a_day_that_a_token_overtook_is_not_the_next_keys() {
    let last = now().date_naive() + TimeDelta::days(20);
    let mut facts = KeyFacts::of("k".into(), now() - TimeDelta::days(300));
    facts.said_to_end(last, now() - TimeDelta::days(300));
    facts.accepted(&bearer(TimeDelta::hours(5), Some(now() + TimeDelta::hours(5))), now());
    let mut new = facts.replaced_by("k2".into(), now());
    new.said_to_end(last, now());
    assert_eq!(new.ends, None);
    // And what a token proved wrong is not believed again after a restart.
    let today = now().date_naive();
    let mut facts = KeyFacts::of("k".into(), now());
    facts.said_to_end(today, now());
    facts.accepted(&bearer(TimeDelta::hours(24), None), now());
    facts.said_to_end(today, now());
    assert_eq!(facts.ends, None);
}

/// A row of an older version knows the day and not since when it is said, and the key's file may hold another key after the upgrade.
#[test]
fn a_day_that_an_older_version_knew_is_not_the_next_keys() {
    let day = now().date_naive() + TimeDelta::days(9);
    let after = |seen_at: Option<DateTime<Utc>>| {
        let old = KeyFacts { of: "k".into(), ends: Some(End::Said(day)), seen_at, ..KeyFacts::default() };
        let mut new = old.replaced_by("k2".into(), now());
        new.said_to_end(day, now());
        new.ends
    };
    assert_eq!(after(None), None);
    assert_eq!(after(Some(now() - SAME_OCCASION - TimeDelta::seconds(1))), None);
    assert_eq!(after(Some(now() - SAME_OCCASION)), Some(End::Said(day)), "two keys on one occasion, with one last day");
}

#[test]
fn the_same_key_brought_again_keeps_what_is_known_of_it() {
    let (day, other) = (now().date_naive() + TimeDelta::days(90), now().date_naive() + TimeDelta::days(30));
    let first = KeyFacts::default().brought("k".into(), Some(day), now());
    assert_eq!((first.ends.clone(), first.seen_at), (Some(End::Said(day)), Some(now())));
    let later = now() + TimeDelta::days(9);
    let again = first.brought("k".into(), None, later);
    assert_eq!((again.ends, again.seen_at), (Some(End::Said(day)), Some(now())));
    assert_eq!(first.brought("k".into(), Some(other), later).ends, Some(End::Said(other)));
    let shown = KeyFacts { ends: Some(End::Shown(later)), ..first.clone() };
    assert_eq!(shown.brought("k".into(), Some(day), later).ends, Some(End::Shown(later)), "known better");
    let another = first.brought("k2".into(), None, later);
    assert_eq!((another.ends, another.seen_at), (None, Some(later)));
}
