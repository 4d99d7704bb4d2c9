//! The control socket: who may come in, one task per caller, our answers as frames. The wiring binds it last and serves until the daemon
//! stops. It must not know Garmin or a database: callers talk to rooms, not to cupboards.

#[cfg_attr(unix, path = "bind_unix.rs")]
#[cfg_attr(windows, path = "bind_windows.rs")]
mod bind;
mod connection;
mod ledger;
mod lines;
mod methods;
mod peer;

use std::sync::Arc;
use std::time::Duration;

use garminsync_protocol::{Failure, Kind, limits};
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::tokio::prelude::*;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::account::Accounts;
use crate::board::Board;
use crate::doctor::Doctor;
use crate::sync::Syncs;

pub use bind::{BindError, Bound, bind};
pub use peer::{Permission, UnknownGroup};

use connection::{Desk, Hall};

/// Longest time that running calls get to answer when the daemon stops.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Longest time that a new caller waits for a place that another gives up.
const MAKING_ROOM: Duration = Duration::from_secs(1);

/// The rooms that callers talk to.
#[derive(Clone)]
pub struct Rooms {
    /// What is true now.
    pub board: Board,
    /// Logins.
    pub accounts: Accounts,
    /// Syncs.
    pub syncs: Syncs,
    /// What keeps the daemon from working.
    pub doctor: Doctor,
}

/// Serves callers until `shutdown`; then takes the socket away, and lets running calls answer for a few seconds.
pub async fn serve(bound: Bound, rooms: Rooms, permission: Permission, shutdown: CancellationToken) {
    let desk = Arc::new(methods::Counter { rooms, shutdown: shutdown.clone() });
    serve_at(bound, desk, permission, shutdown).await;
}

/// Serves callers while the vault waits for its key: they are told so, and `status` and `doctor` answer.
pub async fn serve_closed(
    bound: Bound,
    board: Board,
    doctor: Doctor,
    permission: Permission,
    shutdown: CancellationToken,
) {
    serve_at(bound, Arc::new(methods::Closed { board, doctor }), permission, shutdown).await;
}

async fn serve_at(bound: Bound, desk: Arc<impl Desk>, permission: Permission, shutdown: CancellationToken) {
    let hall = Arc::new(Hall::new(shutdown.clone()));
    let callers = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = bound.listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: it passes when others hang up.
                tracing::warn!(%error, "a caller could not be let in");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (desk, hall) = (desk.clone(), hall.clone());
        callers.spawn(async move {
            let place = match refusal(&stream, permission).await {
                None => place(&hall).await,
                Some(failure) => Err(failure),
            };
            let (reader, writer) = tokio::io::split(stream);
            match place {
                Ok(_place) => connection::serve(reader, writer, desk, hall).await,
                Err(failure) => connection::refuse(writer, failure).await,
            }
        });
    }
    drop(bound);
    callers.close();
    let _ = tokio::time::timeout(LAST_WORDS, callers.wait()).await;
}

/// A place for a new caller. When all are taken, whoever has had no call for longest makes room.
async fn place(hall: &Hall) -> Result<OwnedSemaphorePermit, Failure> {
    if let Ok(place) = hall.places.clone().try_acquire_owned() {
        return Ok(place);
    }
    hall.crowded.notify_one();
    match tokio::time::timeout(MAKING_ROOM, hall.places.clone().acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        _ => {
            let words =
                format!("the daemon already works for {} connections; try again in a moment", limits::MAX_CONNECTIONS);
            Err(Failure::new(Kind::RateLimited, words))
        }
    }
}

/// Why this caller is not served. Asked before a byte of theirs is read.
async fn refusal(stream: &Stream, permission: Permission) -> Option<Failure> {
    let allowed = match stream.peer_creds() {
        Ok(caller) => permission.allows(caller).await,
        Err(error) => {
            tracing::warn!(%error, "the system does not tell who is calling");
            false
        }
    };
    let words = "this daemon serves its own user, root, and the members of [control] group";
    (!allowed).then(|| Failure::new(Kind::NotAllowed, words))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
