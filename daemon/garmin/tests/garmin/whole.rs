//! Whole walks against the fake Garmin: from the password to data, through codes, rotation and misbehaviour.

use std::{sync::Mutex, time::Duration};

use garminsync_garmin::{
    Accept, Answer, CLIENT_IDS, Cause, Credentials, Domain, Endpoints, Error, Flow, Garmin, Get, NoToken, Pauses,
    PendingSignIn, Settings, SignIn, Ticket, Tier, Timeouts, TokenSource, Tokens,
};
use garminsync_test_support::{
    fake::{Body, Effect, FakeGarmin, Filter, Host, Options, Rule, TokenForm},
    people::{KeyState, Person, SignInMood},
};
use secrecy::{ExposeSecret, SecretString};

pub const ANA: &str = "ana@example.org";

pub async fn fake(mood: SignInMood) -> FakeGarmin {
    let fake = FakeGarmin::start(Options::default()).await.unwrap();
    fake.add(Person::named(ANA).mood(mood));
    fake
}

fn settings(fake: &FakeGarmin) -> Settings {
    Settings {
        endpoints: Endpoints {
            domain: Domain::Com,
            sso: fake.url(Host::Sso),
            diauth: fake.url(Host::Diauth),
            connectapi: fake.url(Host::Connectapi),
            personal: fake.url(Host::Personal),
        },
        pauses: Pauses::all(Duration::ZERO),
        ..Settings::of(Domain::Com)
    }
}

/// A new client each time: nothing may depend on what an older one remembers.
pub fn garmin(fake: &FakeGarmin) -> Garmin {
    Garmin::new(settings(fake)).unwrap()
}

async fn sign_in(fake: &FakeGarmin, flow: Flow) -> Result<SignIn, Error> {
    let credentials = Credentials { email: ANA.into(), password: "ana-password".into() };
    garmin(fake).sign_in(flow, &credentials, &mut 1, &|_| {}).await
}

pub async fn ticket(fake: &FakeGarmin, flow: Flow) -> Ticket {
    match sign_in(fake, flow).await {
        Ok(SignIn::Ticket(ticket)) => ticket,
        other => panic!("{other:?}"),
    }
}

pub async fn pending(fake: &FakeGarmin, flow: Flow) -> PendingSignIn {
    match sign_in(fake, flow).await {
        Ok(SignIn::CodeWanted(pending)) => *pending,
        other => panic!("{other:?}"),
    }
}

async fn tokens(fake: &FakeGarmin) -> Tokens {
    garmin(fake).exchange(&ticket(fake, Flow::Mobile).await).await.unwrap()
}

/// Keeps a token the way the account room does: renews when told that it is refused.
struct Keeper {
    garmin: Garmin,
    access: Mutex<SecretString>,
    tokens: Option<Tokens>,
    key: SecretString,
}

impl TokenSource for Keeper {
    async fn token(&self, _: Tier) -> Result<SecretString, NoToken> {
        Ok(self.access.lock().unwrap().clone())
    }

    async fn renew(&self, tier: Tier, refused: &SecretString) -> Result<SecretString, NoToken> {
        assert_eq!(refused.expose_secret(), self.access.lock().unwrap().expose_secret());
        let renewed = match tier {
            Tier::Account => self.garmin.refresh(self.tokens.as_ref().unwrap()).await.map(|tokens| tokens.access),
            Tier::Personal => self.garmin.personal_token(&self.key).await.map(|token| token.access),
        };
        let access = renewed.map_err(|error| NoToken::LoginNeeded(error.to_string()))?;
        *self.access.lock().unwrap() = access.clone();
        Ok(access)
    }
}

async fn keeper(fake: &FakeGarmin, tier: Tier) -> Keeper {
    let key: SecretString = fake.person(ANA).unwrap().api_key.into();
    let (access, tokens) = match tier {
        Tier::Account => {
            let tokens = tokens(fake).await;
            (tokens.access.clone(), Some(tokens))
        }
        Tier::Personal => (garmin(fake).personal_token(&key).await.unwrap().access, None),
    };
    Keeper { garmin: garmin(fake), access: Mutex::new(access), tokens, key }
}

