//! Tables: a head, a row a thing, columns as wide as their widest cell. Pure, as everything here; a cell's control characters are gone
//! before it is measured.

use std::fmt::{Display, Write};

use chrono::{DateTime, TimeZone};
use console::measure_text_width;
use garminsync_protocol::{AccountEntry, AccountsList};

use super::text::{clean, state_words};
use super::{Paint, time};

/// `accounts` for people; nothing where there are none.
pub fn accounts<Tz: TimeZone<Offset: Display>>(list: &AccountsList, now: &DateTime<Tz>, paint: Paint) -> String {
    let head = ["ACCOUNT", "WHO", "STATE", "TIERS", "REGION", "NEWEST DAY", "NEXT SYNC", "TROUBLES"];
    let row = |account: &AccountEntry| {
        [
            account.name.clone(),
            or_dash(account.display_name.clone()),
            state_words(account.state).into(),
            or_dash(Some(account.tiers.join("+"))),
            or_dash(Some(account.domain.clone())),
            or_dash(account.newest_day),
            or_dash(account.next_at.map(|at| time::clock(at, now))),
            or_dash(Some(account.troubles).filter(|troubles| *troubles > 0)),
        ]
    };
    let rows: Vec<_> = list.accounts.iter().map(row).collect();
    if rows.is_empty() { String::new() } else { table(head, &rows, paint) }
}

/// What there is, or a dash.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).filter(|text| !text.is_empty()).unwrap_or_else(|| "-".into())
}

/// Any table.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]], paint: Paint) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| clean(cell))).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| measure_text_width(&row[column]));
        cells.chain([head[column].len()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (cell, width) in cells.into_iter().zip(widths) {
            let blanks = width.saturating_sub(measure_text_width(cell)) + 2;
            let _ = write!(line, "{cell}{:blanks$}", "");
        }
        line.trim_end().to_owned()
    };
    let mut text = paint.dim(&line(head));
    for row in &rows {
        let _ = write!(text, "\n{}", line(row.each_ref().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use garminsync_protocol::AccountState;

    use super::*;

    fn account(name: &str) -> AccountEntry {
        AccountEntry {
            name: name.into(),
            state: AccountState::SignedOut,
            display_name: None,
            domain: "garmin.com".into(),
            tiers: Vec::new(),
            newest_day: None,
            next_at: None,
            troubles: 0,
        }
    }

    #[test]
    fn columns_stand_under_their_heads_whatever_is_in_them() {
        let now: DateTime<chrono::FixedOffset> = "2026-11-20T10:00:00+01:00".parse().unwrap();
        let list = AccountsList {
            accounts: vec![
                AccountEntry {
                    state: AccountState::Active,
                    display_name: Some("\u{4f11}\u{606f} \u{1b}[2J Ana".into()),
                    tiers: vec!["personal".into(), "account".into()],
                    newest_day: "2026-11-20".parse().ok(),
                    next_at: "2026-11-20T09:30:53Z".parse().ok(),
                    troubles: 2,
                    ..account("ana")
                },
                account("eva"),
            ],
        };
        let text = accounts(&list, &now, Paint(false));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            "ACCOUNT  WHO            STATE       TIERS             REGION      NEWEST DAY  NEXT SYNC  TROUBLES"
        );
        assert_eq!(
            lines[1],
            "ana      \u{4f11}\u{606f}  [2J Ana  active      personal+account  garmin.com  2026-11-20  10:30      2"
        );
        assert_eq!(
            lines[2],
            "eva      -              signed out  -                 garmin.com  -           -          -"
        );
        assert_eq!(accounts(&AccountsList { accounts: vec![] }, &now, Paint(false)), "");
    }
}
