//! What the doctor says about what it finds: each finding gets its verdict and words for what to do.

use chrono::TimeDelta;
use garminsync_garmin::{Cause, Error, Outcome, Service};

use super::network::{self, Heard};
use super::*;

fn heard(service: Service, outcome: Outcome, off_s: Option<i64>) -> Heard {
    let now = Utc::now();
    let clock = off_s.map(|off| (now, now + TimeDelta::seconds(off)));
    let probed = Probed { outcome, clock, took: std::time::Duration::from_millis(12) };
    Heard { name: service.as_str().into(), service, host: "sso.garmin.com".into(), resolves: Ok(()), probed }
}

fn unreachable() -> Outcome {
    Outcome::Unreachable(Error::Unreachable { cause: Cause::Connect, what: "sso.garmin.com: refused".into() })
}

#[test]
fn each_answer_of_a_host_has_its_verdict_and_what_is_wrong_has_a_hint() {
    use Verdict::{Failed, Ok, Warning};
    for (service, outcome, verdict) in [
        (Service::Sso, Outcome::Through(405), Ok),
        (Service::Sso, Outcome::Refused(403), Warning),
        (Service::Sso, Outcome::Refused(429), Warning),
        (Service::Sso, Outcome::Strange(200), Warning),
        (Service::Sso, unreachable(), Failed),
        (Service::Diauth, Outcome::Through(404), Ok),
        (Service::Diauth, Outcome::Strange(302), Warning),
        (Service::Connectapi, Outcome::Trouble(503), Warning),
        (Service::Personal, unreachable(), Failed),
    ] {
        let checks = network::checks(&[heard(service, outcome.clone(), None)]);
        let check = &checks[1];
        assert_eq!((check.name.as_str(), check.verdict), (service.as_str(), verdict), "{outcome:?}");
        assert_eq!(check.hint.is_some(), verdict != Ok, "{check:?}");
    }
    let blocked = network::checks(&[heard(Service::Sso, Outcome::Refused(403), None)]);
    assert!(blocked[1].hint.as_ref().is_some_and(|hint| hint.contains("login --browser")), "{blocked:?}");
}

#[test]
fn a_name_that_is_not_found_matters_unless_a_proxy_finds_it() {
    let lost = |outcome| Heard { resolves: Err("no such name".into()), ..heard(Service::Sso, outcome, None) };
    let verdict = |heard: Heard| network::checks(&[heard])[0].verdict;
    assert_eq!(verdict(lost(unreachable())), Verdict::Failed);
    assert_eq!(verdict(lost(Outcome::Through(405))), Verdict::Ok);
    assert_eq!(verdict(heard(Service::Sso, unreachable(), None)), Verdict::Ok);
}

#[test]
fn a_clock_is_judged_by_how_far_it_is_off() {
    let verdict = |off: Option<i64>| {
        let heard = [heard(Service::Sso, unreachable(), None), heard(Service::Diauth, Outcome::Through(404), off)];
        network::clock(&heard, Utc::now()).unwrap()
    };
    for (off, wanted) in [(0, Verdict::Ok), (-59, Verdict::Ok), (61, Verdict::Warning), (-899, Verdict::Warning)] {
        assert_eq!(verdict(Some(off)).verdict, wanted, "{off}");
    }
    assert_eq!(verdict(Some(-4000)).verdict, Verdict::Failed);
    assert_eq!(verdict(Some(-4000)).text, "the clock is 4000 s behind Garmin's");
    assert_eq!(verdict(Some(901)).text, "the clock is 901 s ahead of Garmin's");
    assert_eq!(verdict(None).verdict, Verdict::Skipped);
}

#[test]
fn accounts_are_told_with_what_to_type() {
    let board = Board::new([]);
    board.account("default", |_| {});
    let now = Utc::now();
    let of = |board: &Board| accounts::checks(&board.snapshot(), now);
    assert_eq!(of(&board)[0].name, "vault");
    assert_eq!((of(&board)[1].verdict, of(&board)[1].hint.as_deref()), (Verdict::Warning, Some("garminsyncctl login")));
    board.account("eva", |account| {
        account.state = garminsync_protocol::AccountState::LoginNeeded;
        account.reason = Some("Garmin ended it".into());
        account.sync.last_ok_at = Some(now + TimeDelta::days(400));
    });
    let checks = of(&board);
    let eva = checks.iter().find(|check| check.name == "account eva").unwrap();
    assert_eq!((eva.verdict, eva.hint.as_deref()), (Verdict::Failed, Some("garminsyncctl --account eva login")));
    assert!(checks.iter().any(|check| check.name == "last_run" && check.verdict == Verdict::Warning), "{checks:?}");
    board.change(|status| {
        status.troubles.push(crate::board::trouble("vault.locked", "it waits", "unlock it"));
    });
    assert_eq!((of(&board)[0].verdict, of(&board)[0].hint.as_deref()), (Verdict::Failed, Some("unlock it")));
}
