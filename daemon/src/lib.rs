//! The rooms of garminsyncd, wired here and nowhere else: the front door calls [`run`], which opens the rooms one after the other,
//! waits for the host's word to stop, and closes them backwards.

pub mod account;
pub mod args;
pub mod board;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod door;
pub mod host;
pub mod judge;
pub mod lock;
pub mod logging;
pub mod on_thread;
pub mod places;
pub mod program;
mod rebuild;
pub mod report;
pub mod retention;
mod rota;
pub mod sync;
pub mod vault;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use garminsync_garmin::{Garmin, Pauses, Settings};
use garminsync_protocol::DEFAULT_ACCOUNT;
use garminsync_store::{Store, Vault};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::account::{Accounts, KeyFile, KeyFileOf, MakeGarmin, Setting, Unattended};
use crate::board::Board;
use crate::clock::Schedules;
use crate::config::{Config, LastDay, valid_account_name};
use crate::doctor::Doctor;
use crate::door::{Permission, Rooms};
use crate::host::Host;
use crate::lock::{Lock, LockError};
use crate::on_thread::{Gone, OnThread};
use crate::places::{Place, Places};
use crate::program::Program;
use crate::report::Reporter;
use crate::rota::Rota;
use crate::sync::Syncs;

/// Longest time that a stop may take; Garmin's slowest answer is waited for within it. Service managers kill after 90 seconds.
const LONGEST_STOP: Duration = Duration::from_secs(60);

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

    /// Trouble with one of our directories, and what to do where it is closed to this user.
    fn of_directory(error: &impl ToString, is_closed: bool, flag: &str) -> Self {
        let step = match is_closed {
            true => format!(
                "; this is {}: start it as the directory's own user, or name another one: {flag} DIR",
                host::user()
            ),
            false => String::new(),
        };
        Self::Other(error.to_string() + &step)
    }
}

/// Whether there is a dataset of that name whose tables are made from the archive.
pub fn has_tables(dataset: &str) -> bool {
    sync::projections().iter().any(|projection| projection.dataset == dataset)
}

/// Runs the daemon until the host wants it to stop.
///
/// # Errors
/// [`Failed`].
pub fn run(file: &Place, config: &Config, places: &Places) -> Result<(), Failed> {
    host::keep_memory_private();
    on_runtime(live(file, config, places))?
}

/// Makes tables anew from the archive, all of them when no dataset is named, and ends. Refuses to run beside a living daemon: that one
/// would go on recording by the tables it knows.
///
/// # Errors
/// [`Failed`].
pub fn rebuild(places: &Places, datasets: &[String]) -> Result<(), Failed> {
    let (data_dir, datasets) = (places.data_dir.path.clone(), datasets.to_vec());
    let _lock = take_lock(places).map_err(|failed| match failed {
        Failed::Locked(text) => Failed::Locked(format!(
            "{text}; stop it first. (What a new version has to make anew, it makes by itself when it starts)"
        )),
        other => other,
    })?;
    on_runtime(async {
        let mut host = Host::new().map_err(Failed::other)?;
        let stop = CancellationToken::new();
        let told = stop.clone();
        let mut work = tokio::task::spawn_blocking(move || rebuild::now(&data_dir, &datasets, &told));
        let done = tokio::select! {
            done = &mut work => done,
            signal = host.stop_signal() => {
                tracing::info!(signal, "stopping");
                stop.cancel();
                work.await
            }
        };
        done.map_err(Failed::other)?
    })?
}

fn take_lock(places: &Places) -> Result<Lock, Failed> {
    Lock::take(&places.state_dir.path).map_err(|error| match error {
        LockError::Held { .. } => Failed::Locked(error.to_string()),
        LockError::Io { .. } | LockError::State(_) => Failed::of_directory(&error, error.is_closed(), "--state-dir"),
    })
}

fn on_runtime<T>(work: impl Future<Output = T>) -> Result<T, Failed> {
    // One thread is enough: what blocks has threads of its own, and an idle daemon should cost next to nothing.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::other)?;
    let done = runtime.block_on(work);
    // Without this, dropping the runtime would wait for work that blocks, such as a name server that does not answer.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(done)
}

