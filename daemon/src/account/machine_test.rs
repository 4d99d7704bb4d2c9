//! Every state × every event, spelled out; and walks through the rules that people rely on.

use super::*;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn challenge(attempts_left: u32) -> Challenge {
    Challenge {
        id: "c1".into(),
        email: "ana@example.org".into(),
        method: "email".into(),
        sent_to: Some("an***@example.org".into()),
        until: at(30),
        attempts_left,
        unsent: false,
        resend_at: Some(at(0)),
        resends_left: 3,
        unanswered: 0,
    }
}

fn failure() -> Failure {
    Failure::new(Kind::GarminUnexpected, "odd")
}

fn logins() -> [Login; 3] {
    [Login::None, Login::Working, Login::Dead("refused".into())]
}

fn attempts() -> Vec<(&'static str, Attempt)> {
    vec![
        ("idle", Attempt::Idle(None)),
        ("expired", Attempt::Idle(Some(Ended::Expired))),
        ("interrupted", Attempt::Idle(Some(Ended::Interrupted))),
        ("failed", Attempt::Idle(Some(Ended::Failed("odd".into())))),
        ("denied", Attempt::Idle(Some(Ended::Denied("a child's".into())))),
        ("signing", Attempt::SigningIn(Some("ana@example.org".into()))),
        ("waiting", Attempt::AwaitingMfa(challenge(3))),
        ("last", Attempt::AwaitingMfa(challenge(1))),
        ("checking", Attempt::CheckingCode(challenge(3))),
        ("checking last", Attempt::CheckingCode(challenge(1))),
        ("asking", Attempt::AskingForCode(challenge(3))),
        ("cooling", Attempt::CoolingDown(at(60), "blocked".into())),
        ("taking", Attempt::TakingOver(Box::new(Attempt::Idle(None)))),
        ("taking, waiting", Attempt::TakingOver(Box::new(Attempt::AwaitingMfa(challenge(3))))),
        ("taking, cooling", Attempt::TakingOver(Box::new(Attempt::CoolingDown(at(60), "blocked".into())))),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    let ask = |email: Option<&str>, with_password, force| Event::LoginAsked {
        email: email.map(Into::into),
        with_password,
        force,
    };
    vec![
        ("login", ask(Some("Ana@example.org"), true, false)),
        ("join", ask(None, false, false)),
        ("login other", ask(Some("eva@example.org"), true, false)),
        ("login forced", ask(Some("ana@example.org"), true, true)),
        ("take over", Event::TakeOverAsked),
        ("code wanted", Event::CodeWanted(challenge(3))),
        ("sign-in failed", Event::SignInFailed(failure())),
        ("sign-in blocked", Event::SignInBlocked(failure())),
        ("code", Event::CodeBrought(None)),
        ("code c1", Event::CodeBrought(Some("c1".into()))),
        ("code c0", Event::CodeBrought(Some("c0".into()))),
        ("code rejected", Event::CodeRejected),
        ("code expired", Event::CodeExpired),
        ("code unanswered", Event::CodeUnanswered(failure())),
        ("code undecided", Event::CodeUndecided(failure())),
        ("code outlasted", Event::CodeUndecided(failure().retry_after_s(29 * 60))),
        ("code in time", Event::CodeUndecided(failure().retry_after_s(29 * 60 - 1))),
        ("resend", Event::ResendAsked),
        ("code sent", Event::CodeSent),
        ("code not sent", Event::CodeNotSent(failure())),
        ("proven", Event::LoginProven),
        ("grant refused", Event::GrantRefused("dead".into())),
        ("cancel", Event::CancelAsked),
        ("logout", Event::LogoutAsked),
        ("tick", Event::Tick),
    ]
}

/// One cell of the table, short enough to read: the next attempt, then the effects.
fn cell(attempt: &Attempt, effects: &[Effect]) -> String {
    let mut words = vec![name(attempt)];
    words.extend(effects.iter().map(|effect| match effect {
        Effect::SignIn => "+sign-in".to_owned(),
        Effect::TakeOver => "+take".into(),
        Effect::Join => "+join".into(),
        Effect::CheckCode => "+check".into(),
        Effect::SendCode => "+send".into(),
        Effect::Stand => "+stand".into(),
        Effect::Refuse(f) => format!("+refuse:{}", f.kind.as_str()),
        Effect::Tell(None) => "+tell".into(),
        Effect::Tell(Some(f)) => format!("+tell:{}", f.kind.as_str()),
        Effect::Abort => "+abort".into(),
        Effect::KeepPending => "+keep".into(),
        Effect::DropPending => "+drop".into(),
        Effect::DropCandidate => "+drop-candidate".into(),
        Effect::ForgetSecrets => "+forget".into(),
    }));
    words.join(" ")
}

fn name(attempt: &Attempt) -> String {
    match attempt {
        Attempt::Idle(None) => "idle".to_owned(),
        Attempt::Idle(Some(Ended::Expired)) => "expired".into(),
        Attempt::Idle(Some(Ended::Interrupted)) => "interrupted".into(),
        Attempt::Idle(Some(Ended::Failed(_))) => "failed".into(),
        Attempt::Idle(Some(Ended::Denied(_))) => "denied".into(),
        Attempt::SigningIn(_) => "signing".into(),
        Attempt::AwaitingMfa(c) => format!("waiting{}", c.attempts_left),
        Attempt::CheckingCode(c) => format!("checking{}", c.attempts_left),
        Attempt::AskingForCode(c) => format!("asking{}", c.attempts_left),
        Attempt::CoolingDown(until, _) => format!("cooling{}", (*until - at(0)).num_minutes()),
        Attempt::TakingOver(kept) => format!("taking({})", name(kept)),
    }
}

#[test]
fn the_whole_table() {
    let rows = attempts();
    for (event_name, event) in events() {
        for (attempt_name, attempt) in &rows {
            let expected = expected(event_name, attempt_name);
            for login in logins() {
                let before = State { login: login.clone(), attempt: attempt.clone(), strikes: 1, ..State::new() };
                let (after, effects) = before.step(event.clone(), at(1));
                assert_eq!(cell(&after.attempt, &effects), expected, "{event_name} × {attempt_name} × {login:?}");
                let login_after = match (event_name, &login) {
                    ("proven", _) => Login::Working,
                    ("logout", _) => Login::None,
                    ("grant refused", Login::Working) => Login::Dead("dead".into()),
                    _ => login.clone(),
                };
                assert_eq!(after.login, login_after, "{event_name} × {attempt_name} × {login:?}");
            }
        }
    }
}

fn expected(event: &str, attempt: &str) -> String {
    let same = match attempt {
        "waiting" => "waiting3",
        "last" => "waiting1",
        "checking" => "checking3",
        "checking last" => "checking1",
        "asking" => "asking3",
        "cooling" => "cooling60",
        "taking" => "taking(idle)",
        "taking, waiting" => "taking(waiting3)",
        "taking, cooling" => "taking(cooling60)",
        other => other,
    };
    let is_taking = attempt.starts_with("taking");
    let is_idle = matches!(attempt, "idle" | "expired" | "interrupted" | "failed" | "denied");
    let is_waiting = matches!(attempt, "waiting" | "last");
    let is_checking = matches!(attempt, "checking" | "checking last");
    let is_asking = attempt == "asking";
    let is_busy = is_checking || is_asking || attempt == "signing";
    let and = |effects: &str| format!("{same} {effects}");
    match event {
        "login" | "login other" | "login forced" if is_taking => and("+refuse:already_running"),
        "join" if is_taking => and("+join"),
        "take over" if is_busy || is_taking => and("+refuse:already_running"),
        "take over" => format!("taking({same}) +take"),
        "sign-in failed" | "sign-in blocked" if is_taking => {
            let kept = match attempt {
                "taking" => "failed",
                "taking, waiting" => "waiting3",
                _ => "cooling60",
            };
            format!("{kept} +drop-candidate +tell:garmin_unexpected")
        }
        "proven" if attempt == "taking, cooling" => "cooling60 +drop +tell".into(),
        "code" | "code c1" | "code c0" | "resend" | "cancel" if is_taking => and("+refuse:already_running"),
        "logout" if attempt == "taking, cooling" => "cooling60 +abort +forget +tell:login_needed +stand".into(),
        "login other" if is_busy || is_waiting => and("+refuse:already_running"),
        "login" | "join" | "login forced" if is_busy => and("+join"),
        "login" | "join" | "login forced" if is_waiting => and("+stand"),
        "join" => and("+refuse:invalid_argument"),
        "login" | "login other" if attempt == "cooling" => and("+refuse:cooling_down"),
        "login" | "login other" | "login forced" => "signing +sign-in".into(),
        "code wanted" if attempt == "signing" => "waiting3 +keep +tell".into(),
        "sign-in failed" if is_busy => "failed +drop +tell:garmin_unexpected".into(),
        // The second strike: four hours from minute 1.
        // Garmin lets nobody ask again before the login is over.
        "code outlasted" if is_checking => "cooling241 +drop +tell:garmin_unexpected".into(),
        "sign-in blocked" if is_busy && !is_asking => "cooling241 +drop +tell:garmin_unexpected".into(),
        "code" | "code c1" if attempt == "waiting" => "checking3 +keep +check".into(),
        "code" | "code c1" if attempt == "last" => "checking1 +keep +check".into(),
        "code c0" if is_waiting => and("+refuse:no_pending_login"),
        "resend" if attempt == "waiting" => "asking3 +send".into(),
        "resend" if attempt == "last" => "asking1 +send".into(),
        "resend" if is_asking => and("+join"),
        "resend" if is_busy => and("+refuse:already_running"),
        "code sent" if is_asking => "waiting3 +keep +tell".into(),
        "code not sent" if is_asking => "waiting3 +keep +tell:garmin_unexpected".into(),
        "code" | "code c1" | "code c0" if is_checking || is_asking => and("+refuse:already_running"),
        "code" | "code c1" | "code c0" | "resend" if attempt == "expired" => and("+refuse:mfa_expired"),
        "code" | "code c1" | "code c0" | "resend" => and("+refuse:no_pending_login"),
        "code rejected" if attempt == "checking" => "waiting2 +keep +tell:mfa_code_rejected".into(),
        "code rejected" if attempt == "checking last" => "failed +drop +tell:mfa_code_rejected".into(),
        "code expired" if is_checking => "expired +drop +tell:mfa_expired".into(),
        "code undecided" | "code unanswered" | "code in time" if attempt == "checking" => {
            "waiting3 +keep +tell:garmin_unexpected".into()
        }
        "code undecided" | "code unanswered" | "code in time" if attempt == "checking last" => {
            "waiting1 +keep +tell:garmin_unexpected".into()
        }
        "proven" => "idle +drop +tell".into(),
        "cancel" if is_waiting => "idle +drop +stand".into(),
        "cancel" if is_busy => "idle +abort +drop +tell:no_pending_login +stand".into(),
        "cancel" => and("+refuse:no_pending_login"),
        "logout" if attempt == "cooling" => "cooling60 +abort +forget +tell:login_needed +stand".into(),
        "logout" => "idle +abort +forget +tell:login_needed +stand".into(),
        _ if is_idle || is_waiting || is_busy || is_taking || attempt == "cooling" => same.into(),
        other => unreachable!("{other}"),
    }
}

/// Brings a code, which counts although the daemon is killed before anybody knows more; then the answer, if one came.
fn brings(state: State, answer: Option<Event>) -> State {
    let (checking, effects) = state.step(Event::CodeBrought(None), at(1));
    assert_eq!(effects, [Effect::KeepPending, Effect::CheckCode], "written down before it is sent");
    match answer {
        Some(answer) => checking.step(answer, at(1)).0,
        None => checking.restored(),
    }
}

#[test]
fn no_kill_and_no_lost_answer_lets_a_sixth_code_out() {
    let answers = [None, Some(Event::CodeUnanswered(failure())), Some(Event::CodeRejected)];
    for kinds in 0..answers.len().pow(5) {
        let mut state = State { attempt: Attempt::AwaitingMfa(challenge(CODE_ATTEMPTS)), ..State::new() };
        let (mut sent, mut refused) = (0, 0);
        while let Attempt::AwaitingMfa(waiting) = &state.attempt {
            if waiting.tries_left() == 0 {
                let (ended, effects) = state.clone().step(Event::CodeBrought(None), at(1));
                assert!(matches!(ended.attempt, Attempt::Idle(Some(Ended::Failed(_)))), "{ended:?}");
                assert!(matches!(&effects[..], [Effect::DropPending, Effect::Refuse(_)]), "{effects:?}");
                state = state.step(Event::Tick, at(1)).0;
                break;
            }
            let answer = answers[kinds / answers.len().pow(sent) % answers.len()].clone();
            refused += u32::from(answer == Some(Event::CodeRejected));
            sent += 1;
            state = brings(state, answer);
        }
        assert!(matches!(state.attempt, Attempt::Idle(Some(Ended::Failed(_)))), "{state:?}");
        assert!(sent == 5 || refused == 3, "{sent} sent, {refused} refused: neither more nor less");
    }
}

#[test]
fn two_lost_answers_cost_the_person_nothing_and_trouble_on_the_way_never_does() {
    let mut state = State { attempt: Attempt::AwaitingMfa(challenge(3)), ..State::new() };
    let left = |state: &State| match &state.attempt {
        Attempt::AwaitingMfa(waiting) => waiting.tries_left(),
        other => panic!("{other:?}"),
    };
    for _ in 0..20 {
        state = brings(state, Some(Event::CodeUndecided(failure())));
        assert_eq!(left(&state), 3);
    }
    for expected in [3, 3, 2, 1] {
        state = brings(state, None);
        assert_eq!(left(&state), expected);
    }
}

#[test]
fn the_deadline_ends_a_waiting_login_and_is_said() {
    for event in [Event::Tick, Event::CodeBrought(None)] {
        let waiting = State { attempt: Attempt::AwaitingMfa(challenge(3)), ..State::new() };
        let (after, _) = waiting.step(event, at(30));
        assert_eq!(after.attempt, Attempt::Idle(Some(Ended::Expired)));
        let (_, effects) = after.step(Event::CodeBrought(None), at(31));
        assert!(matches!(&effects[..], [Effect::Refuse(f)] if f.kind == Kind::MfaExpired));
    }
    // A login after the deadline starts afresh.
    let waiting = State { attempt: Attempt::AwaitingMfa(challenge(3)), ..State::new() };
    let ask = Event::LoginAsked { email: None, with_password: true, force: false };
    let (after, effects) = waiting.step(ask, at(30));
    assert_eq!((after.attempt, effects), (Attempt::SigningIn(None), vec![Effect::DropPending, Effect::SignIn]));
}

#[test]
fn cool_downs_double_to_a_day_and_survive_a_wrong_clock() {
    let mut hours = Vec::new();
    let mut state = State::new();
    for _ in 0..6 {
        state.attempt = Attempt::SigningIn(None);
        let (after, _) = state.step(Event::SignInBlocked(failure()), at(0));
        let Attempt::CoolingDown(until, _) = &after.attempt else { panic!("{after:?}") };
        hours.push((*until - at(0)).num_hours());
        state = after;
    }
    assert_eq!(hours, [2, 4, 8, 16, 24, 24]);
    // The clock was a year ahead when the pause began: it lasts as long as it should, from now.
    let (after, _) = state.clone().step(Event::Tick, at(-60 * 24 * 365));
    assert!(matches!(after.attempt, Attempt::CoolingDown(until, _) if until == at(-60 * 24 * 364)), "{after:?}");
    let (after, _) = state.step(Event::LoginProven, at(1));
    assert_eq!(after.strikes, 0);
}

#[test]
fn a_longer_pause_that_garmin_asks_for_is_kept() {
    for (strikes, asked, hours) in [(0, 60, 2), (0, 5 * 3600, 5), (1, 3 * 3600, 4), (0, 86_400, 24), (0, u64::MAX, 24)]
    {
        let signing = State { attempt: Attempt::SigningIn(None), strikes, ..State::new() };
        let (after, effects) = signing.step(Event::SignInBlocked(failure().retry_after_s(asked)), at(0));
        let until = at(60 * hours);
        assert!(matches!(after.attempt, Attempt::CoolingDown(at, _) if at == until), "{asked} {after:?}");
        let [Effect::DropPending, Effect::Tell(Some(told))] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(told.retry_after_s, u64::try_from(hours * 3600).ok(), "what is said is what is done");
        // A look at the clock does not cut it, and one that was put back does not stretch it.
        assert_eq!(after.clone().step(Event::Tick, at(1)).0, after);
        let (put_back, _) = after.step(Event::Tick, at(-500_000));
        assert!(matches!(put_back.attempt, Attempt::CoolingDown(until, _) if until == at(-500_000 + 60 * hours)));
    }
}

#[test]
fn a_wait_that_began_under_a_wrong_clock_is_cut_to_the_longest_there_is() {
    let waiting = State { attempt: Attempt::AwaitingMfa(challenge(3)), ..State::new() };
    let years_before = at(-60 * 24 * 700);
    let (after, effects) = waiting.step(Event::Tick, years_before);
    let Attempt::AwaitingMfa(challenge) = after.attempt else { panic!("{after:?}") };
    assert_eq!((challenge.until - years_before, effects), (LONGEST_WAIT, vec![Effect::KeepPending]));
}

#[test]
fn a_restart_keeps_what_waits_and_drops_what_was_on_the_wire() {
    let restored = |attempt| State { attempt, ..State::new() }.restored().attempt;
    assert_eq!(restored(Attempt::CheckingCode(challenge(2))), Attempt::AwaitingMfa(challenge(2)));
    assert_eq!(restored(Attempt::AskingForCode(challenge(2))), Attempt::AwaitingMfa(challenge(2)));
    assert_eq!(restored(Attempt::AwaitingMfa(challenge(2))), Attempt::AwaitingMfa(challenge(2)));
    assert!(matches!(restored(Attempt::SigningIn(None)), Attempt::Idle(Some(Ended::Failed(_)))));
    let taking = Attempt::TakingOver(Box::new(Attempt::AwaitingMfa(challenge(2))));
    assert_eq!(restored(taking), Attempt::AwaitingMfa(challenge(2)));
}

#[test]
fn a_forced_sign_in_that_says_nothing_of_the_block_leaves_the_pause() {
    let cooling = Attempt::CoolingDown(at(60), "blocked".into());
    let begin = State { attempt: cooling.clone(), strikes: 1, ..State::new() };
    let forced = Event::LoginAsked { email: Some("ana@example.org".into()), with_password: true, force: true };
    let (signing, effects) = begin.step(forced, at(1));
    assert_eq!(effects, [Effect::SignIn]);
    assert_eq!(signing.clone().restored().attempt, cooling, "killed meanwhile");
    let end = |event: Event, now| signing.clone().step(event, now).0.attempt;
    let failed = |kind| Event::SignInFailed(Failure::new(kind, "x"));
    for event in [failed(Kind::GarminUnreachable), Event::CancelAsked, Event::LogoutAsked] {
        assert_eq!(end(event.clone(), at(2)), cooling, "{event:?}");
        assert!(matches!(end(event, at(61)), Attempt::Idle(_)), "it is over by then");
    }
    assert!(matches!(end(failed(Kind::InvalidCredentials), at(2)), Attempt::Idle(_)), "Garmin looked at it");
    assert_eq!(
        end(Event::SignInBlocked(Failure::new(Kind::RateLimited, "x")), at(2)),
        Attempt::CoolingDown(at(242), "x".into())
    );
    let (waiting, _) = signing.step(Event::CodeWanted(challenge(3)), at(2));
    assert_eq!(waiting.overridden, None);
}

#[test]
fn a_clock_that_is_put_back_neither_ends_a_pause_nor_stretches_it() {
    let state = State { attempt: Attempt::CoolingDown(at(120), "blocked".into()), strikes: 1, ..State::new() };
    let (put_back, _) = state.clone().step(Event::Tick, at(-500_000));
    assert_eq!(put_back.attempt, Attempt::CoolingDown(at(-500_000 + 120), "blocked".into()));
    assert_eq!(state.clone().step(Event::Tick, at(1)).0, state);
}

#[test]
fn another_way_in_costs_neither_the_code_nor_the_cool_down() {
    let taking = |kept| State { attempt: Attempt::TakingOver(Box::new(kept)), strikes: 2, ..State::new() };
    let cooling = Attempt::CoolingDown(at(60), "blocked".into());
    let (after, _) = taking(cooling.clone()).step(Event::LoginProven, at(1));
    assert_eq!((after.word(), after.attempt, after.strikes), (AccountState::Active, cooling.clone(), 2));
    let (after, _) = taking(cooling).step(Event::LoginProven, at(60));
    assert_eq!((after.attempt, after.strikes), (Attempt::Idle(None), 0));
    // What the vault could not take stays where it lies.
    let full = Failure::new(Kind::Storage, "full");
    let (_, effects) = taking(Attempt::Idle(None)).step(Event::SignInFailed(full.clone()), at(1));
    assert_eq!(effects, [Effect::Tell(Some(full))]);
}

fn asked_again(challenge: Challenge, now: DateTime<Utc>) -> (Attempt, Option<Failure>) {
    let (after, effects) =
        State { attempt: Attempt::AwaitingMfa(challenge), ..State::new() }.step(Event::ResendAsked, now);
    let refusal = effects.into_iter().find_map(|effect| match effect {
        Effect::Refuse(failure) => Some(failure),
        _ => None,
    });
    (after.attempt, refusal)
}

#[test]
fn another_code_is_asked_for_half_a_minute_after_the_last_and_three_times() {
    let mut waiting = challenge(2);
    for resends_left in (0..RESENDS).rev() {
        let now = waiting.resend_at.unwrap();
        let (early, refusal) = asked_again(waiting.clone(), now - TimeDelta::seconds(12));
        let refusal = refusal.expect("too early");
        assert_eq!(
            (refusal.kind, refusal.retry_after_s, early),
            (Kind::RateLimited, Some(12), Attempt::AwaitingMfa(waiting.clone()))
        );
        let (asking, refusal) = asked_again(waiting.clone(), now);
        assert_eq!(refusal, None);
        let (after, _) = State { attempt: asking, ..State::new() }.step(Event::CodeSent, now);
        let Attempt::AwaitingMfa(after) = after.attempt else { panic!("{after:?}") };
        assert_eq!(after.resend_at, Some(now + RESEND_PAUSE));
        assert_eq!((after.attempts_left, after.until), (waiting.attempts_left, waiting.until), "neither changes");
        assert_eq!(after.resends_left, resends_left);
        waiting = after;
    }
    let (_, refusal) = asked_again(waiting.clone(), at(20));
    assert!(refusal.is_some_and(|failure| failure.message.contains("24 hours")), "three, not four");
    let app = Challenge { resend_at: None, ..challenge(3) };
    assert!(asked_again(app, at(1)).1.is_some_and(|failure| failure.message.contains("authenticator")));
    let (after, refusal) = asked_again(challenge(3), at(30));
    assert_eq!((after, refusal.unwrap().kind), (Attempt::Idle(Some(Ended::Expired)), Kind::MfaExpired));
}

#[test]
fn a_code_that_garmin_will_not_send_is_not_asked_for_again_soon() {
    let asking = State { attempt: Attempt::AskingForCode(Challenge { unsent: true, ..challenge(3) }), ..State::new() };
    for (kind, retry_after, pause) in [
        (Kind::RateLimited, None, 300),
        (Kind::RateLimited, Some(10), 300),
        (Kind::RateLimited, Some(900), 900),
        (Kind::GarminUnreachable, None, 30),
    ] {
        let failure = Failure { retry_after_s: retry_after, ..Failure::new(kind, "no") };
        let (after, effects) = asking.clone().step(Event::CodeNotSent(failure), at(1));
        let Attempt::AwaitingMfa(waiting) = after.attempt else { panic!("{after:?}") };
        assert_eq!(waiting.resend_at, Some(at(1) + TimeDelta::seconds(pause)), "{kind:?} {retry_after:?}");
        assert!(waiting.unsent && waiting.resends_left == RESENDS, "{waiting:?}");
        let [Effect::KeepPending, Effect::Tell(Some(told))] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(told.retry_after_s, u64::try_from(pause).ok());
    }
}
