//! Forgetting what was mirrored of an account that was signed out for good: its run ends first, none starts any more, and then its rows and
//! files go in small steps between everybody else's work. The door and, after a restart in the middle, the wiring call it.

use garminsync_store::Holdings;

use super::run::lock;
use super::{Slot, Syncs};
use crate::report::{Reporter, Step};

impl Syncs {
    /// What there is of an account.
    ///
    /// # Errors
    /// What the store says.
    pub async fn holdings(&self, account: &str) -> Result<Holdings, String> {
        let name = account.to_owned();
        let held = self.0.store.call(move |store| store.holdings(&name)).await;
        held.map_err(|gone| gone.to_string())?.map_err(|error| error.to_string())
    }

    /// Removes all there is of an account, and tells what that was. Cut off at any moment, it can be called again.
    ///
    /// # Errors
    /// What the store says, or that the daemon is stopping. What is left is removed after the next start.
    pub async fn forget(&self, account: &str, reporter: &Reporter) -> Result<Holdings, String> {
        // A stop of the daemon waits for the step under way.
        let _counted = self.0.tasks.token();
        let slot = self.0.slot(account);
        if !close(&slot).await {
            return Err("they are being removed already".into());
        }
        let gone = self.empty(account, reporter).await;
        if gone.is_err() {
            lock(&slot.now).closed = false;
            return gone;
        }
        self.0.refresh(account, &slot, |_| {}).await;
        lock(&self.0.slots).remove(account);
        self.0.accounts.forgotten(account).await;
        gone
    }

    async fn empty(&self, account: &str, reporter: &Reporter) -> Result<Holdings, String> {
        reporter.say(Step::text(format!("removing the data of {account}")));
        let mut gone = Holdings::default();
        loop {
            if self.0.stopping.is_cancelled() {
                return Err("the daemon is stopping; the rest is removed when it starts again".into());
            }
            let name = account.to_owned();
            let some = self.0.store.call(move |store| store.forget_some(&name)).await;
            match some.map_err(|gone| gone.to_string())?.map_err(|error| error.to_string())? {
                Some(some) => gone = gone.and(some),
                None => break,
            }
        }
        tracing::info!(account, rows = gone.rows, files = gone.files, "the account's data are removed");
        Ok(gone)
    }
}

/// Lets no run start any more, and waits for the end of the one under way. `false` if somebody has done so before.
async fn close(slot: &Slot) -> bool {
    let running = {
        let _starting = slot.starting.lock().await;
        let mut now = lock(&slot.now);
        if std::mem::replace(&mut now.closed, true) {
            return false;
        }
        now.running.clone()
    };
    if let Some(running) = running {
        running.cancel.cancel();
        let mut live = running.started.live;
        let _ = live.wait_for(|live| live.report.is_some()).await;
    }
    true
}
