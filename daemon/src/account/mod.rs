//! Accounts: one actor each, the only owner of its login, its tokens and its rows in the vault. The door brings logins and
//! codes, the sync room asks for access, the clock says when to look at tokens. This room knows neither datasets nor sockets.

mod actor;
mod attempt;
mod chain;
mod elsewhere;
mod key;
mod key_file;
pub mod machine;
mod message;
mod person;
mod personal;
mod renewal;
mod sign_in;
mod stored;
mod telling;
mod tokens;
mod trial;
mod troubles;
mod unattended;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use garminsync_garmin::{Garmin, Profile, Tier};
use garminsync_protocol::limits::MAX_ACCOUNT_NAME;
use garminsync_protocol::{
    AccountState, AccountStatus, BrowserSignIn, DEFAULT_ACCOUNT, Failure, Kind, LoginResult, LoginStart, SubmitMfa,
};
use garminsync_store::{Store, Vault};
use tokio::sync::{mpsc, oneshot};

use self::actor::Actor;
use self::elsewhere::Brought;
pub use self::key_file::KeyFile;
use self::message::{Message, Reply};
pub use self::tokens::Keeper;
pub use self::unattended::Unattended;
use crate::board::Board;
use crate::config::valid_account_name;
use crate::on_thread::OnThread;
use crate::report::Reporter;

/// More accounts than any club has; a bound for a caller who makes up names.
const MAX_ACCOUNTS: usize = 500;

/// Makes the client of an account, by its name: regions differ.
pub type MakeGarmin = Box<dyn Fn(&str) -> Result<Garmin, garminsync_garmin::Error> + Send + Sync>;

/// Tells the file of an account's Personal API key, by the account's name.
pub type KeyFileOf = Box<dyn Fn(&str) -> Option<KeyFile> + Send + Sync>;

/// What accounts need to live.
pub struct Setting {
    /// The only copy of the vault.
    pub vault: OnThread<Vault>,
    /// Where they show themselves.
    pub board: Board,
    /// Makes the client of an account's region.
    pub garmin: MakeGarmin,
    /// Where an account's Personal API key may be, by the account's name.
    pub key_file: KeyFileOf,
    /// How long a login waits for its code.
    pub mfa_timeout: TimeDelta,
    /// Where it is written whose data stand under a name: a login of somebody else is refused there.
    pub records: OnThread<Store>,
    /// Those that may sign in with nobody there, by name.
    pub unattended: BTreeMap<String, Unattended>,
    /// Where they tell what others act on.
    pub events: mpsc::UnboundedSender<AccountEvent>,
}

/// What others act on.
#[derive(Clone, Debug)]
pub enum AccountEvent {
    /// A new login works; who it is, where Garmin said so.
    SignedIn {
        /// The account.
        account: String,
        /// Its region at Garmin, `garmin.com` or `garmin.cn`.
        domain: String,
        /// Who it is.
        profile: Option<Profile>,
    },
    /// Who the account is: as the vault knows at the start, and when Garmin said so after it had not done so at the login.
    Known {
        /// The account.
        account: String,
        /// Its region at Garmin, `garmin.com` or `garmin.cn`.
        domain: String,
        /// Who it is.
        profile: Option<Profile>,
    },
    /// The account was signed out.
    SignedOut {
        /// The account.
        account: String,
    },
}

/// What a sync needs of an account.
#[derive(Debug)]
pub struct Access {
    /// The client of the account's region.
    pub garmin: Garmin,
    /// Where tokens come from.
    pub keeper: Keeper,
    /// The tiers the account has a credential for, the preferred one first.
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

/// All accounts. Clones share them.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    setting: Setting,
    actors: Mutex<BTreeMap<String, mpsc::Sender<Message>>>,
    /// Held while an account is made, so that two first logins make one actor.
    making: tokio::sync::Mutex<()>,
}

