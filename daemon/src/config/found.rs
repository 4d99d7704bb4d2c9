//! Where in the text of a configuration file something stands: lines, tables, the value of a key. The configuration asks when it has
//! something to complain about. Pure; it must not know what any key means.

use std::ops::Range;

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

/// The table whose key stands at this place: the nearest header above, or the parent of the header it stands in.
pub fn section(text: &str, at: usize) -> Option<String> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let name = |line: &str| line.trim().trim_start_matches('[').split(']').next().unwrap_or_default().trim().to_owned();
    let own = text[start..].lines().next().unwrap_or_default();
    if is_header(own) {
        return name(own).rsplit_once('.').map(|(parent, _)| parent.to_owned());
    }
    text[..start].lines().rev().find(|line| is_header(line)).map(name)
}

/// Serde's complaint about a text where a list belongs, with the list that was meant; nothing for other complaints.
pub fn words_for_a_list(text: &str, span: &Range<usize>, message: &str) -> Option<String> {
    if !message.starts_with("invalid type: string ") || !message.contains("expected a sequence") {
        return None;
    }
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let key = text.get(start..span.start)?.split('=').next()?.trim();
    let said = text.get(span.clone())?.trim_matches(['"', '\'']);
    // What a shell would make of quotes and the like nobody can know; a plain line is cut at its blanks.
    let plain = !said.contains(['"', '\'', '\\', '$', '`', '\n']) && !said.trim().is_empty();
    let list: Vec<&str> = if plain { said.split_whitespace().collect() } else { vec!["program", "argument"] };
    Some(format!("{key}: a program and its arguments are a list of words: {key} = {list:?}"))
}
