//! The records through their public door, with real files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod conformance;
mod forgetting;
mod migrations;
mod originals;
mod projections;
mod recording;
mod retention;
mod vault;
mod vault_keys;
#[cfg(unix)]
mod vault_modes;

use std::path::Path;

use chrono::{DateTime, Utc};
use garminsync_store::{Batch, Item, LedgerEntry, Mark, Projection, State, Store};
use rusqlite::Connection;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn noon() -> DateTime<Utc> {
    at("2026-10-21T12:00:00Z")
}

/// The whole ledger of an account.
pub(crate) fn ledger(store: &Store, account: &str) -> Vec<LedgerEntry> {
    let mut entries = Vec::new();
    store.each_entry(account, |entry| entries.push(entry)).unwrap();
    entries
}

/// A dataset with one row a day.
pub(crate) fn steps() -> Projection {
    Projection {
        dataset: "steps".into(),
        tables: vec!["steps".into()],
        sql_tables:
            "CREATE TABLE IF NOT EXISTS steps (account TEXT, day TEXT, steps INTEGER, PRIMARY KEY (account, day));"
                .into(),
        sql_project: "INSERT INTO steps VALUES (:account, :item, json_extract(:body, '$.steps'))
            ON CONFLICT DO UPDATE SET steps = excluded.steps;"
            .into(),
        sql_clear: "DELETE FROM steps WHERE account = :account AND day = :item".into(),
        echo: Vec::new(),
    }
}

/// A dataset whose answers become several rows in two tables.
pub(crate) fn activities() -> Projection {
    Projection {
        dataset: "activities".into(),
        tables: vec!["activity".into(), "lap".into()],
        sql_tables: "CREATE TABLE IF NOT EXISTS activity (account TEXT, activity_id INTEGER, name TEXT, type TEXT, start_local TEXT,
                deleted_utc TEXT, PRIMARY KEY (account, activity_id));
            CREATE TABLE IF NOT EXISTS lap (account TEXT, activity_id INTEGER, n INTEGER, PRIMARY KEY (account, activity_id, n));"
            .into(),
        sql_project: "INSERT INTO activity (account, activity_id, name, type, start_local) VALUES (:account, :item,
                :body ->> '$.name', :body ->> '$.type', :body ->> '$.start')
                ON CONFLICT DO UPDATE SET name = excluded.name;
            INSERT INTO lap SELECT :account, :item, value FROM json_each(:body, '$.laps');"
            .into(),
        sql_clear: "DELETE FROM lap WHERE account = :account AND activity_id = :item".into(),
        echo: Vec::new(),
    }
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open(dir, &[steps(), activities()]).unwrap()
}

pub(crate) fn batch<'a>(run: i64, dataset: &'a str, items: &[(&str, &'a str)], marks: &[(&str, State)]) -> Batch<'a> {
    Batch {
        account: "default",
        run,
        dataset,
        fetched_utc: noon(),
        requests: 1,
        bytes: 100,
        items: items.iter().map(|(item, body)| Item { item: (*item).into(), body }).collect(),
        ledger: marks.iter().map(|(item, state)| Mark { item: (*item).into(), state: *state, detail: None }).collect(),
    }
}

/// A second program that looks at the database.
pub(crate) fn look(dir: &Path) -> Connection {
    Connection::open(dir.join("garmin.db")).unwrap()
}

/// All rows of a query, each as text.
pub(crate) fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| {
            let cells = (0..columns).map(|i| {
                let value: rusqlite::types::Value = row.get(i).unwrap();
                match value {
                    rusqlite::types::Value::Null => "NULL".into(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Real(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(bytes) => format!("{bytes:02x?}"),
                }
            });
            Ok(cells.collect::<Vec<_>>().join("|"))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}