impl Accounts {
    /// Wakes the accounts of the vault and those that the configuration names. Sends nothing to Garmin.
    ///
    /// # Errors
    /// What keeps the daemon from speaking to Garmin at all, in words.
    pub async fn start(setting: Setting, configured: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let stored = setting.vault.call(|vault| vault.accounts()).await.map_err(|gone| gone.to_string())?;
        let mut names = stored.map_err(|error| error.to_string())?;
        names.extend(configured);
        if (setting.key_file)(DEFAULT_ACCOUNT).is_some_and(|file| file.path.exists()) {
            names.push(DEFAULT_ACCOUNT.into());
        }
        if names.is_empty() {
            names.push(DEFAULT_ACCOUNT.into());
        }
        let making = tokio::sync::Mutex::new(());
        let accounts = Self(Arc::new(Inner { setting, actors: Mutex::default(), making }));
        for name in names {
            accounts.made(&name).await.map_err(|failure| failure.message)?;
        }
        Ok(accounts)
    }

    /// `login.start`: signs in, or joins the login that waits. The account is made if it is new.
    ///
    /// # Errors
    /// What went wrong and what is safe.
    pub async fn login(&self, mut asked: LoginStart, reporter: Reporter) -> Result<LoginResult, Failure> {
        let name = asked.account.clone().unwrap_or_else(|| DEFAULT_ACCOUNT.into());
        if !valid_account_name(&name) {
            return Err(Failure::new(
                Kind::InvalidArgument,
                "An account's name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.",
            ));
        }
        // Before an account is made for it: what nothing can be made of leaves no name behind.
        let brought = elsewhere::read(&mut asked, || self.client(&name))?;
        if let Brought::Elsewhere(login) = brought {
            let actor = self.made(&name).await?;
            return ask(&actor, |reply| Message::TakeOver(login, reporter, reply)).await;
        }
        let brings_something = asked.password.is_some() || asked.api_key.is_some();
        let actor = if brings_something { self.made(&name).await? } else { self.known(&name)? };
        ask(&actor, |reply| Message::Login(asked, reporter, reply)).await
    }

    /// `login.browser`: where a person signs in with their own browser. The account need not exist yet, and nothing is asked of
    /// Garmin.
    ///
    /// # Errors
    /// What keeps the daemon from speaking to Garmin at all.
    pub fn browser(&self, account: &str) -> Result<BrowserSignIn, Failure> {
        Ok(elsewhere::browser(account, &self.client(account)?))
    }

    /// `login.submit_mfa`: brings a code.
    ///
    /// # Errors
    /// What went wrong and what is safe.
    pub async fn submit_mfa(&self, asked: SubmitMfa, reporter: Reporter) -> Result<LoginResult, Failure> {
        let actor = self.known(asked.account.as_deref().unwrap_or(DEFAULT_ACCOUNT))?;
        ask(&actor, |reply| Message::Submit(asked, reporter, reply)).await
    }

    /// `login.resend_mfa`: asks Garmin for another code of the login that waits.
    ///
    /// # Errors
    /// Why none came, or none was asked for.
    pub async fn resend_mfa(&self, account: &str, reporter: Reporter) -> Result<LoginResult, Failure> {
        ask(&self.known(account)?, |reply| Message::Resend(reporter, reply)).await
    }

    /// `login.cancel`: gives the login under way up.
    ///
    /// # Errors
    /// When there is none.
    pub async fn cancel_login(&self, account: &str) -> Result<LoginResult, Failure> {
        ask(&self.known(account)?, Message::Cancel).await
    }

    /// `logout`: forgets the account's secrets. With `forget_data` it is written down, in the same transaction, that the data are to go
    /// too; whoever removes them calls [`Accounts::forgotten`] in the end. Until then nobody signs in.
    ///
    /// # Errors
    /// No such account.
    pub async fn logout(&self, account: &str, forget_data: bool) -> Result<LoginResult, Failure> {
        let answer = ask(&self.known(account)?, |reply| Message::Logout(forget_data, reply)).await?;
        let _ = self.0.setting.events.send(AccountEvent::SignedOut { account: account.to_owned() });
        Ok(answer)
    }

    /// The data of an account that was signed out with them are gone. It is forgotten too, unless the configuration names it.
    pub async fn forgotten(&self, account: &str) {
        let _making = self.0.making.lock().await;
        let Ok(actor) = self.known(account) else { return };
        let (done, written) = oneshot::channel();
        let _ = actor.send(Message::Forgotten(done)).await;
        let was_forgetting = written.await.unwrap_or(false);
        if was_forgetting && !self.0.setting.board.always_shows(account) {
            self.0.actors.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
            let (stopped, _) = oneshot::channel();
            let _ = actor.send(Message::Stop(stopped)).await;
        }
    }

