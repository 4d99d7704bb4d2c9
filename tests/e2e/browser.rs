//! Signing in with one's own browser: the address, the paste, and every way a ticket can be no good. The fake plays the browser's side.

use std::time::Duration;

use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Ran, Terminal};
use garminsync_test_support::people::SignInMood;

use crate::stage::{ANA, PASSWORD, Stage, ana};

const ANDROID: &str = "https://mobile.integration.garmin.com/gcm/android";
const EMBED: &str = "https://sso.garmin.com/sso/embed";

/// The address of the page that cannot load.
fn address(stage: &Stage, service: &str) -> String {
    format!("{service}?ticket={}", stage.fake.ticket(ANA, service))
}

async fn paste(stage: &Stage, text: &str) -> Ran {
    stage.home.ctl_with(&["login", "--browser", "--json"], &format!("{text}\n")).await
}

fn exchanges(stage: &Stage) -> usize {
    stage.asked(Host::Diauth, "POST", "token")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_address_is_a_login_in_two_requests() {
    let stage = Stage::set(ana(SignInMood::Captcha), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let login = stage.home.ctl_with(&["login", "--browser"], &address(&stage, ANDROID)).await;
    assert_eq!((login.code, login.stdout.as_str()), (0, ""), "{login:?}");
    let url = format!(
        "{}/sso/signin?service=https%3A%2F%2Fmobile.integration.garmin.com%2Fgcm%2Fandroid",
        stage.fake.url(Host::Sso)
    );
    assert!(login.stderr.contains(&url) && login.stderr.contains("Signed in as"), "{login:?}");
    assert_eq!(stage.home.account("default").await["state"], "active");
    assert_eq!((exchanges(&stage), stage.asked(Host::Sso, "", "")), (1, 0), "nothing is asked of the sign-in pages");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_ticket_and_the_source_of_the_success_page_work_too() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let bare = stage.fake.ticket(ANA, ANDROID);
    assert_eq!(paste(&stage, &format!("\"{bare}\"")).await.code, 0);
    assert_eq!(exchanges(&stage), 1);
    let embed = stage.fake.ticket(ANA, EMBED);
    let page =
        format!("<html>\n<title>Success</title>\n<script>var response_url = \"{EMBED}?ticket={embed}\";</script>");
    assert_eq!(paste(&stage, &page).await.code, 0, "a page has many lines");
    assert_eq!(exchanges(&stage), 2);
}

/// Whose service a bare ticket is of is found by asking; a refused service URL that does not spend it costs one more request.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_ticket_of_another_service_is_found_out() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.knobs(|knobs| knobs.refused_service_spends_ticket = false);
    let _daemon = Daemon::start(&stage.home).await;
    let bare = stage.fake.ticket(ANA, EMBED);
    assert_eq!(paste(&stage, &bare).await.code, 0);
    assert_eq!(exchanges(&stage), 5, "four client ids for the likeliest service, one for the next");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_no_usable_ticket_is_said_and_not_sent() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    for (text, words) in [
        ("correct horse", "begins with ST-"),
        ("https://connect.garmin.com/app?ticket=ST-1-abc-cas", "Garmin Connect's own page"),
        ("https://mobile.integration.garmin.cn/gcm/android?ticket=ST-1-abc-cas", "garmin.cn"),
        ("https://elsewhere.example/?ticket=ST-1-abc-cas", "none that Garmin gives"),
    ] {
        let said = stage.home.ctl_with(&["--account", "eva", "login", "--browser", "--json"], text).await;
        assert_eq!(
            (said.code, said.json()["error"]["kind"].as_str()),
            (2, Some("invalid_argument")),
            "{text}: {said:?}"
        );
        let message = said.json()["error"]["message"].to_string();
        assert!(message.contains(words) && message.contains("Nothing was sent"), "{text}: {said:?}");
        assert!(!format!("{said:?}").contains("ST-1-abc"), "{said:?}");
    }
    assert_eq!((exchanges(&stage), stage.asked(Host::Connectapi, "", "")), (0, 0));
    assert!(stage.home.account("eva").await.is_null(), "no account is made for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_good_for_a_minute_and_once() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let once = address(&stage, ANDROID);
    assert_eq!(paste(&stage, &once).await.code, 0);
    let old = address(&stage, ANDROID);
    stage.fake.advance(Duration::from_secs(70));
    for spent in [once, old] {
        let before = exchanges(&stage);
        let said = paste(&stage, &spent).await;
        assert_eq!((said.code, said.json()["error"]["kind"].as_str()), (8, Some("invalid_credentials")), "{said:?}");
        let text = said.json()["error"].to_string();
        assert!(
            text.contains("a minute") && text.contains("get a new ticket: garminsyncctl login --browser"),
            "{said:?}"
        );
        assert_eq!(exchanges(&stage) - before, 4, "one for each client id");
        assert_eq!(stage.home.account("default").await["state"], "active", "the login that was there goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_at_garmin_is_told_apart() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    for (effect, kind, code, requests) in
        [(Effect::throttled(900), "rate_limited", 6, 1), (Effect::status(500), "garmin_unreachable", 1, 4)]
    {
        stage.fake.misbehave(Rule::does(effect).host(Host::Diauth));
        let before = exchanges(&stage);
        let said = paste(&stage, &address(&stage, ANDROID)).await;
        assert_eq!((said.code, said.json()["error"]["kind"].as_str()), (code, Some(kind)), "{said:?}");
        assert!(said.json()["error"]["message"].to_string().contains("ticket is lost, and nothing else"), "{said:?}");
        assert_eq!(exchanges(&stage) - before, requests);
        stage.fake.behave();
        // It is no strike against the password's way in.
        assert_eq!(stage.home.account("default").await["state"], "signed_out");
    }
    // Weather that passes costs nothing.
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth).times(1));
    assert_eq!(paste(&stage, &address(&stage, ANDROID)).await.code, 0);
    // The data tier refuses what came of the Success page, and the old login goes on.
    stage.fake.knobs(|knobs| knobs.refuse_widget_tokens = true);
    let said = paste(&stage, &address(&stage, EMBED)).await;
    assert_eq!((said.code, said.json()["error"]["kind"].as_str()), (1, Some("garmin_unexpected")), "{said:?}");
    assert!(said.json()["error"]["message"].to_string().contains("data service refuses"), "{said:?}");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cool_down_does_not_stop_a_ticket_and_outlives_it() {
    let stage = Stage::set(ana(SignInMood::Throttled429), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let blocked = stage.login(PASSWORD, &[]).await;
    assert!(blocked.code == 6 && blocked.stderr.contains("garminsyncctl login --browser"), "{blocked:?}");
    let status = stage.home.ctl(&["status"]).await;
    assert!(status.stdout.contains("garminsyncctl login --browser"), "{status:?}");
    assert_eq!(paste(&stage, &address(&stage, ANDROID)).await.code, 0);
    assert_eq!(stage.home.account("default").await["state"], "active");
    let posts = stage.asked(Host::Sso, "POST", "");
    let early = stage.login(PASSWORD, &["--json"]).await;
    assert_eq!(early.json()["error"]["kind"], "cooling_down", "Garmin's block stands: {early:?}");
    assert_eq!(stage.asked(Host::Sso, "POST", ""), posts);
}

/// A sign-in that waits for its code goes on waiting when a ticket is no good, and is over when one is.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_login_is_kept_until_another_works() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    let challenge = stage.home.account("default").await["mfa"]["challenge"].clone();
    assert_eq!(paste(&stage, "ST-1-abc-cas").await.code, 8);
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["mfa"]["challenge"]), (&"awaiting_mfa".into(), &challenge));
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["mfa"]["challenge"], challenge, "also on disk");

    assert_eq!(paste(&stage, &address(&stage, ANDROID)).await.code, 0);
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], account["mfa"].is_null()), (&"active".into(), true), "{account}");
    let late = stage.home.ctl(&["--json", "mfa", &stage.code()]).await;
    assert_eq!(late.json()["error"]["kind"], "no_pending_login", "{late:?}");
    assert_eq!(stage.asked(Host::Sso, "POST", "/verifyCode"), 0);
}

