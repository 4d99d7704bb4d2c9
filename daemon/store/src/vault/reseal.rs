//! What the vault says about its own key, and sealing everything anew under another one. Opening the vault calls it. It must not
//! choose keys, and it never drops a row that it cannot open.

use rusqlite::{Transaction, TransactionBehavior};

use super::key::Chosen;
use super::open::CHECK;
use super::seal::{Sealed, Sealer};
use super::{Vault, vault};
use crate::error::Error;

impl Vault {
    /// Writes down where the key is that this vault was opened with, and a check for it if there is none.
    pub(super) fn remember(&mut self, chosen: &Chosen) -> Result<(), Error> {
        let Sealed { nonce, sealed } = self.sealer.seal(CHECK.0, CHECK.1, &[])?;
        let transaction = vault(self.connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        vault(transaction.execute(
            "INSERT INTO key_check (id, nonce, sealed) VALUES (1, ?1, ?2) ON CONFLICT (id) DO NOTHING",
            (nonce, sealed),
        ))?;
        say_where(&transaction, chosen)?;
        vault(transaction.commit())
    }

    /// Seals every secret under a new key, in one step: either all of it lies under the new key afterwards, or nothing has happened. A
    /// row that does not open stays as it is. The old key is left where it was: backups need it.
    pub(super) fn reseal(&mut self, new: &Chosen) -> Result<(), Error> {
        let sealer = Sealer::new(&new.key);
        let transaction = vault(self.connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        for (account, kind, old) in vault(rows(&transaction))? {
            let Some(secret) = self.sealer.open(&account, &kind, &old) else { continue };
            let Sealed { nonce, sealed } = sealer.seal(&account, &kind, &secret)?;
            vault(transaction.execute(
                "UPDATE secret SET nonce = ?3, sealed = ?4 WHERE account = ?1 AND kind = ?2",
                (account, kind, nonce, sealed),
            ))?;
        }
        let Sealed { nonce, sealed } = sealer.seal(CHECK.0, CHECK.1, &[])?;
        vault(transaction.execute("UPDATE key_check SET nonce = ?1, sealed = ?2", (nonce, sealed)))?;
        say_where(&transaction, new)?;
        vault(transaction.commit())?;
        self.sealer = sealer;
        Ok(())
    }
}

/// Changes the row only when it says something else: a start that changes nothing writes nothing.
fn say_where(transaction: &Transaction<'_>, chosen: &Chosen) -> Result<(), Error> {
    vault(transaction.execute(
        "INSERT INTO key_source (id, source, entry) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET source = excluded.source, entry = excluded.entry
             WHERE (source, entry) IS NOT (excluded.source, excluded.entry)",
        (chosen.source.as_str(), &chosen.entry),
    ))
    .map(drop)
}

fn rows(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<(String, String, Sealed)>> {
    let mut statement = transaction.prepare("SELECT account, kind, nonce, sealed FROM secret")?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, Sealed { nonce: row.get(2)?, sealed: row.get(3)? })))?;
    rows.collect()
}
