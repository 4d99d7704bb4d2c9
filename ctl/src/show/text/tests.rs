//! Whole pages of `status`, as people see them.

use chrono::{FixedOffset, NaiveDate, TimeDelta};
use garminsync_protocol::{Failure, Kind, Queues, Tiers};

use super::*;

const PLAIN: Paint = Paint(false);

fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-11-22T14:12:00+01:00").unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now().to_utc() - TimeDelta::minutes(minutes)
}

fn typed() -> Typed {
    Typed::new(None, None, "status")
}

fn account(state: AccountState) -> AccountStatus {
    AccountStatus {
        name: "default".into(),
        state,
        reason: None,
        instead: None,
        since: ago(12 * 1440),
        until: None,
        domain: "garmin.com".into(),
        display_name: Some("Jane Runner".into()),
        tiers: Tiers::default(),
        mfa: None,
        sync: SyncStatus::default(),
        troubles: Vec::new(),
    }
}

fn page(accounts: Vec<AccountStatus>) -> String {
    let all = Status { version: "0.1.0".into(), started_at: ago(2900), pid: 812, accounts, troubles: Vec::new() };
    status(&all, &now(), PLAIN, &typed())
}

#[test]
fn an_account_that_works() {
    let tier = TierStatus {
        state: AccountState::Active,
        access_expires_at: Some(ago(-20 * 60)),
        refresh_expires_at: Some(ago(-27 * 1440 - 1)),
        key_expires_at: None,
        last_refresh_at: Some(ago(12)),
    };
    let key = TierStatus { refresh_expires_at: None, access_expires_at: None, last_refresh_at: None, ..tier.clone() };
    let sync = SyncStatus {
        state: SyncState::Running,
        progress: Some(0.42),
        dataset: Some("sleep".into()),
        last_ok_at: Some(ago(31)),
        next_at: Some(ago(-18)),
        requests_today: 41,
        complete_from: NaiveDate::from_ymd_opt(2019, 1, 1),
        newest_day: NaiveDate::from_ymd_opt(2026, 11, 22),
        ..SyncStatus::default()
    };
    let tiers = Tiers { account: Some(tier), personal: Some(key) };
    assert_eq!(
        page(vec![AccountStatus { tiers, sync, ..account(AccountState::Active) }]),
        "\
default (Jane Runner): active for 12 days
  login     ends in 27 days, token ends in 20 h, renewed 12 min ago
  API key   works
  sync      running 42 % sleep, last ok 31 min ago, next 14:30
  mirror    newest day 2026-11-22, complete from 2019-01-01, no gaps, 41 requests today

garminsyncd 0.1.0, process 812, up 2 days
"
    );
}

#[test]
fn the_pace_is_told_where_it_holds_something_up() {
    let usual = QueueStatus { requests_today: 400, budget_left: Some(9600), gap_ms: 100, ..QueueStatus::default() };
    let slowed = QueueStatus { gap_ms: 640, throttled_at: Some(ago(14)), ..usual.clone() };
    let used = QueueStatus { requests_today: 9000, budget_left: Some(1000), ..usual.clone() };
    let long_ago = QueueStatus { throttled_at: Some(ago(3 * 1440)), ..usual.clone() };
    let lines = |login: QueueStatus, personal: Option<QueueStatus>| -> Vec<String> {
        let queues = Queues { account: Some(login), personal };
        let sync = SyncStatus { queues, ..SyncStatus::default() };
        let page = page(vec![AccountStatus { sync, ..account(AccountState::Active) }]);
        page.lines().filter(|line| line.contains("pace")).map(Into::into).collect()
    };
    assert_eq!(lines(usual, Some(long_ago)), [""; 0]);
    assert_eq!(
        lines(slowed, Some(used)),
        [
            "  pace      account login: slowed 14 min ago to one in 0.64 s",
            "  pace      API key: 1000 requests left today",
        ]
    );
}