fn summary(tier: Tier) -> Get {
    let path = "/usersummary-service/v2/dailysummaries?startDate=2026-10-01&endDate=2026-10-21".into();
    Get { tier, path, accept: Accept::Json }
}

#[tokio::test]
async fn from_a_password_to_data_by_both_flows() {
    for (flow, folded) in [(Flow::Mobile, false), (Flow::Portal, false), (Flow::Mobile, true)] {
        let fake = fake(SignInMood::Ok).await;
        fake.knobs(|knobs| knobs.folded_cookies = folded);
        let garmin = garmin(&fake);
        let tokens = garmin.exchange(&ticket(&fake, flow).await).await.unwrap();
        assert_eq!((&*tokens.client_id, tokens.domain), (CLIENT_IDS[0], Domain::Com));
        let lives = (tokens.access_expires_at - tokens.issued_at).num_seconds();
        assert!((64_000..=107_000).contains(&lives), "{lives}");

        let ana = fake.person(ANA).unwrap();
        let profile = garmin.profile(&tokens.access).await.unwrap();
        assert_eq!(profile.profile_id, Some(ana.profile_id));
        assert_eq!(profile.display_name, Some(ana.display_name));
        assert_eq!(profile.full_name, Some(ana.full_name));
        assert_eq!(fake.requests().len(), 4, "page, password, exchange, profile");
        assert_eq!(fake.count(&Filter::host(Host::Diauth)), 1);
    }
}

#[tokio::test]
async fn a_chinese_account_stays_in_china() {
    let fake = fake(SignInMood::Ok).await;
    fake.knobs(|knobs| knobs.domain = "garmin.cn".into());
    fake.change(ANA, |ana| ana.domain = "garmin.cn".into());
    let mut settings = settings(&fake);
    settings.endpoints.domain = Domain::Cn;
    let garmin = Garmin::new(settings).unwrap();
    let credentials = Credentials { email: ANA.into(), password: "ana-password".into() };
    let Ok(SignIn::Ticket(ticket)) = garmin.sign_in(Flow::Portal, &credentials, &mut 1, &|_| {}).await else {
        panic!()
    };
    let tokens = garmin.exchange(&ticket).await.unwrap();
    assert_eq!(tokens.domain, Domain::Cn);
    assert_eq!(garmin.refresh(&tokens).await.unwrap().domain, Domain::Cn);
}

