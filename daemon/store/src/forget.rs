//! Forgetting an account: its original files, then its rows in every table there is, then its rows in the copies that older schemas
//! left. Step by step, each a transaction of its own, so that others are not held up and a daemon that is killed goes on where it was: what is
//! left is found in the tables again. It must not know why, nor which datasets there are.
//!
//! The pages of what is removed are overwritten with zeros (`secure_delete`). The file does not shrink: its free pages are used again, and
//! a VACUUM of a large database would hold up everybody for minutes and need its size once more.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::backup;
use crate::database::{connect, garmin};
use crate::error::Error;
use crate::store::Store;

/// Rows that go in one transaction: a few milliseconds.
const ROWS: usize = 2000;
/// Files that go in one step.
const FILES: usize = 100;

/// What there is of an account, or what was removed of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Rows of all tables.
    pub rows: u64,
    /// Original files.
    pub files: u64,
    /// Bytes of these files and of the archived answers.
    pub bytes: u64,
}

impl Holdings {
    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { rows: self.rows + more.rows, files: self.files + more.files, bytes: self.bytes + more.bytes }
    }
}

/// A table with rows of accounts.
struct Table {
    name: String,
    /// Its column with the account's name.
    account: &'static str,
    /// Its primary key.
    key: Vec<String>,
}

impl Store {
    /// The accounts that have any data, sorted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn accounts(&self) -> Result<Vec<String>, Error> {
        // What a run has read stands in the ledger, and whoever has signed in under `account`.
        let sql = "SELECT name FROM account UNION SELECT DISTINCT account FROM ledger
                   UNION SELECT DISTINCT account FROM sync_run UNION SELECT DISTINCT account FROM original ORDER BY 1";
        let mut statement = garmin(self.connection.prepare_cached(sql))?;
        let rows = garmin(statement.query_map([], |row| row.get(0)))?;
        garmin(rows.collect())
    }

    /// What there is of an account.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn holdings(&self, account: &str) -> Result<Holdings, Error> {
        let number = |sql: &str| {
            let number: i64 = garmin(self.connection.query_row(sql, [account], |row| row.get(0)))?;
            Ok::<_, Error>(number.unsigned_abs())
        };
        let mut rows = 0;
        for table in tables(&self.connection)? {
            rows += number(&format!("SELECT count(*) FROM {} WHERE {} = ?1", table.name, table.account))?;
        }
        Ok(Holdings {
            rows,
            files: number("SELECT count(*) FROM original WHERE account = ?1")?,
            bytes: number("SELECT coalesce(sum(bytes), 0) FROM original WHERE account = ?1")?
                + number("SELECT coalesce(sum(length(body)), 0) FROM answer WHERE account = ?1")?,
        })
    }

    /// Removes a part of what there is of an account: call it until it says that nothing was left. No run of the account may be under
    /// way. Other accounts' rows and files are not touched.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Path`] for an original that cannot be removed, whose row then stays; [`Error::Database`].
    pub fn forget_some(&mut self, account: &str) -> Result<Option<Holdings>, Error> {
        garmin(self.connection.pragma_update(None, "secure_delete", "ON"))?;
        let some = self.forget_next(account);
        garmin(self.connection.pragma_update(None, "secure_delete", "OFF"))?;
        if let Ok(None) = some {
            // Else the write-ahead log would still hold what was removed.
            self.settle()?;
        }
        some
    }

    fn forget_next(&mut self, account: &str) -> Result<Option<Holdings>, Error> {
        let files = self.forget_files(account)?;
        if files.files > 0 {
            return Ok(Some(files));
        }
        for table in tables(&self.connection)? {
            let gone = forget_rows(&mut self.connection, &table, account)?;
            if gone.rows > 0 {
                return Ok(Some(gone));
            }
        }
        for copy in backup::all(self.originals().data_dir()) {
            let rows = forget_in_copy(&copy, account)?;
            if rows > 0 {
                return Ok(Some(Holdings { rows, ..Holdings::default() }));
            }
        }
        Ok(None)
    }

    /// Removes some of the original files, then their rows: a row without its file is found again, a file without its row is not.
    fn forget_files(&mut self, account: &str) -> Result<Holdings, Error> {
        let mut paths = Vec::new();
        let mut gone = Holdings::default();
        {
            // Two accounts may be the same person's, and have the same file.
            let mut statement = garmin(self.connection.prepare_cached(
                "SELECT activity_id, bytes, path, EXISTS (SELECT 1 FROM original AS other
                     WHERE other.path = original.path AND other.account <> original.account)
                 FROM original WHERE account = ?1 ORDER BY path LIMIT ?2",
            ))?;
            let mut rows = garmin(statement.query((account, FILES as i64)))?;
            while let Some(row) = garmin(rows.next())? {
                let id: i64 = garmin(row.get(0))?;
                let bytes: i64 = garmin(row.get(1))?;
                let path: String = garmin(row.get(2))?;
                let is_shared: bool = garmin(row.get(3))?;
                gone = gone.and(Holdings { rows: 1, files: 1, bytes: bytes.unsigned_abs() });
                paths.push((id, (!is_shared).then_some(path)));
            }
        }
        let files: Vec<&str> = paths.iter().filter_map(|(_, path)| path.as_deref()).collect();
        self.originals().remove_all(&files)?;
        let transaction = garmin(self.connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        for (id, _) in &paths {
            garmin(transaction.execute("DELETE FROM original WHERE account = ?1 AND activity_id = ?2", (account, id)))?;
        }
        garmin(transaction.commit())?;
        Ok(gone)
    }
}

