//! The datasets: what can be mirrored, how it is asked for on each tier, and the SQL that turns an answer into rows. Each is a folder
//! under `datasets/`, embedded and read once at start; the plan and the runner go by what it says. It must not know any metric by name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use garminsync_garmin::Tier;
use garminsync_store::Projection;
use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::route::{Points, Route};

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
    /// Words under which `[datasets]` switches it together with others.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Whether it is mirrored when nobody says anything.
    #[serde(default = "yes")]
    pub on: bool,
    /// The tables its rows go to.
    pub tables: Vec<String>,
    /// A day that was read may still change for so many days after it; it is read again until then.
    #[serde(default)]
    pub reread_days: u32,
    /// On a schedule, what was read is not read again before so many hours; a person who types `sync` need not wait.
    #[serde(default)]
    pub rest_hours: u32,
    /// Each activity changes it: a run that finds a new one does not wait for `rest_hours`.
    #[serde(default)]
    pub after_activities: bool,
    /// What has no day (an inventory, an item) is read again after so many days; 0: never for its age.
    #[serde(default)]
    pub every_days: u32,
    /// Of things: one that no table names any more is gone with its rows. (What belongs to a deleted activity stays, as the activity does.)
    #[serde(default)]
    pub drops: bool,
    /// People type it in themselves, for any day: no silence of other data speaks against it.
    #[serde(default)]
    pub by_hand: bool,
    /// Where nobody says how far back the mirror goes, it looks for older data than are known. Others follow it.
    #[serde(default)]
    pub scouts: bool,
    /// A column of its first table with moments at which the person had to do with Garmin: the mirror reaches back to them.
    pub dated: Option<String>,
    /// Members of its answers, at any depth, that repeat the question or tell when the answer was written. They alone are no change.
    #[serde(default)]
    pub echo: Vec<String>,
    /// Asked only for days on which another dataset has data, and again when that changed.
    pub follows: Option<Follows>,
    /// Where this column of the followed dataset's table holds something, there were samples: an answer of a day long past that has none
    /// means that Garmin has put them away.
    pub proof: Option<String>,
    /// How the Personal API serves it.
    pub personal: Option<Route>,
    /// How the account tier serves it.
    pub account: Option<Route>,
    #[serde(skip)]
    sql_tables: String,
    #[serde(skip)]
    sql_project: String,
    #[serde(skip)]
    sql_clear: String,
    /// For [`Kind::Items`]: a query with `:account` that gives `item`, `day` and `changed_utc` of each thing there is.
    #[serde(skip)]
    pub sql_each: String,
}

/// What a dataset waits for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follows {
    /// The other dataset; its first table has a row for each day with data.
    pub dataset: String,
    /// A column of that table that has to hold something, too.
    pub column: Option<String>,
}

fn yes() -> bool {
    true
}

/// How a dataset is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By ranges of days up to a cap, one item a day.
    Days,
    /// All there is at once, one item.
    Inventory,
    /// By one request for each thing that other tables name (an activity, a gear item), one item each.
    Items,
    /// By pages of the activity list, newest first, one row an activity.
    Activities,
    /// One file an activity.
    Files,
    /// One question for each activity that is no longer in the list: is it gone?
    Deletions,
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

