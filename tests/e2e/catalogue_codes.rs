//! Every answer that Garmin is known to give to a code and to the request for one, by each way in: what it is called, what it
//! costs, where the login then stands, and exactly what was asked of Garmin. No answer costs a second code or a login that works.

use chrono::{DateTime, Utc};
use garminsync_test_support::fake::{Effect, FakeGarmin, Host, Rule};
use garminsync_test_support::harness::{Daemon, Terminal, until};
use garminsync_test_support::people::{SignInFlow, SignInMood};
use serde_json::Value;

use crate::stage::{ANA, PASSWORD, Stage, ana};

const VERIFY: &str = "/mobile/api/mfa/verifyCode";
const ENTER: &str = "/sso/verifyMFA/loginEnterMfaCode";
const ASK: &str = "/sso/verifyMFA/mfaCode";

/// A login that waits for its code, with `--no-wait`; by the mobile way in, unless `arrange` shuts it.
async fn waiting(mood: SignInMood, arrange: impl Fn(&FakeGarmin)) -> (Stage, Daemon) {
    let stage = Stage::set(ana(mood), "").await;
    arrange(&stage.fake);
    let daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &["--no-wait"]).await;
    assert_eq!(login.code, 5, "{login:?}");
    (stage, daemon)
}

/// Only the widget is open.
fn by_widget(fake: &FakeGarmin) {
    fake.change(ANA, |ana| {
        for flow in [SignInFlow::Mobile, SignInFlow::Portal] {
            ana.moods.insert(flow, SignInMood::Throttled429);
        }
    });
}

/// Brings a code; exit code and error.
async fn brought(stage: &Stage, code: &str) -> (i32, Value) {
    let ran = stage.home.ctl(&["--json", "mfa", code]).await;
    (ran.code, ran.json()["error"].clone())
}

async fn asked_again(stage: &Stage) -> (i32, Value) {
    let ran = stage.home.ctl(&["--json", "mfa", "--resend"]).await;
    let json = ran.json();
    (ran.code, if json["error"].is_null() { json } else { json["error"].clone() })
}

/// What was sent about codes.
fn about_codes(stage: &Stage) -> Vec<String> {
    stage.sent().into_iter().filter(|sent| sent.to_lowercase().contains("mfa")).collect()
}

