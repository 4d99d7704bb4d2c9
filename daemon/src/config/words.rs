//! What a library says of a configuration file, as people would say it. The configuration asks when a file cannot be read. Pure; it must not
//! know what a value means, and quotes none that may be a secret.

use super::found::Spot;

/// The keys that name a program; whoever writes another thing there may have written a secret.
const PROGRAMS: [&str; 3] = ["command", "password_command", "mfa_command"];

/// A library's complaint as people would say it, on one line, with the key and the table it is about.
pub fn in_ours(message: &str, spot: Option<Spot>) -> String {
    let table = spot.as_ref().map(|spot| spot.table.as_str()).filter(|table| !table.is_empty());
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (key, known) = rest.split_once('`').unwrap_or((rest, ""));
        let known = known
            .trim_start_matches(", expected one of ")
            .trim_start_matches(", expected ")
            .replace('`', "")
            .replace(" or ", ", ");
        let place = table.map_or("at the top".into(), |table| format!("in [{table}]"));
        return format!("unknown key {key:?} {place}; known: {known}");
    }
    let place = table.map(|table| format!(" (in [{table}])")).unwrap_or_default();
    let key = spot.as_ref().filter(|spot| spot.is_value).and_then(|spot| spot.key.as_deref());
    let message = without_value(message.trim()).replace('\n', ", ");
    match key {
        Some(key) if PROGRAMS.contains(&key) => {
            let form = r#"["program", "argument"]"#;
            format!("{key}: a program and its arguments are a list of words: {key} = {form}{place}")
        }
        Some(key) if !message.starts_with(key) => format!("{key}: {message}{place}"),
        _ => format!("{message}{place}"),
    }
}

/// Serde's "invalid type: string "x", expected y" without the value.
fn without_value(message: &str) -> String {
    let is_of_a_type = ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start));
    match (message.find(['"', '`']), message.rsplit_once(", expected ")) {
        (Some(value), Some((_, expected))) if is_of_a_type => {
            format!("{}, expected {expected}", message[..value].trim_end())
        }
        _ => message.to_owned(),
    }
}
