//! Values of the configuration that check themselves: how far back, base addresses, account names. Pure.

use chrono::NaiveDate;
use garminsync_protocol::limits::MAX_ACCOUNT_NAME;
use serde::{Deserialize, Serialize};

/// How far back a mirror goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Start {
    /// As far as the account has data.
    Auto,
    /// To this day.
    Day(NaiveDate),
}

impl Start {
    /// The day, if one was given.
    pub fn date(self) -> Option<NaiveDate> {
        match self {
            Self::Auto => None,
            Self::Day(day) => Some(day),
        }
    }
}

impl TryFrom<String> for Start {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            day => day
                .parse()
                .map(Self::Day)
                .map_err(|_| format!("{day:?} is neither \"auto\" nor a date like \"2019-01-31\"")),
        }
    }
}

impl From<Start> for String {
    fn from(start: Start) -> Self {
        match start {
            Start::Auto => "auto".into(),
            Start::Day(day) => day.to_string(),
        }
    }
}

/// The last day of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct LastDay(NaiveDate);

impl LastDay {
    /// The day.
    pub fn date(self) -> NaiveDate {
        self.0
    }
}

impl TryFrom<String> for LastDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("{text:?} is no date like \"2027-01-31\""))
    }
}

impl From<LastDay> for String {
    fn from(day: LastDay) -> Self {
        day.0.to_string()
    }
}

/// A base address without a slash at its end: https, or http on a loopback address only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Plain http is taken for loopback addresses only.
    pub(super) fn on_this_machine(&self) -> bool {
        self.0.starts_with("http:")
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let base = text.trim_end_matches('/');
        garminsync_garmin::check_base_url(base)?;
        Ok(Self(base.into()))
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.0
    }
}

/// An account's name, as [`valid_account_name`] allows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

impl AccountName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if valid_account_name(&name) { Ok(Self(name)) } else { Err(format!("{name:?}: {ACCOUNT_NAMES}")) }
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0
    }
}

/// The rule of account names, for people.
pub const ACCOUNT_NAMES: &str =
    "an account's name is 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit";

/// Whether an account may be called so. Names become parts of paths, rows and messages: they stay plain.
pub fn valid_account_name(name: &str) -> bool {
    (1..=MAX_ACCOUNT_NAME).contains(&name.len())
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
