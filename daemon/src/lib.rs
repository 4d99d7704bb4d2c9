//! The rooms of garminsyncd, wired here and nowhere else: the front door calls [`run`], which opens the rooms one after the other,
//! waits for the host's word to stop, and closes them backwards.

pub mod account;
pub mod args;
pub mod board;
pub mod clock;
pub mod config;
pub mod door;
pub mod host;
pub mod lock;
pub mod logging;
pub mod on_thread;
pub mod places;
pub mod report;
mod rota;
pub mod sync;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use garminsync_garmin::{Garmin, Pauses, Settings};
use garminsync_store::{KeySource, Store, Vault};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::account::{Accounts, MakeGarmin, Setting};
use crate::board::{Board, trouble};
use crate::clock::Schedules;
use crate::config::{AccountName, Config};
use crate::door::{Permission, Rooms};
use crate::host::Host;
use crate::lock::{Lock, LockError};
use crate::on_thread::OnThread;
use crate::places::Places;
use crate::rota::Rota;
use crate::sync::{Rules, Syncs};

/// Why the daemon ended otherwise than on request. Each has its exit code at the front door.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Another instance works in the same state directory.
    #[error("{0}")]
    Locked(String),
    /// The configuration asks for what cannot be.
    #[error("{0}")]
    Config(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failed {
    fn other(error: impl ToString) -> Self {
        Self::Other(error.to_string())
    }
}

/// What only the rooms can say about a configuration.
///
/// # Errors
/// What is wrong, in words.
pub fn check(config: &Config) -> Result<(), String> {
    rules(config).map(drop)
}

/// Runs the daemon until the host wants it to stop.
///
/// # Errors
/// [`Failed`].
pub fn run(config: &Config, places: &Places) -> Result<(), Failed> {
    // One thread is enough: what blocks has threads of its own, and an idle daemon should cost next to nothing.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::other)?;
    runtime.block_on(live(config, places))
}

async fn live(config: &Config, places: &Places) -> Result<(), Failed> {
    let mut host = Host::new().map_err(Failed::other)?;
    let _lock = Lock::take(&places.state_dir.path).map_err(|error| match error {
        LockError::Held { .. } => Failed::Locked(error.to_string()),
        LockError::Io { .. } => Failed::other(error),
    })?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), state = %places.state_dir, data = %places.data_dir, "starting");
    let permission =
        Permission::of(config.control.group.as_deref()).map_err(|error| Failed::Config(error.to_string()))?;
    let rules = rules(config).map_err(Failed::Config)?;

    let store = Store::open(&places.data_dir.path, &sync::projections()).map_err(Failed::other)?;
    let store = OnThread::start("records", store).map_err(Failed::other)?;
    let board = Board::new();
    let vault = open_vault(places, &board)?;

    let (events, heard) = mpsc::unbounded_channel();
    let setting = Setting {
        vault,
        board: board.clone(),
        garmin: garmin_of(config),
        mfa_timeout: TimeDelta::minutes(config.mfa.timeout_minutes.into()),
        events,
    };
    let configured = config.accounts.keys().map(|name| name.as_str().to_owned());
    let accounts = Accounts::start(setting, configured).await.map_err(Failed::Other)?;

    let show = rota::show(&board);
    let syncs = Syncs::new(rules, store.clone(), accounts.clone(), show);
    for account in &board.snapshot().accounts {
        syncs.refresh_view(&account.name).await;
    }
    let rota = Rota { accounts: accounts.clone(), syncs: syncs.clone(), store, board: board.clone() };
    let schedules = Schedules { sync: config.sync.schedule.clone(), refresh: config.tokens.refresh.clone() };
    let clock = Arc::new(clock::start(schedules, chrono::Local, Arc::new(Utc::now), rota.clone()));
    let listening = tokio::spawn(rota.listen(heard, clock.clone()));

    let bound = door::bind(&places.socket.path, permission).map_err(Failed::other)?;
    let shutdown = CancellationToken::new();
    let rooms = Rooms { board: board.clone(), accounts: accounts.clone(), syncs: syncs.clone() };
    let door = tokio::spawn(door::serve(bound, rooms, permission, shutdown.clone()));
    tracing::info!(socket = %places.socket, "ready");
    host.ready();
    let showing = tokio::spawn(rota::headline(board.follow()));

    let signal = host.stop_signal().await;
    tracing::info!(signal, "stopping");
    host.stopping();
    showing.abort();
    shutdown.cancel();
    listening.abort();
    clock.stop().await;
    // What is running ends at its next safe point; then the callers who wait for it are told.
    syncs.stop().await;
    accounts.stop().await;
    if tokio::time::timeout(Duration::from_secs(10), door).await.is_err() {
        tracing::warn!("some callers did not hang up");
    }
    tracing::info!("stopped");
    Ok(())
}

fn open_vault(places: &Places, board: &Board) -> Result<OnThread<Vault>, Failed> {
    let source = match places.vault_key_credential.as_ref().filter(|path| path.exists()) {
        Some(credential) => KeySource::Credential(credential.clone()),
        None => KeySource::File(places.vault_key_file.clone()),
    };
    let opened = Vault::open(&places.state_dir.path, source).map_err(Failed::other)?;
    for path in &opened.tightened {
        tracing::warn!(path = %path.display(), "others could read this; they no longer can");
    }
    if let Some(aside) = opened.kept_aside {
        let text = format!(
            "The vault could not be opened ({}). It was not overwritten: it is kept as {}. Its logins are not usable until it is put back.",
            aside.why,
            aside.path.display()
        );
        tracing::error!("{text}");
        board.change(|status| status.troubles.push(trouble("vault.unreadable", text, "garminsyncctl login")));
    }
    OnThread::start("vault", opened.vault).map_err(Failed::other)
}

/// Makes the client of an account's region.
fn garmin_of(config: &Config) -> MakeGarmin {
    let (garmin, accounts) = (config.garmin.clone(), config.accounts.clone());
    Box::new(move |account| {
        let own = accounts.iter().find(|(name, _)| name.as_str() == account).and_then(|(_, section)| section.domain);
        let mut settings = Settings::of(own.unwrap_or(garmin.domain));
        let configured = &garmin.endpoints;
        let ends = &mut settings.endpoints;
        for (end, given) in [
            (&mut ends.sso, &configured.sso),
            (&mut ends.diauth, &configured.diauth),
            (&mut ends.connectapi, &configured.connectapi),
            (&mut ends.personal, &configured.personal),
        ] {
            if let Some(given) = given {
                given.as_str().clone_into(end);
            }
        }
        if let Some(ids) = &garmin.client_ids {
            settings.client_ids.clone_from(ids);
        }
        if let Some(pause) = configured.sign_in_pause_s() {
            settings.pauses = Pauses::all(Duration::from_secs_f64(pause));
        }
        Garmin::new(settings)
    })
}

fn rules(config: &Config) -> Result<Rules, String> {
    let starts = |(name, section): (&AccountName, &config::AccountSection)| {
        section.start.map(|start| (name.as_str().to_owned(), start.date()))
    };
    Rules {
        start: config.sync.start.date(),
        account_start: config.accounts.iter().filter_map(starts).collect(),
        originals: config.sync.originals,
        intraday: config.sync.intraday,
        datasets: config.datasets.clone(),
        ..Rules::default()
    }
    .checked()
}
