//! Where the control socket is when nobody says otherwise: one rule for the daemon that binds and the client that looks.
//! Pure: the caller hands in its environment.

use std::path::PathBuf;

/// The socket of the system's service, on Unix.
pub const SYSTEM_SOCKET: &str = "/run/garminsync/control.sock";
/// The pipe of the service, on Windows.
pub const WINDOWS_PIPE: &str = r"\\.\pipe\garminsync-control";

/// The socket of a daemon that a plain user runs: in the user's runtime directory, or, where the session has none (cron, a
/// container, macOS), in the state directory, which is private too.
pub fn user_socket(runtime_dir: Option<PathBuf>, state_dir: PathBuf) -> PathBuf {
    match runtime_dir {
        Some(runtime) => runtime.join("garminsync").join("control.sock"),
        None => state_dir.join("control.sock"),
    }
}

/// Where a client looks, in order: the user's own service first, then the system's.
pub fn candidates(user_socket: PathBuf) -> Vec<PathBuf> {
    if cfg!(windows) { vec![PathBuf::from(WINDOWS_PIPE)] } else { vec![user_socket, PathBuf::from(SYSTEM_SOCKET)] }
}
