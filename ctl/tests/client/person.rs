//! Whoever runs a command: their stdin, their answers at the terminal, their `Ctrl-C`, and what they get to see.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use garminsync_ctl::{Answer, Console, Line, Terminal, Unanswered};
use serde_json::Value;
use tokio::sync::watch;

/// What a person answers to a question.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// Types this.
    Text(&'static str),
    /// Presses `Ctrl-C`.
    CtrlC,
}

/// Somebody, or a script, at the command line.
#[derive(Default)]
pub struct Person {
    pub stdin: &'static str,
    pub stdin_is_terminal: bool,
    pub answers: Option<Arc<Script>>,
    pub stop: Option<watch::Receiver<bool>>,
    /// How stdout fails, if it does.
    pub stdout_fails: Option<io::ErrorKind>,
    /// Whether the reader of stdout is found gone before anything is written to it.
    pub nobody_reads: bool,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: u8,
    /// stdout.
    pub out: String,
    /// stderr.
    pub err: String,
    /// The questions that were asked, hidden ones with a `*` in front.
    pub asked: Vec<String>,
}

impl Ran {
    /// stdout as the one object it must be.
    pub fn json(&self) -> Value {
        assert_eq!(self.out.trim_end().lines().count(), 1, "{self:?}");
        let value: Value = serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"));
        assert_eq!(value["version"], 1);
        value
    }

    /// Asserts the exit code, and that none of the secrets of these tests was shown.
    #[track_caller]
    pub fn ends(self, code: u8) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        for secret in ["hunter2", "123456", "654321", "key-of-jane"] {
            assert!(!self.out.contains(secret) && !self.err.contains(secret), "{self:?}");
        }
        self
    }

    /// Asserts that stderr holds all of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {self:?}");
        }
        self
    }
}

impl Person {
    /// A script: no terminal, this on stdin.
    pub fn piping(stdin: &'static str) -> Self {
        Self { stdin, ..Self::default() }
    }

    /// A person at a terminal who gives these answers.
    pub fn answering(answers: &[Says]) -> Self {
        Self { answers: Some(Script::new(answers)), stdin_is_terminal: true, ..Self::default() }
    }

    /// A person at a terminal who pipes something into the command.
    pub fn piping_and_answering(stdin: &'static str, answers: &[Says]) -> Self {
        Self { stdin, answers: Some(Script::new(answers)), ..Self::default() }
    }

    /// Somebody who presses `Ctrl-C` when the sender says so.
    pub fn interrupted_by(stop: watch::Receiver<bool>) -> Self {
        Self { stop: Some(stop), ..Self::default() }
    }

    /// Runs a command line against the daemon at this socket.
    pub async fn runs(self, socket: &Path, line: &str) -> Ran {
        let (never, stop) = watch::channel(false);
        let (out, err) = (Shared::default(), Shared::default());
        let console = Console {
            out: match self.stdout_fails {
                Some(kind) => Box::new(Failing(kind)),
                None => Box::new(out.clone()),
            },
            err: Box::new(err.clone()),
            input: Arc::new(Mutex::new(Cursor::new(self.stdin))),
            terminal: self.answers.clone().map(|script| script as Arc<dyn Terminal>),
            input_is_terminal: self.stdin_is_terminal,
            out_is_terminal: false,
            out_is_lost: if self.nobody_reads { || true } else { || false },
            err_is_terminal: false,
            colours: true,
            stop: self.stop.unwrap_or(stop),
        };
        let mut args = vec![OsString::from("garminsyncctl"), "--socket".into(), socket.into()];
        args.extend(line.split_whitespace().map(OsString::from));
        let code = garminsync_ctl::run(args, console).await;
        drop(never);
        let asked = self.answers.map(|script| script.asked.lock().unwrap().clone()).unwrap_or_default();
        Ran { code, out: out.text(), err: err.text(), asked }
    }
}

pub struct Script {
    answers: Mutex<VecDeque<Says>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn new(answers: &[Says]) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.iter().copied().collect()), asked: Mutex::default() })
    }
}

impl Terminal for Script {
    fn ask_live(&self, line: Line) -> Answer {
        let line = line();
        let (what, left) = line.split_once(" (").unwrap();
        assert!(left.contains(" left"), "{line}");
        self.ask(&format!("{what}:"), true)
    }

    fn ask(&self, question: &str, hidden: bool) -> Answer {
        let mark = if hidden { "*" } else { "" };
        self.asked.lock().unwrap().push(format!("{mark}{}", question.trim()));
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer {
                Some(Says::Text(text)) => Ok(text.to_owned().into()),
                Some(Says::CtrlC) => Err(Unanswered::Left),
                None => Err(Unanswered::Io(io::Error::other("a question nobody expected"))),
            }
        })
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
