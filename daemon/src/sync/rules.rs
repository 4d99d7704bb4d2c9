//! What the configuration says about syncs, checked against the datasets there are. The wiring fills it; [`super::Syncs`] goes by it. It
//! must not know the configuration file.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use garminsync_garmin::Tier;
use garminsync_store::Projection;

use super::datasets::{self, Dataset, Kind, Lane};
use super::pace;
use super::plan::EARLIEST;

/// What the configuration says about syncs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How far back the mirror goes; `None`: to the first day that has data.
    pub start: Option<NaiveDate>,
    /// The same for single accounts.
    pub account_start: BTreeMap<String, Option<NaiveDate>>,
    /// Whether original files are fetched.
    pub originals: bool,
    /// Whether samples within a day are fetched.
    pub intraday: bool,
    /// Datasets that are switched on or off, by name or group.
    pub datasets: BTreeMap<String, bool>,
    /// Manners towards the Personal API.
    pub personal: pace::Rules,
    /// Manners towards the account tier.
    pub account: pace::Rules,
}

/// Rules that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Senseless {
    /// A start before there was anything; of one account, or of all.
    #[error("\"{day}\" is before {EARLIEST}, and nothing is older than that")]
    Start {
        /// Whose; nobody's own.
        account: Option<String>,
        /// The start.
        day: NaiveDate,
    },
    /// A switch for what is not there.
    #[error("there is no dataset or group of that name; there are {there_are}")]
    Unknown {
        /// The name.
        name: String,
        /// What may be switched, for people.
        there_are: String,
    },
    /// The datasets' own folders are wrong.
    #[error("{0}")]
    Datasets(String),
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            start: None,
            account_start: BTreeMap::new(),
            originals: true,
            intraday: true,
            datasets: BTreeMap::new(),
            personal: pace::Rules::of(Tier::Personal),
            account: pace::Rules::of(Tier::Account),
        }
    }
}

impl Rules {
    /// The rules, if they make sense with the datasets there are.
    ///
    /// # Errors
    /// What does not.
    pub fn checked(self) -> Result<Self, Senseless> {
        let known = datasets::all().map_err(|malformed| Senseless::Datasets(malformed.to_string()))?;
        let starts = self.account_start.iter().map(|(name, start)| (Some(name), *start));
        for (account, start) in std::iter::once((None, self.start)).chain(starts) {
            if let Some(day) = start.filter(|day| *day < EARLIEST) {
                return Err(Senseless::Start { account: account.cloned(), day });
            }
        }
        let groups: BTreeSet<&str> = known.iter().flat_map(|dataset| &dataset.groups).map(String::as_str).collect();
        let is_known = |name: &str| groups.contains(name) || known.iter().any(|dataset| dataset.name == name);
        match self.datasets.keys().find(|name| !is_known(name)) {
            None => Ok(self),
            Some(unknown) => {
                let names: Vec<&str> = known.iter().map(|dataset| dataset.name.as_str()).collect();
                let groups: Vec<&str> = groups.into_iter().collect();
                let there_are = format!("the groups {} and the datasets {}", groups.join(", "), names.join(", "));
                Err(Senseless::Unknown { name: unknown.clone(), there_are })
            }
        }
    }

    /// A name says more than a group, and a group more than the switches of `[sync]` and what a dataset itself suggests. Of two groups
    /// "off" counts.
    fn is_on(&self, dataset: &Dataset) -> bool {
        let groups = dataset.groups.iter().filter_map(|group| self.datasets.get(group).copied());
        self.datasets.get(&dataset.name).copied().or_else(|| groups.reduce(|one, other| one && other)).unwrap_or(
            dataset.on
                && (dataset.kind != Kind::Files || self.originals)
                && (dataset.lane != Lane::Intraday || self.intraday),
        )
    }

    /// What is mirrored when nobody names anything.
    pub(super) fn datasets(&self) -> Vec<&'static Dataset> {
        datasets::all().unwrap_or_default().iter().filter(|dataset| self.is_on(dataset)).collect()
    }

    pub(super) fn pace(&self, tier: Tier) -> pace::Rules {
        match tier {
            Tier::Personal => self.personal.clone(),
            Tier::Account => self.account.clone(),
        }
    }
}

/// What the store has to know of the datasets. [`Rules::checked`] tells if their folders are wrong.
pub fn projections() -> Vec<Projection> {
    datasets::all().unwrap_or_default().iter().filter_map(Dataset::projection).collect()
}

/// The datasets that hold samples within a day.
pub fn sampled() -> Vec<&'static str> {
    let all = datasets::all().unwrap_or_default().iter();
    all.filter(|dataset| dataset.lane == Lane::Intraday).map(|dataset| dataset.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rules: &Rules) -> Vec<&str> {
        rules.datasets().iter().map(|dataset| dataset.name.as_str()).collect()
    }

    #[test]
    fn datasets_are_switched_by_name_group_and_kind() {
        let on = |rules: &Rules, name: &str| names(rules).contains(&name);
        let rules = Rules::default();
        for (name, is_on) in
            [("hrv", true), ("original", true), ("heart_rate", true), ("nutrition", false), ("floors", false)]
        {
            assert_eq!(on(&rules, name), is_on, "{name}");
        }
        let mut rules = Rules { originals: false, intraday: false, ..Rules::default() };
        assert!(!on(&rules, "original") && !on(&rules, "heart_rate") && on(&rules, "sleep"));
        rules.datasets = [("hrv".into(), false), ("original".into(), true)].into();
        assert!(!on(&rules, "hrv") && on(&rules, "original"), "a name says more than a kind");
        rules.datasets = [("private".into(), true), ("food".into(), false), ("menstrual".into(), false)].into();
        assert!(rules.clone().checked().is_err(), "a table is no dataset");
        rules.datasets.remove("food");
        assert!(on(&rules, "nutrition") && !on(&rules, "menstrual_day"), "of two groups, off counts");
        rules.datasets.insert("menstrual_day".into(), true);
        assert!(on(&rules, "menstrual_day"), "a name says more than a group");
    }

    #[test]
    fn an_unknown_name_is_told() {
        let rules = Rules { datasets: [("steeps".into(), true)].into(), ..Rules::default() };
        let error = rules.checked().unwrap_err();
        assert!(matches!(&error, Senseless::Unknown { name, .. } if name == "steeps"), "{error}");
        assert!(error.to_string().contains("sleep"), "{error}");
        assert!(Rules::default().checked().is_ok());
    }

    #[test]
    fn a_start_before_all_data_is_told() {
        let day = EARLIEST.pred_opt().unwrap();
        let error = Rules { start: Some(day), ..Rules::default() }.checked().unwrap_err();
        assert_eq!(error, Senseless::Start { account: None, day });
        assert!(error.to_string().contains("\"1999-12-31\""), "{error}");
        let account_start = [("ana".into(), Some(day))].into();
        let error = Rules { account_start, ..Rules::default() }.checked().unwrap_err();
        assert_eq!(error, Senseless::Start { account: Some("ana".into()), day });
        assert!(Rules { start: Some(EARLIEST), ..Rules::default() }.checked().is_ok());
    }
}
