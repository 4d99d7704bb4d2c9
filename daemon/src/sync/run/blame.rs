//! What could not be read, and who is to blame: a day, a dataset, a tier, or Garmin as a whole. The run and its steps tell it of each failure.
//! It must not ask Garmin anything.

use garminsync_garmin::Tier;
use garminsync_store::{Mark, State};

use super::days::Piece;
use super::{Login, OUTAGE, Run, Stop, Unproven, outage};
use crate::sync::archive;
use crate::sync::datasets::Dataset;
use crate::sync::known::{NOT_SERVED, tier_name};
use crate::sync::plan::{self, Fetch};

impl<S: Login> Run<S> {
    /// These days could not be read, and it is not Garmin as a whole.
    pub(super) async fn failed(
        &mut self,
        dataset: &'static Dataset,
        marks: Vec<Mark>,
        why: String,
    ) -> Result<(), Stop> {
        let first = marks.first().map(|mark| mark.item.as_str()).unwrap_or_default();
        let last = marks.last().map(|mark| mark.item.as_str()).unwrap_or_default();
        self.complain(
            dataset,
            if first == last { format!("{first}: {why}") } else { format!("{first} to {last}: {why}") },
        );
        self.mark(dataset, marks).await
    }

    /// Not everything was read.
    pub(super) fn complain(&mut self, dataset: &Dataset, what: String) {
        tracing::warn!(account = self.job.account, dataset = dataset.name, what, "could not be read");
        self.first_failure.get_or_insert_with(|| format!("{} {what}", dataset.name));
        self.failures += 1;
    }

    /// These days could not be read, and it may be Garmin as a whole. Where only one dataset fails, the next one tells.
    pub(super) fn suspect(
        &mut self,
        (dataset, tier): (&'static Dataset, Tier),
        marks: Vec<Mark>,
        why: String,
        piece: Option<Piece>,
    ) -> Result<(), Stop> {
        self.unproven.push(Unproven { dataset, tier, marks, why: why.clone(), piece });
        let failures = self.failing.entry((&dataset.name, tier)).or_default();
        *failures += 1;
        if *failures >= OUTAGE {
            tracing::warn!(account = self.job.account, dataset = dataset.name, why, "is left out of this sync");
            self.silent.insert((&dataset.name, tier), why.clone());
        }
        let several = self.unproven.iter().any(|other| other.dataset.name != dataset.name);
        if several && self.unproven.len() >= OUTAGE { Err(outage(why)) } else { Ok(()) }
    }

    /// Garmin answers, so what failed before is to blame for itself.
    pub(super) async fn prove(&mut self) -> Result<(), Stop> {
        self.answered = true;
        for Unproven { dataset, tier, marks, why, piece } in std::mem::take(&mut self.unproven) {
            let silent = self.silent.contains_key(&(dataset.name.as_str(), tier));
            match piece {
                Some(piece) if piece.from < piece.to && !silent => self.narrow.push(piece),
                _ => self.failed(dataset, marks, why).await?,
            }
        }
        Ok(())
    }

    /// A tier does not serve this dataset to this person. If no other may, all that was planned is marked so. It is wanted again as soon as
    /// any tier may serve it: another one at once, this one after its pause.
    pub(super) async fn close(&mut self, dataset: &'static Dataset, tier: Tier, plan: &[Fetch]) -> Result<(), Stop> {
        self.closed.insert((&dataset.name, tier));
        self.note_closed(dataset, tier).await?;
        if dataset.tiers().any(|tier| self.serves(dataset, tier)) {
            return Ok(());
        }
        for fetch in plan.iter().filter(|fetch| fetch.dataset == dataset.name) {
            let from = fetch.from.unwrap_or_else(|| self.scope.first(&self.ledger));
            let marks = archive::all_days(from, fetch.to, |_| State::Unavailable, Some(NOT_SERVED));
            self.mark(dataset, marks).await?;
        }
        Ok(())
    }

    /// The next run remembers what a tier does not serve.
    pub(super) async fn note_closed(&mut self, dataset: &'static Dataset, tier: Tier) -> Result<(), Stop> {
        let detail = Some(format!("not served to this account by its {} tier", tier_name(tier)));
        self.mark(dataset, vec![Mark { item: plan::closed_item(tier), state: State::Unavailable, detail }]).await
    }

    /// Which of the page sizes of a list a tier takes.
    pub(super) fn page_size(&self, dataset: &Dataset, tier: Tier) -> usize {
        let remembered = || {
            let most = dataset.route(tier).map_or(0, |route| route.pages.len().saturating_sub(1));
            let standing = self.ledger.standing(&dataset.name);
            standing.and_then(|standing| standing.page_size(tier, self.scope.now)).unwrap_or_default().min(most)
        };
        self.page_sizes.get(&(dataset.name.clone(), tier)).copied().unwrap_or_else(remembered)
    }

    pub(super) async fn shrink_pages(
        &mut self,
        dataset: &'static Dataset,
        tier: Tier,
        size: usize,
    ) -> Result<(), Stop> {
        self.page_sizes.insert((dataset.name.clone(), tier), size);
        let mark = Mark { item: plan::pages_item(tier), state: State::Ok, detail: Some(size.to_string()) };
        self.mark(dataset, vec![mark]).await
    }
}
