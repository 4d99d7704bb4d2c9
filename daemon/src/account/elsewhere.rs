//! Logins that were made elsewhere: a ticket of a person's own browser, tokens that another program was given. What was brought is
//! read before an account is made for it, and the requests that follow run as a task of the actor's. It decides nothing about states.

use chrono::Utc;
use garminsync_garmin::{Error, Garmin, Import, Profile, Ticket, Tokens, Tool};
use garminsync_protocol::{BrowserSignIn, Failure, Kind, LoginStart, Secret};
use garminsync_store::Vault;
use secrecy::ExposeSecret;

use super::person::{Owner, another_person};
use super::sign_in::{EXCHANGE_PAUSE, End, Told, exchange, hold};
use super::tokens::is_usable;
use super::troubles::ctl_command;
use super::words;
use crate::on_thread::OnThread;

/// How long a ticket lives, in seconds, as far as anybody knows.
const TICKET_LIVES_S: u64 = 60;
/// How often a renewed pair is offered to a disk that refuses it.
const WRITES: u32 = 24;

/// A login that was made elsewhere.
#[derive(Debug)]
pub enum Elsewhere {
    /// What a browser's sign-in led to.
    Ticket(Ticket),
    /// What another program's files hold.
    Tokens(Tool, Box<Tokens>),
}

/// What `login.start` brings.
#[derive(Debug)]
pub enum Brought {
    /// E-mail and password, a key, or nothing: as it stands in the call.
    AsItIs,
    /// Something that was made elsewhere.
    Elsewhere(Elsewhere),
}

/// Where a person signs in with their own browser.
pub fn browser(account: &str, garmin: &Garmin) -> BrowserSignIn {
    BrowserSignIn { account: account.into(), url: garmin.browser_address(), ticket_lives_s: TICKET_LIVES_S }
}

/// Reads what was brought, for the region of `garmin`; asks Garmin nothing. A key file of Garmin's own client becomes the call's
/// key.
///
/// # Errors
/// Why it cannot be used; nothing was sent then.
pub fn read(asked: &mut LoginStart, garmin: impl Fn() -> Result<Garmin, Failure>) -> Result<Brought, Failure> {
    let ways = [asked.password.is_some(), asked.api_key.is_some(), asked.ticket.is_some(), !asked.import.is_empty()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        let words =
            "A login takes one of password, Personal API key, browser ticket and token files. Nothing was sent.";
        return Err(Failure::new(Kind::InvalidArgument, words));
    }
    if let Some(ticket) = asked.ticket.take() {
        let ticket = garmin()?.pasted(ticket.expose()).map_err(|why| words::not_usable(&why))?;
        return Ok(Brought::Elsewhere(Elsewhere::Ticket(ticket)));
    }
    let files = std::mem::take(&mut asked.import);
    if files.is_empty() {
        return Ok(Brought::AsItIs);
    }
    let files: Vec<&str> = files.iter().map(Secret::expose).collect();
    match garmin()?.import(&files).map_err(|why| words::not_usable(&why))? {
        Import::Tokens(tool, tokens) => Ok(Brought::Elsewhere(Elsewhere::Tokens(tool, tokens))),
        Import::Key(key) => {
            asked.api_key = Some(Secret::from(key));
            Ok(Brought::AsItIs)
        }
    }
}

/// Makes a login of it. Tokens are on disk before anything else happens to them.
pub async fn take(
    garmin: &Garmin,
    vault: &OnThread<Vault>,
    account: &str,
    owner: Option<&Owner>,
    brought: Elsewhere,
    told: &Told,
) -> End {
    match brought {
        Elsewhere::Ticket(ticket) => take_ticket(garmin, vault, account, &ticket, told).await,
        Elsewhere::Tokens(tool, tokens) => {
            told(&format!(
                "these are the tokens of {tool}, which can have one user only: once garminsyncd has renewed them, that program's copy no \
                 longer works; a login of its own is better: {}",
                ctl_command(account, "login --browser")
            ));
            if tool == Tool::Garth {
                told("whether Garmin renews a login of garth's is not proven; it is tried once");
            }
            if let Err(failure) = hold(vault, account, &tokens, &[]).await {
                return End::Failed(failure);
            }
            let copy = tokens.refresh.clone();
            match settle(garmin, vault, account, *tokens, told).await {
                Ok(End::Proven(tokens, Some(who))) if tokens.refresh.expose_secret() != copy.expose_secret() => {
                    match another_person(account, owner, &who, "login") {
                        Some(refusal) => End::Failed(words::renewed_for_nobody(refusal)),
                        None => End::Proven(tokens, Some(who)),
                    }
                }
                Ok(proven) => proven,
                Err(Unsettled::Garmin(error)) => End::Failed(words::imported(&error)),
                Err(Unsettled::Vault(failure)) => End::Failed(failure),
            }
        }
    }
}

