//! Tables for other programs: comma-separated values after RFC 4180, with the field names of `--json` in the first line. Times are UTC as
//! in JSON, what is absent is empty.

use chrono::{DateTime, SecondsFormat, Utc};
use garminsync_protocol::{DatasetsList, GapUnit, GapsList, History};

/// `gaps`.
pub fn gaps(list: &GapsList) -> String {
    let head =
        ["dataset", "from", "to", "missing", "unit", "state", "detail", "since", "attempts", "next_at", "rests_until"];
    let unit = |unit| match unit {
        GapUnit::Day => "day",
        GapUnit::File => "file",
        GapUnit::Item => "item",
    };
    table(head, &list.gaps, |gap| {
        [
            gap.dataset.clone(),
            text(gap.from),
            text(gap.to),
            gap.missing.to_string(),
            unit(gap.unit).into(),
            gap.state.as_str().into(),
            text(gap.detail.as_ref()),
            moment(gap.since),
            gap.attempts.to_string(),
            moment(gap.next_at),
            moment(gap.rests_until),
        ]
    })
}

/// `history`.
pub fn history(history: &History) -> String {
    let head = [
        "sync",
        "trigger",
        "outcome",
        "started_at",
        "ended_at",
        "duration_s",
        "requests",
        "bytes",
        "new_items",
        "changed_items",
        "error",
    ];
    table(head, &history.runs, |run| {
        [
            run.sync.to_string(),
            run.trigger.clone(),
            run.outcome.as_str().into(),
            moment(Some(run.started_at)),
            moment(run.ended_at),
            text(run.duration_s),
            run.requests.to_string(),
            run.bytes.to_string(),
            run.new_items.to_string(),
            run.changed_items.to_string(),
            text(run.error.as_ref()),
        ]
    })
}

/// `datasets`.
pub fn datasets(list: &DatasetsList) -> String {
    let head = [
        "name",
        "about",
        "groups",
        "on",
        "lane",
        "tiers",
        "reachable",
        "held",
        "oldest",
        "newest",
        "last_read_at",
        "missing",
        "requests_per_year",
    ];
    table(head, &list.datasets, |dataset| {
        [
            dataset.name.clone(),
            dataset.about.clone(),
            dataset.groups.join(" "),
            dataset.on.to_string(),
            dataset.lane.clone(),
            dataset.tiers.join(" "),
            dataset.reachable.to_string(),
            dataset.held.to_string(),
            text(dataset.oldest),
            text(dataset.newest),
            moment(dataset.last_read_at),
            dataset.missing.to_string(),
            text(dataset.requests_per_year),
        ]
    })
}

fn table<T, const N: usize>(head: [&str; N], rows: &[T], row: impl Fn(&T) -> [String; N]) -> String {
    let line = |cells: &[String]| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
    let lines = std::iter::once(head.join(",")).chain(rows.iter().map(|one| line(&row(one))));
    lines.map(|line| line + "\r\n").collect()
}

/// A cell as it may stand between commas.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.into() }
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn moment(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_never_becomes_two() {
        let rows = ["plain", "a, b", "say \"no\"", "two\nlines"];
        assert_eq!(
            table(["word", "n"], &rows, |row| [(*row).into(), "1".into()]),
            "word,n\r\nplain,1\r\n\"a, b\",1\r\n\"say \"\"no\"\"\",1\r\n\"two\nlines\",1\r\n"
        );
    }
}
