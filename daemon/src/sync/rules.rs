//! What the configuration says about syncs, checked against the datasets there are. The wiring fills it; [`super::Syncs`] goes by it. It
//! must not know the configuration file.

use std::collections::BTreeMap;

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
    /// Datasets that are switched on or off by name.
    pub datasets: BTreeMap<String, bool>,
    /// Manners towards the Personal API.
    pub personal: pace::Rules,
    /// Manners towards the account tier.
    pub account: pace::Rules,
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
    /// What does not, in words.
    pub fn checked(self) -> Result<Self, String> {
        let known = datasets::all().map_err(|malformed| malformed.to_string())?;
        let starts = self.account_start.iter().map(|(name, start)| (format!("[accounts.{name}]"), *start));
        for (table, start) in std::iter::once(("[sync]".to_owned(), self.start)).chain(starts) {
            if let Some(day) = start.filter(|day| *day < EARLIEST) {
                return Err(format!("{table} start = \"{day}\" is before {EARLIEST}, and nothing is older than that"));
            }
        }
        match self.datasets.keys().find(|name| !known.iter().any(|dataset| dataset.name == **name)) {
            None => Ok(self),
            Some(unknown) => {
                let names: Vec<&str> = known.iter().map(|dataset| dataset.name.as_str()).collect();
                Err(format!("[datasets] there is no dataset `{unknown}`; there are {}", names.join(", ")))
            }
        }
    }

    fn is_on(&self, dataset: &Dataset) -> bool {
        self.datasets.get(&dataset.name).copied().unwrap_or(
            (dataset.kind != Kind::Files || self.originals) && (dataset.lane != Lane::Intraday || self.intraday),
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
    fn datasets_are_switched_by_name_and_by_kind() {
        assert_eq!(names(&Rules::default()), ["activities", "daily_summary", "hrv", "original", "sleep"]);
        let mut rules = Rules { originals: false, ..Rules::default() };
        assert_eq!(names(&rules), ["activities", "daily_summary", "hrv", "sleep"]);
        rules.datasets = [("hrv".into(), false), ("original".into(), true)].into();
        assert_eq!(names(&rules), ["activities", "daily_summary", "original", "sleep"], "a name says more than a kind");
    }

    #[test]
    fn an_unknown_name_is_told() {
        let rules = Rules { datasets: [("steeps".into(), true)].into(), ..Rules::default() };
        let error = rules.checked().unwrap_err();
        assert!(error.contains("steeps") && error.contains("sleep"), "{error}");
        assert!(Rules::default().checked().is_ok());
    }

    #[test]
    fn a_start_before_all_data_is_told_with_its_key() {
        let before = EARLIEST.pred_opt();
        let error = Rules { start: before, ..Rules::default() }.checked().unwrap_err();
        assert!(error.starts_with("[sync] start = \"1999-12-31\""), "{error}");
        let account_start = [("ana".into(), Some(NaiveDate::MIN))].into();
        let error = Rules { account_start, ..Rules::default() }.checked().unwrap_err();
        assert!(error.starts_with("[accounts.ana] start"), "{error}");
        assert!(Rules { start: Some(EARLIEST), ..Rules::default() }.checked().is_ok());
    }
}