/// A watch without a barometer is no reason to worry for years.
#[test]
fn what_garmin_does_not_serve_is_no_gap_that_could_be_filled() {
    let line = |gaps: u64, not_served: &[(&str, u64)]| {
        let not_served = not_served.iter().map(|(name, days)| ((*name).into(), *days)).collect();
        let sync = SyncStatus { gaps, not_served, last_ok_at: Some(ago(31)), ..SyncStatus::default() };
        let page = page(vec![AccountStatus { sync, ..account(AccountState::Active) }]);
        page.lines().find(|line| line.contains("mirror")).unwrap().to_owned()
    };
    assert_eq!(line(0, &[]), "  mirror    0 requests today");
    assert_eq!(line(485, &[("acclimation", 485)]), "  mirror    no gaps, acclimation not served, 0 requests today");
    assert_eq!(
        line(490, &[("acclimation", 485), ("load_balance", 2)]),
        "  mirror    3 gaps, acclimation and load_balance not served, 0 requests today"
    );
    assert_eq!(
        line(3, &[("floors", 1), ("hrv", 1), ("sleep", 1)]),
        "  mirror    no gaps, 3 datasets not served, 0 requests today"
    );
}

/// Nobody who waits for the first sync has ten thousand gaps: it is all still to come.
#[test]
fn what_the_first_sync_has_not_reached_yet_is_no_gap() {
    let mirror = |sync: SyncStatus| {
        let page = page(vec![AccountStatus { sync, ..account(AccountState::Active) }]);
        page.lines().find_map(|line| line.trim().strip_prefix("mirror    ").map(String::from)).unwrap()
    };
    let first = SyncStatus { state: SyncState::Running, gaps: 11_423, ..SyncStatus::default() };
    let stopped = || Some("the requests of the day are used up".into());
    let to_come = "11423 days and files still to read, 0 requests today";
    assert_eq!(mirror(first.clone()), to_come);
    assert_eq!(mirror(SyncStatus { state: SyncState::Idle, ..first.clone() }), to_come, "it has not begun");
    assert_eq!(mirror(SyncStatus { last_error: stopped(), ..first.clone() }), to_come, "it goes on the next day");
    assert_eq!(mirror(SyncStatus { gaps: 1, ..first.clone() }), "one day or file still to read, 0 requests today");
    for ended in [
        SyncStatus { last_ok_at: Some(ago(31)), ..first.clone() },
        SyncStatus { last_error: stopped(), state: SyncState::Idle, ..first },
    ] {
        assert_eq!(mirror(ended), "11423 gaps, 0 requests today");
    }
}

/// How much an account has to read is not known before anybody signed in.
#[test]
fn of_a_mirror_that_was_never_begun_nothing_is_said() {
    let untouched = SyncStatus { gaps: 11_423, ..SyncStatus::default() };
    let says = |state: AccountState, sync: SyncStatus| {
        page(vec![AccountStatus { sync, ..account(state) }]).contains("\n  mirror    ")
    };
    for state in [AccountState::SignedOut, AccountState::AwaitingMfa, AccountState::CoolingDown] {
        assert!(!says(state, untouched.clone()), "{state:?}");
        let day = NaiveDate::from_ymd_opt(2026, 11, 22);
        for known in [
            SyncStatus { newest_day: day, ..untouched.clone() },
            SyncStatus { last_ok_at: Some(ago(31)), ..untouched.clone() },
            SyncStatus { state: SyncState::Running, ..untouched.clone() },
        ] {
            assert!(says(state, known.clone()), "{state:?} {known:?}");
        }
    }
}

#[test]
fn a_login_that_is_dead() {
    let trouble = Trouble {
        kind: "login_needed".into(),
        text: "No sync since the login ended.".into(),
        since: ago(300),
        hint: Some("garminsyncctl login".into()),
    };
    let sync = SyncStatus { last_error: Some("the login is dead".into()), gaps: 2, ..SyncStatus::default() };
    let reason = Some("Garmin ended the login".into());
    assert_eq!(
        page(vec![AccountStatus { reason, sync, troubles: vec![trouble], ..account(AccountState::LoginNeeded) }]),
        "\
default (Jane Runner): login needed for 12 days
  reason    Garmin ended the login
  safe      all data stay and can be read; syncs go on after the login
  next      garminsyncctl login, or with your own browser: garminsyncctl login --browser
  sync      idle, none has ended yet
            last run: the login is dead
  mirror    2 gaps, 0 requests today
  trouble   No sync since the login ended. (5 h ago)

garminsyncd 0.1.0, process 812, up 2 days
"
    );
}

