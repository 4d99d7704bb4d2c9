//! What an account leaves in the vault: its rows as plain data. Only the actor uses it.

use chrono::{DateTime, Utc};
use garminsync_garmin::{PendingSignIn, PersonalToken, Profile, Tokens};
use garminsync_store::{Kind as Row, Vault};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::key::KeyFacts;
use super::machine::{Attempt, Challenge, Ended, State};
use super::trial::Trial;
use super::unattended::Standing;

/// The account's own row: how it stands, beside its secrets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// The machine's state, without what has a row of its own.
    pub state: State,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Who it is at Garmin.
    pub profile: Option<Profile>,
    /// Whether the login, and the key, are known to be that person's.
    #[serde(default)]
    pub checked: Checked,
    /// The sign-in that nobody is there for.
    #[serde(default)]
    pub unattended: Standing,
    /// Its data are being removed, which goes on after a restart.
    #[serde(default)]
    pub forgetting: bool,
    /// What is known of its Personal API key.
    #[serde(default)]
    pub key: KeyFacts,
    /// Renewals of the login that have not led to a new one yet.
    #[serde(default)]
    pub trial: Option<Trial>,
}

/// The bearer of a Personal API key, and which key's it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptBearer {
    /// [`KeyFacts::of`].
    pub of: String,
    /// The bearer.
    pub bearer: PersonalToken,
}

/// The credentials that are known to be the account's own person's. What is not, could not be asked when it was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The account login.
    pub login: bool,
    /// The Personal API key.
    pub key: bool,
}

/// A sign-in that waits for its code: everything another process needs to go on with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// As the machine sees it.
    pub challenge: Challenge,
    /// As Garmin's client sees it: cookies and all.
    pub sign_in: PendingSignIn,
    /// Codes that Garmin refused; they are never sent again.
    #[serde(serialize_with = "exposed")]
    pub tried: Vec<SecretString>,
}

/// All that the vault held of an account.
#[derive(Default)]
pub struct Found {
    pub stored: Stored,
    pub pending: Option<Pending>,
    pub tokens: Option<Tokens>,
    pub candidate: Option<Tokens>,
    pub key: Option<SecretString>,
    pub bearer: Option<KeptBearer>,
}

impl Stored {
    /// Reads an account's rows. What cannot be read is told beside what can.
    pub fn read(vault: &mut Vault, account: &str) -> (Found, Vec<String>) {
        let mut troubles = Vec::new();
        let mut row = |kind| match vault.get(account, kind) {
            Ok(row) => row,
            Err(error) => {
                troubles.push(error.to_string());
                None
            }
        };
        let (state, pending) = (row(Row::State), row(Row::PendingSignIn));
        let (tokens, candidate, key) = (row(Row::Tokens), row(Row::CandidateTokens), row(Row::ApiKey));
        // One that cannot be read is no loss: the key gets another.
        let bearer = vault.get(account, Row::Bearer).ok().flatten();
        let found = Found {
            stored: state.and_then(|row| parsed(&row, "state", &mut troubles)).unwrap_or_default(),
            pending: pending.and_then(|row| parsed(&row, "waiting login", &mut troubles)),
            tokens: tokens.and_then(|row| parsed(&row, "tokens", &mut troubles)),
            candidate: candidate.and_then(|row| parsed(&row, "new tokens", &mut troubles)),
            key: key.and_then(|row| String::from_utf8(row.to_vec()).ok()).map(Into::into),
            bearer: bearer.and_then(|row| serde_json::from_slice(&row).ok()),
        };
        (found, troubles)
    }

    /// The part of a state that outlives the process and has no row of its own.
    pub fn lasting(state: &State) -> State {
        let attempt = match &state.attempt {
            Attempt::SigningIn(_) => {
                let pause = state.overridden.clone();
                pause.map_or(Attempt::Idle(Some(Ended::Interrupted)), |(until, why)| Attempt::CoolingDown(until, why))
            }
            Attempt::CoolingDown(until, why) => Attempt::CoolingDown(*until, why.clone()),
            Attempt::TakingOver(kept) => return Self::lasting(&State { attempt: (**kept).clone(), ..state.clone() }),
            // What Garmin lets no program do it will not let one do after a restart either.
            Attempt::Idle(Some(ended @ (Ended::Expired | Ended::Interrupted | Ended::Denied(_)))) => {
                Attempt::Idle(Some(ended.clone()))
            }
            _ => Attempt::Idle(None),
        };
        State { attempt, overridden: None, ..state.clone() }
    }

    /// Whether the row holds anything worth a row.
    pub fn says_anything(&self) -> bool {
        self.profile.is_some()
            || self.forgetting
            || self.state != State::new()
            || self.key != KeyFacts::default()
            || self.trial.is_some()
            || self.unattended != Standing::default()
    }
}

fn parsed<T: for<'de> Deserialize<'de>>(row: &[u8], what: &str, troubles: &mut Vec<String>) -> Option<T> {
    let parsed = serde_json::from_slice(row);
    if parsed.is_err() {
        // Serde's words could quote the row.
        troubles.push(format!("the stored {what} of this account cannot be read"));
    }
    parsed.ok()
}

fn exposed<S: Serializer>(codes: &[SecretString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(codes.iter().map(ExposeSecret::expose_secret))
}
