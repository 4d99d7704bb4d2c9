//! The requests behind a sign-in, one after the other: the code, and what follows a ticket. Run by the actor as a task of its
//! own; it decides nothing about states and attempts. Which ways in are tried stands in `chain`.

use std::time::Duration;

use garminsync_garmin::{Error, Garmin, PendingSignIn, Profile, Ticket, Tokens};
use garminsync_protocol::{Failure, Kind};
use garminsync_store::{Kind as Row, Vault};
use secrecy::SecretString;

use super::words;
use crate::on_thread::OnThread;

/// Pause before a ticket's exchange is tried again after trouble on the way. A ticket lives about a minute.
pub const EXCHANGE_PAUSE: Duration = Duration::from_secs(5);
const EXCHANGE_TRIES: u32 = 3;

/// Who hears in short sentences what is going on.
pub type Told = dyn Fn(&str) + Send + Sync;

/// How the task ended.
#[derive(Debug)]
pub enum End {
    /// Garmin wants a code.
    CodeWanted(Box<PendingSignIn>),
    /// Tokens that are on disk and that Garmin's data service did not refuse; who it is, where it said so.
    Proven(Box<Tokens>, Option<Profile>),
    /// Garmin's data service refuses the tokens that it gave out. They are gone again.
    Refused(Error),
    /// Every way in was turned away.
    Blocked(Failure),
    /// It failed for good.
    Failed(Failure),
}

/// What the check of a code came to.
#[derive(Debug)]
pub enum Checked {
    /// Garmin accepted it; how the rest went.
    Accepted(End),
    /// Garmin did not accept it, or could not be asked.
    Not(Error),
}

/// Sends a code. `pending` takes the session's new cookies, also when the code is refused.
pub async fn check_code(
    garmin: &Garmin,
    vault: &OnThread<Vault>,
    account: &str,
    pending: &mut PendingSignIn,
    code: &SecretString,
    told: &Told,
) -> Checked {
    match garmin.verify_code(pending, code).await {
        Ok(ticket) => Checked::Accepted(complete(garmin, vault, account, &ticket, told).await),
        Err(error) => Checked::Not(error),
    }
}

/// From a ticket to proven tokens. They are put on disk before anything else happens to them.
pub(super) async fn complete(
    garmin: &Garmin,
    vault: &OnThread<Vault>,
    account: &str,
    ticket: &Ticket,
    told: &Told,
) -> End {
    told("fetching the login's tokens");
    let tokens = match exchange(garmin, ticket, told).await {
        Ok(tokens) => tokens,
        Err(error) if words::is_block(&error) => return End::Blocked(words::exchange(&error)),
        Err(error) => return End::Failed(words::exchange(&error)),
    };
    // The code, if one led here, is spent: whatever becomes of the tokens, nothing waits for it any more.
    if let Err(failure) = hold(vault, account, &tokens, &[Row::PendingSignIn]).await {
        return End::Failed(failure);
    }
    let end = prove(garmin, tokens, told).await;
    if matches!(end, End::Refused(_)) {
        // Nobody may find it and take it for a login; where that fails, it is refused again.
        let name = account.to_owned();
        let _ = vault.call(move |vault| vault.change(&name, &[], &[Row::CandidateTokens])).await;
    }
    end
}

/// Exchanges a ticket while it lives, whatever the weather at the token service.
pub async fn exchange(garmin: &Garmin, ticket: &Ticket, told: &Told) -> Result<Tokens, Error> {
    let mut tries = 1;
    loop {
        match garmin.exchange(ticket).await {
            // A 500 has been every client id's answer already.
            Err(error @ Error::ServerTrouble { status: 500 }) => return Err(error),
            Err(Error::Unreachable { .. } | Error::ServerTrouble { .. }) if tries < EXCHANGE_TRIES => {
                tries += 1;
                told("Garmin's token service is in trouble; trying again");
                tokio::time::sleep(EXCHANGE_PAUSE).await;
            }
            exchanged => return exchanged,
        }
    }
}

/// Puts tokens that are not proven yet on disk, where a restart finds them, and takes away what they make worthless.
pub async fn hold(
    vault: &OnThread<Vault>,
    account: &str,
    tokens: &Tokens,
    worthless: &'static [Row],
) -> Result<(), Failure> {
    let row = serde_json::to_vec(tokens)
        .map_err(|_| Failure::new(Kind::Internal, "The new login could not be written down."))?;
    let name = account.to_owned();
    match vault.call(move |vault| vault.change(&name, &[(Row::CandidateTokens, &row)], worthless)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(not_stored(&error.to_string())),
        Err(error) => Err(not_stored(&error.to_string())),
    }
}

/// Asks Garmin's data service once whether it takes the tokens. No answer is no refusal: they are kept.
async fn prove(garmin: &Garmin, tokens: Tokens, told: &Told) -> End {
    told("checking the login");
    match garmin.profile(&tokens.access).await {
        Ok(profile) => End::Proven(Box::new(tokens), Some(profile)),
        Err(error @ (Error::Unauthorized | Error::Forbidden)) => End::Refused(error),
        Err(error) => {
            tracing::info!(%error, "the login could not be checked and is kept");
            End::Proven(Box::new(tokens), None)
        }
    }
}

/// Garmin said yes and the vault no.
pub fn not_stored(why: &str) -> Failure {
    Failure::new(
        Kind::Storage,
        format!(
            "Garmin accepted the sign-in, but the login could not be stored ({why}). Mend that, then log in again."
        ),
    )
}
