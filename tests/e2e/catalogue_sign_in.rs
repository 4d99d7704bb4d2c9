//! Every answer that Garmin's sign-in is known to give, one test each: what it is called, what is said, where the account then
//! stands, and exactly what was asked of Garmin. Each is given twice: to somebody new, and to somebody whose login works, who
//! must keep it. The answers to codes are in `catalogue_codes`; the probe that a 405 answers is the doctor's.

use garminsync_test_support::fake::{Effect, FakeGarmin, Host, Rule};
use garminsync_test_support::harness::{Daemon, Ran};
use garminsync_test_support::people::{SignInFlow, SignInMood};

use crate::stage::{ANA, PASSWORD, Stage, ana};

const BROWSER: &str = "garminsyncctl login --browser";
const KEY: &str = "garminsyncctl login --api-key-stdin";

const MOBILE: [&str; 2] = ["1 GET /mobile/sso/en_US/sign-in", "1 POST /mobile/api/login"];
const PORTAL: [&str; 2] = ["1 GET /portal/sso/en-US/sign-in", "1 POST /portal/api/login"];
const WIDGET: [&str; 3] = ["1 GET /sso/embed", "1 GET /sso/signin", "1 POST /sso/signin"];
const LOGIN: [&str; 2] = ["1 GET /userprofile-service/socialProfile", "1 POST /di-oauth2-service/oauth/token"];

/// What an answer of Garmin comes to.
struct Row {
    kind: &'static str,
    exit: i32,
    /// In the message.
    says: &'static str,
    /// In the hint.
    next: &'static str,
    /// Of somebody new.
    state: &'static str,
    /// Ways in that failed, by their first word.
    tried: &'static [&'static str],
    sent: Vec<&'static str>,
}

