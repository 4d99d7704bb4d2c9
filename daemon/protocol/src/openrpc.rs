//! The protocol's description of itself: an OpenRPC document generated from the types. `rpc.discover` answers it, and
//! `tests/golden/openrpc.json` holds the one that was agreed on.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use crate::failure::Kind;
use crate::ledger::*;
use crate::method::*;
use crate::status::Status;

/// The OpenRPC document of this release.
pub fn document() -> Value {
    let mut types = SchemaGenerator::default();
    let methods = [
        method::<AccountParams, Status>(&mut types, STATUS, "What is true now. Never waits."),
        method::<LoginStart, LoginResult>(&mut types, LOGIN_START, "Sign in, or join the login that waits for a code."),
        method::<SubmitMfa, LoginResult>(&mut types, LOGIN_SUBMIT_MFA, "Bring the code of a waiting login."),
        method::<AccountParams, LoginResult>(&mut types, LOGIN_RESEND_MFA, "Send a waiting login's code once more."),
        method::<AccountParams, LoginResult>(&mut types, LOGIN_CANCEL, "Give a waiting login up."),
        method::<AccountParams, BrowserSignIn>(&mut types, LOGIN_BROWSER, "Where to sign in with a browser."),
        method::<AccountParams, Holdings>(&mut types, LOGOUT_PREVIEW, "What a logout that forgets data would remove."),
        method::<Logout, LogoutResult>(&mut types, LOGOUT, "Forget an account's secrets; its data stay unless asked."),
        method::<NoParams, AccountsList>(&mut types, ACCOUNTS_LIST, "The accounts there are."),
        method::<SyncStart, SyncResult>(&mut types, SYNC_START, "Start a sync, or join the one under way."),
        method::<AccountParams, SyncResult>(&mut types, SYNC_CANCEL, "Stop the sync under way; what it has stays."),
        method::<HistoryParams, History>(&mut types, SYNC_HISTORY, "The runs, newest first."),
        method::<GapsParams, GapsList>(&mut types, GAPS_LIST, "What is wanted and missing, and why."),
        method::<AccountParams, DatasetsList>(&mut types, DATASETS_LIST, "What can be mirrored, held, and costs."),
        method::<NoParams, Diagnosis>(&mut types, DOCTOR, "Look for what keeps the daemon from working."),
        method::<AccountParams, VersionResult>(&mut types, VERSION, "The daemon's release and protocol."),
        method::<AccountParams, Value>(&mut types, RPC_DISCOVER, "This document."),
    ];
    let notifications = json!({
        HELLO: types.subschema_for::<Hello>(),
        PROGRESS: types.subschema_for::<Progress>(),
    });
    let kinds = types.subschema_for::<Kind>();
    json!({
        "openrpc": "1.3.2",
        "info": { "title": "garminsync control protocol", "version": crate::PROTOCOL.to_string() },
        "methods": methods,
        "x-notifications": notifications,
        "x-error": { "code": -32000, "data.kind": kinds },
        "components": { "schemas": types.take_definitions(true) },
    })
}

fn method<P: JsonSchema, R: JsonSchema>(types: &mut SchemaGenerator, name: &str, summary: &str) -> Value {
    let params = P::json_schema(types).to_value();
    let required: Vec<&str> =
        params["required"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    let params: Vec<Value> = params["properties"].as_object().map_or_else(Vec::new, |properties| {
        properties
            .iter()
            .map(|(field, schema)| json!({ "name": field, "required": required.contains(&field.as_str()), "schema": schema }))
            .collect()
    });
    json!({
        "name": name,
        "summary": summary,
        "paramStructure": "by-name",
        "params": params,
        "result": { "name": "result", "schema": types.subschema_for::<R>() },
    })
}
