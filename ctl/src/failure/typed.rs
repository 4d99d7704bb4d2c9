//! What a person types to reach the same daemon and account with another command. Pure; hints are made of it.

use std::path::Path;

use garminsync_protocol::DEFAULT_ACCOUNT;

/// How a person reaches the same daemon and account with another command.
#[derive(Clone, Debug)]
pub struct Typed {
    socket: String,
    account: String,
    command: String,
}

impl Typed {
    /// From the flags that were typed and the command.
    pub fn new(socket: Option<&Path>, account: Option<&str>, command: &str) -> Self {
        let flag = |name: &str, value: &str| format!(" {name} {}", quoted(value));
        Self {
            socket: socket.map(|socket| flag("--socket", &socket.to_string_lossy())).unwrap_or_default(),
            account: account.map(|account| flag("--account", account)).unwrap_or_default(),
            command: command.into(),
        }
    }

    /// As if that account had been named: what comes next must mean the same one.
    pub fn name_account(&mut self, account: &str) {
        self.account = format!(" --account {}", quoted(account));
    }

    /// The same command with an account that is still to be chosen.
    pub fn again_for_one(&self) -> String {
        format!("garminsyncctl{} --account NAME {}", self.socket, self.command)
    }

    /// Another command, with the same flags.
    pub fn command(&self, command: &str) -> String {
        format!("garminsyncctl{}{} {command}", self.socket, self.account)
    }

    /// Another command, for whatever accounts there are.
    pub fn command_for_all(&self, command: &str) -> String {
        format!("garminsyncctl{} {command}", self.socket)
    }

    /// A sign-in under a name that is still to be chosen.
    pub(super) fn login_under_another_name(&self) -> String {
        let way = if self.command.starts_with("login") { &self.command } else { "login" };
        format!("garminsyncctl{} --account NAME {way}", self.socket)
    }

    /// The same, where what was brought is of no use any more.
    pub(super) fn new_login_under_another_name(&self) -> String {
        format!("garminsyncctl{} --account NAME login", self.socket)
    }

    /// A command for another account than the one that was typed.
    pub fn command_for(&self, account: &str, command: &str) -> String {
        if !self.account.is_empty() || account == DEFAULT_ACCOUNT {
            self.command(command)
        } else {
            format!("garminsyncctl{} --account {} {command}", self.socket, quoted(account))
        }
    }

    /// Whether the command was one for a sign-in that waits for its code.
    pub(super) fn brings_a_code(&self) -> bool {
        self.command.split(' ').next() == Some("mfa")
    }

    /// The command without the flag that makes another one of it.
    pub(super) fn plain(&self) -> String {
        self.command(self.command.split(' ').next().unwrap_or_default())
    }

    /// What the daemon says to type, with the socket that was typed: the daemon does not know it.
    pub fn dressed(&self, hint: &str) -> String {
        hint.replace("garminsyncctl ", &format!("garminsyncctl{} ", self.socket))
    }

    /// The same command once more, less its own flags.
    pub fn again(&self) -> String {
        self.command(&self.command)
    }
}

/// A word as a shell takes it for one.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:\\".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
