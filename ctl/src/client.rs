//! The way to the daemon: finds the socket, hears `hello`, sends a call, waits for its answer. Commands call it through
//! `App`. Every call has a connection of its own, so that a daemon restarted while a person looks for a code changes nothing.
//! Nothing is sent, and so no secret, before the daemon has told a protocol number that this client speaks.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use directories::BaseDirs;
use garminsync_protocol::limits::MAX_LINE_BYTES;
use garminsync_protocol::{
    Failure, Frame, HELLO, Hello, Id, LOGIN_BROWSER, PROGRESS, PROTOCOL, Progress, RpcError, STATUS, VERSION, places,
};
use interprocess::local_socket::tokio::{Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ToFsName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// Longest wait for `hello`, and for the answer of a method that never waits for Garmin.
const PATIENCE: Duration = Duration::from_secs(10);
/// Every connection carries one call.
const CALL: Id = Id::Number(1);

/// Why a call has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens at any of the places.
    #[error("no daemon listens")]
    Unreachable {
        /// Each place that was tried, and what it said.
        tried: Vec<(PathBuf, String)>,
    },
    /// A daemon is there, and this user may not talk to it.
    #[error("the socket is closed to this user")]
    Denied {
        /// The socket.
        socket: PathBuf,
    },
    /// Somebody listens and says nothing, or not in time.
    #[error("the daemon does not answer")]
    Mute {
        /// The socket.
        socket: PathBuf,
    },
    /// The daemon speaks another protocol.
    #[error("the daemon speaks protocol {}", theirs.protocol)]
    OtherProtocol {
        /// What it said about itself.
        theirs: Hello,
    },
    /// What came is not of this protocol.
    #[error("what came over the socket makes no sense")]
    Garbled {
        /// The socket.
        socket: PathBuf,
    },
    /// The connection ended before the answer.
    #[error("the connection broke")]
    Lost {
        /// The method under way.
        method: &'static str,
    },
    /// The daemon answered with a failure.
    #[error(transparent)]
    Refused(Failure),
    /// The daemon answered with a protocol error: the two sides are not of one release.
    #[error("{}", .0.message())]
    Protocol(RpcError),
}

/// Where the daemon may be.
#[derive(Clone, Debug)]
pub struct Daemon {
    candidates: Vec<PathBuf>,
    patience: Duration,
}

impl Daemon {
    /// The daemon at this socket, or, without one, at the usual places.
    pub fn at(socket: Option<PathBuf>) -> Self {
        let candidates = match socket {
            Some(socket) => vec![socket],
            None => BaseDirs::new().map_or_else(
                || vec![PathBuf::from(places::SYSTEM_SOCKET)],
                |dirs| places::candidates(user_socket(&dirs)),
            ),
        };
        Self { candidates, patience: PATIENCE }
    }

    /// Where it may be, in the order of looking.
    pub fn candidates(&self) -> &[PathBuf] {
        &self.candidates
    }

    /// What the daemon says about itself, whatever protocol it speaks.
    pub async fn hello(&self) -> Result<Hello, ClientError> {
        Ok(self.connect().await?.hello)
    }

    /// Calls a method and waits for its answer; `progress` hears what is told on the way.
    pub async fn call<R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: impl Serialize,
        mut progress: impl FnMut(Progress),
    ) -> Result<R, ClientError> {
        let mut connection = self.connect().await?;
        if connection.hello.protocol != PROTOCOL {
            return Err(ClientError::OtherProtocol { theirs: connection.hello });
        }
        let answer = connection.call(method, params, &mut progress);
        let value = if [STATUS, VERSION, LOGIN_BROWSER].contains(&method) {
            timeout(self.patience, answer)
                .await
                .unwrap_or(Err(ClientError::Mute { socket: connection.socket.clone() }))?
        } else {
            answer.await?
        };
        serde_json::from_value(value).map_err(|_| ClientError::Garbled { socket: connection.socket })
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let mut tried = Vec::new();
        let mut denied = None;
        for socket in &self.candidates {
            match open(socket).await {
                Ok(stream) => return Connection::greet(stream, socket, self.patience).await,
                Err(error) if error.kind() == ErrorKind::PermissionDenied => denied = denied.or(Some(socket)),
                Err(error) => tried.push((socket.clone(), what_stands_there(&error))),
            }
        }
        Err(match denied {
            Some(socket) => ClientError::Denied { socket: socket.clone() },
            None => ClientError::Unreachable { tried },
        })
    }
}

/// The socket of a daemon that this user runs.
fn user_socket(dirs: &BaseDirs) -> PathBuf {
    // Only Linux tells state and runtime directories apart; elsewhere it is Application Support or AppData.
    let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("garminsync");
    places::user_socket(dirs.runtime_dir().map(Path::to_path_buf), state)
}

async fn open(socket: &Path) -> io::Result<Stream> {
    Stream::connect(socket.to_fs_name::<GenericFilePath>()?).await
}

