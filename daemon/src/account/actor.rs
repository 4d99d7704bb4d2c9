//! One actor per account: it alone has the account's secrets, does what the machine's effects say, and lets exactly one
//! sign-in, one code check and one renewal be under way. Callers queue for one answer. Requests to Garmin run in tasks of
//! their own, so the actor always answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use garminsync_garmin::{Credentials, Garmin, Hindrance, PersonalToken, Profile, Tier, Tokens};
use garminsync_protocol::{Failure, Kind, LoginStart, SubmitMfa};
use garminsync_store::{Store, Vault};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::elsewhere;
use super::key::KeyFacts;
use super::key_file::KeyFile;
use super::machine::{Attempt, Effect, Event, Login, State};
use super::message::{Asker, Brought, Done, Message, Reply, TokenReply};
use super::person::Unchecked;
use super::personal::BringsKey;
use super::stored::{Checked, KeptBearer, Pending, Stored};
use super::tokens::{Keeper, must_be_renewed, wants_renewal};
use super::trial::Trial;
use super::unattended::Alone;
use super::{Access, AccountEvent, NoAccess, Setting};
use crate::board::Board;
use crate::on_thread::OnThread;
use crate::report::Reporter;

/// A renewal that nobody's 401 asked for does not follow another closer than this: a clock that is wrong by hours makes every
/// token look expired.
pub(super) const RENEWAL_SPACING: Duration = Duration::from_secs(60);
/// How often an account looks at itself, whatever the schedules say.
const OWN_LOOK: Duration = Duration::from_secs(3600);
/// How often a deadline is looked at while a code is awaited. Wall time, so that a suspended machine is right after it wakes.
const DEADLINE_TICK: Duration = Duration::from_secs(5);

/// The Personal API key, and its bearer.
pub(super) struct KeyRing {
    pub(super) key: SecretString,
    pub(super) bearer: Option<PersonalToken>,
    /// Whether the key is in the vault; else it is in a file of the person's.
    pub(super) stored: bool,
}

/// A renewal under way, and those who wait for it.
pub(super) struct Renewal {
    pub(super) under_way: bool,
    /// Names the renewal whose end still matters: a new login or a logout makes the one under way stale.
    pub(super) generation: u64,
    pub(super) waiting: Vec<TokenReply>,
    pub(super) failures: u32,
    pub(super) not_before: Option<Instant>,
    /// Why the last one brought nothing.
    pub(super) hindrance: Hindrance,
    /// The access token that Garmin refused before it was due; nobody gets it again.
    pub(super) refused: Option<SecretString>,
    pub(super) last: Option<Instant>,
    /// When 401s led to a renewal, in the last minute.
    pub(super) forced: Vec<Instant>,
}

impl Default for Renewal {
    fn default() -> Self {
        Self {
            under_way: false,
            generation: 0,
            waiting: Vec::new(),
            failures: 0,
            not_before: None,
            hindrance: Hindrance::Here,
            refused: None,
            last: None,
            forced: Vec::new(),
        }
    }
}

pub(super) struct Actor {
    pub(super) name: String,
    pub(super) garmin: Garmin,
    pub(super) vault: OnThread<Vault>,
    pub(super) records: OnThread<Store>,
    pub(super) board: Board,
    pub(super) mfa_timeout: TimeDelta,
    pub(super) events: mpsc::UnboundedSender<AccountEvent>,
    pub(super) own: mpsc::Sender<Message>,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) state: State,
    /// Who it is at Garmin.
    pub(super) profile: Option<Profile>,
    /// What the vault's row holds.
    pub(super) stored: Stored,
    pub(super) since: DateTime<Utc>,
    pub(super) pending: Option<Box<Pending>>,
    pub(super) tokens: Option<Tokens>,
    pub(super) candidate: Option<Tokens>,
    /// The waiting sign-in is not on disk yet.
    pub(super) unwritten: bool,
    pub(super) last_renewed_at: Option<DateTime<Utc>>,
    pub(super) trial: Option<Trial>,
    pub(super) key: Option<KeyRing>,
    pub(super) key_facts: KeyFacts,
    /// Where the key may be, when it is not in the vault.
    pub(super) key_file: Option<KeyFile>,
    pub(super) key_file_trouble: Option<String>,
    pub(super) key_exposed: bool,
    /// A bearer from before the restart, until its key is read from the file.
    pub(super) kept_bearer: Option<KeptBearer>,
    /// The clock has asked to look at the tokens before. With the first look nothing is asked for a key: it comes with the start.
    pub(super) looked: bool,
    /// Which credentials are known to be this person's.
    pub(super) checked: Checked,
    pub(super) vault_trouble: Option<String>,
    pub(super) task: Option<(u64, AbortHandle)>,
    pub(super) generation: u64,
    pub(super) waiting: Vec<(Reply, bool)>,
    pub(super) key_brought: Option<BringsKey>,
    pub(super) listeners: Arc<Mutex<Vec<Reporter>>>,
    pub(super) renewal: Renewal,
    pub(super) bearer: Renewal,
    pub(super) unchecked: Unchecked,
    pub(super) stopping: Option<oneshot::Sender<()>>,
    pub(super) alone: Alone,
    /// Its data are being removed; until they are gone nobody signs in.
    pub(super) forgetting: bool,
}