fn other(code: &str, last: char) -> String {
    format!("{}{}", &code[..5], if code.ends_with(last) { '9' } else { last })
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_codes_of_each_way_in_end_the_login_and_say_why() {
    for (arrange, verify) in [((|_: &FakeGarmin| ()) as fn(&FakeGarmin), VERIFY), (by_widget, ENTER)] {
        let (stage, _daemon) = waiting(SignInMood::MfaEmail, arrange).await;
        for (last, left) in [('1', 2), ('2', 1), ('3', 0)] {
            let (exit, error) = brought(&stage, &other(&stage.code(), last)).await;
            assert_eq!(
                (exit, error["kind"].as_str(), error["attempts_left"].as_u64()),
                (8, Some("mfa_code_rejected"), Some(left))
            );
            assert!(
                left > 0 || error["message"].as_str().is_some_and(|text| text.contains("before Garmin locks")),
                "{error}"
            );
        }
        assert_eq!(stage.asked(Host::Sso, "POST", verify), 3);
        assert_eq!(brought(&stage, &stage.code()).await.1["kind"], "no_pending_login");
        assert_eq!(stage.home.account("default").await["state"], "signed_out");
        assert_eq!((stage.asked(Host::Sso, "POST", verify), stage.fake.mail(ANA).len()), (3, 1));
    }
}

/// 409: the session is over for Garmin, for instance because of a newer sign-in elsewhere. The login ends, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_session_ends_the_login_and_costs_nothing_else() {
    for (arrange, verify) in [((|_: &FakeGarmin| ()) as fn(&FakeGarmin), VERIFY), (by_widget, ENTER)] {
        let (stage, _daemon) = waiting(SignInMood::MfaEmail, arrange).await;
        stage.fake.misbehave(Rule::does(Effect::status(409)).host(Host::Sso).path(verify));
        let (exit, error) = brought(&stage, &stage.code()).await;
        assert_eq!((exit, error["kind"].as_str()), (1, Some("mfa_expired")), "{error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("start a new login")), "{error}");
        assert_eq!(error["hint"], "garminsyncctl login");
        assert_eq!(stage.home.account("default").await["state"], "signed_out");
        assert_eq!(about_codes(&stage).iter().filter(|sent| !sent.contains(ASK)).count(), 1, "{:?}", stage.sent());
        assert_eq!(stage.fake.mail(ANA).len(), 1, "nothing sends a code that nobody asked for");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_path_has_a_twin() {
    let (stage, _daemon) = waiting(SignInMood::MfaEmail, |_| ()).await;
    stage.fake.misbehave(Rule::does(Effect::status(429)).host(Host::Sso).path(VERIFY));
    assert_eq!(brought(&stage, &stage.code()).await.0, 0);
    assert_eq!(about_codes(&stage), ["1 POST /mobile/api/mfa/verifyCode", "1 POST /portal/api/mfa/verifyCode"]);
    assert_eq!(stage.home.account("default").await["state"], "active");
}

/// Garmin may be asked again only when the login is over: nothing waits for a code then, and nobody is told that something does.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_outlasts_the_login_ends_it() {
    let (stage, _daemon) = waiting(SignInMood::MfaEmail, |_| ()).await;
    stage.fake.misbehave(Rule::does(Effect::throttled(7200)).host(Host::Sso).path("verifyCode"));
    let (code, error) = brought(&stage, &stage.code()).await;
    assert_eq!((code, error["kind"].as_str()), (6, Some("rate_limited")), "{error}");
    let hint = error["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("login --browser") && !hint.contains("mfa"), "{error}");
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["mfa"]), (&"cooling_down".into(), &Value::Null), "{account}");
}

/// Throttled, turned away, in trouble: the code may still be good and no try is lost. The widget's path has no twin.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_looked_at_is_still_good() {
    let ways = [((|_: &FakeGarmin| ()) as fn(&FakeGarmin), "verifyCode", 2), (by_widget, ENTER, 1)];
    for (arrange, path, paths) in ways {
        let (stage, _daemon) = waiting(SignInMood::MfaEmail, arrange).await;
        let mut sent = 0;
        for (effect, kind, exit, requests) in [
            (Effect::status(429), "rate_limited", 6, paths),
            (Effect::CloudflareChallenge, "login_blocked", 6, 1),
            (Effect::status(503), "garmin_unreachable", 1, paths),
            (Effect::Reset, "garmin_unreachable", 1, 1),
        ] {
            let is_lost = matches!(effect, Effect::Reset);
            stage.fake.misbehave(Rule::does(effect).host(Host::Sso).path(path));
            let (code, error) = brought(&stage, &stage.code()).await;
            assert_eq!((code, error["kind"].as_str(), error["attempts_left"].as_u64()), (exit, Some(kind), Some(3)));
            let message = error["message"].as_str().unwrap_or_default();
            assert!(message.contains("may still be good"), "{error}");
            assert_eq!(message.contains("No attempt was used"), !is_lost, "{error}");
            assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("garminsyncctl mfa")), "{error}");
            sent += requests;
            assert_eq!(stage.asked(Host::Sso, "POST", path), sent, "{kind}");
            assert_eq!(stage.home.account("default").await["state"], "awaiting_mfa");
            stage.fake.behave();
        }
        assert_eq!(brought(&stage, &stage.code()).await.0, 0);
        assert_eq!(stage.fake.mail(ANA).len(), 1);
    }
}

