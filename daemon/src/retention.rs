//! Lets go of samples and original files that are older than `[retention]` keeps them; off unless it is asked for. It works beside
//! everything else, in portions, a few times a day. It must not know a dataset by name.

use std::time::Duration;

use chrono::{Datelike, Local, NaiveDate, Utc};
use garminsync_store::{Error, Store};
use tokio_util::sync::CancellationToken;

use crate::config::{Keep, RetentionSection};
use crate::on_thread::{Gone, OnThread};
use crate::sync;

/// How often it is looked after: days pass slowly, but a laptop sleeps.
const EVERY: Duration = Duration::from_secs(6 * 3600);

/// Looks after it until `stopping`.
pub async fn keep(keeping: RetentionSection, store: OnThread<Store>, stopping: CancellationToken) {
    if keeping == RetentionSection::default() {
        return;
    }
    loop {
        let today = Local::now().date_naive();
        match once(keeping, today, &store, &stopping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "old samples or files could not be let go; they stay"),
            Err(_) => return,
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn once(
    keeping: RetentionSection,
    today: NaiveDate,
    store: &OnThread<Store>,
    stopping: &CancellationToken,
) -> Result<Result<(), Error>, Gone> {
    let (mut answers, mut rows, mut files) = (0, 0, 0);
    // From the first of a month on: what is let go a little later costs nothing, and most days have nothing to do.
    let first = |keep: Keep| keep.since(today).and_then(|day| day.with_day(1));
    if let Some(before) = first(keeping.samples) {
        for dataset in sync::sampled() {
            loop {
                if stopping.is_cancelled() {
                    return Ok(Ok(()));
                }
                let thinned = match store.call(move |store| store.thin(dataset, before)).await? {
                    Ok(thinned) => thinned,
                    Err(error) => return Ok(Err(error)),
                };
                (answers, rows) = (answers + thinned.answers, rows + thinned.rows);
                if !thinned.more {
                    break;
                }
            }
        }
    }
    if let Some(before) = first(keeping.originals) {
        let old = match store.call(move |store| store.old_originals(before)).await? {
            Ok(old) => old,
            Err(error) => return Ok(Err(error)),
        };
        for old in old {
            if stopping.is_cancelled() {
                return Ok(Ok(()));
            }
            if let Err(error) = store.call(move |store| store.drop_original(&old, Utc::now())).await? {
                return Ok(Err(error));
            }
            files += 1;
        }
    }
    if answers + files == 0 {
        return Ok(Ok(()));
    }
    tracing::info!(answers, rows, files, "let go of what [retention] does not keep");
    store.call(|store| store.give_room_back()).await
}