#[tokio::test]
async fn every_mood_of_garmin_has_its_own_error() {
    let throttled = Error::Throttled { retry_after: None };
    for (mood, expected) in [
        (SignInMood::Captcha, Error::CaptchaRequired),
        (
            SignInMood::Locked,
            Error::AccountLocked { kind: "ACCOUNT_LOCKED".into(), message: "generalLoginAccountLocked".into() },
        ),
        (
            SignInMood::Stopped { kind: "FAIL".into(), message: "generalLoginAccountDisabled".into() },
            Error::SignInStopped { kind: "FAIL".into(), message: "generalLoginAccountDisabled".into() },
        ),
        (SignInMood::Throttled429, throttled.clone()),
        (SignInMood::Throttled427, throttled.clone()),
        (SignInMood::ThrottledIn200, throttled.clone()),
        (SignInMood::Cloudflare1015, throttled),
        (SignInMood::Challenge403, Error::Challenged),
        (SignInMood::ServerError, Error::ServerTrouble { status: 503 }),
        (SignInMood::Html200, Error::Unexpected { what: "no JSON (HTTP 200)".into() }),
    ] {
        let fake = fake(mood.clone()).await;
        for flow in [Flow::Mobile, Flow::Portal] {
            assert_eq!(sign_in(&fake, flow).await.unwrap_err(), expected, "{mood:?}");
        }
        assert_eq!(fake.count(&Filter::host(Host::Sso).path("api/login")), 2, "{mood:?}: one attempt a flow");
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let fake = fake(SignInMood::Ok).await;
    fake.change(ANA, |ana| ana.password = "another".into());
    assert_eq!(sign_in(&fake, Flow::Mobile).await.unwrap_err(), Error::InvalidCredentials);
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_lost_answer_to_the_password_costs_one_code_not_two() {
    // The connection of the page is still open and breaks under the password: the client must not start over by itself.
    for effect in [Effect::Reset, Effect::hang(Duration::from_secs(60)), Effect::status(503)] {
        let fake = fake(SignInMood::MfaEmail).await;
        fake.misbehave(Rule::does(effect.clone()).host(Host::Sso).path("api/login").after());
        let timeouts = Timeouts { sso: Duration::from_secs(2), ..Timeouts::default() };
        let garmin = Garmin::new(Settings { timeouts, ..settings(&fake) }).unwrap();
        let credentials = Credentials { email: ANA.into(), password: "ana-password".into() };
        let error = garmin.sign_in(Flow::Mobile, &credentials, &mut 1, &|_| {}).await.unwrap_err();
        assert!(
            matches!(error, Error::AnswerLost { .. } | Error::ServerTrouble { status: 503 }),
            "{effect:?} {error:?}"
        );
        assert_eq!(fake.count(&Filter::host(Host::Sso).path("api/login")), 1, "{effect:?}");
        assert_eq!(fake.mail(ANA).len(), 1, "{effect:?}");
    }
}

#[tokio::test]
async fn a_code_is_brought_by_another_process() {
    for (flow, mood, method) in [
        (Flow::Mobile, SignInMood::MfaEmail, "email"),
        (Flow::Portal, SignInMood::MfaSms, "sms"),
        (Flow::Mobile, SignInMood::MfaTotp, "totp"),
    ] {
        for upper_case in [false, true] {
            let fake = fake(mood.clone()).await;
            fake.knobs(|knobs| knobs.upper_case_methods = upper_case);
            let ana = fake.person(ANA).unwrap();
            let waiting = pending(&fake, flow).await;
            assert_eq!(waiting.method().to_lowercase(), method);
            assert_eq!(waiting.sent_to().is_some(), mood != SignInMood::MfaTotp);
            let text = serde_json::to_string(&waiting).unwrap();
            drop(waiting);

            let code = fake.mail(ANA).first().map_or_else(|| ana.totp_code(), |mail| mail.code.clone());
            let mut resumed: PendingSignIn = serde_json::from_str(&text).unwrap();
            let garmin = garmin(&fake);
            let ticket = garmin.verify_code(&mut resumed, &code.into()).await.unwrap();
            garmin.exchange(&ticket).await.unwrap();
            assert!(fake.mail(ANA).len() <= 1);
        }
    }
}

#[tokio::test]
async fn a_wrong_code_is_followed_by_the_right_one() {
    for (status, kind) in [(401, "INVALID_MFA_CODE"), (200, "MFA_FAILED"), (400, "INVALID")] {
        let fake = fake(SignInMood::MfaEmail).await;
        fake.knobs(|knobs| {
            knobs.wrong_code_status = status;
            knobs.wrong_code_type = kind.into();
        });
        let mut waiting = pending(&fake, Flow::Mobile).await;
        let code = fake.mail(ANA)[0].code.clone();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let error = garmin(&fake).verify_code(&mut waiting, &wrong.into()).await.unwrap_err();
        assert_eq!(error, Error::CodeRejected);
        garmin(&fake).verify_code(&mut waiting, &code.into()).await.unwrap();
        assert_eq!(fake.mail(ANA).len(), 1);
        assert_eq!(fake.count(&Filter::host(Host::Sso).path("verifyCode")), 2);
    }
}

#[tokio::test]
async fn codes_end_with_time_and_with_a_newer_sign_in() {
    let fake = fake(SignInMood::MfaEmail).await;
    let mut first = pending(&fake, Flow::Mobile).await;
    let mut second = pending(&fake, Flow::Mobile).await;
    let codes: Vec<String> = fake.mail(ANA).iter().map(|mail| mail.code.clone()).collect();
    let lost = garmin(&fake).verify_code(&mut first, &codes[0].as_str().into()).await.unwrap_err();
    assert_eq!(lost, Error::SessionLost);
    fake.advance(Duration::from_secs(31 * 60));
    fake.knobs(|knobs| knobs.wrong_code_type = "MFA_CODE_EXPIRED".into());
    let late = garmin(&fake).verify_code(&mut second, &codes[1].as_str().into()).await.unwrap_err();
    assert_eq!(late, Error::CodeExpired);
}

#[tokio::test]
async fn a_code_goes_by_the_other_path_when_its_own_is_throttled() {
    for flow in [Flow::Mobile, Flow::Portal] {
        let fake = fake(SignInMood::MfaEmail).await;
        let mut waiting = pending(&fake, flow).await;
        let own = format!("/{flow}/api/mfa");
        fake.misbehave(Rule::does(Effect::throttled(600)).host(Host::Sso).path(&own));
        let code = fake.mail(ANA)[0].code.clone();
        let garmin = garmin(&fake);
        let ticket = garmin.verify_code(&mut waiting, &code.into()).await.unwrap();
        assert!(garmin.exchange(&ticket).await.is_ok(), "{flow}: the ticket fits the path that answered");
    }
}

#[tokio::test]
async fn tickets_are_for_a_known_client_once_and_soon() {
    let fake = fake(SignInMood::Ok).await;
    fake.knobs(|knobs| knobs.client_ids = vec![CLIENT_IDS[3].into()]);
    let fresh = ticket(&fake, Flow::Mobile).await;
    assert_eq!(garmin(&fake).exchange(&fresh).await.unwrap().client_id, CLIENT_IDS[3]);
    assert_eq!(fake.count(&Filter::host(Host::Diauth)), 4);
    let refused = |error: Error| assert!(matches!(error, Error::TicketRefused { .. }), "{error:?}");
    refused(garmin(&fake).exchange(&fresh).await.unwrap_err());

    let stale = ticket(&fake, Flow::Portal).await;
    fake.advance(Duration::from_secs(61));
    refused(garmin(&fake).exchange(&stale).await.unwrap_err());

    fake.knobs(|knobs| knobs.client_ids = vec!["GARMIN_CONNECT_MOBILE_ANDROID_DI_2099Q1".into()]);
    refused(garmin(&fake).exchange(&ticket(&fake, Flow::Mobile).await).await.unwrap_err());
    let client_ids = vec!["GARMIN_CONNECT_MOBILE_ANDROID_DI_2099Q1".into()];
    let configured = Garmin::new(Settings { client_ids, ..settings(&fake) }).unwrap();
    configured.exchange(&ticket(&fake, Flow::Mobile).await).await.unwrap();
}

#[tokio::test]
async fn refresh_tokens_rotate_and_trouble_does_not_end_a_login() {
    let fake = fake(SignInMood::Ok).await;
    let garmin = garmin(&fake);
    let first = tokens(&fake).await;
    fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth).times(1));
    assert_eq!(garmin.refresh(&first).await.unwrap_err(), Error::ServerTrouble { status: 503 });
    let second = garmin.refresh(&first).await.unwrap();
    assert_ne!(second.refresh.expose_secret(), first.refresh.expose_secret());
    garmin.profile(&second.access).await.unwrap();
    let why = "invalid_grant, Invalid refresh token".to_owned();
    assert_eq!(garmin.refresh(&first).await.unwrap_err(), Error::InvalidGrant { why: why.clone() });

    fake.knobs(|knobs| knobs.omit_refresh_token = true);
    let third = garmin.refresh(&second).await.unwrap();
    assert_eq!(third.refresh.expose_secret(), second.refresh.expose_secret());
    fake.revoke(ANA);
    assert_eq!(garmin.refresh(&third).await.unwrap_err(), Error::InvalidGrant { why });
}