impl Actor {
    /// An account that nobody has signed in to, and its address.
    pub fn new(name: &str, garmin: Garmin, setting: &Setting) -> (Self, mpsc::Sender<Message>) {
        let (own, inbox) = mpsc::channel(64);
        let key_file = (setting.key_file)(name);
        let actor = Self {
            name: name.to_owned(),
            garmin,
            vault: setting.vault.clone(),
            records: setting.records.clone(),
            board: setting.board.clone(),
            mfa_timeout: setting.mfa_timeout,
            events: setting.events.clone(),
            own: own.clone(),
            inbox,
            state: State::new(),
            profile: None,
            stored: Stored::default(),
            since: Utc::now(),
            pending: None,
            tokens: None,
            candidate: None,
            unwritten: false,
            last_renewed_at: None,
            trial: None,
            key: None,
            key_facts: KeyFacts::default(),
            key_file,
            key_file_trouble: None,
            key_exposed: false,
            kept_bearer: None,
            looked: false,
            checked: Checked::default(),
            vault_trouble: None,
            task: None,
            generation: 0,
            waiting: Vec::new(),
            key_brought: None,
            listeners: Arc::default(),
            renewal: Renewal::default(),
            bearer: Renewal::default(),
            unchecked: Unchecked::default(),
            stopping: None,
            alone: Alone::new(setting.unattended.get(name).cloned()),
            forgetting: false,
        };
        (actor, own)
    }

    /// Reads what the vault holds of this account. Sends nothing to Garmin.
    pub async fn load(&mut self) {
        let name = self.name.clone();
        let read = self.vault.call(move |vault| Stored::read(vault, &name)).await;
        let (found, unreadable) = match read {
            Ok(found) => found,
            Err(gone) => (super::stored::Found::default(), vec![gone.to_string()]),
        };
        self.vault_trouble = (!unreadable.is_empty()).then(|| unreadable.join("; "));
        self.profile = found.stored.profile.clone();
        self.checked = found.stored.checked;
        self.forgetting = found.stored.forgetting;
        self.alone.standing = found.stored.unattended.clone();
        self.stored = found.stored;
        self.since = self.stored.since.unwrap_or_else(|| Utc::now().trunc_subsecs(0));
        self.state = self.stored.state.clone().restored();
        if let Some(pending) = found.pending {
            self.state.attempt = Attempt::AwaitingMfa(pending.challenge.clone());
            self.pending = Some(Box::new(pending));
        }
        self.tokens = found.tokens;
        self.candidate = found.candidate;
        self.trial = self.stored.trial.clone();
        self.key_facts = self.stored.key.clone();
        self.kept_bearer = found.bearer;
        let named = self.key_file.as_ref().is_some_and(|file| file.configured);
        if let Some(key) = found.key.filter(|_| !named) {
            self.take_key(key, true).await;
        }
        self.state.login = match (&self.tokens, &self.state.login) {
            (Some(_), Login::Dead(why)) => Login::Dead(why.clone()),
            (Some(_), _) => Login::Working,
            (None, Login::Dead(why)) => Login::Dead(why.clone()),
            (None, _) if self.vault_trouble.is_some() => Login::Dead(
                "the stored login cannot be read any more; it was kept aside, and a new login mends this".into(),
            ),
            (None, _) => Login::None,
        };
        self.look_at_key_file().await;
        if self.profile.is_some() && self.access().is_ok() {
            // The vault has it before the records do: the last daemon may have died in between.
            self.introduce();
        }
        self.publish();
    }

