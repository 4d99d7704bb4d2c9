//! `version`: both releases. A daemon that cannot be reached is no failure here; one of another protocol still tells its name.

use garminsync_protocol::PROTOCOL;
use serde_json::json;

use super::Done;
use crate::app::App;
use crate::client::ClientError;
use crate::failure::Failed;
use crate::show::text;

/// Runs `version`.
pub async fn run(app: &mut App) -> Result<Done, Failed> {
    let release = env!("CARGO_PKG_VERSION");
    let daemon = app.daemon.hello().await;
    let line = match &daemon {
        Ok(hello) => format!("garminsyncd   {} (protocol {})", text::clean(&hello.version), hello.protocol),
        Err(ClientError::Denied { .. }) => "garminsyncd   closed to this user".into(),
        Err(error) => format!("garminsyncd   not known: {error}"),
    };
    let data = json!({
        "client": { "version": release, "protocol": PROTOCOL },
        "daemon": daemon.ok(),
    });
    Ok(Done::text(data, format!("garminsyncctl {release} (protocol {PROTOCOL})\n{line}")))
}