#[tokio::test]
async fn an_expired_token_is_renewed_in_the_middle_on_both_tiers() {
    for tier in [Tier::Account, Tier::Personal] {
        let fake = fake(SignInMood::Ok).await;
        let keeper = keeper(&fake, tier).await;
        let before = keeper.garmin.get(&keeper, &summary(tier)).await;
        assert_eq!(before.requests, 1);
        match tier {
            Tier::Account => fake.expire_access(ANA),
            Tier::Personal => fake.expire_personal(ANA),
        }
        let after = keeper.garmin.get(&keeper, &summary(tier)).await;
        assert_eq!(after.requests, 2);
        let Ok(Answer::Body(body)) = &after.answer else { panic!("{after:?}") };
        assert!(body.len() > 1000);
        assert_eq!(after.answer, before.answer);
        let again = keeper.garmin.get(&keeper, &summary(tier)).await;
        assert_eq!(again.requests, 1, "the renewed token is used");
    }
}

#[tokio::test]
async fn a_dead_login_ends_a_request_with_one_renewal() {
    let fake = fake(SignInMood::Ok).await;
    let keeper = keeper(&fake, Tier::Account).await;
    fake.expire_access(ANA);
    fake.revoke(ANA);
    let fetched = keeper.garmin.get(&keeper, &summary(Tier::Account)).await;
    assert!(matches!(fetched.answer, Err(Error::NoToken(NoToken::LoginNeeded(_)))), "{fetched:?}");
    assert_eq!(fake.count(&Filter::host(Host::Connectapi)), 1);
    assert_eq!(fake.count(&Filter::host(Host::Diauth)), 2, "the exchange and one renewal");
}

