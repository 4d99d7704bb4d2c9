//! Looking ahead: what a run is about to ask for starts while the answer before it is still on its way, so that the pace decides how long
//! a run takes and not Garmin's distance. Answers are taken in the order in which the run asks. It does not know what they are for.

use std::collections::VecDeque;
use std::sync::Arc;

use garminsync_garmin::{Get, Tier};
use tokio_util::task::AbortOnDropHandle;

use super::Login;
use super::send::{Sender, Tried};

/// Elements of a plan that are looked at for what comes next.
pub(super) const AHEAD: usize = 3;

type Task = AbortOnDropHandle<Tried>;

/// Requests that are under way before they are asked for, and those that may be next. Dropped, it stops them.
#[derive(Default)]
pub(super) struct Ahead {
    under_way: VecDeque<(Get, Task)>,
    coming: VecDeque<Get>,
}

impl Ahead {
    /// What the run will ask for next, as far as can be told.
    pub fn expect(&mut self, coming: impl IntoIterator<Item = Get>) {
        self.coming = coming.into_iter().take(AHEAD).collect();
    }

    /// How many requests to a tier are under way: the day has paid for them, and for what asks for them next.
    pub fn paid(&self, tier: Tier) -> u64 {
        self.under_way.iter().filter(|(get, _)| get.tier == tier).count() as u64
    }

    /// Whether a request is under way.
    pub fn holds(&self, get: &Get) -> bool {
        self.under_way.iter().any(|(known, _)| known == get)
    }

    /// Sends a request, unless it is under way, and with it as many of those to come as `most` under way allow.
    pub fn take<S: Login>(&mut self, sender: &Arc<Sender<S>>, get: &Get, most: usize) -> Task {
        if let Some(at) = self.coming.iter().position(|coming| coming == get) {
            self.coming.drain(..=at);
        }
        let under_way = self.under_way.iter().position(|(known, _)| known == get);
        let task = match under_way.and_then(|at| self.under_way.remove(at)) {
            Some((_, task)) => task,
            None => spawn(sender, get),
        };
        // What came and was never asked for, because the plan has changed meanwhile, is no reason to wait.
        let busy = |under_way: &VecDeque<(Get, Task)>| under_way.iter().filter(|(_, task)| !task.is_finished()).count();
        while busy(&self.under_way) + 1 < most
            && let Some(next) = self.coming.pop_front()
        {
            if !self.holds(&next) {
                self.under_way.push_back((next.clone(), spawn(sender, &next)));
            }
        }
        task
    }

    /// Those that nobody asked for in the end.
    pub fn left(&mut self) -> impl Iterator<Item = Task> {
        self.under_way.drain(..).map(|(_, task)| task)
    }
}

fn spawn<S: Login>(sender: &Arc<Sender<S>>, get: &Get) -> Task {
    let (sender, get) = (sender.clone(), get.clone());
    AbortOnDropHandle::new(tokio::spawn(async move { sender.send(&get).await }))
}