/// Killed between the exchange and the proof: the tokens are on disk, and the next start proves them.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_the_exchange_loses_no_login() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let hang = Effect::hang(Duration::from_secs(120));
    stage.fake.misbehave(Rule::does(hang).host(Host::Connectapi).path("socialProfile").times(1));
    let daemon = Daemon::start(&stage.home).await;
    let address = address(&stage, ANDROID);
    let killed = async {
        garminsync_test_support::harness::until("the proof is under way", || async {
            (stage.asked(Host::Connectapi, "GET", "socialProfile") == 1).then_some(())
        })
        .await;
        daemon.kill().await;
    };
    let (said, ()) = tokio::join!(paste(&stage, &address), killed);
    assert_eq!((said.code, said.json()["error"]["kind"].as_str()), (1, Some("connection_lost")), "{said:?}");
    assert!(said.json()["error"]["message"].to_string().contains("there or it is not"), "{said:?}");

    let _daemon = Daemon::start(&stage.home).await;
    stage.account_is("the login is there", |account| account["state"] == "active").await;
    assert_eq!(exchanges(&stage), 1);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
}

/// Killed before the exchange was answered: no login, nothing hangs, and the next ticket works.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_answer_leaves_the_account_as_it_was() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(120))).host(Host::Diauth).times(1));
    let daemon = Daemon::start(&stage.home).await;
    let first = address(&stage, ANDROID);
    let killed = async {
        garminsync_test_support::harness::until("the exchange is under way", || async {
            (exchanges(&stage) == 1).then_some(())
        })
        .await;
        daemon.kill().await;
    };
    let (said, ()) = tokio::join!(paste(&stage, &first), killed);
    assert_eq!(said.code, 1, "{said:?}");
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["state"], "signed_out");
    assert_eq!(paste(&stage, &address(&stage, ANDROID)).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chinese_account_has_its_own_addresses() {
    let mut person = ana(SignInMood::Ok);
    person.domain = "garmin.cn".into();
    let stage = Stage::set(person, "[garmin]\ndomain = \"garmin.cn\"\n").await;
    stage.fake.knobs(|knobs| knobs.domain = "garmin.cn".into());
    let _daemon = Daemon::start(&stage.home).await;
    let service = "https://mobile.integration.garmin.cn/gcm/android";
    let login = stage.home.ctl_with(&["login", "--browser"], &address(&stage, service)).await;
    assert_eq!(login.code, 0, "{login:?}");
    assert!(
        login.stderr.contains("mobile.integration.garmin.cn%2Fgcm")
            && login.stderr.contains("https://connect.garmin.cn"),
        "{login:?}"
    );
}

/// At a terminal: the paste is not seen however long it is, a wrong one is asked for again without a request, and what follows a
/// line break does not end up in the shell.
#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let mut terminal = Terminal::ctl(&stage.home, &["login", "--browser", "--no-open"]).expect("a terminal");
    terminal.sees("Paste it here");
    terminal.types(&format!("{}\n", "w".repeat(9000)), true);
    terminal.sees("holds no ticket");
    assert_eq!(exchanges(&stage), 0);
    let address = address(&stage, ANDROID);
    terminal.types(&format!("\u{1b}[200~{}\n{}\u{1b}[201~\n", &address[..60], &address[60..]), true);
    assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
    terminal.sees("Signed in as"); // what was written last may still be on its way to the screen
    let screen = terminal.screen();
    assert!(screen.contains("Signed in as") && !screen.contains("ST-0") && !screen.contains("www"), "{screen}");
    assert!(terminal.echoes(), "the echo is back");

    let mut terminal = Terminal::ctl(&stage.home, &["login", "--browser", "--no-open"]).expect("a terminal");
    terminal.sees("Paste it here");
    terminal.types("\u{3}", true);
    assert_eq!(terminal.ends(), 130, "{}", terminal.screen());
    assert!(terminal.echoes(), "the echo is back");
    assert_eq!(stage.home.account("default").await["state"], "active");
}