#[tokio::test]
async fn data_come_whole_or_as_an_error() {
    let fake = fake(SignInMood::Ok).await;
    let keeper = keeper(&fake, Tier::Account).await;
    let get = async |effect: Effect| {
        fake.behave();
        fake.misbehave(Rule::does(effect).host(Host::Connectapi));
        let fetched = keeper.garmin.get(&keeper, &summary(Tier::Account)).await;
        assert_eq!(fetched.requests, 1);
        fetched.answer
    };
    let status = |status, body| Effect::Status { status, retry_after: None, body };
    let half = get(Effect::HalfBody).await;
    assert!(matches!(half, Err(Error::Unreachable { cause: Cause::Broken, .. })), "{half:?}");
    let reset = get(Effect::Reset).await;
    assert!(matches!(reset, Err(Error::Unreachable { cause: Cause::Broken, .. })), "{reset:?}");
    assert!(matches!(get(Effect::Html200).await, Err(Error::Unexpected { .. })));
    assert!(matches!(get(Effect::Redirect { to: "/elsewhere".into() }).await, Err(Error::Unexpected { .. })));
    assert_eq!(get(status(500, Body::Empty)).await, Err(Error::ServerTrouble { status: 500 }));
    assert_eq!(get(status(403, Body::Json)).await, Err(Error::Forbidden));
    assert_eq!(get(status(403, Body::Html)).await, Err(Error::Throttled { retry_after: None }));
    assert_eq!(get(Effect::CloudflareChallenge).await, Err(Error::Throttled { retry_after: None }));
    assert_eq!(get(status(404, Body::Html)).await, Err(Error::NoService));
    assert_eq!(get(status(204, Body::Empty)).await, Ok(Answer::NoData));
    let wait = Some(Duration::from_secs(14));
    assert_eq!(get(Effect::throttled(14)).await, Err(Error::Throttled { retry_after: wait }));
}

#[tokio::test]
async fn keys_make_tokens_in_every_wrapping_and_are_refused_in_their_own_ways() {
    let fake = fake(SignInMood::Ok).await;
    let garmin = garmin(&fake);
    let key: SecretString = fake.person(ANA).unwrap().api_key.into();
    for form in [TokenForm::Raw, TokenForm::Quoted, TokenForm::Newline, TokenForm::Object] {
        fake.knobs(|knobs| knobs.personal_token_form = form);
        let token = garmin.personal_token(&key).await.unwrap();
        let hours = (token.expires_at - fake.now()).num_minutes() / 60;
        assert_eq!(hours, 23, "{form:?}");
    }
    for (state, expected) in [
        (KeyState::Expired, Error::InvalidCredentials),
        (KeyState::Deleted, Error::InvalidCredentials),
        (KeyState::Malformed, Error::InvalidCredentials),
        (KeyState::Forbidden, Error::Forbidden),
    ] {
        fake.change(ANA, |ana| ana.key_state = state);
        assert_eq!(garmin.personal_token(&key).await.unwrap_err(), expected, "{state:?}");
    }
}