/// A code whose count the disk refuses is not sent: it would be free, and what it brings could not be kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_on_disk_or_it_is_not_sent() {
    let (stage, _daemon) = waiting(SignInMood::MfaEmail, |_| ()).await;
    let vault = stage.vault();
    vault.execute_batch("BEGIN EXCLUSIVE").expect("somebody else holds the vault");
    let (code, error) = brought(&stage, &stage.code()).await;
    assert_eq!((code, error["kind"].as_str()), (1, Some("storage")), "{error}");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("the code was not sent")), "{error}");
    assert_eq!(about_codes(&stage), [""; 0], "nothing was sent");
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["mfa"]["attempts_left"]), (&"awaiting_mfa".into(), &3.into()), "{account}");
    vault.execute_batch("COMMIT").expect("released");
    assert_eq!(brought(&stage, &stage.code()).await.0, 0);
    assert_eq!(stage.fake.mail(ANA).len(), 1);
}

/// The daemon is killed while a code is with Garmin, again and again: it counts before it is sent, and the sixth is not.
#[tokio::test(flavor = "multi_thread")]
async fn kills_do_not_make_codes_free() {
    let (stage, mut daemon) = waiting(SignInMood::MfaEmail, |_| ()).await;
    let hang = Effect::hang(std::time::Duration::from_secs(100));
    stage.fake.misbehave(Rule::does(hang).host(Host::Sso).path(VERIFY));
    let code = stage.code();
    for (sent, left) in [(1, 3), (2, 3), (3, 2), (4, 1)] {
        tokio::join!(async { stage.home.ctl(&["mfa", &code]).await }, async {
            until("the code is with Garmin", || async {
                (stage.asked(Host::Sso, "POST", VERIFY) == sent).then_some(())
            })
            .await;
            daemon.kill().await;
        });
        daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.account("default").await["mfa"]["attempts_left"], left, "after {sent}");
    }
    stage.fake.behave();
    stage.fake.misbehave(Rule::does(Effect::Reset).host(Host::Sso).path(VERIFY));
    let (exit, error) = brought(&stage, &code).await;
    assert_eq!((exit, error["kind"].as_str()), (1, Some("garmin_unreachable")), "{error}");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("start a new login")), "{error}");
    stage.fake.behave();
    assert_eq!(brought(&stage, &code).await.1["kind"], "no_pending_login");
    assert_eq!((stage.asked(Host::Sso, "POST", VERIFY), stage.fake.mail(ANA).len()), (5, 1));
}

/// Killed once, the same code is still good.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_a_kill_cut_off_may_be_brought_again() {
    let (stage, daemon) = waiting(SignInMood::MfaEmail, |_| ()).await;
    let hang = Effect::hang(std::time::Duration::from_secs(100));
    stage.fake.misbehave(Rule::does(hang).host(Host::Sso).path(VERIFY).times(1));
    let code = stage.code();
    tokio::join!(async { stage.home.ctl(&["mfa", &code]).await }, async {
        until("the code is with Garmin", || async { (stage.asked(Host::Sso, "POST", VERIFY) == 1).then_some(()) })
            .await;
        daemon.kill().await;
    });
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(brought(&stage, &code).await.0, 0);
}

/// A wrong code, a restart of the daemon, the right code: the page's hidden field is another one by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_widgets_login_survives_a_wrong_code_and_a_restart() {
    for mood in [SignInMood::MfaEmail, SignInMood::MfaSms, SignInMood::MfaTotp] {
        let (stage, daemon) = waiting(mood.clone(), by_widget).await;
        let mailed = mood != SignInMood::MfaTotp;
        let app = stage.fake.person(ANA).expect("Ana").totp_code();
        let code = if mailed { stage.code() } else { app };
        assert_eq!(brought(&stage, &other(&code, '1')).await.0, 8);
        daemon.kill().await;
        let _daemon = Daemon::start(&stage.home).await;
        let mfa = stage.home.account("default").await["mfa"].clone();
        assert_eq!((mfa["attempts_left"].as_u64(), mfa["sent_to"].is_string()), (Some(2), mailed), "{mood:?} {mfa}");
        assert_eq!(brought(&stage, &code).await.0, 0, "{mood:?}");
        assert_eq!(stage.home.account("default").await["state"], "active");
        assert_eq!(stage.fake.mail(ANA).len(), usize::from(mailed));
        let asked = if mailed { vec![format!("1 POST {ASK}")] } else { Vec::new() };
        assert_eq!(about_codes(&stage), [asked, vec![format!("2 POST {ENTER}")]].concat());
    }
}

