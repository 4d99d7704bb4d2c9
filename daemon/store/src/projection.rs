//! Projections: the SQL that turns a dataset's archived answers into its tables, and the rebuild when that SQL has changed. The store
//! calls it when it opens and for every batch. It must not know which datasets there are.

use std::collections::HashMap;

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Connection, OptionalExtension, Statement, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::database::{GARMIN, garmin};
use crate::error::Error;
use crate::originals::hex;

/// Our own tables, which no dataset may own.
const RESERVED: [&str; 7] = ["account", "answer", "ledger", "original", "pause", "projection", "sync_run"];

/// A dataset as the store sees it: tables, and how an answer becomes rows in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The dataset's name, as in `answer.dataset` and `ledger.dataset`.
    pub dataset: String,
    /// The tables it owns, alone: dropped and rebuilt from the archive when the SQL has changed.
    pub tables: Vec<String>,
    /// `CREATE TABLE IF NOT EXISTS …` and indexes for exactly these tables; `account` in every primary key.
    pub sql_tables: String,
    /// One or more statements, run once per item with `:account`, `:item` and `:body` (JSON text) as far as they are used:
    /// upserts into the tables, so that running them again changes nothing.
    pub sql_project: String,
}

impl Projection {
    fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.tables.join(","), &self.sql_tables, &self.sql_project] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }

    fn wrong(&self, what: impl Into<String>) -> Error {
        Error::Dataset { dataset: self.dataset.clone(), what: what.into() }
    }
}

/// A dataset's statements, prepared once for many items.
pub(crate) struct Prepared<'c> {
    dataset: &'c str,
    statements: Vec<Statement<'c>>,
}

impl<'c> Prepared<'c> {
    pub(crate) fn new(connection: &'c Connection, projection: &'c Projection) -> Result<Self, Error> {
        let mut statements = Vec::new();
        let mut rest = rusqlite::Batch::new(connection, &projection.sql_project);
        while let Some(statement) =
            rest.next().map_err(|e| projection.wrong(format!("its projection is wrong: {e}")))?
        {
            statements.push(statement);
        }
        Ok(Self { dataset: &projection.dataset, statements })
    }

    pub(crate) fn run(&mut self, account: &str, item: &str, body: &str) -> Result<(), Error> {
        for statement in &mut self.statements {
            run(statement, account, item, body).map_err(|source| Error::Projection {
                dataset: self.dataset.into(),
                item: item.into(),
                source,
            })?;
        }
        Ok(())
    }
}

fn run(statement: &mut Statement<'_>, account: &str, item: &str, body: &str) -> rusqlite::Result<()> {
    for (name, value) in [(":account", account), (":item", item), (":body", body)] {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    statement.raw_execute()?;
    Ok(())
}

/// Makes the tables of all `projections` match their SQL, in one transaction: what is new or changed is dropped, created and filled
/// from the archive. Tables of datasets that are not named stay as they are.
pub(crate) fn bring_up_to_date(connection: &mut Connection, projections: &[Projection]) -> Result<(), Error> {
    check(projections)?;
    let transaction = garmin(connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
    let mut changed = Vec::new();
    for projection in projections {
        if is_changed(&transaction, projection)? {
            changed.push(projection);
        }
    }
    // First all drops, then all fills: a table may have moved from one dataset to another.
    for projection in &changed {
        drop_tables(&transaction, projection)?;
    }
    for projection in &changed {
        transaction.execute_batch(&projection.sql_tables).map_err(|e| projection.wrong(format!("its tables: {e}")))?;
        for table in &projection.tables {
            if !garmin(transaction.table_exists(None, table.as_str()))? {
                return Err(projection.wrong(format!("its SQL does not create table {table}")));
            }
        }
        fill(&transaction, projection)?;
        garmin(transaction.execute(
            "INSERT INTO projection (dataset, sql_sha256, tables) VALUES (?1, ?2, ?3)
             ON CONFLICT (dataset) DO UPDATE SET sql_sha256 = excluded.sql_sha256, tables = excluded.tables",
            (&projection.dataset, projection.sha256(), projection.tables.join(",")),
        ))?;
    }
    garmin(transaction.commit())
}

fn check(projections: &[Projection]) -> Result<(), Error> {
    let mut owners = HashMap::new();
    for projection in projections {
        for table in &projection.tables {
            let plain = table.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if table.is_empty() || !plain || RESERVED.contains(&table.as_str()) {
                return Err(projection.wrong(format!("it cannot own a table named {table:?}")));
            }
            if let Some(owner) = owners.insert(table, &projection.dataset) {
                return Err(projection.wrong(format!("table {table} belongs to dataset {owner} already")));
            }
        }
    }
    Ok(())
}

fn is_changed(transaction: &Transaction<'_>, projection: &Projection) -> Result<bool, Error> {
    let known: Option<String> = garmin(
        transaction
            .query_row("SELECT sql_sha256 FROM projection WHERE dataset = ?1", [&projection.dataset], |row| row.get(0))
            .optional(),
    )?;
    if known != Some(projection.sha256()) {
        return Ok(true);
    }
    for table in &projection.tables {
        if !garmin(transaction.table_exists(None, table.as_str()))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Drops the tables that the dataset owned when it was last projected, which may be others than today.
fn drop_tables(transaction: &Transaction<'_>, projection: &Projection) -> Result<(), Error> {
    let tables: Option<String> = garmin(
        transaction
            .query_row("SELECT tables FROM projection WHERE dataset = ?1", [&projection.dataset], |row| row.get(0))
            .optional(),
    )?;
    for table in tables.iter().flat_map(|tables| tables.split(',')).filter(|table| !table.is_empty()) {
        garmin(transaction.execute_batch(&format!("DROP TABLE IF EXISTS \"{table}\"")))?;
    }
    Ok(())
}

fn fill(transaction: &Transaction<'_>, projection: &Projection) -> Result<(), Error> {
    let mut prepared = Prepared::new(transaction, projection)?;
    let mut answers = garmin(
        transaction
            .prepare("SELECT account, item, body FROM answer WHERE dataset = ?1 ORDER BY fetched_utc, account, item"),
    )?;
    let mut rows = garmin(answers.query([&projection.dataset]))?;
    while let Some(row) = garmin(rows.next())? {
        let account: String = garmin(row.get(0))?;
        let item: String = garmin(row.get(1))?;
        let body: Vec<u8> = garmin(row.get(2))?;
        let body =
            zstd::decode_all(body.as_slice()).ok().and_then(|body| String::from_utf8(body).ok()).ok_or_else(|| {
                Error::Stored { file: GARMIN, what: format!("the archived answer of {} {item}", projection.dataset) }
            })?;
        prepared.run(&account, &item, &body)?;
    }
    Ok(())
}
