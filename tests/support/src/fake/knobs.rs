//! What can be turned on the fake while it runs: every knob a documented field with Garmin's behaviour as default.
//! Tests turn them through `FakeGarmin::knobs`; the hosts read them. What happens to single requests is a `Rule`.

use std::time::Duration;

use super::http::Request;

/// How the fake behaves towards everybody.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// `garmin.com` or `garmin.cn`: which service URLs sign-in accepts, and whose people can refresh here. A host that is
    /// addressed by its real name belongs to that name's domain instead.
    pub domain: String,
    /// Refuse (400 with the reason) what a careful client never sends: diauth and connectapi without the native
    /// headers, cookies outside sign-in, native headers on the Personal tier. Garmin itself does not check all of it.
    pub strict: bool,
    /// A login POST sooner than this after its page is answered 429. Zero: no such rule. Garmin's is about 2 s.
    pub sign_in_pause: Duration,
    /// All cookies of one answer in a single `Set-Cookie`, as some stacks present them.
    pub folded_cookies: bool,
    /// MFA methods in upper case (`EMAIL`); Garmin has been seen with both.
    pub upper_case_methods: bool,
    /// `responseStatus.type` after a wrong code. Garmin's real word is unknown.
    pub wrong_code_type: String,
    /// HTTP status after a wrong code.
    pub wrong_code_status: u16,
    /// Wrong codes after which the login is over (the next try is 409).
    pub code_attempts: u32,
    /// How long a mailed code is good.
    pub code_life: Duration,
    /// A code taken on the other JSON path gives a ticket for the service of the login, not of that path. Clients disagree
    /// about which of the two Garmin does.
    pub code_keeps_service: bool,
    /// The widget sends a code with its page for codes, and says so in `codeSentTo`. Without it the client asks.
    pub widget_sends_code: bool,
    /// The title of the widget's page after a wrong password; `None`: the form again.
    pub widget_rejection: Option<String>,
    /// The data tier refuses tokens that come of a widget's ticket, as it does for some accounts since June 2026.
    pub refuse_widget_tokens: bool,
    /// Least time between two codes of one login.
    pub resend_pause: Duration,
    /// How long a service ticket is good.
    pub ticket_life: Duration,
    /// A ticket that comes with another service URL than its own is spent by that. Whether Garmin does so is not known.
    pub refused_service_spends_ticket: bool,
    /// Client ids that diauth knows; others are answered 400.
    pub client_ids: Vec<String>,
    /// Life of an access token; `None`: 65,000 to 107,000 s at random, as recorded.
    pub access_life: Option<Duration>,
    /// Life of a refresh token.
    pub refresh_life: Duration,
    /// Leave `refresh_token` out of the answer to a refresh; the old one then stays good.
    pub omit_refresh_token: bool,
    /// A rotated refresh token that comes back kills its successor too.
    pub reuse_kills_successor: bool,
    /// How the Personal tier's token is written into its answer.
    pub personal_token_form: TokenForm,
    /// Most requests in flight on the Personal tier; more are answered 429 with `Retry-After: 14`.
    pub personal_in_flight: u32,
    /// Data requests faster than this, or more of them at once, are answered 429. `None`: no limit.
    pub rate: Option<Rate>,
    /// How long Garmin takes to bring back the samples of a day that it had put away.
    pub reload_pause: Duration,
    /// The status inside the answer of `trainingstatus/weekly` while the outer one is 200. `None`: 200 too.
    pub training_status_error: Option<u16>,
    /// Bytes that each day's wellness bundle holds besides its files.
    pub wellness_padding: usize,
    /// Every answer takes at least this long.
    pub latency: Duration,
}

impl Knobs {
    /// The domain that this request is in.
    pub(crate) fn domain_of<'a>(&'a self, request: &Request) -> &'a str {
        request.named.unwrap_or(&self.domain)
    }
}

/// A policy per data tier: a token bucket, and how many requests may be under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests a second in the long run.
    pub per_second: f64,
    /// Requests at once after a rest.
    pub burst: f64,
    /// Most requests under way at once.
    pub in_flight: u32,
    /// The answer's `Retry-After` in seconds; `None`: the answer has none.
    pub retry_after_s: Option<u32>,
}

impl Rate {
    /// So many requests in each window, any number of them at once; refusals name the time until the next is granted.
    pub fn of(requests: u32, window: Duration) -> Rate {
        let (requests, seconds) = (f64::from(requests), window.as_secs_f64());
        let retry_after_s = Some((seconds / requests).ceil() as u32);
        Rate { per_second: requests / seconds, burst: requests, in_flight: u32::MAX, retry_after_s }
    }
}

/// How the Personal tier's access token is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenForm {
    /// The JWT and nothing else.
    Raw,
    /// In double quotes.
    Quoted,
    /// With a newline behind it.
    Newline,
    /// `{"access_token": …}`.
    Object,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs {
            domain: "garmin.com".into(),
            strict: true,
            sign_in_pause: Duration::ZERO,
            folded_cookies: false,
            upper_case_methods: false,
            wrong_code_type: "INVALID_MFA_CODE".into(),
            wrong_code_status: 401,
            code_attempts: 5,
            code_life: Duration::from_secs(30 * 60),
            code_keeps_service: false,
            widget_sends_code: false,
            widget_rejection: None,
            refuse_widget_tokens: false,
            resend_pause: Duration::from_secs(30),
            ticket_life: Duration::from_secs(60),
            refused_service_spends_ticket: true,
            client_ids: [
                "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
                "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
                "GARMIN_CONNECT_MOBILE_ANDROID_DI",
                "GARMIN_CONNECT_MOBILE_IOS_DI",
            ]
            .map(String::from)
            .to_vec(),
            access_life: None,
            refresh_life: Duration::from_secs(2_591_999),
            omit_refresh_token: false,
            reuse_kills_successor: false,
            personal_token_form: TokenForm::Raw,
            personal_in_flight: 10,
            rate: None,
            reload_pause: Duration::from_secs(10),
            training_status_error: None,
            wellness_padding: 0,
            latency: Duration::ZERO,
        }
    }
}