/// A code that could not be asked for is no reason for another sign-in: the login waits, says so, and asks again when told.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_could_not_be_asked_for_is_asked_for_again() {
    let (stage, daemon) = waiting(SignInMood::MfaEmail, |fake| {
        by_widget(fake);
        fake.misbehave(Rule::does(Effect::status(503)).host(Host::Sso).path(ASK).times(2));
    })
    .await;
    let mfa = stage.home.account("default").await["mfa"].clone();
    assert_eq!((&mfa["unsent"], stage.fake.mail(ANA).len()), (&true.into(), 0), "{mfa}");
    let joined = stage.login(PASSWORD, &["--no-wait"]).await;
    assert!(joined.stderr.contains("has not sent it yet") && joined.stderr.contains("mfa --resend"), "{joined:?}");
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    let (exit, error) = asked_again(&stage).await;
    assert_eq!(
        (exit, error["kind"].as_str(), error["attempts_left"].as_u64()),
        (1, Some("garmin_unreachable"), Some(3))
    );
    assert_eq!(about_codes(&stage), [format!("2 POST {ASK}")]);
    let (exit, error) = asked_again(&stage).await;
    assert_eq!((exit, error["kind"].as_str()), (6, Some("rate_limited")), "{error}");
    assert!(error["retry_after_s"].as_u64().is_some_and(|s| (1..=30).contains(&s)), "{error}");
    assert_eq!(about_codes(&stage), [format!("2 POST {ASK}")], "too soon: nothing was sent");
}

/// Garmin would not send the first code for now: its pause is kept, or five minutes where it named none, over a restart too.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_code_that_is_throttled_is_not_asked_for_again_at_once() {
    for (effect, pause) in [(Effect::throttled(900), 600..=900), (Effect::status(429), 200..=300)] {
        let (stage, daemon) = waiting(SignInMood::MfaEmail, |fake| {
            by_widget(fake);
            fake.misbehave(Rule::does(effect.clone()).host(Host::Sso).path(ASK));
        })
        .await;
        daemon.kill().await;
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.account("default").await["mfa"]["unsent"], true);
        let (exit, error) = asked_again(&stage).await;
        assert_eq!((exit, error["kind"].as_str()), (6, Some("rate_limited")), "{error}");
        assert!(error["retry_after_s"].as_u64().is_some_and(|s| pause.contains(&s)), "{error}");
        assert_eq!(about_codes(&stage), [format!("1 POST {ASK}")], "nothing further was sent");
    }
}

/// A code of another length is a slip of the hand: nothing is sent, and no try is lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_code_costs_nothing() {
    let (stage, _daemon) = waiting(SignInMood::MfaEmail, |_| ()).await;
    for slip in ["12345", "1234567"] {
        let (exit, error) = brought(&stage, slip).await;
        assert_eq!((exit, error["attempts_left"].as_u64()), (8, Some(3)), "{error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("6 digits")), "{error}");
    }
    assert!(about_codes(&stage).is_empty());
    assert_eq!(brought(&stage, &format!(" {} ", stage.code())).await.0, 0);
}

