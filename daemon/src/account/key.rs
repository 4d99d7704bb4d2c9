//! What is known of a Personal API key, and what follows from it: when it ends and when to say so, when one that Garmin refused is
//! tried again, when to look whether it still works. Pure; the actor keeps the facts in the account's row and does what they say.

use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use garminsync_garmin::{Error, PersonalToken};
use garminsync_protocol::KEY_PAGE;
use serde::{Deserialize, Serialize};

/// How long before its end a key's end is told.
const FIRST_NOTICE: TimeDelta = TimeDelta::days(14);
/// How long before it is told in stronger words.
const LAST_NOTICE: TimeDelta = TimeDelta::days(3);
/// First pause after Garmin refused a key; it doubles with each further refusal.
const REFUSED: TimeDelta = TimeDelta::hours(1);
/// The same where Garmin knows the key and does not let it in (terms, no device).
const FORBIDDEN: TimeDelta = TimeDelta::hours(6);
/// Shortest pause after a 429 that asks for none, or for a long one.
const THROTTLED: TimeDelta = TimeDelta::minutes(15);
/// Longest pause of any kind.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(24);
/// The longest life of a key that Garmin offers.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(365);
/// A key that nobody uses is tried this often, so that a dead one is noticed within a day.
const LOOK_EVERY: TimeDelta = TimeDelta::hours(24);

/// A last day that the configuration says so shortly before a key takes another's place was written for the new one: both are done on
/// one occasion, in either order.
const SAME_OCCASION: TimeDelta = TimeDelta::hours(24);

/// What is known of a key beside the key itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// Which key: the SHA-256 of its text. Facts of one key say nothing of another.
    pub of: String,
    /// When it ends.
    pub ends: Option<End>,
    /// When it was first seen here; it was made before.
    #[serde(default)]
    pub seen_at: Option<DateTime<Utc>>,
    /// The last day that the configuration says, and since when it does.
    #[serde(default)]
    pub said: Option<(NaiveDate, DateTime<Utc>)>,
    /// A last day that the configuration may still say and that is not this key's: it was its predecessor's, or Garmin proved it wrong.
    #[serde(default)]
    pub outdated: Option<NaiveDate>,
    /// Garmin refused it.
    pub refusal: Option<Refusal>,
    /// Garmin asked to wait before the next exchange.
    pub paused_until: Option<DateTime<Utc>>,
    /// When it was last exchanged.
    pub exchanged_at: Option<DateTime<Utc>>,
}

/// When a key ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// As the person said it: its last day.
    Said(NaiveDate),
    /// As a token of it showed.
    Shown(DateTime<Utc>),
}

impl End {
    /// The moment. A day ends with its last second, in UTC: which hour Garmin means is not known.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Said(day) => day.and_hms_opt(23, 59, 59).unwrap_or_default().and_utc(),
            Self::Shown(at) => at.trunc_subsecs(0),
        }
    }
}

/// A key that Garmin refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why, for people.
    pub why: String,
    /// Refusals in a row.
    pub times: u32,
    /// When it is tried again; never, where only another key helps.
    pub again_at: Option<DateTime<Utc>>,
}

/// How near a key's end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Two weeks.
    Soon,
    /// Three days.
    VerySoon,
    /// It is over.
    Over,
}

/// Whether, and how, to speak of a key's end.
pub fn notice(ends: DateTime<Utc>, now: DateTime<Utc>) -> Option<Notice> {
    match ends - now {
        left if left <= TimeDelta::zero() => Some(Notice::Over),
        left if left <= LAST_NOTICE => Some(Notice::VerySoon),
        left if left <= FIRST_NOTICE => Some(Notice::Soon),
        _ => None,
    }
}

/// What is said then: what happens and what is safe.
pub fn ending_words(notice: Notice, ends: DateTime<Utc>) -> String {
    let day = ends.format("%Y-%m-%d");
    match notice {
        Notice::Soon => {
            format!("The Personal API key ends on {day}. Garmin does not renew keys: make a new one before.")
        }
        Notice::VerySoon => format!(
            "The Personal API key ends in a few days, on {day}; after that nothing is read with it any more. \
             Make a new one now."
        ),
        Notice::Over => {
            format!("The Personal API key ended on {day}. The data that are here stay. Make a new one.")
        }
    }
}

/// What is said of a key whose end nobody told, when it has nearly lived as long as keys do.
pub fn latest_words(latest: DateTime<Utc>) -> String {
    format!(
        "The Personal API key ends on {} at the latest, because none lives longer than 365 days. Garmin does not renew keys: make a \
         new one before.",
        latest.format("%Y-%m-%d")
    )
}

impl KeyFacts {
    /// Facts of a key that is seen for the first time.
    pub fn of(fingerprint: String, now: DateTime<Utc>) -> Self {
        Self { of: fingerprint, seen_at: Some(now.trunc_subsecs(0)), ..Self::default() }
    }

    /// Facts of the key that takes this one's place. What the configuration has said of this one's end for a while says nothing of that
    /// one's.
    pub fn replaced_by(&self, fingerprint: String, now: DateTime<Utc>) -> Self {
        // Rows of older versions know the day, but not since when it was said.
        let of_old = match &self.ends {
            Some(End::Said(day)) => Some((*day, self.seen_at.unwrap_or_default())),
            _ => None,
        };
        let of_this = self.said.or(of_old).filter(|(_, since)| now - *since > SAME_OCCASION);
        Self { outdated: of_this.map(|(day, _)| day).or(self.outdated), ..Self::of(fingerprint, now) }
    }

