//! Projections: the SQL that turns a dataset's archived answers into its tables. The store calls it for every batch, the rebuild
//! for every archived answer. It must not know which datasets there are.

use std::collections::HashMap;

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Connection, Statement};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::database::{GARMIN, garmin};
use crate::error::Error;
use crate::originals::hex;

/// Our own tables, which no dataset may own.
const RESERVED: [&str; 7] = ["account", "answer", "ledger", "original", "pause", "projection", "sync_run"];

/// The answer of an item that Garmin had once and has no more: JSON's `null`.
pub const GONE: &str = "null";

/// A dataset as the store sees it: tables, and how an answer becomes rows in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The dataset's name, as in `answer.dataset` and `ledger.dataset`.
    pub dataset: String,
    /// The tables it owns, alone: dropped and rebuilt from the archive when the SQL has changed. Whatever is in them comes from
    /// `answer`.
    pub tables: Vec<String>,
    /// `CREATE TABLE IF NOT EXISTS …` and indexes for exactly these tables; `account` in every primary key.
    pub sql_tables: String,
    /// One or more statements, run once per item with `:account`, `:item`, `:body` (JSON text) and `:fetched_utc` (ISO 8601: when this
    /// answer came) as far as they are used: upserts into the tables, so that running them again changes nothing. Rows that two days may tell of
    /// are written with `INSERT OR REPLACE`: when one day takes such a row back, the other's comes in its place.
    pub sql_project: String,
    /// Statements that take back what `sql_project` made of an answer, with the same parameters: they run with an item's old answer
    /// before its new one is projected, and when Garmin has the item no more. Empty where a row of an item can only be replaced.
    pub sql_clear: String,
    /// Members of an answer, at any depth, that repeat the question or tell when the answer was written: an answer that differs in nothing
    /// else has not changed, and the archive keeps the one it has.
    pub echo: Vec<String>,
}

impl Projection {
    pub(crate) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.tables.join(","), &self.sql_tables, &self.sql_project, &self.sql_clear] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }

    /// Whether two answers differ in what they echo at most.
    pub(crate) fn is_alike(&self, old: &str, new: &str) -> bool {
        let told = |answer: &str| -> Option<Value> {
            let mut value = serde_json::from_str(answer).ok()?;
            self.leave_out_echo(&mut value);
            Some(value)
        };
        old != GONE && new != GONE && !self.echo.is_empty() && told(old).is_some_and(|old| told(new) == Some(old))
    }

    fn leave_out_echo(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.leave_out_echo(value)),
            Value::Object(members) => {
                members.retain(|name, _| !self.echo.contains(name));
                members.values_mut().for_each(|value| self.leave_out_echo(value));
            }
            _ => {}
        }
    }

    pub(crate) fn wrong(&self, what: impl Into<String>) -> Error {
        Error::Dataset { dataset: self.dataset.clone(), what: what.into() }
    }
}

/// A dataset's statements, prepared once for many items.
pub(crate) struct Prepared<'c> {
    connection: &'c Connection,
    project: Vec<Statement<'c>>,
    clear: Vec<Statement<'c>>,
    /// `project`, where it leaves the rows that are there as they are.
    fill: Vec<Statement<'c>>,
}

impl<'c> Prepared<'c> {
    pub(crate) fn new(connection: &'c Connection, projection: &'c Projection) -> Result<Self, Error> {
        let prepared = |sql: &str| {
            let mut statements = Vec::new();
            let mut rest = rusqlite::Batch::new(connection, sql);
            while let Some(statement) =
                rest.next().map_err(|e| projection.wrong(format!("its projection is wrong: {e}")))?
            {
                statements.push(statement);
            }
            Ok::<_, Error>(statements)
        };
        let (project, clear) = (prepared(&projection.sql_project)?, prepared(&projection.sql_clear)?);
        // Where an answer deletes what others said before it, there is nothing of theirs that could come back.
        let is_whole = projection.sql_project.contains("DELETE FROM");
        let filling = projection.sql_project.replace("INSERT OR REPLACE", "INSERT OR IGNORE");
        let fill = if is_whole { Vec::new() } else { prepared(&filling)? };
        Ok(Self { connection, project, clear, fill })
    }

    /// Makes rows of an answer in the place of those that its old one was made into; none of one that says that there is nothing more. An
    /// answer that does not fit the tables leaves them as they were, and costs no other: in words for people, why it does not.
    pub(crate) fn run(
        &mut self,
        account: &str,
        item: &str,
        (old, new): (Option<&str>, &str),
        fetched_utc: &str,
    ) -> Result<Option<String>, Error> {
        garmin(self.connection.execute_batch("SAVEPOINT answer"))?;
        let cleared = old.map_or(Ok(()), |old| run_all(&mut self.clear, [account, item, old, fetched_utc]));
        let project = if new == GONE { &mut [][..] } else { &mut self.project[..] };
        let ran = cleared.and_then(|()| run_all(project, [account, item, new, fetched_utc]));
        let unfit = match ran {
            Ok(()) => None,
            Err(error) if is_the_answers(&error) => {
                garmin(self.connection.execute_batch("ROLLBACK TO answer"))?;
                Some(format!("the answer does not fit its tables ({error})"))
            }
            Err(error) => return Err(Error::Database { file: GARMIN, source: error }),
        };
        garmin(self.connection.execute_batch("RELEASE answer"))?;
        Ok(unfit)
    }

    /// Whether an answer that is archived fits the tables, which stay as they are: in words for people, why it does not.
    pub(crate) fn judge(
        &mut self,
        account: &str,
        item: &str,
        body: &str,
        fetched_utc: &str,
    ) -> Result<Option<String>, Error> {
        garmin(self.connection.execute_batch("SAVEPOINT judged"))?;
        let unfit = self.run(account, item, (Some(body), body), fetched_utc)?;
        garmin(self.connection.execute_batch("ROLLBACK TO judged; RELEASE judged"))?;
        Ok(unfit)
    }

    /// Makes those rows of an archived answer that are missing. Of one that does not fit, none: here no constraint would tell.
    pub(crate) fn fill(&mut self, account: &str, item: &str, body: &str, fetched_utc: &str) -> Result<(), Error> {
        if body == GONE || self.fill.is_empty() || self.judge(account, item, body, fetched_utc)?.is_some() {
            return Ok(());
        }
        garmin(run_all(&mut self.fill, [account, item, body, fetched_utc]))
    }
}

/// Whether an answer is to blame: SQLite found in it what it cannot read, or what its tables do not take. The rest is the disk or the database.
fn is_the_answers(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch, Unknown};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch | Unknown))
}

fn run_all(statements: &mut [Statement<'_>], values: [&str; 4]) -> rusqlite::Result<()> {
    let [account, item, body, fetched_utc] = values;
    let values = [(":account", account), (":item", item), (":body", body), (":fetched_utc", fetched_utc)];
    statements.iter_mut().try_for_each(|statement| run(statement, values))
}

fn run(statement: &mut Statement<'_>, values: [(&str, &str); 4]) -> rusqlite::Result<()> {
    for (name, value) in values {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    statement.raw_execute()?;
    Ok(())
}

/// Each table has one owner, and none of ours is taken.
pub(crate) fn check(projections: &[Projection]) -> Result<(), Error> {
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
