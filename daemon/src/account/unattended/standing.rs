//! When a sign-in that nobody asked for may be done, and what is remembered of the last one. Pure; only the sign-in by itself uses it.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::account::machine::{Attempt, Login};
use crate::host::Uptime;

/// Between two sign-ins that nobody asked for.
pub(super) const A_DAY: TimeDelta = TimeDelta::hours(24);

/// What outlives the process. No secret is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Garmin refused to renew the login.
    pub(super) wanted: bool,
    /// The last sign-in of this kind.
    pub(super) last: Option<Used>,
    /// What it came to, for people; nothing if it worked.
    pub(super) outcome: Option<String>,
    /// Why none follows until a person has signed in.
    pub(super) barred: Option<String>,
    /// The challenge that it led to.
    pub(super) challenge: Option<String>,
    /// No code of a program was tried for that challenge yet.
    pub(super) code_due: bool,
}

/// When the day's sign-in was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    pub(super) at: DateTime<Utc>,
    pub(super) life: String,
    pub(super) up: Duration,
}

impl Used {
    pub(super) fn now(now: DateTime<Utc>, uptime: Uptime) -> Self {
        Self { at: now.trunc_subsecs(0), life: uptime.life, up: uptime.up }
    }

    /// Whether a day has passed. In one life of the machine its uptime says so, whatever becomes of the clock on the wall; in another
    /// one the wall clock does, or an uptime of a whole day.
    fn is_over(&self, now: DateTime<Utc>, uptime: &Uptime) -> bool {
        let day = A_DAY.to_std().unwrap_or_default();
        if uptime.life == self.life {
            uptime.up.saturating_sub(self.up) >= day
        } else {
            uptime.up >= day || now - self.at >= A_DAY
        }
    }
}

impl Standing {
    /// What a new login, or a logout, leaves of it. The day is not given back.
    pub(super) fn settled(&mut self) {
        *self = Self { last: self.last.take(), ..Self::default() };
    }

    pub(super) fn may_begin(&self, login: &Login, attempt: &Attempt, now: DateTime<Utc>, uptime: &Uptime) -> bool {
        let rested = self.last.as_ref().is_none_or(|last| last.is_over(now, uptime));
        let idle = matches!(attempt, Attempt::Idle(_));
        self.wanted && self.barred.is_none() && matches!(login, Login::Dead(_)) && idle && rested
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn up(life: &str, hours: u64) -> Uptime {
        Uptime { life: life.into(), up: Duration::from_secs(hours * 3600) }
    }

    #[test]
    fn a_day_is_a_day_whatever_the_clock_says() {
        let used = Used::now(at(0), up("a", 100));
        let year = 24 * 365;
        for (over, now, uptime) in [
            (false, at(0), up("a", 100)),
            (false, at(23), up("a", 123)),
            (true, at(24), up("a", 124)),
            // In the same life a clock that jumps is not believed, in either direction.
            (false, at(year), up("a", 101)),
            (true, at(-year), up("a", 124)),
            // After a reboot there is the wall clock, until the machine has been up for a day.
            (false, at(1), up("b", 0)),
            (true, at(25), up("b", 0)),
            (false, at(-year), up("b", 23)),
            (true, at(-year), up("b", 24)),
        ] {
            assert_eq!(used.is_over(now, &uptime), over, "{now} {uptime:?}");
        }
    }

    #[test]
    fn it_begins_only_for_a_login_that_garmin_would_not_renew() {
        let dead = Login::Dead("refused".into());
        let idle = Attempt::Idle(None);
        let wanted = Standing { wanted: true, ..Standing::default() };
        let may = |standing: &Standing, login: &Login, attempt: &Attempt| {
            standing.may_begin(login, attempt, at(0), &up("a", 1))
        };
        assert!(may(&wanted, &dead, &idle));
        assert!(!may(&Standing::default(), &dead, &idle), "the data service refused it, which is no reason");
        assert!(!may(&wanted, &Login::None, &idle), "the first login, or the one after a logout, is a person's");
        assert!(!may(&wanted, &Login::Working, &idle));
        assert!(!may(&wanted, &dead, &Attempt::CoolingDown(at(1), "blocked".into())));
        assert!(!may(&wanted, &dead, &Attempt::SigningIn(None)));
        assert!(!may(&Standing { barred: Some("wrong password".into()), ..wanted.clone() }, &dead, &idle));
        let used = Standing { last: Some(Used::now(at(-1), up("a", 0))), ..wanted };
        assert!(!may(&used, &dead, &idle));
        let mut settled = used.clone();
        settled.settled();
        assert_eq!(settled, Standing { last: used.last, ..Standing::default() }, "the day is not given back");
    }
}
