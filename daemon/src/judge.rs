//! What only the rooms can say about a configuration: whether the system has the group, and the mirror the datasets, that it names. The
//! wiring asks at the start, and the doctor whether another start would do. It opens no file but the configuration, to tell the line.

use std::time::Duration;

use crate::config::{AccountName, AccountSection, Config, Wrong};
use crate::door::Permission;
use crate::places::Place;
use crate::sync::{Rules, Senseless};

/// Whether the rooms can go by a configuration.
///
/// # Errors
/// What is wrong, in words, with the file and the line where it stands.
pub fn check(file: &Place, config: &Config) -> Result<(), String> {
    settle(file, config).map(drop)
}

/// What the door and the syncs go by.
///
/// # Errors
/// As [`check`].
pub fn settle(file: &Place, config: &Config) -> Result<(Permission, Rules), String> {
    let wrong = |wrong: &Wrong| Config::wrong(file, wrong).to_string();
    let permission = Permission::of(config.control.group.as_deref())
        .map_err(|error| wrong(&Wrong::new("control", "group", error.to_string())))?;
    let rules = rules(config).map_err(|senseless| {
        let why = senseless.to_string();
        wrong(&match &senseless {
            Senseless::Start { account: None, .. } => Wrong::new("sync", "start", why),
            Senseless::Start { account: Some(name), .. } => Wrong::new(&format!("accounts.{name}"), "start", why),
            Senseless::Unknown { name, .. } => Wrong::new("datasets", name, why),
            // They came with the program, and no configuration mends that.
            Senseless::Datasets(_) => return why,
        })
    })?;
    Ok((permission, rules))
}

fn rules(config: &Config) -> Result<Rules, Senseless> {
    let starts = |(name, section): (&AccountName, &AccountSection)| {
        section.start.map(|start| (name.as_str().to_owned(), start.date()))
    };
    let mut rules = Rules {
        start: config.sync.start.date(),
        account_start: config.accounts.iter().filter_map(starts).collect(),
        originals: config.sync.originals,
        intraday: config.sync.intraday,
        datasets: config.datasets.clone(),
        ..Rules::default()
    };
    rules.account.daily = Some(config.sync.daily_requests).filter(|requests| *requests > 0);
    rules.personal.daily = rules.account.daily;
    if let Some(gap) = config.garmin.endpoints.request_gap_s() {
        rules.account.gap = Duration::from_secs_f64(gap);
        rules.personal.gap = rules.account.gap;
    }
    rules.checked()
}