/// Garmin says that the session is over when another code is asked for: the login ends; an older one that works goes on.
#[tokio::test(flavor = "multi_thread")]
async fn another_code_of_a_session_that_is_over_ends_the_login() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.idle().await;
    by_widget(&stage.fake);
    stage.fake.change(ANA, |ana| ana.mood = SignInMood::MfaEmail);
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Sso).path(ASK).times(1));
    stage.fake.misbehave(Rule::does(Effect::status(409)).host(Host::Sso).path(ASK));
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    let (exit, error) = asked_again(&stage).await;
    assert_eq!((exit, error["kind"].as_str()), (1, Some("mfa_expired")), "{error}");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("start a new login")), "{error}");
    assert_eq!(stage.home.account("default").await["state"], "active");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!((about_codes(&stage), stage.fake.mail(ANA).len()), (vec![format!("2 POST {ASK}")], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_code_is_not_asked_for() {
    let (stage, _daemon) = waiting(SignInMood::MfaTotp, |_| ()).await;
    let (exit, error) = asked_again(&stage).await;
    assert_eq!((exit, error["kind"].as_str()), (5, Some("mfa_required")), "{error}");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("authenticator")), "{error}");
    assert!(stage.home.account("default").await["mfa"]["resend_at"].is_null());
    assert!(about_codes(&stage).is_empty());
    let code = stage.fake.person(ANA).expect("Ana").totp_code();
    assert_eq!(brought(&stage, &code).await.0, 0);
    assert_eq!(asked_again(&stage).await.1["kind"], "no_pending_login");
}

/// Garmin's half minute between two codes is kept by asking nothing; then the newest code counts, and neither the deadline nor
/// the tries have changed.
#[tokio::test(flavor = "multi_thread")]
async fn another_code_after_half_a_minute() {
    let (stage, _daemon) = waiting(SignInMood::MfaSms, |_| ()).await;
    let before = stage.home.account("default").await["mfa"].clone();
    assert!(before["sent_to"].as_str().is_some_and(|to| to.contains("42")), "{before}");
    let first = stage.code();
    let (exit, error) = asked_again(&stage).await;
    assert_eq!((exit, error["kind"].as_str(), about_codes(&stage).len()), (6, Some("rate_limited"), 0), "{error}");

    let at: DateTime<Utc> = before["resend_at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    // Garmin's own half minute began a moment before ours was written down in whole seconds.
    until("half a minute has passed", || async { (Utc::now() > at + chrono::TimeDelta::seconds(1)).then_some(()) })
        .await;
    let (exit, result) = asked_again(&stage).await;
    assert_eq!((exit, result["state"].as_str()), (0, Some("awaiting_mfa")), "{result}");
    for field in ["challenge", "expires_at", "attempts_left", "sent_to"] {
        assert_eq!(result["mfa"][field], before[field], "{field}");
    }
    assert_eq!(about_codes(&stage), ["1 POST /mobile/api/mfa/sendCode"]);
    assert_ne!(stage.code(), first);
    assert_eq!(brought(&stage, &stage.code()).await.0, 0);
    assert_eq!((stage.fake.mail(ANA).len(), stage.asked(Host::Sso, "POST", "/api/login")), (2, 1));
}

/// At a terminal the time that is left counts down beside the question, and typing goes on undisturbed.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_for_a_code_counts_down_while_it_is_typed() {
    let (stage, _daemon) = waiting(SignInMood::MfaEmail, |_| ()).await;
    let mut terminal = Terminal::ctl(&stage.home, &["mfa"]).expect("a terminal");
    terminal.sees(" left): ");
    let code = stage.code();
    terminal.types(&code[..3], true);
    let shown = terminal.screen().matches("\rCode (").count();
    let mut times = shown;
    until("the line is written anew, twice", || {
        times = terminal.screen().matches("\rCode (").count();
        std::future::ready((times >= shown + 2).then_some(()))
    })
    .await;
    terminal.types(&format!("{}\n", &code[3..]), true);
    assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
    let screen = terminal.screen();
    let left: std::collections::BTreeSet<&str> =
        screen.split("\rCode (").skip(1).filter_map(|rest| rest.get(..5)).collect();
    assert!(left.len() >= 2 && left.iter().all(|left| left.starts_with("29:") || *left == "30:00"), "{screen}");
    assert!(terminal.echoes() && !screen.contains(&code), "{screen}");
}