/// Looks at tokens that a restart found unproven, whatever way they came. Only a refusal of Garmin's costs them: a machine whose
/// network is not up yet keeps them.
pub async fn found(garmin: &Garmin, vault: &OnThread<Vault>, account: &str, tokens: Tokens) -> End {
    match settle(garmin, vault, account, tokens.clone(), &|_| ()).await {
        Ok(proven) => proven,
        Err(Unsettled::Garmin(error @ (Error::InvalidGrant { .. } | Error::Unauthorized | Error::Forbidden))) => {
            End::Failed(words::imported(&error))
        }
        Err(Unsettled::Garmin(_)) => End::Proven(Box::new(tokens), None),
        Err(Unsettled::Vault(failure)) => End::Failed(failure),
    }
}

/// A throttled exchange is no strike against the account: the blocks that a cool-down waits for are at Garmin's sign-in pages, which
/// this way does not ask, and the pause would only keep the person from the password, not from the token service. The exchange
/// itself stops at once, and says how long to wait.
async fn take_ticket(garmin: &Garmin, vault: &OnThread<Vault>, account: &str, ticket: &Ticket, told: &Told) -> End {
    told("exchanging the ticket");
    let tokens = match exchange(garmin, ticket, told).await {
        Ok(tokens) => tokens,
        Err(error) => return End::Failed(words::ticket(&error)),
    };
    if let Err(failure) = hold(vault, account, &tokens, &[]).await {
        return End::Failed(failure);
    }
    told("checking the login");
    match prove(garmin, &tokens).await {
        Ok(profile) => End::Proven(Box::new(tokens), profile),
        Err(_) => End::Failed(words::refused_ticket()),
    }
}

enum Unsettled {
    Garmin(Error),
    Vault(Failure),
}

/// Proves tokens that are on disk with one data call. They are renewed once, before it if they have ended, after it if Garmin's data
/// service refuses them although they should be good; the new pair is on disk before it is used, since the old one is dead then.
async fn settle(
    garmin: &Garmin,
    vault: &OnThread<Vault>,
    account: &str,
    tokens: Tokens,
    told: &Told,
) -> Result<End, Unsettled> {
    let proven = |tokens, profile| Ok(End::Proven(Box::new(tokens), profile));
    if is_usable(&tokens, Utc::now()) {
        told("checking the login");
        match prove(garmin, &tokens).await {
            Ok(profile) => return proven(tokens, profile),
            Err(error) => {
                tracing::info!(account, %error, "tokens that should be good are refused; they are renewed once")
            }
        }
    }
    told("renewing the tokens; the copy of the program they came from stops working now");
    let tokens = renew(garmin, &tokens).await.map_err(Unsettled::Garmin)?;
    let mut tries = 1;
    // The old pair is dead at Garmin and the new one is only here: hold on to it until the disk takes it.
    while let Err(failure) = hold(vault, account, &tokens, &[]).await {
        if tries == WRITES {
            return Err(Unsettled::Vault(failure));
        }
        tries += 1;
        tokio::time::sleep(EXCHANGE_PAUSE).await;
    }
    told("checking the login");
    let profile = prove(garmin, &tokens).await.map_err(Unsettled::Garmin)?;
    proven(tokens, profile)
}

/// Renews once; after a lost answer or trouble, which say nothing of whether Garmin rotated the token, once more with the same one.
async fn renew(garmin: &Garmin, tokens: &Tokens) -> Result<Tokens, Error> {
    match garmin.refresh(tokens).await {
        Err(Error::Unreachable { .. } | Error::ServerTrouble { .. }) => {
            tokio::time::sleep(EXCHANGE_PAUSE).await;
            garmin.refresh(tokens).await
        }
        renewed => renewed,
    }
}

/// Asks Garmin's data service once. No answer is no refusal: the tokens are kept.
async fn prove(garmin: &Garmin, tokens: &Tokens) -> Result<Option<Profile>, Error> {
    match garmin.profile(&tokens.access).await {
        Ok(profile) => Ok(Some(profile)),
        Err(error @ (Error::Unauthorized | Error::Forbidden)) => Err(error),
        Err(error) => {
            tracing::info!(%error, "the login could not be checked and is kept");
            Ok(None)
        }
    }
}