    pub async fn run(mut self) {
        if let Some(tokens) = self.candidate.take() {
            // The daemon stopped between a login's tokens and their proof.
            self.state.attempt = Attempt::TakingOver(Box::new(self.state.attempt.clone()));
            self.publish();
            let (garmin, vault, name) = (self.garmin.clone(), self.vault.clone(), self.name.clone());
            self.spawn(async move { Done::SignIn(elsewhere::found(&garmin, &vault, &name, tokens).await) });
        }
        self.go_on_alone();
        let mut own_look = tokio::time::Instant::now() + OWN_LOOK;
        loop {
            let waits = matches!(self.state.attempt, Attempt::AwaitingMfa(_) | Attempt::CoolingDown(..));
            let message = tokio::select! {
                message = self.inbox.recv() => message,
                () = tokio::time::sleep(DEADLINE_TICK), if waits => { self.tick().await; continue; }
                () = tokio::time::sleep_until(own_look) => {
                    own_look = tokio::time::Instant::now() + OWN_LOOK;
                    self.own_look().await;
                    continue;
                }
            };
            let Some(message) = message else { return };
            self.handle(message).await;
            if self.may_end() {
                if let Some(stopped) = self.stopping.take() {
                    let _ = stopped.send(());
                }
                return;
            }
        }
    }

    /// A sign-in, a code check and a renewal change things at Garmin that only their answer tells us (a code that was sent, a
    /// token that was rotated); a stop waits for them.
    fn may_end(&self) -> bool {
        let on_the_wire = matches!(
            self.state.attempt,
            Attempt::SigningIn(_) | Attempt::CheckingCode(_) | Attempt::AskingForCode(_) | Attempt::TakingOver(_)
        );
        self.stopping.is_some() && !self.renewal.under_way && !on_the_wire
    }

    async fn handle(&mut self, message: Message) {
        match message {
            Message::Login(.., reply) | Message::TakeOver(.., reply) if self.forgetting => {
                let words = "The data of this account are being removed. Sign in when that is done.";
                let _ = reply.send(Err(Failure::new(Kind::AlreadyRunning, words)));
            }
            Message::Login(asked, reporter, reply) => self.login(asked, reporter, reply).await,
            Message::TakeOver(login, reporter, reply) => {
                let asker = Asker { reply, reporter, brought: Brought::Elsewhere(login) };
                self.step(Event::TakeOverAsked, Some(asker)).await;
            }
            Message::Submit(asked, reporter, reply) => self.submit(asked, reporter, reply).await,
            Message::Resend(reporter, reply) => {
                let asker = Asker { reply, reporter, brought: Brought::Nothing };
                self.step(Event::ResendAsked, Some(asker)).await;
            }
            Message::Cancel(reply) => self.step(Event::CancelAsked, Some(Asker::bare(reply))).await,
            Message::Logout(with_data, reply) => {
                let before = self.forgetting;
                self.forgetting |= with_data;
                if !self.step_with(Event::LogoutAsked, Some(Asker::bare(reply)), Vec::new()).await {
                    self.forgetting = before;
                    self.publish();
                }
            }
            Message::Forgotten(done) => {
                let was_forgetting = std::mem::take(&mut self.forgetting);
                self.write_down(&[], Vec::new()).await;
                self.publish();
                let _ = done.send(was_forgetting);
            }
            Message::Access(paused, reply) => {
                self.look_at_key_file().await;
                self.give_access(paused, reply);
            }
            Message::Token { tier: Tier::Account, refused, reply } => self.token(refused, reply).await,
            Message::Token { tier: Tier::Personal, refused, reply } => self.bearer(refused, reply).await,
            Message::RefusedForGood(tier, refused) => self.refused_for_good(tier, &refused).await,
            Message::RefreshDue => self.look().await,
            Message::Program(number, ended) => self.program_ended(number, ended).await,
            Message::Stop(stopped) => self.stopping = Some(stopped),
            Message::Done(generation, done) => self.done(generation, done).await,
        }
    }