async fn live(file: &Place, config: &Config, places: &Places) -> Result<(), Failed> {
    let mut host = Host::new().map_err(Failed::other)?;
    let _lock = take_lock(places)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), state = %places.state_dir, data = %places.data_dir, "starting");
    let (permission, rules) = judge::settle(file, config).map_err(Failed::Config)?;

    let data_dir = places.data_dir.path.clone();
    let opening = tokio::task::spawn_blocking(move || Store::open(&data_dir, &sync::projections()));
    let opened = host.patience("opening garmin.db; a new version may have to change its schema", opening).await;
    let store = opened
        .map_err(Failed::other)?
        .map_err(|error| Failed::of_directory(&error, error.is_closed(), "--data-dir"))?;
    let store = OnThread::start("records", store).map_err(Failed::other)?;
    let configured = || config.accounts.keys().map(|name| name.as_str().to_owned());
    let board = Board::new(configured());
    let doctor = Doctor::new(file.clone(), config.clone(), places.clone(), board.clone(), garmin_of(config));
    let Some(vault) = open_vault(config, places, &board, &doctor, permission, &mut host).await? else { return Ok(()) };

    let (events, mut heard) = mpsc::unbounded_channel();
    let setting = Setting {
        vault: vault.clone(),
        records: store.clone(),
        board: board.clone(),
        garmin: garmin_of(config),
        key_file: key_file_of(config, places),
        mfa_timeout: TimeDelta::minutes(config.mfa.timeout_minutes.into()),
        unattended: unattended_of(config).map_err(Failed::Config)?,
        events,
    };
    // Who signed out and kept the data is there too.
    let stored = store.call(|store| store.accounts()).await.map_err(Failed::other)?.map_err(Failed::other)?;
    let stored = stored.into_iter().filter(|name| valid_account_name(name));
    let accounts = Accounts::start(setting, configured().chain(stored)).await.map_err(Failed::Other)?;

    let show = rota::show(&board);
    let syncs = Syncs::new(rules, store.clone(), accounts.clone(), show);
    for account in accounts.all_names() {
        syncs.refresh_view(&account).await;
    }
    for account in accounts.half_forgotten() {
        let syncs = syncs.clone();
        tokio::spawn(async move {
            if let Err(error) = syncs.forget(&account, &Reporter::silent()).await {
                tracing::error!(account, %error, "not all data of the account could be removed");
            }
        });
    }
    let rota = Rota { accounts: accounts.clone(), syncs: syncs.clone(), store: store.clone(), board: board.clone() };
    rota.catch_up(&mut heard).await;
    let schedules = Schedules {
        sync: config.sync.schedule.clone(),
        refresh: config.tokens.refresh.clone(),
        on_the_slot: DEFAULT_ACCOUNT.into(),
    };
    let clock = Arc::new(clock::start(schedules, chrono::Local, Arc::new(Utc::now), rota.clone()));
    let listening = tokio::spawn(rota.listen(heard, clock.clone()));

    let shutdown = CancellationToken::new();
    let rebuilding = tokio::spawn(rebuild::outdated(store.clone(), board.clone(), shutdown.clone()));
    let retention = tokio::spawn(retention::keep(config.retention, store.clone(), shutdown.clone()));
    let bound = door::bind(&places.socket.path, permission).map_err(Failed::other)?;
    let rooms = Rooms { board: board.clone(), accounts: accounts.clone(), syncs: syncs.clone(), doctor };
    let door = tokio::spawn(door::serve(bound, rooms, permission, shutdown.clone()));
    tracing::info!(socket = %places.socket, "ready");
    host.ready();
    let showing = tokio::spawn(rota::headline(board.follow()));

    let died = async {
        tokio::select! {
            gone = store.died() => gone,
            gone = vault.died() => gone,
        }
    };
    let why = why_stop(host.stop_signal(), died).await;
    host.stopping();
    showing.abort();
    shutdown.cancel();
    listening.abort();
    let closing = async {
        clock.stop().await;
        let _ = tokio::join!(rebuilding, retention);
        // What is running ends at its next safe point; then the callers who wait for it are told.
        syncs.stop().await;
        accounts.stop().await;
        if let Ok(Err(error)) = store.call(|store| store.settle()).await {
            tracing::warn!(%error, "garmin.db is whole only with its -wal file");
        }
        if tokio::time::timeout(Duration::from_secs(10), door).await.is_err() {
            tracing::warn!("some callers did not hang up");
        }
    };
    why.and(bounded(closing, host.stop_signal()).await)
}

/// Waits for the host's word to stop, or for the death of a thread without which nothing works: that is an error, after which a service
/// manager starts the daemon anew.
async fn why_stop(signal: impl Future<Output = &'static str>, died: impl Future<Output = Gone>) -> Result<(), Failed> {
    tokio::select! {
        signal = signal => {
            tracing::info!(signal, "stopping");
            Ok(())
        }
        gone = died => {
            tracing::error!("stopping: {gone}");
            Err(Failed::other(gone))
        }
    }
}