#[test]
fn a_reason_is_said_once() {
    let why = "Garmin no longer accepts the stored login (invalid_grant)";
    let text = format!("{why}. The data that are here stay.");
    let hint = Some("garminsyncctl login --api-key-stdin".into());
    let trouble = Trouble { kind: "login.needed".into(), text, since: ago(300), hint };
    let sync = SyncStatus { last_error: Some(why.into()), ..SyncStatus::default() };
    let reason = Some(why.into());
    let text =
        page(vec![AccountStatus { reason, sync, troubles: vec![trouble], ..account(AccountState::LoginNeeded) }]);
    assert_eq!(text.matches(why).count(), 1, "{text}");
    assert!(text.contains("next      garminsyncctl login --api-key-stdin"), "what to type stays: {text}");
}

/// No login brings a key that the configuration keeps in a file, and the daemon says so.
#[test]
fn where_a_new_key_belongs_the_daemon_knows() {
    let nexts = |hint: Option<&str>| -> Vec<String> {
        let why = "Garmin no longer accepts the Personal API key";
        let needed = hint.map(|hint| Trouble {
            kind: "login.needed".into(),
            text: format!("{why}. The data that are here stay."),
            since: ago(300),
            hint: Some(hint.into()),
        });
        let eva = AccountStatus {
            name: "eva".into(),
            reason: Some(why.into()),
            instead: Some(WayIn::ApiKey),
            troubles: needed.into_iter().collect(),
            ..account(AccountState::LoginNeeded)
        };
        page(vec![eva]).lines().filter_map(|line| line.trim().strip_prefix("next      ").map(Into::into)).collect()
    };
    let into_file = "make a key at https://connect.garmin.com, then put it into /k";
    assert_eq!(nexts(Some(into_file)), [into_file]);
    let login = make_a_key("garminsyncctl --account eva login --api-key-stdin");
    for hint in [Some(login.as_str()), None] {
        assert_eq!(nexts(hint), [login.as_str()], "{hint:?}");
    }
}

#[test]
fn what_garmin_has_ended_has_no_end_to_come() {
    let dead = TierStatus {
        state: AccountState::LoginNeeded,
        access_expires_at: Some(ago(-60)),
        refresh_expires_at: Some(ago(-29 * 1440)),
        key_expires_at: Some(ago(-29 * 1440)),
        last_refresh_at: None,
    };
    let tiers = Tiers { account: Some(dead.clone()), personal: Some(dead) };
    let text = page(vec![AccountStatus { tiers, ..account(AccountState::LoginNeeded) }]);
    assert!(text.contains("  login     login needed\n  API key   login needed\n"), "{text}");
}

