//! What the ledger tells callers: gaps, runs, datasets, in the protocol's words. `methods` hands calls over.

use chrono::{DateTime, SubsecRound, Utc};
use garminsync_protocol::{
    AccountParams, DEFAULT_ACCOUNT, DatasetEntry, DatasetsList, Failure, Gap, GapState, GapUnit, GapsList, GapsParams,
    History, HistoryParams, Kind, Outcome, RunEntry,
};
use tokio_util::sync::CancellationToken;

use super::Rooms;
use super::connection::Answer;
use super::methods::{account_of, refused, said};
use crate::report::Reporter;
use crate::sync::{self, Held, RunRow, Unit, Why};

/// More gaps do not go into one answer.
const MOST_GAPS: usize = 1000;
/// More runs do not, either.
const MOST_RUNS: u32 = 500;
/// So many runs are told when nobody says how many.
const SOME_RUNS: u32 = 20;
/// The longest reason, in characters: it may come from far away.
const LONGEST_REASON: usize = 400;

/// `gaps.list`.
pub async fn gaps(rooms: Rooms, params: GapsParams, _: Reporter, _: CancellationToken) -> Answer {
    let account = params.account.unwrap_or_else(|| DEFAULT_ACCOUNT.into());
    let found = rooms.syncs.gaps(&account, &params.datasets).await.map_err(|why| refused(&account, why))?;
    let sync::Gaps { gaps, login_needed } = found;
    let (missing, more) = (gaps.iter().map(|gap| gap.missing).sum(), gaps.len().saturating_sub(MOST_GAPS) as u64);
    let next_run = next_run(&rooms, &account).filter(|_| !login_needed);
    let gaps = gaps.into_iter().take(MOST_GAPS).map(|gap| told(gap, next_run)).collect();
    said(GapsList { account, gaps, more, missing, login_needed })
}

/// When the next run of an account may ask Garmin.
fn next_run(rooms: &Rooms, account: &str) -> Option<DateTime<Utc>> {
    let status = rooms.board.snapshot();
    let sync = &status.accounts.iter().find(|known| known.name == account)?.sync;
    sync.next_at.map(|next| next.max(sync.paused_until.unwrap_or(next)))
}

fn told(gap: sync::Gap, next_run: Option<DateTime<Utc>>) -> Gap {
    let next_at = next_run.map(|next| next.max(gap.rests_until.unwrap_or(next)));
    Gap {
        dataset: gap.dataset,
        from: gap.days.map(|(from, _)| from),
        to: gap.days.map(|(_, to)| to),
        missing: gap.missing,
        unit: match gap.unit {
            Unit::Day => GapUnit::Day,
            Unit::File => GapUnit::File,
            Unit::Item => GapUnit::Item,
        },
        state: match gap.why {
            Why::Unread => GapState::Unread,
            Why::Error => GapState::Error,
            Why::Unavailable => GapState::Unavailable,
        },
        detail: Some(short(gap.detail)),
        since: gap.since.map(|at| at.trunc_subsecs(0)),
        attempts: gap.attempts,
        next_at: next_at.map(|at| at.trunc_subsecs(0)),
        rests_until: gap.rests_until.map(|at| at.trunc_subsecs(0)),
    }
}

fn short(text: String) -> String {
    text.chars().take(LONGEST_REASON).collect()
}

/// `sync.history`.
pub async fn history(rooms: Rooms, params: HistoryParams, _: Reporter, _: CancellationToken) -> Answer {
    let account = params.account.unwrap_or_else(|| DEFAULT_ACCOUNT.into());
    let last = params.last.unwrap_or(SOME_RUNS);
    if !(1..=MOST_RUNS).contains(&last) {
        return Err(Failure::new(Kind::InvalidArgument, format!("`last`: 1 to {MOST_RUNS} runs can be told")).into());
    }
    let runs = rooms.syncs.history(&account, last).await.map_err(|why| refused(&account, why))?;
    said(History { account, runs: runs.into_iter().map(run).collect() })
}

fn run(row: RunRow) -> RunEntry {
    let took = row.ended_utc.map(|ended| (ended - row.started_utc).num_seconds());
    // A word of another version is no success.
    let known = |word: String| serde_json::from_value(word.into()).unwrap_or(Outcome::Failed);
    RunEntry {
        sync: row.id,
        trigger: row.trigger,
        outcome: row.outcome.map_or(Outcome::Running, known),
        started_at: row.started_utc,
        ended_at: row.ended_utc,
        duration_s: took.map(|seconds| seconds.max(0).unsigned_abs()),
        requests: row.requests,
        bytes: row.bytes,
        new_items: row.new_items,
        changed_items: row.changed_items,
        error: row.error.map(short),
    }
}

/// `datasets.list`.
pub async fn datasets(rooms: Rooms, params: AccountParams, _: Reporter, _: CancellationToken) -> Answer {
    let account = account_of(&params).to_owned();
    let held = rooms.syncs.held(&account).await.map_err(|why| refused(&account, why))?;
    said(DatasetsList { account, datasets: held.into_iter().map(dataset).collect() })
}

fn dataset(held: Held) -> DatasetEntry {
    DatasetEntry {
        name: held.dataset.name.clone(),
        about: held.dataset.about.clone(),
        groups: held.groups(),
        on: held.on,
        lane: held.lane().into(),
        requests_per_year: held.requests_per_year(),
        tiers: held.tiers.into_iter().map(String::from).collect(),
        reachable: held.reachable,
        held: held.held,
        oldest: held.oldest,
        newest: held.newest,
        last_read_at: held.last_read.map(|at| at.trunc_subsecs(0)),
        missing: held.missing,
    }
}
