//! When tokens are used and when they are renewed: pure rules, and the [`Keeper`], the handle through which others get a
//! token. Only the account's actor has the refresh token.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_garmin::{Hindrance, NoToken, Tier, TokenSource, Tokens};
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};

use super::message::Message;

/// Renewal starts when less than this is left (other clients use 5–15 min), or a quarter of a short life.
const MARGIN: TimeDelta = TimeDelta::minutes(15);
/// A token with less than this left is not handed out for a request that may take a while.
const LAST_MOMENT: TimeDelta = TimeDelta::seconds(30);

fn life(tokens: &Tokens) -> TimeDelta {
    (tokens.access_expires_at - tokens.issued_at).max(TimeDelta::zero())
}

/// Whether the access token should be renewed at `now`, with nobody waiting for it.
pub fn wants_renewal(tokens: &Tokens, now: DateTime<Utc>) -> bool {
    tokens.access_expires_at - now < MARGIN.min(life(tokens) / 4) || must_be_renewed(tokens, now)
}

/// Whether the pair has to be renewed at `now` or the login would die of old age some day: half of the refresh token's life is over,
/// or a week where Garmin did not say how long it lives (30 days, so far).
pub fn must_be_renewed(tokens: &Tokens, now: DateTime<Utc>) -> bool {
    match tokens.refresh_expires_at {
        Some(end) => end - now < (end - tokens.issued_at) / 2,
        None => now - tokens.issued_at > TimeDelta::days(7),
    }
}

/// Whether the login is about to die at `now`: less than a week is left although it is renewed every day.
pub fn is_expiring(tokens: &Tokens, now: DateTime<Utc>) -> bool {
    tokens.refresh_expires_at.is_some_and(|end| end - now <= TimeDelta::days(7))
}

/// Whether the access token is good for a request at `now`.
pub fn is_usable(tokens: &Tokens, now: DateTime<Utc>) -> bool {
    tokens.access_expires_at - now > LAST_MOMENT.min(life(tokens) / 10)
}

/// The pause after the `failures`-th failed renewal in a row: 30 s, doubling to 10 min. The tokens stay meanwhile.
pub fn pause_after(failures: u32) -> Duration {
    Duration::from_secs((30 << failures.saturating_sub(1).min(5)).min(600))
}

/// Where a sync gets its tokens.
#[derive(Clone, Debug)]
pub struct Keeper(pub(super) mpsc::Sender<Message>);

impl Keeper {
    async fn ask(&self, tier: Tier, refused: Option<SecretString>) -> Result<SecretString, NoToken> {
        let (reply, answer) = oneshot::channel();
        let stopping =
            || NoToken::Later { retry_after: None, why: "the daemon is stopping".into(), cause: Hindrance::Here };
        self.0.send(Message::Token { tier, refused, reply }).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    /// Tells the account that Garmin's data service refuses this token, although it was just renewed. Nothing happens if the
    /// account has another one by now.
    pub async fn refused_for_good(&self, tier: Tier, refused: &SecretString) {
        let _ = self.0.send(Message::RefusedForGood(tier, refused.clone())).await;
    }
}

impl TokenSource for Keeper {
    async fn token(&self, tier: Tier) -> Result<SecretString, NoToken> {
        self.ask(tier, None).await
    }

    async fn renew(&self, tier: Tier, refused: &SecretString) -> Result<SecretString, NoToken> {
        self.ask(tier, Some(refused.clone())).await
    }
}

#[cfg(test)]
mod tests {
    use garminsync_garmin::Domain;

    use super::*;

    fn tokens(life: TimeDelta) -> (Tokens, DateTime<Utc>) {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let tokens = Tokens {
            access: "a".to_owned().into(),
            refresh: "r".to_owned().into(),
            client_id: "c".into(),
            domain: Domain::Com,
            issued_at: now,
            access_expires_at: now + life,
            refresh_expires_at: None,
        };
        (tokens, now)
    }

    #[test]
    fn a_day_long_token_is_renewed_a_quarter_of_an_hour_ahead() {
        let (tokens, now) = tokens(TimeDelta::hours(24));
        assert!(!wants_renewal(&tokens, now + TimeDelta::minutes(24 * 60 - 16)));
        assert!(wants_renewal(&tokens, now + TimeDelta::minutes(24 * 60 - 14)));
        assert!(is_usable(&tokens, now + TimeDelta::minutes(24 * 60 - 1)));
        assert!(!is_usable(&tokens, now + TimeDelta::minutes(24 * 60)));
    }

    #[test]
    fn a_login_is_renewed_long_before_it_ends_and_told_a_week_before() {
        let (mut tokens, now) = tokens(TimeDelta::days(60));
        tokens.refresh_expires_at = Some(now + TimeDelta::days(30));
        let day = |days: i64| now + TimeDelta::days(days);
        assert!(!must_be_renewed(&tokens, day(15)) && must_be_renewed(&tokens, day(15) + TimeDelta::seconds(1)));
        assert!(wants_renewal(&tokens, day(16)), "although the access token lives");
        assert!(!is_expiring(&tokens, day(23) - TimeDelta::seconds(1)) && is_expiring(&tokens, day(23)));
        assert!(is_expiring(&tokens, day(900)));
        tokens.refresh_expires_at = None;
        assert!(
            !must_be_renewed(&tokens, day(7)) && must_be_renewed(&tokens, day(8)) && !is_expiring(&tokens, day(900))
        );
        // A clock that was set back by years is no reason.
        assert!(!must_be_renewed(&tokens, day(-900)));
    }

    #[test]
    fn a_short_token_is_not_renewed_all_the_time() {
        let (tokens, now) = tokens(TimeDelta::seconds(40));
        assert!(!wants_renewal(&tokens, now) && is_usable(&tokens, now));
        assert!(wants_renewal(&tokens, now + TimeDelta::seconds(31)));
        assert!(is_usable(&tokens, now + TimeDelta::seconds(35)));
    }

    #[test]
    fn a_clock_set_back_costs_nothing() {
        let (tokens, now) = tokens(TimeDelta::hours(24));
        let before = now - TimeDelta::days(700);
        assert!(is_usable(&tokens, before) && !wants_renewal(&tokens, before));
    }

    #[test]
    fn pauses_double_to_ten_minutes() {
        let seconds: Vec<u64> = (1..=7).map(|n| pause_after(n).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 600, 600]);
    }
}
