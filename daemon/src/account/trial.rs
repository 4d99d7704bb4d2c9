//! Renewals of a login that have not led to a new one yet. Garmin rotates the token with a renewal, so an answer that is lost on the
//! way may have cost the login: the old token is tried once more at once, then seldom, and never more often because the daemon was
//! restarted. Pure; the actor keeps the trial in the account's row and writes it *before* it sends.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use garminsync_garmin::Tokens;
use serde::{Deserialize, Serialize};

use super::tokens::pause_after;

/// Renewals without a known end before the daemon waits also across restarts: the first, its repetition, and one that a restart
/// may add.
const PROMPT: u32 = 3;
/// The pause then.
const SELDOM: TimeDelta = TimeDelta::minutes(10);
/// No pause is longer, whatever Garmin asks for; one that is was written by a clock that was ahead.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// What became of the renewals of one token pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Which pair: when it was received.
    pub of: DateTime<Utc>,
    /// Renewals that were sent and whose answer is not known.
    pub lost: u32,
    /// Renewals that brought nothing, in a row.
    pub failures: u32,
    /// Nothing is sent before, also after a restart.
    pub not_before: Option<DateTime<Utc>>,
    /// Garmin asked for that pause.
    #[serde(default)]
    pub throttled: bool,
}

impl Trial {
    /// A renewal of `tokens` is about to be sent: from here on its answer counts as lost until it is known.
    pub fn sent(before: Option<&Self>, tokens: &Tokens, now: DateTime<Utc>) -> Self {
        let fresh = Self { of: tokens.issued_at, lost: 0, failures: 0, not_before: None, throttled: false };
        let mut trial = before.filter(|trial| trial.of == tokens.issued_at).cloned().unwrap_or(fresh);
        trial.lost = trial.lost.saturating_add(1);
        trial.failures = trial.failures.saturating_add(1);
        trial.not_before = (trial.lost >= PROMPT).then(|| (now + SELDOM).trunc_subsecs(0));
        trial
    }

    /// Its answer was lost. Whether it is to be repeated at once.
    pub fn was_lost(&self) -> bool {
        self.lost == 1
    }

    /// Garmin, or nobody, answered: the token was not touched. `asked`: Garmin wants a pause.
    pub fn was_refused(&mut self, asked: Option<Duration>, now: DateTime<Utc>) {
        self.lost = self.lost.saturating_sub(1);
        let asked = asked.and_then(|asked| TimeDelta::from_std(asked).ok());
        self.not_before = asked.map(|asked| (now + asked.min(LONGEST)).trunc_subsecs(0));
    }

    /// Whether an answer before the newest one was lost.
    pub fn lost_one_before(&self) -> bool {
        self.lost > 1
    }

    /// How long this process waits before the next renewal.
    pub fn pause(&self, now: DateTime<Utc>) -> Duration {
        pause_after(self.failures).max(self.rests(now).unwrap_or_default())
    }

    /// How long nothing is sent for `tokens`, as written down.
    pub fn rests(&self, now: DateTime<Utc>) -> Option<Duration> {
        let left = self.not_before? - now;
        (left > TimeDelta::zero() && left <= LONGEST).then(|| left.to_std().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use garminsync_garmin::Domain;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_793_000_000, 0).unwrap()
    }

    fn tokens() -> Tokens {
        Tokens {
            access: "a".to_owned().into(),
            refresh: "r".to_owned().into(),
            client_id: "c".into(),
            domain: Domain::Com,
            issued_at: now(),
            access_expires_at: now(),
            refresh_expires_at: None,
        }
    }

    #[test]
    fn a_lost_answer_is_asked_for_once_more_and_then_seldom() {
        let first = Trial::sent(None, &tokens(), now());
        assert!(first.was_lost() && first.rests(now()).is_none(), "once more, at once");
        let second = Trial::sent(Some(&first), &tokens(), now());
        assert!(!second.was_lost() && second.lost_one_before(), "not in a loop");
        assert_eq!(second.rests(now()), None, "a restart may add one");
        let mut trial = Trial::sent(Some(&second), &tokens(), now());
        for _ in 0..20 {
            assert_eq!(trial.rests(now()), Some(Duration::from_secs(600)), "{trial:?}");
            trial = Trial::sent(Some(&trial), &tokens(), now());
        }
        assert_eq!(trial.rests(now() - TimeDelta::days(900)), None, "a clock that was ahead wrote this");
    }

    #[test]
    fn a_refusal_loses_nothing() {
        let mut trial = Trial::sent(None, &tokens(), now());
        trial.was_refused(None, now());
        assert_eq!((trial.lost, trial.failures, trial.rests(now())), (0, 1, None));
        assert_eq!(trial.pause(now()), Duration::from_secs(30));
        trial.was_refused(Some(Duration::from_secs(7200)), now());
        assert_eq!(trial.rests(now()), Some(Duration::from_secs(7200)), "as Garmin asked, over restarts");
        assert!(!Trial::sent(Some(&trial), &tokens(), now()).lost_one_before());
    }

    #[test]
    fn another_pair_begins_anew() {
        let old = Trial::sent(None, &tokens(), now());
        let new = Tokens { issued_at: now() + TimeDelta::days(1), ..tokens() };
        assert_eq!(Trial::sent(Some(&old), &new, now()).lost, 1);
    }
}