    /// The accounts whose data the last daemon was to remove and did not get to the end of.
    pub fn half_forgotten(&self) -> Vec<String> {
        let snapshot = self.0.setting.board.snapshot();
        let half =
            |account: &&AccountStatus| account.troubles.iter().any(|trouble| trouble.kind == telling::FORGETTING);
        snapshot.accounts.iter().filter(half).map(|account| account.name.clone()).collect()
    }

    /// All accounts there are, whether or not there is anything to tell of them.
    pub fn all_names(&self) -> Vec<String> {
        self.0.actors.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// What a sync of this account needs. Garmin may be asked whose the credentials are, but by none of the tiers that are `paused`.
    ///
    /// # Errors
    /// Why it cannot be synced.
    pub async fn access(&self, account: &str, paused: Vec<Tier>) -> Result<Access, NoAccess> {
        let actor = self.known(account).map_err(|_| NoAccess::Unknown)?;
        let (reply, answer) = oneshot::channel();
        let stopping = || NoAccess::LoginNeeded("the daemon is stopping".into());
        actor.send(Message::Access(paused, reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    /// The accounts that can be synced now.
    pub fn names(&self) -> Vec<String> {
        let snapshot = self.0.setting.board.snapshot();
        let works = |tier: &garminsync_protocol::TierStatus| tier.state == AccountState::Active;
        snapshot
            .accounts
            .iter()
            .filter(|account| account.tiers.account.iter().chain(&account.tiers.personal).any(works))
            .map(|account| account.name.clone())
            .collect()
    }

    /// Lets every account look whether its tokens need renewal; the `[tokens]` schedule calls it.
    pub async fn refresh_due(&self) {
        for actor in self.all() {
            let _ = actor.send(Message::RefreshDue).await;
        }
    }

    /// Ends all accounts. A code check or a renewal that is with Garmin is waited for: its answer is the only login there is.
    pub async fn stop(&self) {
        let mut ends = Vec::new();
        for actor in self.all() {
            let (stopped, end) = oneshot::channel();
            if actor.send(Message::Stop(stopped)).await.is_ok() {
                ends.push(end);
            }
        }
        futures_util::future::join_all(ends).await;
    }

    fn all(&self) -> Vec<mpsc::Sender<Message>> {
        self.0.actors.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn known(&self, name: &str) -> Result<mpsc::Sender<Message>, Failure> {
        let actors = self.0.actors.lock().unwrap_or_else(PoisonError::into_inner);
        actors.get(name).cloned().ok_or_else(|| {
            Failure::new(Kind::UnknownAccount, format!("There is no account named {:?}.", printable(name)))
        })
    }

    /// A client for the account's region.
    fn client(&self, name: &str) -> Result<Garmin, Failure> {
        (self.0.setting.garmin)(name)
            .map_err(|error| Failure::new(Kind::Internal, format!("Garmin's client could not be set up: {error}.")))
    }

    async fn made(&self, name: &str) -> Result<mpsc::Sender<Message>, Failure> {
        let _making = self.0.making.lock().await;
        if let Ok(actor) = self.known(name) {
            return Ok(actor);
        }
        if self.all().len() >= MAX_ACCOUNTS {
            return Err(Failure::new(
                Kind::InvalidArgument,
                format!("One daemon keeps at most {MAX_ACCOUNTS} accounts."),
            ));
        }
        let (setting, garmin) = (&self.0.setting, self.client(name)?);
        let (mut actor, address) = Actor::new(name, garmin, setting);
        actor.load().await;
        tokio::spawn(actor.run());
        self.0.actors.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), address.clone());
        Ok(address)
    }
}

fn printable(name: &str) -> String {
    name.chars().take(MAX_ACCOUNT_NAME).collect()
}

async fn ask(actor: &mpsc::Sender<Message>, message: impl FnOnce(Reply) -> Message) -> Result<LoginResult, Failure> {
    let (reply, answer) = oneshot::channel();
    let stopping =
        || Failure::new(Kind::ShuttingDown, "The daemon is stopping. A login that waits for its code still waits.");
    actor.send(message(reply)).await.map_err(|_| stopping())?;
    answer.await.map_err(|_| stopping())?
}
