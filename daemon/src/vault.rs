//! Opening the vault with the key that the configuration, the service manager and the keyring offer, and telling people about it. The
//! wiring calls it once, before the accounts wake; a keyring that is locked is waited for. It must not look into the vault.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use garminsync_store::{Error, KeySource, Keyring, Keys, Opened, Vault, Zeroizing};

use crate::board::{Board, trouble};
use crate::config::Config;
use crate::host;
use crate::places::Places;

/// The standing trouble of a vault whose key cannot be had now.
const LOCKED: &str = "vault.locked";

/// How long a keyring may take to answer before people are told that it is waited for.
const ANSWERS_IN: Duration = Duration::from_secs(2);
/// Pauses between tries: some keyrings ask a person each time.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The keyring, as the records want it.
struct OurKeyring;

impl Keyring for OurKeyring {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        host::keyring::read(name)
    }

    fn write(&self, name: &str, key: &[u8]) -> Result<(), String> {
        host::keyring::write(name, key)
    }
}

/// Every place where the key may be.
fn keys(config: &Config, places: &Places) -> Keys {
    Keys {
        credential: credential(places).map(Path::to_path_buf),
        keyring: Box::new(OurKeyring),
        file: places.vault_key_file.clone(),
        wish: config.vault.key.source(),
    }
}

fn credential(places: &Places) -> Option<&Path> {
    places.vault_key_credential.as_deref().filter(|path| path.exists())
}

/// Opens the vault. A keyring that does not give the key is asked again and again, and the board says so meanwhile; the vault is not
/// touched before it does.
///
/// # Errors
/// Everything that waiting does not mend, in words.
pub async fn open(config: &Config, places: &Places, board: &Board) -> Result<Vault, String> {
    let keys = Arc::new(keys(config, places));
    let mut pause = FIRST_PAUSE;
    loop {
        let (dir, keys) = (places.state_dir.path.clone(), keys.clone());
        let mut opening = tokio::task::spawn_blocking(move || Vault::open(&dir, &keys));
        let opened = match tokio::time::timeout(ANSWERS_IN, &mut opening).await {
            Ok(opened) => opened,
            Err(_) => {
                say_locked(board, "It has not answered yet; it may be asking in a window of its own.");
                opening.await
            }
        };
        match opened.map_err(|error| error.to_string())? {
            Ok(opened) => {
                board.change(|status| status.troubles.retain(|trouble| trouble.kind != LOCKED));
                return Ok(tell(opened, &places.state_dir.path, board));
            }
            Err(error @ Error::KeyringClosed(_)) => say_locked(board, &format!("{error}.")),
            Err(error) => return Err(error.to_string()),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits until the board says that the vault waits for its key.
pub async fn locked(board: &Board) {
    let mut changes = board.follow();
    let seen = changes.wait_for(|status| status.troubles.iter().any(|trouble| trouble.kind == LOCKED)).await;
    // Held any longer, what was seen would keep everybody from writing to the board.
    drop(seen);
}

fn say_locked(board: &Board, why: &str) {
    let standing = board.snapshot().troubles.iter().any(|trouble| trouble.kind == LOCKED && trouble.text.contains(why));
    if standing {
        return;
    }
    let text =
        format!("The vault waits for its key. {why} No login is lost, and it goes on by itself once the key is there.");
    tracing::warn!("{text}");
    let hint = "unlock the keyring by logging in to the session it belongs to; more in the README, \"The vault's key\"";
    board.change(|status| {
        status.troubles.retain(|trouble| trouble.kind != LOCKED);
        status.troubles.push(trouble(LOCKED, text, hint));
    });
}

/// Tells what people should know of a vault that was opened.
fn tell(opened: Opened, state_dir: &Path, board: &Board) -> Vault {
    let Opened { vault, kept_aside, key, moved_from, not_moved, tightened } = opened;
    tracing::info!(key = %key, "vault open");
    for path in &tightened {
        tracing::warn!(path = %path.display(), "others could read this; they no longer can");
    }
    if let Some(from) = moved_from {
        tracing::info!(%from, to = %key, "the vault's key was moved; the old key is where it was, for backups made before");
    }
    if let Some(why) = not_moved {
        let text = format!(
            "The vault's key could not be moved as [vault] wishes; the vault works with the one it had ({key}). {why}."
        );
        tracing::warn!("{text}");
        board.change(|status| {
            status.troubles.push(trouble(
                "vault.key_not_moved",
                text,
                "mend that and restart garminsyncd, or take the wish back",
            ));
        });
    }
    let text = match kept_aside {
        Some(aside) => Some(format!(
            "The vault could not be opened ({}). It was not overwritten: it is kept as {}. Its logins are not usable until it is put back.",
            aside.why,
            aside.path.display()
        )),
        // A restart mends nothing, so it must not make the accounts look as if somebody had signed them out.
        None => Vault::kept_before(state_dir).last().map(|kept| {
            format!(
                "A vault that an earlier start could not open is kept as {}. Its logins are not usable until it is put back.",
                kept.display()
            )
        }),
    };
    if let Some(text) = text {
        tracing::error!("{text}");
        let hint = "stop garminsyncd and put that file and its key back as they were; or: garminsyncctl login, and remove the file";
        board.change(|status| status.troubles.push(trouble("vault.unreadable", text, hint)));
    }
    vault
}

/// Where the key is, and why there, on one line for people. Opens and asks nothing.
pub fn explain(config: &Config, places: &Places) -> String {
    let wish = config.vault.key.source();
    let there = |source| match source {
        KeySource::Credential => match (credential(places), &places.vault_key_credential) {
            (Some(path), _) => format!("credential {}", path.display()),
            (None, Some(path)) => format!("credential (but {} is not there)", path.display()),
            (None, None) => "credential (but the service manager handed none over)".into(),
        },
        KeySource::Keyring => match host::keyring::NAME {
            Some(name) => format!("keyring ({name})"),
            None => "keyring (but this garminsyncd has none built in)".into(),
        },
        KeySource::File => format!("file {}", places.vault_key_file.display()),
    };
    let vault = places.state_dir.path.join("vault.db");
    match Vault::sealed_with(&places.state_dir.path) {
        Err(error) => format!("not known ({error})"),
        Ok(Some(source)) => {
            let mut line = format!("{} (the vault is sealed with it)", there(source));
            if let Some(wish) = wish.filter(|wish| *wish != source) {
                let _ = write!(line, "; the next start moves it to: {}", there(wish));
            }
            line
        }
        Ok(None) if vault.exists() => "the one that opens the vault, which does not say yet where it is".into(),
        Ok(None) => match wish {
            Some(wish) => format!("{} (no vault yet; [vault] key says so)", there(wish)),
            None if credential(places).is_some() => {
                format!("{} (no vault yet; the service manager handed it over)", there(KeySource::Credential))
            }
            None if places.vault_key_file.exists() => {
                format!("{} (no vault yet; the file is there)", there(KeySource::File))
            }
            None if host::keyring::NAME.is_some() => {
                format!("{}, else {} (no vault yet)", there(KeySource::Keyring), there(KeySource::File))
            }
            None => format!("{} (no vault yet; no credential, no keyring)", there(KeySource::File)),
        },
    }
}
