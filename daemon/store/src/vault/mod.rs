//! The [`Vault`]: `vault.db`, where tokens, keys and waiting challenges lie sealed. The account room alone calls it. It must not know
//! what is in a secret, and nothing here may end up in a log.

mod key;
mod open;
mod reseal;
mod seal;

use std::fmt;
use std::path::PathBuf;

use chrono::Utc;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::Zeroizing;
use crate::database::utc_text;
use crate::error::Error;
pub use key::{KeySource, Keyring, Keys};
use seal::{Sealed, Sealer};

/// File name of the vault.
const VAULT: &str = "vault.db";

/// The owner of `vault.db`. What it returns from a write is on disk.
pub struct Vault {
    connection: Connection,
    sealer: Sealer,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// A vault that was opened, and what people should hear about it.
#[derive(Debug)]
pub struct Opened {
    /// The vault, fresh if another was kept aside.
    pub vault: Vault,
    /// A vault that could not be read, out of the way and unharmed.
    pub kept_aside: Option<KeptAside>,
    /// Where its key is.
    pub key: KeySource,
    /// Where the key was, if it was moved just now.
    pub moved_from: Option<KeySource>,
    /// Why the key could not be moved where it shall be. The vault works with the key it had.
    pub not_moved: Option<Error>,
    /// Files and directories of ours that others could read, and now cannot.
    pub tightened: Vec<PathBuf>,
}

/// A vault that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAside {
    /// Where it lies now, byte by byte as it was.
    pub path: PathBuf,
    /// Why it could not be read, in words for people.
    pub why: String,
}

/// What a secret is for. An account has at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The tokens in use.
    Tokens,
    /// Tokens of a new login that are not proven yet.
    CandidateTokens,
    /// A sign-in that waits for its code.
    PendingSignIn,
    /// A Personal API key.
    ApiKey,
    /// The token that a Personal API key was last exchanged for.
    Bearer,
    /// What the account must remember over a restart: cool-downs, reasons, who it is.
    State,
}

impl Kind {
    /// The word in the table and under the seal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::CandidateTokens => "candidate_tokens",
            Self::PendingSignIn => "pending_sign_in",
            Self::ApiKey => "api_key",
            Self::Bearer => "bearer",
            Self::State => "state",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

impl Vault {
    /// Stores a secret in place of an earlier one; on disk when this returns.
    ///
    /// # Errors
    /// [`Error::Seal`], [`Error::Database`]; the earlier secret is still there then.
    pub fn put(&mut self, account: &str, kind: Kind, secret: &[u8]) -> Result<(), Error> {
        self.change(account, &[(kind, secret)], &[])
    }

    /// The secret, if there is one.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if its seal does not open, [`Error::Database`].
    pub fn get(&mut self, account: &str, kind: Kind) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Some(sealed) = vault(sealed_row(&self.connection, account, kind))? else { return Ok(None) };
        let secret = self.sealer.open(account, kind.as_str(), &sealed);
        secret.map(Some).ok_or_else(|| Error::Unreadable { account: account.into(), kind })
    }

    /// Removes a secret, if there is one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn delete(&mut self, account: &str, kind: Kind) -> Result<(), Error> {
        self.change(account, &[], &[kind])
    }

    /// Stores and removes several secrets of an account at once: all of it happens, or nothing.
    ///
    /// # Errors
    /// [`Error::Seal`], [`Error::Database`].
    pub fn change(&mut self, account: &str, puts: &[(Kind, &[u8])], deletes: &[Kind]) -> Result<(), Error> {
        let transaction = vault(self.connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        for kind in deletes {
            vault(
                transaction.execute("DELETE FROM secret WHERE account = ?1 AND kind = ?2", (account, kind.as_str())),
            )?;
        }
        for (kind, secret) in puts {
            self.sealer.keep_unreadable(&transaction, account, *kind)?;
            let Sealed { nonce, sealed } = self.sealer.seal(account, kind.as_str(), secret)?;
            vault(transaction.execute(
                "INSERT INTO secret (account, kind, nonce, sealed, updated_utc) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (account, kind) DO UPDATE SET nonce = excluded.nonce, sealed = excluded.sealed,
                     updated_utc = excluded.updated_utc",
                (account, kind.as_str(), nonce, sealed, utc_text(Utc::now())),
            ))?;
        }
        vault(transaction.commit())
    }

    /// Removes everything of an account.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget(&mut self, account: &str) -> Result<(), Error> {
        let transaction = vault(self.connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        vault(transaction.execute("DELETE FROM secret WHERE account = ?1", [account]))?;
        vault(transaction.execute("DELETE FROM kept WHERE account = ?1", [account]))?;
        vault(transaction.commit())
    }

    /// The names of the accounts that have any secret, sorted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn accounts(&self) -> Result<Vec<String>, Error> {
        let mut statement =
            vault(self.connection.prepare_cached("SELECT DISTINCT account FROM secret ORDER BY account"))?;
        let rows = vault(statement.query_map([], |row| row.get(0)))?;
        vault(rows.collect())
    }
}

impl Sealer {
    /// Before a secret is replaced: if its seal does not open, it may still be worth something to somebody with the right key.
    fn keep_unreadable(&self, transaction: &Transaction<'_>, account: &str, kind: Kind) -> Result<(), Error> {
        let Some(sealed) = vault(sealed_row(transaction, account, kind))? else { return Ok(()) };
        if self.open(account, kind.as_str(), &sealed).is_none() {
            vault(transaction.execute(
                "INSERT INTO kept (account, kind, nonce, sealed, updated_utc, kept_utc)
                 SELECT account, kind, nonce, sealed, updated_utc, ?3 FROM secret WHERE account = ?1 AND kind = ?2",
                (account, kind.as_str(), utc_text(Utc::now())),
            ))?;
        }
        Ok(())
    }
}

fn sealed_row(connection: &Connection, account: &str, kind: Kind) -> rusqlite::Result<Option<Sealed>> {
    connection
        .query_row(
            "SELECT nonce, sealed FROM secret WHERE account = ?1 AND kind = ?2",
            (account, kind.as_str()),
            |row| Ok(Sealed { nonce: row.get(0)?, sealed: row.get(1)? }),
        )
        .optional()
}

/// Names the database in an error of SQLite's.
fn vault<T>(result: rusqlite::Result<T>) -> Result<T, Error> {
    result.map_err(|source| Error::Database { file: VAULT, source })
}