    /// Looks whether anything is due with nobody waiting for it.
    async fn look(&mut self) {
        self.tick().await;
        self.look_at_key_file().await;
        self.renew_if(wants_renewal).await;
        if std::mem::replace(&mut self.looked, true) {
            self.look_at_key().await;
        }
        self.sign_in_alone().await;
        self.publish();
    }

    async fn renew_if(&mut self, due: fn(&Tokens, DateTime<Utc>) -> bool) {
        let due = self.tokens.as_ref().is_some_and(|tokens| due(tokens, Utc::now()));
        if due && self.state.login == Login::Working && self.may_renew() {
            self.renew().await;
        }
    }

    /// What holds whatever the configuration's schedules say: no login ends because nobody looked, no key dies unnoticed, and what
    /// depends on the date is told in time.
    async fn own_look(&mut self) {
        self.renew_if(must_be_renewed).await;
        self.look_at_key_file().await;
        self.look_at_key().await;
        self.publish();
    }

    async fn tick(&mut self) {
        self.step(Event::Tick, None).await;
        if self.unwritten {
            self.write_down(&[Effect::KeepPending], Vec::new()).await;
            self.publish();
        }
    }

    /// A token was refused although it was fresh. If it is still the one in use, the login is dead.
    async fn refused_for_good(&mut self, tier: Tier, refused: &SecretString) {
        let in_use = match tier {
            Tier::Account => self.tokens.as_ref().map(|tokens| &tokens.access),
            Tier::Personal => self.key.as_ref().and_then(|ring| ring.bearer.as_ref()).map(|bearer| &bearer.access),
        };
        if in_use.is_none_or(|access| access.expose_secret() != refused.expose_secret()) {
            return; // somebody signed in anew meanwhile
        }
        match tier {
            Tier::Account => {
                let why = "Garmin's data service refuses this login, even freshly renewed";
                self.step(Event::GrantRefused(why.into()), None).await;
            }
            Tier::Personal => self.key_turned_away().await,
        }
    }

    // --- asking -----------------------------------------------------------------------------------------------------

    async fn login(&mut self, asked: LoginStart, reporter: Reporter, reply: Reply) {
        if let Some(key) = asked.api_key {
            return self.bring_key(key.into_inner(), asked.api_key_expires, reply).await;
        }
        let credentials = match (asked.email.clone(), asked.password) {
            (Some(email), Some(password)) if !email.trim().is_empty() && !password.expose().is_empty() => {
                Some(Credentials { email: email.trim().to_owned(), password: password.into_inner() })
            }
            _ => None,
        };
        let email = asked.email.map(|email| email.trim().to_owned());
        let event = Event::LoginAsked { email, with_password: credentials.is_some(), force: asked.force };
        self.step(event, Some(Asker { reply, reporter, brought: Brought::Credentials(credentials) })).await;
    }

    async fn submit(&mut self, asked: SubmitMfa, reporter: Reporter, reply: Reply) {
        let asker = Asker { reply, reporter, brought: Brought::Code(asked.code) };
        self.step(Event::CodeBrought(asked.challenge), Some(asker)).await;
    }

    pub(super) fn access(&self) -> Result<Access, NoAccess> {
        if self.forgetting {
            return Err(NoAccess::LoginNeeded("the data of this account are being removed".into()));
        }
        let mut tiers = Vec::new();
        if self.key_works() {
            tiers.push(Tier::Personal);
        }
        if self.state.login == Login::Working {
            tiers.push(Tier::Account);
        }
        if tiers.is_empty() {
            let why = self.reason().unwrap_or_else(|| "nobody has signed in to this account".into());
            return Err(NoAccess::LoginNeeded(why));
        }
        let display_name = self.profile.as_ref().and_then(|profile| profile.display_name.clone());
        Ok(Access { garmin: self.garmin.clone(), keeper: Keeper(self.own.clone()), tiers, display_name })
    }
}
