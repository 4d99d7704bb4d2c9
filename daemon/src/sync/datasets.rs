//! The datasets: what can be mirrored, how it is asked for on each tier, and the SQL that turns an answer into rows. Each is a folder
//! under `datasets/`, embedded and read once at start; the plan and the runner go by what it says. It must not know any metric by name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use chrono::NaiveDate;
use garminsync_garmin::Tier;
use garminsync_store::Projection;
use include_dir::{Dir, include_dir};
use serde::Deserialize;

static FOLDERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/sync/datasets");

/// A dataset's folder is wrong: a defect of the program, found at start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dataset folder {folder}: {what}")]
pub struct Malformed {
    /// The folder.
    pub folder: String,
    /// What is wrong with it.
    pub what: String,
}

/// One dataset, as its `dataset.toml` and SQL say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Its name, for people, the ledger and the archive.
    pub name: String,
    /// One line about it, for people.
    pub about: String,
    /// How it is asked for.
    pub kind: Kind,
    /// Which switch of the configuration turns it off.
    pub lane: Lane,
    /// The tables its rows go to.
    pub tables: Vec<String>,
    /// A day that was read may still change for so many days after it; it is read again until then.
    #[serde(default)]
    pub reread_days: u32,
    /// How the Personal API serves it.
    pub personal: Option<Route>,
    /// How the account tier serves it.
    pub account: Option<Route>,
    #[serde(skip)]
    sql_tables: String,
    #[serde(skip)]
    sql_project: String,
}

/// How a dataset is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By ranges of days up to a cap, one row a day.
    Days,
    /// By pages of the activity list, newest first, one row an activity.
    Activities,
    /// One file an activity.
    Files,
}

/// How fine the data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// A row a day, an activity, a file.
    Day,
    /// Samples within a day; `[sync] intraday = false` leaves them out.
    Intraday,
}

/// How one tier serves a dataset.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Path and query. `{from}`, `{to}`: first and last day; `{start}`, `{limit}`: offset and size of a page; `{id}`: an activity;
    /// `{dn}`: the display name. A query parameter whose value is open is left out.
    pub path: String,
    /// The longest range in days, inclusive, that the tier answers.
    #[serde(default = "no_cap")]
    pub cap_days: u32,
    /// Page sizes, in the order to try: the next one when a page was too big.
    #[serde(default)]
    pub pages: Vec<u32>,
    /// JSON pointer to the array of rows; empty: the answer is the array.
    #[serde(default)]
    pub rows: String,
    /// JSON pointer, inside a row, to what identifies it; empty: its day.
    #[serde(default)]
    pub item: String,
    /// JSON pointer, inside a row, to its day or local time.
    #[serde(default)]
    pub day: String,
    /// JSON pointers inside a row. If all lead to nothing (null, false, 0, or containers of nothing), the row only says that the
    /// day has no data. Empty: every row has data.
    #[serde(default)]
    pub evidence: Vec<String>,
}

fn no_cap() -> u32 {
    u32::MAX
}

/// What goes into the placeholders of a [`Route::path`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// `{from}`; `None`: from the beginning.
    pub from: Option<NaiveDate>,
    /// `{to}`; `None`: up to now.
    pub to: Option<NaiveDate>,
    /// `{start}` and `{limit}`.
    pub page: Option<(u32, u32)>,
    /// `{id}`.
    pub id: Option<i64>,
    /// `{dn}`.
    pub display_name: Option<&'a str>,
}

impl Values<'_> {
    fn of(&self, name: &str) -> Option<String> {
        match name {
            "from" => self.from.map(|day| day.to_string()),
            "to" => self.to.map(|day| day.to_string()),
            "start" => self.page.map(|(start, _)| start.to_string()),
            "limit" => self.page.map(|(_, limit)| limit.to_string()),
            "id" => self.id.map(|id| id.to_string()),
            "dn" => self.display_name.map(percent_encoded),
            _ => None,
        }
    }
}

/// A display name can be anything a person may type; in a path only the unreserved characters stand for themselves.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

impl Route {
    /// The path with `values` in it; `None` when the path itself, not its query, needs one that is missing.
    pub fn render(&self, values: &Values<'_>) -> Option<String> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut rendered = fill(path, values)?;
        let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
        for (separator, parameter) in
            std::iter::once('?').chain(std::iter::repeat('&')).zip(parameters.filter_map(|p| fill(p, values)))
        {
            rendered.push(separator);
            rendered.push_str(&parameter);
        }
        Some(rendered)
    }
}

/// Replaces each `{name}`; `None` if one has no value.
fn fill(template: &str, values: &Values<'_>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(&values.of(name)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

impl Dataset {
    /// How `tier` serves it.
    pub fn route(&self, tier: Tier) -> Option<&Route> {
        match tier {
            Tier::Personal => self.personal.as_ref(),
            Tier::Account => self.account.as_ref(),
        }
    }

    /// The tiers that serve it, the preferred one first.
    pub fn tiers(&self) -> impl Iterator<Item = Tier> + '_ {
        [Tier::Personal, Tier::Account].into_iter().filter(|tier| self.route(*tier).is_some())
    }

    /// What the store needs; `None` for files, whose table is the store's own.
    pub fn projection(&self) -> Option<Projection> {
        (self.kind != Kind::Files).then(|| Projection {
            dataset: self.name.clone(),
            tables: self.tables.clone(),
            sql_tables: self.sql_tables.clone(),
            sql_project: self.sql_project.clone(),
        })
    }

    fn read(files: &BTreeMap<String, String>, folder: &str) -> Result<Self, Malformed> {
        let malformed = |what: String| Malformed { folder: folder.into(), what };
        let file = |name: &str| files.get(name).ok_or_else(|| malformed(format!("{name} is missing")));
        let mut dataset: Self = toml::from_str(file("dataset.toml")?).map_err(|e| malformed(e.to_string()))?;
        if dataset.name != folder {
            return Err(malformed(format!("it calls itself {}", dataset.name)));
        }
        if dataset.kind != Kind::Files {
            dataset.sql_tables = file("table.sql")?.clone();
            dataset.sql_project = file("project.sql")?.clone();
        }
        for tier in dataset.tiers() {
            let route = dataset.route(tier).ok_or_else(|| malformed("no route".into()))?;
            let fits = match dataset.kind {
                Kind::Days => (1..u32::MAX).contains(&route.cap_days) && !route.day.is_empty(),
                Kind::Activities => !route.pages.is_empty() && !route.item.is_empty() && !route.day.is_empty(),
                Kind::Files => route.path.contains("{id}"),
            };
            if !fits || route.pages.contains(&0) {
                return Err(malformed(format!("its {tier:?} route does not fit its kind")));
            }
        }
        if dataset.tiers().next().is_none() {
            return Err(malformed("no tier serves it".into()));
        }
        Ok(dataset)
    }
}

/// All datasets, by name.
///
/// # Errors
/// The first folder that is wrong.
pub fn all() -> Result<&'static [Dataset], Malformed> {
    static ALL: LazyLock<Result<Vec<Dataset>, Malformed>> = LazyLock::new(read_all);
    ALL.as_deref().map_err(Clone::clone)
}

fn read_all() -> Result<Vec<Dataset>, Malformed> {
    let mut datasets = Vec::new();
    for dir in FOLDERS.dirs() {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files =
            dir.files().filter_map(|file| Some((name(file.path()), file.contents_utf8()?.to_owned()))).collect();
        datasets.push(Dataset::read(&files, &name(dir.path()))?);
    }
    datasets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(datasets)
}

#[cfg(test)]
#[path = "datasets_test.rs"]
mod tests;