impl Dataset {
    /// Whether it goes by this name, alone or in a group.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.groups.iter().any(|group| group == name)
    }

    /// How `tier` serves it.
    pub fn route(&self, tier: Tier) -> Option<&Route> {
        match tier {
            Tier::Personal => self.personal.as_ref(),
            Tier::Account => self.account.as_ref(),
        }
    }

    /// The tiers that serve it, the preferred one first: the Personal API, unless only the other one serves every day.
    pub fn tiers(&self) -> impl Iterator<Item = Tier> + '_ {
        let points = |tier| self.route(tier).is_none_or(|route| route.points != Points::Days);
        let preferred = match (points(Tier::Personal), points(Tier::Account)) {
            (true, false) => [Tier::Account, Tier::Personal],
            _ => [Tier::Personal, Tier::Account],
        };
        preferred.into_iter().filter(|tier| self.route(*tier).is_some())
    }

    /// What the store needs; `None` for files, whose table is the store's own.
    pub fn projection(&self) -> Option<Projection> {
        (self.kind != Kind::Files).then(|| Projection {
            dataset: self.name.clone(),
            tables: self.tables.clone(),
            sql_tables: self.sql_tables.clone(),
            sql_project: self.sql_project.clone(),
            sql_clear: self.sql_clear.clone(),
            echo: self.echo.clone(),
        })
    }

    /// Requests that a year of it costs by a tier, for one item a year where it has items; activities are extra.
    pub fn cost_per_year(&self, tier: Tier) -> Option<u32> {
        let route = self.route(tier)?;
        let ranges = match (self.kind, route.points) {
            (Kind::Days, Points::Days) => 365_u32.div_ceil(route.cap_days),
            (Kind::Days, Points::Months) => 12,
            (Kind::Inventory, _) => 365_u32.div_ceil(self.every_days.max(1)),
            _ => 1,
        };
        Some(ranges * route.requests())
    }

    /// How the rows of an old answer are taken back where the folder does not say: of samples those that it told of (not what another day
    /// says of the midnight between them), of other tables those of its day, or all of an inventory.
    fn clears(&self, files: &BTreeMap<String, String>) -> String {
        let only = |table: &str| match (samples(files, table), self.kind) {
            (Some(select), _) => format!(" AND at IN (SELECT at FROM (\n{select}\n))"),
            (None, Kind::Days) => " AND day = :item".into(),
            _ => String::new(),
        };
        let clear = |table: &String| format!("DELETE FROM \"{table}\" WHERE account = :account{};\n", only(table));
        match self.kind {
            Kind::Days | Kind::Inventory => self.tables.iter().map(clear).collect(),
            Kind::Items | Kind::Activities | Kind::Files | Kind::Deletions => String::new(),
        }
    }

    /// What makes rows of an answer: `project.sql`, and for tables of samples the query that tells of them. `None` where neither is there.
    fn projects(&self, files: &BTreeMap<String, String>) -> Option<String> {
        let insert =
            |table: &String| Some(format!("INSERT OR REPLACE INTO \"{table}\"\n{};\n", samples(files, table)?));
        let told: Vec<_> = self.tables.iter().filter_map(insert).collect();
        let own = files.get("project.sql");
        (own.is_some() || !told.is_empty()).then(|| own.cloned().unwrap_or_default() + &told.concat())
    }

    fn fits(&self, route: &Route) -> bool {
        let names_id = route.paths().all(|(_, path)| path.contains("{id}"));
        let has_path = route.paths().all(|(_, path)| path.starts_with('/'));
        let dated = !route.day.is_empty() || route.keyed;
        let kind = match self.kind {
            Kind::Days if !route.within.is_empty() => route.path.is_empty() && route.parts.is_empty(),
            Kind::Days => has_path && (1..u32::MAX).contains(&route.cap_days) && (dated || route.cap_days == 1),
            Kind::Inventory => has_path,
            Kind::Activities => has_path && !route.pages.is_empty() && !route.item.is_empty() && dated,
            Kind::Items | Kind::Files | Kind::Deletions => has_path && names_id,
        };
        let paged = |path: &str| path.contains("{start}") && path.contains("{limit}");
        kind && !route.pages.contains(&0)
            && (route.path.is_empty() || route.parts.is_empty())
            && route.paths().all(|(_, path)| route.pages.is_empty() != paged(path))
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
            let missing = || malformed("project.sql is missing".into());
            dataset.sql_project = dataset.projects(files).ok_or_else(missing)?;
            dataset.sql_clear = files.get("clear.sql").cloned().unwrap_or_else(|| dataset.clears(files));
        }
        if dataset.kind == Kind::Items {
            dataset.sql_each = file("each.sql")?.clone();
        }
        for tier in dataset.tiers() {
            let route = dataset.route(tier).ok_or_else(|| malformed("no route".into()))?;
            if !dataset.fits(route) {
                return Err(malformed(format!("its {tier:?} route does not fit its kind")));
            }
        }
        if dataset.tiers().next().is_none() {
            return Err(malformed("no tier serves it".into()));
        }
        Ok(dataset)
    }
}

/// The query that gives the rows of a table of samples, column by column: its folder has it under the table's name.
fn samples<'a>(files: &'a BTreeMap<String, String>, table: &str) -> Option<&'a str> {
    Some(files.get(&format!("{table}.sql"))?.trim_end().trim_end_matches(';'))
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
    for dataset in &datasets {
        let others = dataset.follows.iter().map(|follows| &follows.dataset);
        let within =
            dataset.tiers().filter_map(|tier| Some(&dataset.route(tier)?.within)).filter(|name| !name.is_empty());
        if let Some(missing) = others.chain(within).find(|name| !datasets.iter().any(|known| known.name == **name)) {
            return Err(Malformed { folder: dataset.name.clone(), what: format!("there is no dataset {missing}") });
        }
    }
    datasets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(datasets)
}

#[cfg(test)]
#[path = "datasets_test.rs"]
mod tests;

#[cfg(test)]
#[path = "datasets_odd_test.rs"]
mod odd;
