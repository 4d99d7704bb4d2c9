//! One suite for every engine that may ever stand behind the store's interface. An engine joins by an [`Engine`] and a line of
//! [`suite!`]; what is SQLite's own (its log, its files, its readers) is tested elsewhere.

mod model;
mod rules;

use std::path::Path;

use garminsync_store::{Projection, Store};
use tempfile::TempDir;

use crate::{activities, look, rows, steps};

/// An engine with an empty database of its own, as the suite needs it.
pub trait Engine {
    /// Opens the store; again and again the same one.
    fn open(&self, datasets: &[Projection]) -> Store;

    /// What people see: every row of a query, its columns joined by `|`.
    fn rows(&self, sql: &str) -> Vec<String>;

    /// Another program's hand in the database.
    fn hand(&self, sql: &str);

    /// The data directory.
    fn data_dir(&self) -> &Path;
}

/// SQLite in a temporary directory.
pub struct Sqlite(TempDir);

impl Sqlite {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Engine for Sqlite {
    fn open(&self, datasets: &[Projection]) -> Store {
        Store::open(self.0.path(), datasets).unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        rows(&look(self.0.path()), sql)
    }

    fn hand(&self, sql: &str) {
        look(self.0.path()).execute_batch(sql).unwrap();
    }

    fn data_dir(&self) -> &Path {
        self.0.path()
    }
}

/// The datasets most rules are told with.
pub fn both() -> [Projection; 2] {
    [steps(), activities()]
}

macro_rules! suite {
    ($engine:ident, $make:expr, $($rule:ident),+ $(,)?) => {
        mod $engine {
            $(
                #[test]
                fn $rule() {
                    super::rules::$rule(&$make);
                }
            )+

            #[test]
            fn any_history_is_what_the_model_says() {
                super::model::any_history_is_what_the_model_says(&|| Box::new($make));
            }
        }
    };
}

suite!(
    sqlite,
    crate::conformance::Sqlite::new(),
    an_answer_that_came_before_is_not_written_again,
    what_an_answer_echoes_is_no_change,
    a_batch_that_fails_leaves_nothing_behind,
    an_answer_that_does_not_fit_its_tables_costs_no_other,
    requests_that_brought_nothing_are_counted_and_marked,
    whether_a_provisional_day_has_data_is_read_from_the_archive,
    runs_are_remembered_and_the_unfinished_are_interrupted,
    runs_are_told_newest_first,
    what_is_not_known_of_a_person_keeps_what_was,
    activities_wait_for_their_originals_newest_first,
    without_activities_no_originals_are_wanted,
    a_pause_survives_and_the_newest_counts,
    since_when_something_fails_is_remembered_until_it_is_answered,
    a_file_that_was_dropped_and_came_again_is_there,
);
