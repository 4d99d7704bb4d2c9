//! People for the fake Garmin: who they are, how their sign-in goes, and years of plausible data with its truth.
//! Tests and the fake make them; everything follows from a seed and a period, never from the wall clock (save `today`).
//! Nothing here knows HTTP: the JSON shapes are functions from truth to `serde_json::Value`.

mod activities;
mod body;
mod by_hand;
mod chance;
mod days;
mod fit;
mod habits;
mod happen;
mod life;
mod original;
mod person;
mod plan;
mod planning;
mod samples;
mod sessions;
mod tables;
mod things;
mod training;
mod truth;

pub(crate) mod shape;

pub use happen::{Change, Passed};
pub use life::{Day, Life};
pub use original::Original;
pub use person::{KeyState, Person, SignInFlow, SignInMood};
pub use plan::{Habits, Plan, Travel, today};
pub use tables::{Row, TABLES, Table, month_ends, of_single_days};
pub use truth::*;

pub(crate) use chance::{hash, rounded};
pub(crate) use samples::{Series, moment};
pub(crate) use things::type_of;
