//! What machines read on stdout: one object with `"version": 1`, for good ends and bad ones; as JSON on one line, or the same as YAML.
//! `lib.rs` prints it. Pure; it must not know any command.

use garminsync_protocol::Status;
use serde_json::{Map, Value, json};

use super::text::steers;
use crate::failure::Failed;

/// The number of this output; it grows when a script of the last number would misunderstand.
const VERSION: u32 = 1;

/// How the object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON, on one line.
    Json,
    /// YAML 1.2, a document.
    Yaml,
}

/// A good end: the data's own fields at the top level.
pub fn done(data: &Value, form: Form) -> String {
    let data = data.as_object().cloned().unwrap_or_default();
    written(data, form)
}

/// A bad end: `error`, beside whatever data there are.
pub fn failed(failed: &Failed, form: Form) -> String {
    if failed.message.is_empty() {
        return String::new();
    }
    let mut error = failed.details.clone();
    error.insert("kind".into(), failed.kind.into());
    error.insert("message".into(), failed.message.clone().into());
    if let Some(hint) = &failed.hint {
        error.insert("hint".into(), hint.clone().into());
    }
    let mut data = failed.data.clone();
    data.insert("error".into(), error.into());
    written(data, form)
}

/// `status` as an object: the daemon's own release and process stand under `daemon`, because `version` is this output's.
pub fn status(status: &Status) -> Value {
    json!({
        "daemon": { "version": status.version, "pid": status.pid, "started_at": status.started_at },
        "accounts": status.accounts,
        "troubles": status.troubles,
    })
}

fn written(mut data: Map<String, Value>, form: Form) -> String {
    data.insert("version".into(), VERSION.into());
    let data = Value::Object(data);
    let json = || escaped(&data.to_string());
    match form {
        Form::Json => json(),
        // What the YAML would leave in that steers a terminal, JSON escapes; and JSON is YAML.
        Form::Yaml => serde_saphyr::to_string(&data).ok().filter(|yaml| !yaml.contains(escapes)).unwrap_or_else(json),
    }
}

/// Whether a character of a text of several lines could steer a terminal.
fn escapes(c: char) -> bool {
    c != '\n' && steers(c)
}

/// The same JSON without the characters that steer a terminal and that JSON allows in its strings; it has no such character elsewhere.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match steers(c) {
            true => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Exit, Typed};
    use garminsync_protocol::{Failure, Kind};

    #[test]
    fn json_cannot_steer_a_terminal_and_says_the_same() {
        let name = "J\u{9b}2J\u{7f}\u{202e}\n\u{e4}";
        let line = done(&json!({ "name": name }), Form::Json);
        assert!(line.contains("\"J\\u009b2J\\u007f\\u202e\\n\u{e4}\""), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["name"], name);
    }

    #[test]
    fn yaml_says_what_json_says() {
        // Words that a reader of YAML 1.1 or 1.2 would take for something else, and what must not steer a terminal.
        let data = json!({ "name": "no", "at": "2026-11-20", "count": 12, "w": "12", "none": null, "list": [{ "a": true }], "say": "a: b\n- c" });
        let yaml = done(&data, Form::Yaml);
        assert_eq!(
            yaml,
            "at: \"2026-11-20\"\ncount: 12\nlist:\n- a: true\nname: \"no\"\nnone: null\nsay: |-\n  a: b\n  - c\nversion: 1\nw: \"12\"\n"
        );
        for steering in ["\u{1b}[2J", "\u{9b}2J", "\u{202e}x"] {
            let yaml = done(&json!({ "name": steering }), Form::Yaml);
            assert!(!yaml.contains(escapes) && yaml.contains("version"), "{yaml:?}");
        }
        let failed = failed(&Failed::usage("No."), Form::Yaml);
        assert_eq!(failed, "error:\n  kind: usage\n  message: No.\nversion: 1\n");
    }

    #[test]
    fn a_failure_keeps_its_data_and_the_daemons_details() {
        let failure = Failure::new(Kind::MfaCodeRejected, "No.").attempts_left(2);
        let bad = Failed::refused(&failure, &Typed::new(None, None, "mfa")).data(json!({ "state": "awaiting_mfa" }));
        let value: Value = serde_json::from_str(&failed(&bad, Form::Json)).unwrap();
        assert_eq!(value["version"], 1);
        assert_eq!(value["state"], "awaiting_mfa");
        assert_eq!(value["error"]["kind"], "mfa_code_rejected");
        assert_eq!(value["error"]["attempts_left"], 2);
        assert_eq!(value["error"]["hint"], "use the newest code: garminsyncctl mfa");
        assert_eq!(bad.exit, Exit::Refused);
    }
}