#[test]
fn the_daemon_s_commands_carry_the_socket_that_was_typed() {
    let mut troubled = account(AccountState::Active);
    let trouble = |hint: &str| Trouble { kind: "x".into(), text: "X.".into(), since: ago(1), hint: Some(hint.into()) };
    troubled.troubles = vec![trouble("garminsyncctl --account work login"), trouble("chmod o-rwx 'x'")];
    let all =
        Status { version: "0.1.0".into(), started_at: ago(1), pid: 1, accounts: vec![troubled], troubles: Vec::new() };
    let typed = Typed::new(Some(std::path::Path::new("/tmp/s")), None, "status");
    let text = status(&all, &now(), PLAIN, &typed);
    for line in ["next      garminsyncctl --socket /tmp/s --account work login\n", "next      chmod o-rwx 'x'\n"] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_code_that_is_waited_for() {
    let mfa = MfaStatus {
        challenge: "c1".into(),
        method: "email".into(),
        sent_to: Some("j***@example.com".into()),
        expires_at: ago(-27),
        attempts_left: 1,
        unsent: false,
        resend_at: None,
    };
    let waiting = AccountStatus {
        name: "work".into(),
        display_name: None,
        since: ago(3),
        mfa: Some(mfa),
        ..account(AccountState::AwaitingMfa)
    };
    let text = page(vec![waiting]);
    let expected = "\
work: waiting for a code for 3 min
  code      Garmin sent a code by e-mail to j***@example.com.
            1 try left, until 14:39 (in 27 min).
  next      garminsyncctl --account work mfa
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn nothing_yet_and_a_cool_down() {
    assert!(page(vec![]).starts_with("No account yet.\n  next      garminsyncctl login, or with"));
    let cooling = AccountStatus { until: Some(ago(-90)), ..account(AccountState::CoolingDown) };
    let text = page(vec![cooling]);
    assert!(text.contains("  waits     no sign-in is tried until 15:42; all data stay\n"), "{text}");
}

#[test]
fn what_comes_from_outside_cannot_steer_a_terminal() {
    let evil = AccountStatus { display_name: Some("\x1b[2Jme\nroot".into()), ..account(AccountState::Active) };
    assert!(page(vec![evil]).starts_with("default ( [2Jme root): active"));
    assert_eq!(clean("a\u{9b}2Jb\u{202e}c\u{2066}d\u{2069}"), "a 2Jb c d ");
    let failure = Failed::refused(&Failure::new(Kind::Internal, "It broke.\x07\nBadly."), &typed());
    assert!(failed(&failure, PLAIN).starts_with("error: It broke. \nBadly.\nnext: "));
}

#[test]
fn colours_only_where_they_are_wanted() {
    let failure = Failed::usage("No.");
    assert_eq!(failed(&failure, Paint(true)), "\x1b[31merror:\x1b[0m No.");
    assert_eq!(failed(&failure, PLAIN), "error: No.");
}

#[test]
fn words_from_outside_become_sentences() {
    for (words, expected) in [
        ("there is no dataset \"foo\"", "There is no dataset \"foo\"."),
        ("Nothing was changed.", "Nothing was changed."),
        ("garmin.db: disk I/O error", "garmin.db: disk I/O error."),
        ("", ""),
    ] {
        assert_eq!(sentence(words), expected);
    }
}

#[test]
fn the_question_for_the_code_counts_down_and_fits_every_terminal() {
    let mfa = MfaStatus {
        challenge: "c1".into(),
        method: "email".into(),
        sent_to: None,
        expires_at: ago(-27),
        attempts_left: 3,
        unsent: false,
        resend_at: Some(ago(-1)),
    };
    let at = |seconds: i64| code_prompt(&mfa, ago(0) + TimeDelta::seconds(seconds));
    assert_eq!(at(1), "Code (26:59 left): ");
    assert_eq!(at(27 * 60 + 5), "Code (00:00 left): ");
    let eva = Typed::new(None, Some("eva"), "login");
    let soon = code_missing(now().to_utc() + TimeDelta::seconds(24), &now(), &eva);
    assert!(soon.starts_with("If none comes: garminsyncctl --account eva mfa --resend (in 24 s,"), "{soon}");
    assert!(!code_missing(now().to_utc(), &now(), &eva).contains("(in 0"));
    let app = MfaStatus { resend_at: None, unsent: true, ..mfa };
    for method in ["totp", "AUTHENTICATOR", "authenticator_app", "AUTHENTICATOR_APP"] {
        let app = MfaStatus { method: method.into(), unsent: false, ..app.clone() };
        assert!(code_sent(&app, &now()).starts_with("The code is in the authenticator app."), "{method}");
    }
    let unsent = code_sent(&app, &now()).to_lowercase();
    assert!(unsent.contains("has not sent it yet"), "{unsent}");
}