/// Every table with an account's name in it. The `account` table comes last: as long as it names the account, something may be left.
fn tables(connection: &Connection) -> Result<Vec<Table>, Error> {
    let mut statement = garmin(connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table'
         AND (name = 'account' OR EXISTS (SELECT 1 FROM pragma_table_info(sqlite_schema.name) WHERE name = 'account'))
         ORDER BY name = 'account', name",
    ))?;
    let names = garmin(statement.query_map([], |row| row.get::<_, String>(0)))?;
    let mut columns = garmin(connection.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk"))?;
    let mut tables = Vec::new();
    for name in names {
        let name = garmin(name)?;
        let key = garmin(columns.query_map([&name], |row| row.get::<_, String>(0)))?;
        let mut key: Vec<String> = garmin(key.map(|column| column.map(|column| quoted(&column))).collect())?;
        if key.is_empty() {
            key.push("rowid".into());
        }
        let account = if name == "account" { "name" } else { "account" };
        tables.push(Table { name: quoted(&name), account, key });
    }
    Ok(tables)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn forget_rows(connection: &mut Connection, table: &Table, account: &str) -> Result<Holdings, Error> {
    let Table { name, account: column, key } = table;
    let key = key.join(", ");
    // What `holdings` counts, so that what is gone is what was announced.
    let bytes = if *name == quoted("answer") { "length(body)" } else { "0" };
    let sql = format!(
        "DELETE FROM {name} WHERE ({key}) IN (SELECT {key} FROM {name} WHERE {column} = ?1 LIMIT {ROWS}) RETURNING {bytes}"
    );
    let mut statement = garmin(connection.prepare(&sql))?;
    let sizes = garmin(statement.query_map([account], |row| row.get::<_, i64>(0)))?;
    sizes.map(garmin).try_fold(Holdings::default(), |gone, bytes| {
        Ok(gone.and(Holdings { rows: 1, files: 0, bytes: bytes?.unsigned_abs() }))
    })
}

/// The same in a copy that was made before a schema changed; nobody works with it, so all at once.
fn forget_in_copy(copy: &Path, account: &str) -> Result<u64, Error> {
    let mut connection = garmin(connect(copy))?;
    garmin(connection.pragma_update(None, "secure_delete", "ON"))?;
    let mut all = 0;
    for table in tables(&connection)? {
        loop {
            let rows = forget_rows(&mut connection, &table, account)?.rows;
            if rows == 0 {
                break;
            }
            all += rows;
        }
    }
    Ok(all)
}
