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
