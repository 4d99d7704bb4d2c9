//! Accounts: one actor each, the only owner of its login and tokens.

use chrono::{DateTime, Utc};
use garminsync_garmin::{Garmin, NoToken, Tier, TokenSource};
use garminsync_protocol::{Failure, Kind, LoginResult, LoginStart, SubmitMfa};
use secrecy::SecretString;

use crate::report::Reporter;

/// All accounts.
#[derive(Clone)]
pub struct Accounts;

/// What a sync needs of an account.
pub struct Access {
    /// The client of the account's region.
    pub garmin: Garmin,
    /// Where tokens come from.
    pub keeper: Keeper,
    /// The tiers the account has a credential for.
    pub tiers: Vec<Tier>,
    /// `{dn}` of Garmin's paths.
    pub display_name: Option<String>,
}

/// Why an account cannot be synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAccess {
    /// No account of that name.
    Unknown,
    /// Signed out, or its login is dead; why, for people.
    LoginNeeded(String),
}

/// An account's token keeper.
#[derive(Clone)]
pub struct Keeper;

impl TokenSource for Keeper {
    async fn token(&self, _: Tier) -> Result<SecretString, NoToken> {
        Err(NoToken::LoginNeeded("not yet".into()))
    }
    async fn renew(&self, _: Tier, _: &SecretString) -> Result<SecretString, NoToken> {
        Err(NoToken::LoginNeeded("not yet".into()))
    }
}

impl Accounts {
    /// `login.start`.
    pub async fn login(&self, _: LoginStart, _: Reporter) -> Result<LoginResult, Failure> {
        Err(Failure::new(Kind::Internal, "not yet"))
    }
    /// `login.submit_mfa`.
    pub async fn submit_mfa(&self, _: SubmitMfa, _: Reporter) -> Result<LoginResult, Failure> {
        Err(Failure::new(Kind::Internal, "not yet"))
    }
    /// `login.cancel`.
    pub async fn cancel_login(&self, _: &str) -> Result<LoginResult, Failure> {
        Err(Failure::new(Kind::Internal, "not yet"))
    }
    /// `logout`.
    pub async fn logout(&self, _: &str) -> Result<LoginResult, Failure> {
        Err(Failure::new(Kind::Internal, "not yet"))
    }
    /// What a sync of this account needs.
    pub async fn access(&self, _: &str) -> Result<Access, NoAccess> {
        Err(NoAccess::Unknown)
    }
    /// The accounts whose login works.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
    }
    /// Renews what needs renewal; the `[tokens]` schedule calls it.
    pub async fn refresh_due(&self, _: DateTime<Utc>) {}
}
