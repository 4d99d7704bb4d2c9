//! What an account's actor is asked, what its tasks bring back, and who waits for an answer. Only words; the actor says what
//! follows.

use garminsync_garmin::{Credentials, Error, NoToken, PersonalToken, Tier, Tokens};
use garminsync_protocol::{Failure, LoginResult, LoginStart, Secret, SubmitMfa};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::elsewhere::Elsewhere;
use super::person::Owner;
use super::sign_in::{self, End};
use super::stored::Pending;
use super::{Access, NoAccess};
use crate::program;
use crate::report::Reporter;

pub(super) type Reply = oneshot::Sender<Result<LoginResult, Failure>>;
pub(super) type TokenReply = oneshot::Sender<Result<SecretString, NoToken>>;

/// What the actor is asked, and what its tasks bring back.
#[derive(Debug)]
pub enum Message {
    /// `login.start`.
    Login(LoginStart, Reporter, Reply),
    /// `login.start` with a login that was made elsewhere.
    TakeOver(Elsewhere, Reporter, Reply),
    /// `login.submit_mfa`.
    Submit(SubmitMfa, Reporter, Reply),
    /// `login.resend_mfa`.
    Resend(Reporter, Reply),
    /// `login.cancel`.
    Cancel(Reply),
    /// `logout`; true if the data go too.
    Logout(bool, Reply),
    /// The data are gone; answered whether that was waited for.
    Forgotten(oneshot::Sender<bool>),
    /// What a sync needs.
    Access(Vec<Tier>, oneshot::Sender<Result<Access, NoAccess>>),
    /// A token; with `refused`, another one than that.
    Token {
        /// Of which tier.
        tier: Tier,
        /// What Garmin answered 401 to.
        refused: Option<SecretString>,
        /// Where it goes.
        reply: TokenReply,
    },
    /// Garmin's data service refuses even a fresh token.
    RefusedForGood(Tier, SecretString),
    /// Look whether tokens need renewal.
    RefreshDue,
    /// A program for an unattended sign-in has ended; ignored if the number is not that of the one that runs.
    Program(u64, Result<SecretString, program::Failed>),
    /// Finish what must not be cut off, then end.
    Stop(oneshot::Sender<()>),
    /// A task's end; ignored if the number is not the current one.
    Done(u64, Done),
}

/// How a task ended.
#[derive(Debug)]
pub enum Done {
    /// A sign-in, or the proof of tokens found after a restart.
    SignIn(End),
    /// A code check: the session with its new cookies, the code, and what came of it.
    Code(Box<Pending>, SecretString, sign_in::Checked),
    /// A request for another code: the session with its new cookies, and whether it was sent.
    Sent(Box<Pending>, Result<(), Error>),
    /// A renewal of the account tier's tokens.
    Renewal(Box<Result<Tokens, Error>>),
    /// Time to send a renewal once more whose answer was lost.
    RenewAgain,
    /// An exchange of the Personal key; true when a login asked for it, which then also tells whose the key is.
    Bearer(SecretString, bool, Result<(PersonalToken, Option<Owner>), Error>),
    /// Whose a credential in use is.
    Owner(Tier, Option<Owner>),
}

/// Who asks the machine for something, and what they brought.
pub(super) struct Asker {
    pub(super) reply: Reply,
    pub(super) reporter: Reporter,
    pub(super) brought: Brought,
}

pub(super) enum Brought {
    Nothing,
    Credentials(Option<Credentials>),
    Code(Secret),
    Elsewhere(Elsewhere),
}

impl Asker {
    pub(super) fn bare(reply: Reply) -> Self {
        Self { reply, reporter: Reporter::silent(), brought: Brought::Nothing }
    }
}
