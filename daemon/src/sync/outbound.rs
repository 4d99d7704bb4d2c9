//! What all accounts share on the way out: Garmin sees one address, whoever's data are asked for. A run takes a turn before each request
//! and holds its place until the answer is there, or fails; none is held through a rest, so that nobody's pause, retry
//! or empty queue holds up another account.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::run::lock;

/// Requests under way at once. An account has one, so that many accounts may hang before another waits for their time-out.
const PLACES: usize = 16;

/// The shared way out. Clones share it.
#[derive(Clone, Debug)]
pub struct Outbound {
    places: Arc<Semaphore>,
    turns: Arc<Mutex<Turns>>,
}

impl Outbound {
    /// A way out with `gap` as the least time between the starts of any two requests.
    pub fn new(gap: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), turns: Arc::new(Mutex::new(Turns { gap, next: None })) }
    }

    /// Waits for a place and a turn. Whoever came first goes first; the place is held until the permit is dropped.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        let place = self.places.clone().acquire_owned().await.ok();
        let turn = lock(&self.turns).take(Instant::now());
        if !turn.is_zero() {
            tokio::time::sleep(turn).await;
        }
        place
    }
}

/// When the next request may start.
#[derive(Debug)]
struct Turns {
    gap: Duration,
    next: Option<Instant>,
}

impl Turns {
    /// Takes the next turn; how long it is until then.
    fn take(&mut self, now: Instant) -> Duration {
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = Some(turn + self.gap);
        turn - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_millis(100);

    #[test]
    fn turns_follow_each_other_at_a_distance_and_are_not_saved_up() {
        let (mut turns, start) = (Turns { gap: GAP, next: None }, Instant::now());
        assert_eq!([(); 3].map(|()| turns.take(start)), [Duration::ZERO, GAP, 2 * GAP]);
        assert_eq!(turns.take(start + 100 * GAP), Duration::ZERO);
        assert_eq!(turns.take(start + 100 * GAP), GAP);
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_few_and_one_that_hangs_holds_up_nobody() {
        let outbound = Outbound::new(GAP);
        let hangs = outbound.turn().await;
        for _ in 0..3 * PLACES {
            drop(tokio::time::timeout(2 * GAP, outbound.turn()).await.unwrap());
        }
        let mut held = vec![hangs];
        for _ in 1..PLACES {
            held.push(outbound.turn().await);
        }
        assert!(tokio::time::timeout(Duration::from_secs(60), outbound.turn()).await.is_err(), "all places are taken");
        held.pop();
        assert!(tokio::time::timeout(2 * GAP, outbound.turn()).await.is_ok());
    }
}
