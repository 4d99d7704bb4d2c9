//! `login --browser`: says where to sign in with a browser, waits for what the person pastes, and hands it to the daemon at once. The
//! ticket in it lives about a minute, so the prompt is open before the browser is.

use garminsync_protocol::{BrowserSignIn, Kind, LOGIN_BROWSER, LOGIN_START, LoginResult, LoginStart, Secret};

use super::Done;
use super::login::{finished, signing_in};
use crate::app::App;
use crate::desktop;
use crate::failure::{Exit, Failed};
use crate::show::text;

/// Runs `login --browser`.
pub async fn run(app: &mut App, no_open: bool) -> Result<Done, Failed> {
    let place: BrowserSignIn = app.call(LOGIN_BROWSER, app.account_params()).await?;
    let again = app.typed.command("login --browser");
    app.farewell = Failed::interrupted("Stopped. Nothing was sent, and nothing was changed.").hint(again.clone());
    app.console.say(&how_to(&place));
    let mut open = (!no_open).then_some(place.url.as_str());
    loop {
        let pasted = pasted(app, open.take()).await?;
        app.farewell = signing_in(app);
        let params = LoginStart { account: app.account.clone(), ticket: Some(pasted), ..LoginStart::default() };
        match app.call_aloud::<LoginResult>(LOGIN_START, params).await {
            Ok(result) => return finished(app, result),
            // Nothing was sent to Garmin, and the page with the right address may still be open.
            Err(failed) if failed.is(Kind::InvalidArgument) && app.console.input_is_terminal => {
                app.console.say(&text::clean(&failed.message));
            }
            Err(failed) => return Err(told(failed, again)),
        }
    }
}

fn how_to(place: &BrowserSignIn) -> String {
    format!(
        "1. Sign in to Garmin Connect in your browser: https://connect.{}\n\
         2. Then open this address in the same browser:\n\n   {}\n\n\
         3. It leads to a page that cannot load. Copy that page's whole address and paste it here, within a minute or so.\n   \
         (If a page that says \"Success\" shows instead, its source holds the ticket, a word that begins with ST-: paste that.)",
        if place.url.contains("garmin.cn") { "garmin.cn" } else { "garmin.com" },
        text::clean(&place.url),
    )
}

/// What the person pastes, or what stdin brings: up to the line that holds a ticket, because a page's source has many.
async fn pasted(app: &mut App, open: Option<&str>) -> Result<Secret, Failed> {
    if app.console.input_is_terminal {
        return app.paste("Paste it here (it is not shown): ", || open.into_iter().for_each(desktop::open)).await;
    }
    open.into_iter().for_each(desktop::open);
    let mut all = String::new();
    loop {
        match app.console.line().await {
            Ok(Some(line)) => {
                all.push_str(line.expose());
                all.push('\n');
                if line.expose().contains("ST-") {
                    return Ok(all.into());
                }
            }
            Ok(None) if all.trim().is_empty() => {
                let hint = app.typed.command("login --browser < FILE");
                return Err(Failed::usage("stdin ended before the address or the ticket. Nothing was sent.").hint(hint));
            }
            Ok(None) => return Ok(all.into()),
            Err(error) => {
                return Err(Failed::usage(format!(
                    "stdin could not be read for the ticket ({error}). Nothing was sent."
                )));
            }
        }
    }
}

/// What only this way in knows of a failure: a ticket is never good twice.
fn told(failed: Failed, again: String) -> Failed {
    if failed.kind == "connection_lost" {
        let message = "The connection to the daemon broke while the ticket was exchanged. The login is there or it is not; a login \
                       that was there before is safe.";
        return Failed { message: message.into(), ..failed };
    }
    match failed.exit {
        Exit::Refused | Exit::Usage => failed.hint(format!("get a new ticket: {again}")),
        Exit::TryLater | Exit::Failed if !failed.is(Kind::AlreadyRunning) && !failed.is(Kind::Storage) => {
            let when = failed.retry_after_s().map(|seconds| format!("in {}: ", crate::show::time::span_s(seconds)));
            failed.hint(format!("{}{again}", when.unwrap_or_default()))
        }
        _ => failed,
    }
}