fn sorted(parts: &[&[&'static str]]) -> Vec<&'static str> {
    let mut all = parts.concat();
    all.sort_unstable();
    all
}

fn everywhere() -> Vec<&'static str> {
    sorted(&[&MOBILE, &PORTAL, &WIDGET])
}

const ALL: &[&str] = &["Mobile", "Portal", "Widget"];

/// Garmin's whole sign-in is in this mood.
fn mood(mood: SignInMood) -> impl Fn(&FakeGarmin) {
    move |fake| {
        fake.change(ANA, |ana| ana.mood = mood.clone());
    }
}

/// One way in is in this mood, and the JSON ones before it are throttled.
fn widget_in(mood: SignInMood) -> impl Fn(&FakeGarmin) {
    move |fake| {
        fake.change(ANA, |ana| {
            ana.mood = SignInMood::Throttled429;
            ana.moods.insert(SignInFlow::Widget, mood.clone());
        });
    }
}

impl Row {
    fn check(&self, login: &Ran, stage: &Stage) {
        assert_eq!(login.code, self.exit, "{login:?}");
        let error = &login.json()["error"];
        assert_eq!(error["kind"], self.kind, "{login:?}");
        let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
        assert!(text("message").contains(self.says), "{login:?}");
        assert!(text("hint").contains(self.next), "{login:?}");
        let tried = error["tried"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = tried.iter().filter_map(|it| it.as_str()?.split(' ').next()).collect();
        assert_eq!(names, self.tried, "{login:?}");
        assert_eq!(stage.sent(), self.sent);
    }

    async fn holds(self, arrange: impl Fn(&FakeGarmin)) {
        self.holds_for(PASSWORD, arrange).await;
    }

    async fn holds_for(self, password: &str, arrange: impl Fn(&FakeGarmin)) {
        let stage = Stage::set(ana(SignInMood::Ok), "").await;
        arrange(&stage.fake);
        let _daemon = Daemon::start(&stage.home).await;
        let login = stage.login(password, &["--json"]).await;
        self.check(&login, &stage);
        assert_eq!(stage.home.account("default").await["state"], self.state);
        for way in self.tried {
            let line = format!("{way} sign-in: ");
            assert!(stage.home.log().contains(&line), "the log tells it: {}", stage.home.log());
        }

        // A login that works survives it, and goes on syncing.
        stage.fake.behave();
        stage.fake.change(ANA, |ana| *ana = ana.clone().mood(SignInMood::Ok));
        stage.fake.change(ANA, |ana| ana.moods.clear());
        assert_eq!(stage.login(PASSWORD, &["--force"]).await.code, 0);
        stage.idle().await;
        stage.fake.forget_requests();
        arrange(&stage.fake);
        let again = stage.login(password, &["--json"]).await;
        self.check(&again, &stage);
        let account = stage.home.account("default").await;
        assert_eq!((&account["state"], &account["tiers"]["account"]["state"]), (&"active".into(), &"active".into()));
        let sync = stage.home.ctl(&["sync", "--wait"]).await;
        assert_eq!(sync.code, 0, "{sync:?}");
        assert_eq!(stage.sent(), self.sent, "the sync asks the sign-in for nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_exchanged_at_once_and_checked_once() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.account("default").await["state"], "active");
    assert_eq!(stage.sent(), sorted(&[&MOBILE, &LOGIN]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wanted_code_is_waited_for_by_one_login() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    for _ in 0..3 {
        let login = stage.login(PASSWORD, &["--json", "--no-wait"]).await;
        assert_eq!((login.code, login.json()["error"]["kind"].as_str()), (5, Some("mfa_required")), "{login:?}");
        assert_eq!(login.json()["mfa"]["sent_to"], "an*****@example.org");
    }
    let mfa = stage.home.account("default").await["mfa"].clone();
    let at = |field: &str| mfa[field].as_str().and_then(|at| at.parse::<chrono::DateTime<chrono::Utc>>().ok());
    let wait = (at("expires_at").expect("a deadline") - chrono::Utc::now()).num_minutes();
    assert!((28..=30).contains(&wait) && at("resend_at").is_some(), "{mfa}");
    assert_eq!(stage.sent(), sorted(&[&MOBILE]));
    assert_eq!(stage.fake.mail(ANA).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_tried_once() {
    let row = Row {
        kind: "invalid_credentials",
        exit: 8,
        says: "does not accept this e-mail address and password",
        next: "garminsyncctl login",
        state: "signed_out",
        tried: &["Mobile"],
        sent: sorted(&[&MOBILE]),
    };
    row.holds_for("not the password", |_| {}).await;
}

fn blocked(kind: &'static str, says: &'static str) -> Row {
    Row { kind, exit: 6, says, next: BROWSER, state: "cooling_down", tried: ALL, sent: everywhere() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captcha_leads_on_and_then_to_the_browser() {
    blocked("captcha_required", "CAPTCHA").holds(mood(SignInMood::Captcha)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_leads_on_and_then_to_the_browser() {
    blocked("rate_limited", "fewer sign-ins").holds(mood(SignInMood::Throttled429)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_inside_a_200_is_one() {
    blocked("rate_limited", "fewer sign-ins").holds(mood(SignInMood::ThrottledIn200)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_427_is_a_429() {
    blocked("rate_limited", "fewer sign-ins").holds(mood(SignInMood::Throttled427)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudflares_1015_is_a_429() {
    blocked("rate_limited", "fewer sign-ins").holds(mood(SignInMood::Cloudflare1015)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_leads_on_and_then_to_the_browser() {
    blocked("login_blocked", "Cloudflare").holds(mood(SignInMood::Challenge403)).await;
}

/// A guard that shows no page to programs gets no password.
#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_in_front_of_every_page() {
    let row =
        Row { sent: sorted(&[&MOBILE[..1], &PORTAL[..1], &WIDGET[..1]]), ..blocked("login_blocked", "Cloudflare") };
    let guard = |fake: &FakeGarmin| fake.misbehave(Rule::does(Effect::CloudflareChallenge).host(Host::Sso));
    row.holds(guard).await;
}

fn stopped(kind: &'static str, exit: i32, says: &'static str, next: &'static str) -> Row {
    Row { kind, exit, says, next, state: "signed_out", tried: &["Mobile"], sent: sorted(&[&MOBILE]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_account_stops_it() {
    stopped("account_locked", 1, "ACCOUNT_LOCKED", "reset the password").holds(mood(SignInMood::Locked)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_type_stops_it_and_its_text_is_shown() {
    for message in ["generalLoginAccountDisabled", "maxLoginsExceeded", "passwordMustBeRenewed", "consentNeeded"] {
        let garmin = mood(SignInMood::Stopped { kind: "FAIL".into(), message: message.into() });
        stopped("login_blocked", 6, message, BROWSER).holds(garmin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_childs_account_is_led_to_the_key() {
    stopped("login_blocked", 6, "child's or family account", KEY).holds(mood(SignInMood::Child)).await;
}

fn at_the_widget(kind: &'static str, exit: i32, says: &'static str, next: &'static str) -> Row {
    Row { kind, exit, says, next, state: "signed_out", tried: ALL, sent: everywhere() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widgets_form_once_more_is_a_refusal() {
    let row = at_the_widget("invalid_credentials", 8, "does not accept", "garminsyncctl login");
    row.holds_for("not the password", widget_in(SignInMood::Ok)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widgets_unable_to_sign_in_is_led_to_the_key() {
    let row = at_the_widget("login_blocked", 6, "Unable To Sign In", KEY);
    row.holds(widget_in(SignInMood::Child)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_locked() {
    let row = at_the_widget("account_locked", 1, "Account Locked", "reset the password");
    row.holds(widget_in(SignInMood::Locked)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widgets_account_error() {
    let row = at_the_widget("login_blocked", 6, "Account Error", BROWSER);
    row.holds(widget_in(SignInMood::Stopped { kind: "X".into(), message: String::new() })).await;
}

/// Where a page is in trouble it is asked for once more, in the whole chain; the password goes nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_at_every_page() {
    for effect in [Effect::status(503), Effect::Reset] {
        let row = Row {
            kind: "garmin_unreachable",
            exit: 1,
            says: "",
            next: "garminsyncctl login",
            state: "signed_out",
            tried: ALL,
            sent: vec!["1 GET /portal/sso/en-US/sign-in", "1 GET /sso/embed", "2 GET /mobile/sso/en_US/sign-in"],
        };
        row.holds(|fake| fake.misbehave(Rule::does(effect.clone()).host(Host::Sso))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_that_passes_costs_one_request() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.misbehave(Rule::does(Effect::status(502)).host(Host::Sso).times(1));
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let mobile = ["2 GET /mobile/sso/en_US/sign-in", MOBILE[1]];
    assert_eq!(stage.sent(), sorted(&[&mobile, &LOGIN]));
}

/// Nobody looked at the password: the next way in may.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_that_looked_at_no_password_leads_on() {
    for garmin in [SignInMood::ServerError, SignInMood::Html200] {
        let kind = if garmin == SignInMood::Html200 { "garmin_unexpected" } else { "garmin_unreachable" };
        let row = Row {
            kind,
            exit: 1,
            says: "Nothing was",
            next: "garminsyncctl login",
            state: "signed_out",
            tried: ALL,
            sent: everywhere(),
        };
        row.holds(mood(garmin)).await;
    }
}

/// Garmin has the password and its answer is lost: a code may be on its way, and a second one would make it worthless.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_the_password_ends_it() {
    for effect in [Effect::Reset, Effect::HalfBody, Effect::status(504)] {
        let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
        stage.fake.misbehave(Rule::does(effect).host(Host::Sso).method("POST").path("/api/login").after());
        let _daemon = Daemon::start(&stage.home).await;
        let login = stage.login(PASSWORD, &["--json"]).await;
        let row = stopped("garmin_unreachable", 1, "may have sent a code", "garminsyncctl login");
        row.check(&login, &stage);
        assert_eq!(stage.fake.mail(ANA).len(), 1);
        assert_eq!(stage.home.account("default").await["state"], "signed_out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_be_reached_is_asked_for_nothing_else() {
    let mut stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.stop().await;
    let _daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &["--json"]).await;
    let row = Row { sent: Vec::new(), ..stopped("garmin_unreachable", 1, "refused", "check the network") };
    row.check(&login, &stage);
    stage.fake.resume().await.expect("the port is still free");
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0, "no cool-down for that");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_doors_shut_and_the_widget_opens() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    widget_in(SignInMood::Ok)(&stage.fake);
    let _daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &[]).await;
    assert_eq!(login.code, 0, "{login:?}");
    for told in
        ["Mobile sign-in: Garmin asks to wait.", "Portal sign-in: Garmin asks to wait.", "trying the next way in"]
    {
        assert!(login.stderr.contains(told), "{login:?}");
    }
    assert_eq!(stage.sent(), sorted(&[&MOBILE, &PORTAL, &WIDGET, &LOGIN]));
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
}

/// Since June 2026: Garmin lets the widget in and its data service does not take the login.
#[tokio::test(flavor = "multi_thread")]
async fn a_widget_login_that_reads_nothing_is_none() {
    let row = Row {
        sent: sorted(&[&MOBILE, &PORTAL, &WIDGET, &LOGIN]),
        ..blocked("login_blocked", "its own data service refuses")
    };
    row.holds(|fake| {
        widget_in(SignInMood::Ok)(fake);
        fake.knobs(|knobs| knobs.refuse_widget_tokens = true);
    })
    .await;
}

/// In China the widget is the first way in, and a login of it that reads nothing leads on.
#[tokio::test(flavor = "multi_thread")]
async fn in_china_the_order_is_another() {
    let mut person = ana(SignInMood::Ok);
    person.domain = "garmin.cn".into();
    let stage = Stage::set(person, "[accounts.default]\ndomain = \"garmin.cn\"\n").await;
    stage.fake.knobs(|knobs| {
        knobs.domain = "garmin.cn".into();
        knobs.refuse_widget_tokens = true;
    });
    let _daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &[]).await;
    assert_eq!(login.code, 0, "{login:?}");
    let twice = ["2 GET /userprofile-service/socialProfile", "2 POST /di-oauth2-service/oauth/token"];
    assert_eq!(stage.sent(), sorted(&[&WIDGET, &PORTAL, &twice]));
    assert!(login.stderr.contains("Widget sign-in: Garmin's data service refuses the login"), "{login:?}");
}

/// A throttle at the token service ends the chain: the sign-in has opened, and another ticket would be thrown away too.
#[tokio::test(flavor = "multi_thread")]
async fn a_429_at_the_exchange_ends_the_chain() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.misbehave(Rule::does(Effect::status(429)).host(Host::Diauth));
    let _daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &["--json"]).await;
    assert_eq!((login.code, login.json()["error"]["kind"].as_str()), (6, Some("rate_limited")), "{login:?}");
    assert_eq!(stage.home.account("default").await["state"], "cooling_down");
    assert_eq!(stage.sent(), sorted(&[&MOBILE, &LOGIN[1..]]));
}

/// What was tried is there for people, too.
#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_is_told_to_people() {
    let stage = Stage::set(ana(SignInMood::Challenge403), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &[]).await;
    assert_eq!(login.code, 6, "{login:?}");
    let told = login.stderr.split("error:").nth(1).unwrap_or_default();
    assert!(told.contains("next:") && told.contains(BROWSER), "{login:?}");
    for way in ["Mobile sign-in: ", "Portal sign-in: ", "Widget sign-in: "] {
        assert_eq!(login.stderr.matches(way).count(), 1, "when it failed, and not once more at the end: {login:?}");
    }
    let status = stage.home.ctl(&["status"]).await;
    assert!(status.stdout.contains(BROWSER), "{status:?}");
    let early = stage.login(PASSWORD, &[]).await;
    assert!(early.code == 6 && early.stderr.contains(BROWSER) && early.stderr.contains("--force"), "{early:?}");
}