    /// Facts of the key that a login brings, its last day as the person says it. It may be this very one, of which nothing is forgotten.
    pub fn brought(&self, fingerprint: String, expires: Option<NaiveDate>, now: DateTime<Utc>) -> Self {
        let facts = if self.of == fingerprint { self.clone() } else { Self::of(fingerprint, now) };
        let ends = match (facts.ends, expires) {
            (Some(End::Said(_)) | None, Some(day)) => Some(End::Said(day)),
            (known, _) => known,
        };
        Self { ends, ..facts }
    }

    /// The configuration says when it ends. What a token showed is known better, and a day that is over was another key's.
    pub fn said_to_end(&mut self, day: NaiveDate, now: DateTime<Utc>) {
        if self.said.is_none_or(|(known, _)| known != day) {
            self.said = Some((day, now.trunc_subsecs(0)));
        }
        let said = End::Said(day);
        if !matches!(self.ends, Some(End::Shown(_))) && said.at() > now && self.outdated != Some(day) {
            self.ends = Some(said);
        }
    }

    /// The last moment it can work, where its end is near and nobody told it.
    pub fn nearly_ends_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let latest = self.seen_at.filter(|_| self.ends.is_none())? + LONGEST_LIFE;
        (now < latest && latest - now <= FIRST_NOTICE).then_some(latest)
    }

    /// Garmin took the key and gave this bearer. A bearer that lives beyond the end that was known proves that end wrong.
    pub fn accepted(&mut self, bearer: &PersonalToken, now: DateTime<Utc>) {
        self.refusal = None;
        self.paused_until = None;
        self.exchanged_at = Some(now.trunc_subsecs(0));
        match bearer.key_expires_at {
            Some(at) => self.ends = Some(End::Shown(at)),
            None if self.ends.as_ref().is_some_and(|end| end.at() < bearer.expires_at) => {
                if let Some(End::Said(day)) = self.ends.take() {
                    self.outdated = Some(day);
                }
            }
            None => {}
        }
    }

    /// Garmin refused the key. `false`: the error is no refusal of the key.
    pub fn refused(&mut self, error: &Error, now: DateTime<Utc>) -> bool {
        let (first, why) = match error {
            Error::InvalidCredentials => (
                REFUSED,
                format!(
                    "Garmin no longer accepts the Personal API key (it has ended, or was deleted); make a new one at {KEY_PAGE}"
                ),
            ),
            Error::Forbidden => (
                FORBIDDEN,
                format!(
                    "Garmin does not let this Personal API key in; look at {KEY_PAGE} whether its terms are accepted, and whether \
                     the account has a device that has synced"
                ),
            ),
            _ => return false,
        };
        self.rest(why, first, now);
        true
    }

    /// Garmin's data service refuses the key, although its token service took it.
    pub fn turned_away(&mut self, why: String, now: DateTime<Utc>) {
        self.rest(why, REFUSED, now);
    }

    /// Only another key helps.
    pub fn never_again(&mut self, why: String) {
        self.refusal = Some(Refusal { why, times: 1, again_at: None });
    }

    fn rest(&mut self, why: String, first: TimeDelta, now: DateTime<Utc>) {
        let times = self.refusal.as_ref().map_or(0, |refusal| refusal.times).saturating_add(1);
        let pause = (first * (1 << times.saturating_sub(1).min(5))).min(LONGEST_PAUSE);
        self.refusal = Some(Refusal { why, times, again_at: Some((now + pause).trunc_subsecs(0)) });
    }

    /// Garmin asked to wait.
    pub fn throttled(&mut self, asked: Option<std::time::Duration>, now: DateTime<Utc>) {
        let asked = asked.and_then(|asked| TimeDelta::from_std(asked).ok());
        let short = TimeDelta::seconds(60);
        let pause = asked.filter(|asked| *asked <= short).unwrap_or_else(|| asked.unwrap_or_default().max(THROTTLED));
        self.paused_until = Some((now + pause.min(LONGEST_PAUSE)).trunc_subsecs(0));
    }

    /// How long no exchange is sent yet. A pause beyond any that is made was written by a clock that was ahead.
    pub fn pause_left(&self, now: DateTime<Utc>) -> Option<std::time::Duration> {
        let left = self.paused_until? - now;
        (left > TimeDelta::zero() && left <= LONGEST_PAUSE).then(|| left.to_std().ok()).flatten()
    }

    /// Whether to look if Garmin takes the key, with nobody waiting for it.
    pub fn look_due(&self, now: DateTime<Utc>) -> bool {
        if self.pause_left(now).is_some() {
            return false;
        }
        if let Some(refusal) = &self.refusal {
            return refusal.again_at.is_some_and(|at| at <= now || at > now + LONGEST_PAUSE);
        }
        self.exchanged_at.is_none_or(|at| now - at >= LOOK_EVERY || at > now + LOOK_EVERY)
    }
}

#[cfg(test)]
#[path = "key_test.rs"]
mod tests;
