//! A person at a terminal: a program whose standard streams are a pseudo-terminal, what it shows, and what is typed to it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::{Home, PATIENCE};

/// A program at a terminal.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: File,
    /// Held open so that the terminal's modes can be asked for after the program is gone.
    line: OwnedFd,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts `garminsyncctl` with these words at a new terminal.
    ///
    /// # Errors
    /// When the system gives no terminal, or the program does not start.
    pub fn ctl(home: &Home, words: &[&str]) -> std::io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let line: OwnedFd = rustix::fs::open(
            name.as_c_str(),
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY,
            rustix::fs::Mode::empty(),
        )?;
        let stream = || line.try_clone().map(Stdio::from);
        // `setsid --ctty` makes the terminal the program's own, so that Ctrl-C reaches it as a signal and /dev/tty opens.
        let mut command = std::process::Command::new("setsid");
        command.arg("--ctty").arg("--wait").arg(home.ctl_program()).args(words);
        command.env_clear().env("HOME", home.path()).env("TERM", "xterm").env("PATH", "/usr/bin:/bin").env("TZ", "UTC");
        let child = command.current_dir(home.path()).stdin(stream()?).stdout(stream()?).stderr(stream()?).spawn()?;

        let screen = Arc::new(Mutex::new(String::new()));
        let mut output = File::from(master.try_clone()?);
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Ok(Self { child, keyboard: File::from(master), line, screen })
    }

    /// All that was shown so far.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `text` is on the screen.
    ///
    /// # Panics
    /// If it does not come.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub fn sees(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            if Instant::now() > deadline {
                panic!("{text:?} is not on the screen:\n{}", self.screen());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types, once the program listens without echo if `hidden`.
    ///
    /// # Panics
    /// If the program goes on echoing.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub fn types(&mut self, text: &str, hidden: bool) {
        let deadline = Instant::now() + PATIENCE;
        while hidden && self.echoes() {
            if Instant::now() > deadline {
                panic!("the terminal echoes at a prompt for a secret:\n{}", self.screen());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.keyboard.write_all(text.as_bytes());
    }

    /// Whether what is typed is shown.
    pub fn echoes(&self) -> bool {
        tcgetattr(self.line.as_fd()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO))
    }

    /// Waits for the program's end; its exit code.
    ///
    /// # Panics
    /// If it does not end.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub fn ends(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.code().unwrap_or(-1);
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("the program does not end:\n{}", self.screen());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