fn what_stands_there(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "not there".into(),
        ErrorKind::ConnectionRefused => "left behind by a daemon that is gone".into(),
        _ => error.to_string(),
    }
}

struct Connection {
    stream: BufReader<Stream>,
    socket: PathBuf,
    hello: Hello,
}

impl Connection {
    async fn greet(stream: Stream, socket: &Path, patience: Duration) -> Result<Self, ClientError> {
        let mut stream = BufReader::new(stream);
        let mute = || ClientError::Mute { socket: socket.to_owned() };
        let garbled = || ClientError::Garbled { socket: socket.to_owned() };
        let first = timeout(patience, read(&mut stream)).await.map_err(|_| mute())?;
        let hello = match first {
            Ok(Some(Frame::Request { id: None, method, params })) if method == HELLO => {
                serde_json::from_value(params).map_err(|_| garbled())?
            }
            // Turned away at the door: too many connections, or a caller it does not serve.
            Ok(Some(Frame::Error { error, .. })) => return Err(error.into()),
            Ok(None) => return Err(mute()),
            Ok(Some(_)) | Err(_) => return Err(garbled()),
        };
        Ok(Self { stream, socket: socket.to_owned(), hello })
    }

    async fn call(
        &mut self,
        method: &'static str,
        params: impl Serialize,
        progress: &mut impl FnMut(Progress),
    ) -> Result<serde_json::Value, ClientError> {
        let params = serde_json::to_value(params).unwrap_or_default();
        let line = Frame::Request { id: Some(CALL), method: method.into(), params }.to_line();
        // A daemon that closed already may have said why: the answer is read although writing failed.
        let _ = self.stream.get_mut().write_all(line.as_bytes()).await;
        loop {
            match read(&mut self.stream).await {
                Ok(Some(Frame::Result { id, result })) if id == CALL => return Ok(result),
                Ok(Some(Frame::Error { id, error })) if id.is_none() || id == Some(CALL) => return Err(error.into()),
                Ok(Some(Frame::Request { id: None, method, params })) if method == PROGRESS => {
                    if let Ok(step) = serde_json::from_value::<Progress>(params)
                        && step.request == CALL
                    {
                        progress(step);
                    }
                }
                // A newer daemon may tell things this client does not know.
                Ok(Some(_)) => {}
                Ok(None) => return Err(ClientError::Lost { method }),
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(ClientError::Garbled { socket: self.socket.clone() });
                }
                Err(_) => return Err(ClientError::Lost { method }),
            }
        }
    }
}

impl From<RpcError> for ClientError {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::Failure(failure) => Self::Refused(failure),
            other => Self::Protocol(other),
        }
    }
}

/// The next frame; `None` at the end of the stream, `InvalidData` for what is too long or no frame.
async fn read(stream: &mut BufReader<Stream>) -> io::Result<Option<Frame>> {
    let mut line = Vec::new();
    stream.take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        // Half a line: cut off by a daemon that died, unless it is as long as a line may be.
        return if line.len() < MAX_LINE_BYTES { Ok(None) } else { Err(ErrorKind::InvalidData.into()) };
    }
    Frame::parse(&line).map(Some).map_err(|_| ErrorKind::InvalidData.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use garminsync_protocol::{AccountParams, Status};
    use tokio::net::{UnixListener, UnixStream};

    async fn greet(stream: &mut UnixStream) {
        let hello = Frame::notification(HELLO, Hello { protocol: PROTOCOL, version: "0.9.0".into() });
        let _ = stream.write_all(hello.to_line().as_bytes()).await;
    }

    #[tokio::test]
    async fn a_daemon_that_says_nothing_is_not_waited_for_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("control.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let daemon = Daemon { patience: Duration::from_millis(50), ..Daemon::at(Some(socket)) };

        // Accepted by the kernel alone: no hello.
        assert!(matches!(daemon.hello().await, Err(ClientError::Mute { .. })));

        // A hello, and then no answer.
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                greet(&mut stream).await;
                open.push(stream);
            }
        });
        let daemon = Daemon { patience: Duration::from_secs(1), ..daemon };
        let answer = daemon.call::<Status>(STATUS, AccountParams::default(), |_| {}).await;
        assert!(matches!(answer, Err(ClientError::Mute { .. })), "{answer:?}");
    }

    #[tokio::test]
    async fn the_first_place_where_somebody_listens_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (absent, dead, alive) = (dir.path().join("absent"), dir.path().join("dead"), dir.path().join("alive"));
        drop(UnixListener::bind(&dead).unwrap());
        let listener = UnixListener::bind(&alive).unwrap();
        tokio::spawn(async move { greet(&mut listener.accept().await.unwrap().0).await });
        let daemon = Daemon { candidates: vec![absent, dead, alive], patience: PATIENCE };
        assert_eq!(daemon.hello().await.unwrap().version, "0.9.0");
    }
}
