//! The activity list: which stretches of it to read. To its beginning it is read once, and again each week or when Garmin counts others than
//! are held; in between the last month is. It is pure, as the rest of the plan.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::cover::runs;
use super::days::wanted;
use super::{Known, Ledger, Scope, Standing, later};
use crate::sync::datasets::Dataset;
use crate::sync::route::Route;

/// An activity that was uploaded late stands deep in the list: it is read to its beginning again after so many days.
const RELIST: u64 = 7;

/// The runs of days of the activity list. To its beginning it is read once, and again each week: an activity that is uploaded late
/// stands at its start.
pub(super) fn list(
    dataset: &Dataset,
    route: &Route,
    ledger: &Ledger,
    scope: &Scope,
) -> Vec<(Option<NaiveDate>, NaiveDate)> {
    let nothing = Standing::default();
    let standing = ledger.standing(&dataset.name).unwrap_or(&nothing);
    let mut first = scope.first(ledger);
    let whole = standing.whole_list();
    if scope.is_open() && whole.is_some() {
        first = standing.days.first().unwrap_or(first);
    }
    let wanted = wanted(dataset, route, standing, &[(first, scope.last())], scope, |_| Some(DateTime::<Utc>::MIN_UTC));
    let mut runs: Vec<_> = runs(&wanted).into_iter().map(|(from, to)| (Some(from), to)).collect();
    if standing.asked_down_from.is_some() {
        return runs;
    }
    let is_old = |known: Known| standing.miscounted || later(known.read_on, Days::new(RELIST)) <= scope.today;
    if !scope.is_open() {
        // As far down as the mirror goes; its oldest day tells when that was last done.
        let oldest = standing.days.get(&first).filter(|_| scope.since.is_none() && !standing.asked.contains(&first));
        if oldest.is_some_and(|known| known.attempts == 0 && is_old(known))
            && scope.takes(oldest)
            && first <= scope.last()
        {
            runs = vec![(Some(first), scope.last())];
        }
        return runs;
    }
    match whole {
        Some(whole) if !is_old(whole) || scope.missing => {}
        // The same pages bring the newest days, too.
        Some(_) => runs = vec![(None, scope.last())],
        None => match runs.last_mut() {
            Some((from, _)) if *from == Some(first) => *from = None,
            _ => runs.push((None, first.min(scope.last()))),
        },
    }
    runs
}
