//! One person with a Garmin account: credentials, how sign-in goes for them, and their life.
//! Tests build them, `FakeGarmin::add` takes them in.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::chance::hash;
use super::life::Life;
use super::plan::Plan;

/// One of the doors for e-mail address and password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignInFlow {
    /// `/mobile/…`, JSON.
    Mobile,
    /// `/portal/…`, JSON.
    Portal,
    /// `/sso/signin`, HTML: the embed widget, and the page that people see in a browser.
    Widget,
}

/// How Garmin receives a person who signs in with the right password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInMood {
    /// A ticket.
    Ok,
    /// A code by e-mail.
    MfaEmail,
    /// A code by text message.
    MfaSms,
    /// A code from an authenticator app ([`Person::totp_code`]); nothing is sent.
    MfaTotp,
    /// 200 `CAPTCHA_REQUIRED`, whatever the password.
    Captcha,
    /// 200 `ACCOUNT_LOCKED`.
    Locked,
    /// 200 with another type and a text key as message.
    Stopped {
        /// `responseStatus.type`.
        kind: String,
        /// `responseStatus.message`.
        message: String,
    },
    /// A child's account, or one that a security policy keeps out.
    Child,
    /// 429, whatever the password.
    Throttled429,
    /// 427.
    Throttled427,
    /// 200 with `error.status-code` 429.
    ThrottledIn200,
    /// 403 with Cloudflare's challenge page.
    Challenge403,
    /// 429 with Cloudflare's page 1015.
    Cloudflare1015,
    /// 503.
    ServerError,
    /// 200 with HTML instead of JSON.
    Html200,
}

impl std::str::FromStr for SignInMood {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "ok" => SignInMood::Ok,
            "mfa-email" => SignInMood::MfaEmail,
            "mfa-sms" => SignInMood::MfaSms,
            "mfa-totp" => SignInMood::MfaTotp,
            "captcha" => SignInMood::Captcha,
            "locked" => SignInMood::Locked,
            "disabled" => SignInMood::Stopped { kind: "FAIL".into(), message: "generalLoginAccountDisabled".into() },
            "child" => SignInMood::Child,
            "throttled-429" => SignInMood::Throttled429,
            "throttled-427" => SignInMood::Throttled427,
            "throttled-in-200" => SignInMood::ThrottledIn200,
            "challenge-403" => SignInMood::Challenge403,
            "cloudflare-1015" => SignInMood::Cloudflare1015,
            "server-error" => SignInMood::ServerError,
            "html-200" => SignInMood::Html200,
            other => return Err(format!("no such mood: {other}")),
        })
    }
}

/// What the Personal tier says to a person's API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// A token.
    Ok,
    /// 401: expired.
    Expired,
    /// 401: deleted or replaced.
    Deleted,
    /// 400.
    Malformed,
    /// 403: terms not accepted, or no device.
    Forbidden,
}

/// A person with a Garmin account.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// E-mail address, the name to sign in with.
    pub email: String,
    /// Password.
    pub password: String,
    /// How sign-in goes.
    pub mood: SignInMood,
    /// How it goes in one flow, where that differs.
    pub moods: BTreeMap<SignInFlow, SignInMood>,
    /// `garmin.com` or `garmin.cn`: where the account lives.
    pub domain: String,
    /// `displayName`: the `{dn}` of data paths.
    pub display_name: String,
    /// `fullName`.
    pub full_name: String,
    /// `profileId`.
    pub profile_id: i64,
    /// The Personal API key.
    pub api_key: String,
    /// What that key is worth.
    pub key_state: KeyState,
    /// When that key expires.
    pub key_expires: Option<DateTime<Utc>>,
    /// Their data.
    pub life: Life,
}

impl Person {
    /// Somebody without a second factor and with a year of data up to 2026-10-21.
    pub fn named(email: &str) -> Person {
        let today = NaiveDate::from_ymd_opt(2026, 10, 21).unwrap_or_default();
        Person::living(email, Plan { seed: hash(email), ..Plan::until(today, 365) })
    }

    /// Somebody with the life of this plan.
    pub fn living(email: &str, plan: Plan) -> Person {
        let number = hash(email);
        let local_part = email.split('@').next().unwrap_or_default();
        Person {
            email: email.to_owned(),
            password: format!("{local_part}-password"),
            mood: SignInMood::Ok,
            moods: BTreeMap::new(),
            domain: "garmin.com".into(),
            display_name: format!("{number:016x}-dn"),
            full_name: format!("{local_part} Müller-Ångström"),
            profile_id: i64::try_from(1_000_000 + number % 90_000_000).unwrap_or(1),
            api_key: format!("fakekey{:016x}{:016x}", hash(&format!("key/{email}")), number),
            key_state: KeyState::Ok,
            key_expires: None,
            life: Life::new(plan, email),
        }
    }

    /// With this password.
    pub fn password(self, password: &str) -> Person {
        Person { password: password.to_owned(), ..self }
    }

    /// With this sign-in.
    pub fn mood(self, mood: SignInMood) -> Person {
        Person { mood, ..self }
    }

    /// With this sign-in in one flow.
    pub fn mood_in(mut self, flow: SignInFlow, mood: SignInMood) -> Person {
        self.moods.insert(flow, mood);
        self
    }

    /// How sign-in goes in this flow.
    pub(crate) fn mood_of(&self, flow: SignInFlow) -> &SignInMood {
        self.moods.get(&flow).unwrap_or(&self.mood)
    }

    /// With `days` days of data up to `today` instead, and this many activities.
    pub fn lived(self, today: NaiveDate, days: u64, activities: usize) -> Person {
        let old = self.life.plan();
        let plan = Plan { seed: old.seed, home: old.home, habits: old.habits, activities, ..Plan::until(today, days) };
        let life = Life::new(plan, &self.email);
        Person { life, ..self }
    }

    /// At home in this time zone, which is also what the settings say.
    pub fn home(self, home: Tz) -> Person {
        let plan = Plan { home, ..self.life.plan().clone() };
        let life = Life::new(plan, &self.email);
        Person { life, ..self }
    }

    /// With these habits.
    pub fn habits(self, habits: super::Habits) -> Person {
        let plan = Plan { habits, ..self.life.plan().clone() };
        let life = Life::new(plan, &self.email);
        Person { life, ..self }
    }

    /// The code their authenticator app shows, always the same.
    pub fn totp_code(&self) -> String {
        format!("{:06}", hash(&format!("totp/{}", self.email)) % 1_000_000)
    }

    /// Where a code goes, masked as Garmin does: `an*****@example.org`.
    pub fn masked_email(&self) -> String {
        let (local_part, domain) = self.email.split_once('@').unwrap_or((&self.email, "example.org"));
        format!("{}*****@{domain}", local_part.chars().take(2).collect::<String>())
    }

    /// `garminGUID` and `GARMIN-SSO-CUST-GUID`.
    pub fn guid(&self) -> String {
        let (high, low) = (hash(&self.email), hash(&format!("guid/{}", self.email)));
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}
