//! How a run begins, is watched, and ends, and how the next one follows it. The room starts them. It must not know what a run asks for.

use std::pin::Pin;
use std::sync::Arc;

use chrono::Utc;
use garminsync_store::Store;
use tokio::sync::watch;

use super::request::Live;
use super::run::{Job, lock};
use super::wish::{Waiting, Wish};
use super::{
    Inner, Now, Outcome, Ready, Refused, Report, Request, Running, Slot, Started, Trigger, nothing_open, pace, view,
};
use crate::report::Step;

impl Inner {
    /// Begins a run, unless Garmin asked to wait. Who waits for it listens to `live`.
    pub(super) async fn begin(
        self: Arc<Self>,
        ready: Ready,
        slot: &Arc<Slot>,
        live: Arc<watch::Sender<Live>>,
    ) -> Result<Started, Refused> {
        self.open_queues(&ready.request.account, slot).await;
        self.heed(&ready.request.account, slot, &ready.access).await;
        let hold = lock(&slot.now).hold;
        let hold = hold.filter(|until| ready.request.trigger == Trigger::Schedule && pace::lasts(*until, Utc::now()));
        if let Some(until) = hold {
            return Err(Refused::Paused { until });
        }
        if let Some(why) = nothing_open(&slot.paces, &ready.datasets, &ready.access.tiers) {
            return Err(why);
        }
        Ok(self.launch(ready, slot.clone(), live).await)
    }

    /// Begins the first run of those that wait.
    pub(super) fn follow(self: Arc<Self>, slot: Arc<Slot>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let _starting = slot.starting.lock().await;
            loop {
                let next = {
                    let mut now = lock(&slot.now);
                    if now.running.is_some() {
                        return;
                    }
                    now.waiting.pop_front()
                };
                let Some(Waiting { request, live, .. }) = next else { return };
                let begun = match self.ready(request, &slot).await {
                    Ok(ready) => self.clone().begin(ready, &slot, live.clone()).await,
                    Err(refused) => Err(refused),
                };
                match begun {
                    Ok(_) => return,
                    Err(refused) => live.send_modify(|live| live.report = Some(refused.into())),
                }
            }
        })
    }

    /// What a run that waited goes by, as things are now.
    pub(super) async fn ready(&self, request: Request, slot: &Slot) -> Result<Ready, Refused> {
        self.may_begin(slot)?;
        let access = self.access(&request.account).await?;
        let (datasets, today) = (self.datasets(&request.datasets)?, self.zone(&request.account).await.day(Utc::now()));
        let wish = Wish::new(&request, &datasets, &access.tiers, self.start_of(&request.account), today);
        Ok(Ready { request, access, datasets, wish })
    }

    pub(super) async fn launch(
        self: Arc<Self>,
        ready: Ready,
        slot: Arc<Slot>,
        sender: Arc<watch::Sender<Live>>,
    ) -> Started {
        let Ready { request, access, datasets, mut wish } = ready;
        let live = sender.subscribe();
        let (account, trigger) = (request.account.clone(), request.trigger.as_str());
        let begin = move |store: &mut Store| {
            let is_the_first = store.last_runs(&account)?.last_started.is_none();
            Ok::<_, garminsync_store::Error>((store.begin_run(&account, trigger, Utc::now())?, is_the_first))
        };
        let begun = self.store.call(begin).await;
        let begun = begun.map_err(|gone| gone.to_string()).and_then(|begun| begun.map_err(|error| error.to_string()));
        let (run, is_the_first) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                tracing::error!(account = request.account, error, "a sync cannot be started");
                sender.send_modify(|live| live.report = Some(Report::failed(0, error)));
                return Started { run: 0, joined: false, follows: false, live };
            }
        };
        tracing::info!(account = request.account, run, trigger, "sync begins");
        if is_the_first {
            wish.is_the_first();
        }
        let cancel = self.stopping.child_token();
        let started = Started { run, joined: false, follows: false, live };
        let running = Running { cancel: cancel.clone(), started: started.clone(), brings: wish };
        lock(&slot.now).running = Some(running);
        let job = Job {
            run,
            garmin: access.garmin,
            login: access.keeper,
            tiers: access.tiers,
            display_name: access.display_name,
            datasets,
            start: self.start_of(&request.account),
            since: request.since,
            until: request.until,
            missing: request.missing,
            trigger: request.trigger,
            store: self.store.clone(),
            paces: slot.paces.clone(),
            outbound: self.outbound.clone(),
            cancel,
            say: self.clone().teller(request.account.clone(), slot.clone(), sender.clone()),
            account: request.account.clone(),
        };
        let running = tokio::spawn(job.run());
        self.tasks.spawn(self.clone().conclude(request.account, run, slot, sender, running));
        started
    }

    /// What the steps of a run change: what is shown, and what those who wait hear.
    pub(super) fn teller(
        self: Arc<Self>,
        account: String,
        slot: Arc<Slot>,
        live: Arc<watch::Sender<Live>>,
    ) -> Box<dyn Fn(Step) + Send + Sync> {
        Box::new(move |step| {
            let queues = view::queues(&slot.paces, Utc::now());
            let view = {
                let Now { view, waiting, .. } = &mut *lock(&slot.now);
                for waiting in waiting {
                    waiting.live.send_modify(|live| live.step = Some(step.clone()));
                }
                view.running = true;
                view.queues = queues;
                view.progress = step.done.zip(step.total).map(|(done, total)| done as f64 / total.max(1) as f64);
                view.dataset.clone_from(&step.dataset);
                view.clone()
            };
            (self.show)(&account, &view);
            live.send_modify(|live| live.step = Some(step));
        })
    }

    /// Waits for a run, writes how it ended, and tells everybody. By then another may start.
    pub(super) async fn conclude(
        self: Arc<Self>,
        account: String,
        run: i64,
        slot: Arc<Slot>,
        live: Arc<watch::Sender<Live>>,
        running: tokio::task::JoinHandle<Report>,
    ) {
        let mut report = running.await.unwrap_or_else(|died| Report::failed(run, died));
        if report.outcome == Outcome::Cancelled && self.stopping.is_cancelled() {
            report.outcome = Outcome::Interrupted;
        }
        let (outcome, error) = (report.outcome.as_str(), report.error.clone());
        let ended = self.store.call(move |store| store.end_run(run, outcome, error.as_deref(), Utc::now())).await;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(account, run, %error, "the end of a sync cannot be written"),
            Err(gone) => tracing::error!(%gone),
        }
        let Report { requests, new_items, changed_items, .. } = report;
        tracing::info!(account, run, outcome, requests, new_items, changed_items, error = report.error, "sync ends");
        let paused = lock(&slot.paces).values().any(|pace| pace.paused_until(Utc::now()).is_some());
        let hold = report.retry_at.filter(|_| match report.outcome {
            // The next run asks for no token before that; it reads what the other tier serves.
            _ if report.served_in_part => false,
            Outcome::Unreachable | Outcome::Unexpected => true,
            // A queue's own pause leaves what the other tier has open.
            Outcome::RateLimited => !paused,
            _ => false,
        });
        self.refresh(&account, &slot, |now| (now.running, now.hold) = (None, hold)).await;
        live.send_modify(|live| live.report = Some(report));
        self.follow(slot).await;
    }
}
