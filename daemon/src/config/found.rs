//! Where in the text of a configuration file something stands: lines, tables, the value of a key. The configuration asks when it has
//! something to complain about. Pure; it must not know what any key means.

use toml::de::{DeTable, DeValue};

/// The line of a place, counted from 1.
pub fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Where the value of a key stands; `table` as in `accounts.eva` (what follows the first dot is one name).
pub fn value(text: &str, table: &str, key: &str) -> Option<usize> {
    let parsed = DeTable::parse(text).ok()?;
    let (first, rest) = table.split_once('.').map_or((table, None), |(first, rest)| (first, Some(rest)));
    let mut inner = parsed.get_ref().get(first)?;
    if let Some(name) = rest {
        inner = inner.get_ref().as_table()?.get(name)?;
    }
    let DeValue::Table(inner) = inner.get_ref() else { return None };
    Some(inner.get(key)?.span().start)
}

/// A key of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The table, as in `accounts.eva`; empty at the top.
    pub table: String,
    /// The key itself; none where only its table is known.
    pub key: Option<String>,
    /// Whether it is the key's value that stands there.
    pub is_value: bool,
}

/// What stands at this place. In a text that is no TOML only the table is known, by the nearest header above.
pub fn spot(text: &str, at: usize) -> Spot {
    let whole = DeTable::parse(text).ok().and_then(|parsed| inside(parsed.get_ref(), "", at));
    whole.unwrap_or_else(|| Spot { table: headed(text, at).unwrap_or_default(), key: None, is_value: false })
}

fn inside(table: &DeTable<'_>, name: &str, at: usize) -> Option<Spot> {
    table.iter().find_map(|(key, value)| {
        let spot = |is_value| Spot { table: name.into(), key: Some(key.get_ref().to_string()), is_value };
        match value.get_ref() {
            _ if key.span().contains(&at) => Some(spot(false)),
            DeValue::Table(inner) => {
                let dot = if name.is_empty() { "" } else { "." };
                let deeper = inside(inner, &format!("{name}{dot}{}", key.get_ref()), at);
                deeper.or_else(|| value.span().contains(&at).then(|| spot(true)))
            }
            _ => value.span().contains(&at).then(|| spot(true)),
        }
    })
}

/// The nearest header above, or the parent of the header that stands there.
fn headed(text: &str, at: usize) -> Option<String> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let name = |line: &str| line.trim().trim_start_matches('[').split(']').next().unwrap_or_default().trim().to_owned();
    let own = text[start..].lines().next().unwrap_or_default();
    if is_header(own) {
        return name(own).rsplit_once('.').map(|(parent, _)| parent.to_owned());
    }
    text[..start].lines().rev().find(|line| is_header(line)).map(name)
}