/// Closes the rooms. A further signal ends the daemon at once; what is under way then goes on after the next start, as after a crash.
async fn bounded(closing: impl Future<Output = ()>, signal: impl Future<Output = &'static str>) -> Result<(), Failed> {
    tokio::select! {
        () = closing => tracing::info!("stopped"),
        signal = signal => tracing::warn!(signal, "stopped at once, as asked again"),
        () = tokio::time::sleep(LONGEST_STOP) => {
            return Err(Failed::Other(format!("something did not end within {} seconds", LONGEST_STOP.as_secs())));
        }
    }
    Ok(())
}

/// Opens the vault. While that waits for a keyring, people can ask what is the matter. `None` if the host wants the daemon to stop meanwhile.
async fn open_vault(
    config: &Config,
    places: &Places,
    board: &Board,
    doctor: &Doctor,
    permission: Permission,
    host: &mut Host,
) -> Result<Option<OnThread<Vault>>, Failed> {
    let opening = vault::open(config, places, board);
    tokio::pin!(opening);
    let opened = tokio::select! {
        opened = &mut opening => opened,
        () = vault::locked(board) => {
            let bound = door::bind(&places.socket.path, permission).map_err(Failed::other)?;
            let closed = CancellationToken::new();
            let door = tokio::spawn(door::serve_closed(bound, board.clone(), doctor.clone(), permission, closed.clone()));
            host.ready();
            host::say("waiting for the vault's key");
            let opened = tokio::select! {
                opened = &mut opening => Some(opened),
                signal = host.stop_signal() => {
                    tracing::info!(signal, "stopping");
                    None
                }
            };
            closed.cancel();
            let _ = door.await;
            let Some(opened) = opened else {
                host.stopping();
                return Ok(None);
            };
            opened
        }
    };
    let vault = opened.map_err(Failed::Other)?;
    OnThread::start("vault", vault).map(Some).map_err(Failed::other)
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

/// The accounts that may sign in with nobody there.
fn unattended_of(config: &Config) -> Result<BTreeMap<String, Unattended>, String> {
    let code_of_all = config.mfa.command.as_ref();
    let mut ways = BTreeMap::new();
    for (name, section) in &config.accounts {
        if let (Some(email), Some(password)) = (&section.email, &section.password_command) {
            let code = section.mfa_command.as_ref().or(code_of_all);
            let way = Unattended {
                email: email.get_ref().clone(),
                password: Program::new(password.get_ref())?,
                code: code.map(|words| Program::new(words.get_ref())).transpose()?,
            };
            ways.insert(name.as_str().to_owned(), way);
        }
    }
    Ok(ways)
}

/// The file that an account's configuration names for its key; for the default account else the official client's own.
fn key_file_of(config: &Config, places: &Places) -> KeyFileOf {
    let (accounts, official) = (config.accounts.clone(), places.official_key_file.clone());
    Box::new(move |account| {
        let section = accounts.iter().find(|(name, _)| name.as_str() == account).map(|(_, section)| section);
        let official = official.clone().filter(|_| account == DEFAULT_ACCOUNT);
        let expires = section.and_then(|section| section.api_key_expires).map(LastDay::date);
        section
            .and_then(|section| section.api_key_file.clone())
            .map(|path| KeyFile { path, configured: true, expires })
            .or_else(|| official.map(|path| KeyFile { path, configured: false, expires: None }))
    })
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_signal_is_a_good_end_and_the_death_of_a_thread_a_bad_one() {
        let thread = OnThread::start("dying", ()).unwrap();
        assert!(why_stop(ready("SIGTERM"), thread.died()).await.is_ok());
        assert_eq!(thread.call(|()| panic!("on purpose")).await, Err::<(), _>(Gone));
        let why = why_stop(pending(), thread.died()).await.unwrap_err();
        assert!(matches!(&why, Failed::Other(text) if text.contains("restart the daemon")), "{why}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_takes_as_long_as_it_may_and_a_second_signal_ends_it() {
        assert!(bounded(tokio::time::sleep(LONGEST_STOP / 2), pending()).await.is_ok());
        assert!(bounded(pending(), ready("SIGTERM")).await.is_ok());
        let why = bounded(pending(), pending()).await.unwrap_err();
        assert!(matches!(why, Failed::Other(_)), "{why}");
    }

    #[test]
    fn work_that_blocks_does_not_hold_up_the_end() {
        let begun = Instant::now();
        let (done, waits) = std::sync::mpsc::channel::<()>();
        on_runtime(async { drop(tokio::task::spawn_blocking(move || waits.recv_timeout(Duration::from_secs(30)))) })
            .unwrap();
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        drop(done);
    }
}
