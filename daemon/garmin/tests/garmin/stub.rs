//! A server that answers each request as a test's function says, byte for byte where needed, and remembers what it
//! was sent. For the answers that the fake Garmin, which is a working Garmin, cannot give.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use garminsync_garmin::{Domain, Endpoints, Garmin, Pauses, Settings, Timeouts};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    /// The value of a header that was sent exactly once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<&str> = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        let [value] = values[..] else { panic!("{name}: {values:?}") };
        value
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n == name)
    }

    /// The names of all headers but those of the connection itself.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| !["host", "content-length"].contains(name));
        names.sort_unstable();
        names
    }

    /// The pairs of a form.
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub fn form_value(&self, name: &str) -> String {
        self.form().into_iter().find(|(n, _)| n == name).map(|(_, value)| value).unwrap_or_default()
    }
}

/// What the stub does with a request.
pub enum Act {
    /// A whole answer.
    Reply(u16, Vec<(&'static str, String)>, String),
    /// These bytes and then the end of the connection.
    Raw(Vec<u8>),
    /// The end of the connection without a byte.
    Close,
    /// Nothing, for longer than any test waits.
    Hang,
}

/// An answer without headers worth a word.
pub fn reply(status: u16, body: impl Into<String>) -> Act {
    Act::Reply(status, Vec::new(), body.into())
}

pub struct Stub {
    base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    /// `answer` gets each request and how many came before it.
    pub async fn start(answer: impl Fn(&Seen, usize) -> Act + Send + Sync + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, answer.clone(), log.clone()));
            }
        });
        Stub { base, seen }
    }

    pub fn settings(&self) -> Settings {
        let base = &self.base;
        Settings {
            endpoints: Endpoints {
                domain: Domain::Com,
                sso: format!("{base}/sso"),
                diauth: format!("{base}/diauth"),
                connectapi: format!("{base}/connectapi"),
                personal: format!("{base}/personal"),
            },
            pauses: Pauses::all(Duration::ZERO),
            timeouts: Timeouts {
                connect: Duration::from_secs(5),
                sso: Duration::from_secs(5),
                token: Duration::from_secs(5),
                data: Duration::from_secs(5),
                file: Duration::from_secs(20),
            },
            ..Settings::of(Domain::Com)
        }
    }

    pub fn garmin(&self) -> Garmin {
        Garmin::new(self.settings()).unwrap()
    }

    /// A client that gives up early, for servers that hang.
    pub fn hasty_garmin(&self) -> Garmin {
        let soon = Duration::from_secs(1);
        let timeouts = Timeouts { connect: soon, sso: soon, token: soon, data: soon, file: soon };
        Garmin::new(Settings { timeouts, ..self.settings() }).unwrap()
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Method and path (without query) of every request.
    pub fn paths(&self) -> Vec<String> {
        let path = |seen: &Seen| seen.target.split('?').next().unwrap().to_owned();
        self.seen().iter().map(|seen| format!("{} {}", seen.method, path(seen))).collect()
    }
}

async fn converse(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&Seen, usize) -> Act>,
    log: Arc<Mutex<Vec<Seen>>>,
) -> Option<()> {
    let request = read(&mut stream).await?;
    let before = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    match answer(&request, before) {
        Act::Reply(status, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text += &format!("{name}: {value}\r\n");
            }
            // The reader may stop early; that is its business.
            let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes()).await;
        }
        Act::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Act::Close => {}
        Act::Hang => std::future::pending().await,
    }
    let _ = stream.shutdown().await;
    Some(())
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { method, target, headers, body: String::from_utf8(body).ok()? })
}
