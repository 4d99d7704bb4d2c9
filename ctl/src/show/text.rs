//! What people read: `status`, failures, where a code went. Pure: facts, the moment and the time zone in, text out.
//! Nothing that came from outside reaches a terminal with its control characters.

use std::fmt::{Display, Write};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use garminsync_protocol::{
    AccountState, AccountStatus, MfaStatus, QueueStatus, Status, SyncState, SyncStatus, TierStatus, Trouble, WayIn,
};

use super::{Paint, time};
use crate::failure::{Exit, Failed, Typed, make_a_key};

/// Text from outside without characters that steer a terminal.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// Whether a character could move a cursor (control characters, C1 among them) or turn the direction of writing.
pub fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Words from outside as a sentence: a full stop at its end, a capital where it begins with a plain word.
pub fn sentence(words: &str) -> String {
    let words = words.trim();
    let first = words.split(' ').next().unwrap_or_default();
    let plain = !first.is_empty() && first.chars().all(|c| c.is_ascii_lowercase());
    let (head, rest) = words.split_at(usize::from(plain));
    let stop = if words.is_empty() || words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{rest}{stop}", head.to_ascii_uppercase())
}

/// `1 request`, `2 requests`.
pub fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// A state as people say it.
pub fn state_words(state: AccountState) -> &'static str {
    match state {
        AccountState::SignedOut => "signed out",
        AccountState::SigningIn => "signing in",
        AccountState::AwaitingMfa => "waiting for a code",
        AccountState::CheckingCode => "checking the code",
        AccountState::Active => "active",
        AccountState::LoginNeeded => "login needed",
        AccountState::CoolingDown => "cooling down",
    }
}

/// A failure: what happened, what is safe, what to type.
pub fn failed(failed: &Failed, paint: Paint) -> String {
    if failed.message.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = failed.message.lines().map(clean).collect();
    // A code that is still to come, or a person who left, is no error.
    let label = match failed.exit {
        Exit::CodeNeeded | Exit::Interrupted => String::new(),
        _ => format!("{} ", paint.red("error:")),
    };
    let mut text = format!("{label}{}", lines.join("\n"));
    for tried in failed.tried() {
        let _ = write!(text, "\n  {}", clean(tried));
    }
    if let Some(hint) = &failed.hint {
        let _ = write!(text, "\n{} {}", paint.bold("next:"), clean(hint));
    }
    text
}

/// Where the code went; on a second line how many tries are left, and for how long.
pub fn code_sent<Tz: TimeZone<Offset: Display>>(mfa: &MfaStatus, now: &DateTime<Tz>) -> String {
    let source = match (mfa.method.to_lowercase().as_str(), &mfa.sent_to) {
        ("email", _) if mfa.unsent => "Garmin wants a code by e-mail and has not sent it yet".into(),
        (_, _) if mfa.unsent => "Garmin wants a code by SMS and has not sent it yet".into(),
        ("email", Some(to)) => format!("Garmin sent a code by e-mail to {}", clean(to)),
        ("email", None) => "Garmin sent a code by e-mail".into(),
        ("sms" | "phone", Some(to)) => format!("Garmin sent a code by SMS to {}", clean(to)),
        ("sms" | "phone", None) => "Garmin sent a code by SMS".into(),
        ("authenticator" | "authenticator_app" | "totp", _) => "The code is in the authenticator app".into(),
        (method, Some(to)) => format!("Garmin sent a code ({}) to {}", clean(method), clean(to)),
        (method, None) => format!("Garmin wants a code ({})", clean(method)),
    };
    let tries = if mfa.attempts_left == 1 { "1 try".into() } else { format!("{} tries", mfa.attempts_left) };
    let (until, left) = (time::clock(mfa.expires_at, now), time::relative(mfa.expires_at, now));
    format!("{source}.\n{tries} left, until {until} ({left}).")
}

/// What to do where no code comes, and from when on Garmin allows it.
pub fn code_missing<Tz: TimeZone<Offset: Display>>(
    resend_at: DateTime<Utc>,
    now: &DateTime<Tz>,
    typed: &Typed,
) -> String {
    let wait = (resend_at - now.to_utc()).num_seconds();
    let when = u64::try_from(wait).ok().filter(|wait| *wait > 0);
    let when = when.map(|wait| format!(" (in {}, in another terminal or after Ctrl-C)", time::span_s(wait)));
    let when = when.unwrap_or_else(|| " (in another terminal or after Ctrl-C)".into());
    format!("If none comes: {}{when}", typed.command("mfa --resend"))
}

/// The question for the code, with the time that is left. It is written anew every second, so it is short enough for every
/// terminal: a line that is wrapped cannot be written over.
pub fn code_prompt(mfa: &MfaStatus, now: DateTime<Utc>) -> String {
    let left = (mfa.expires_at - now).num_seconds().max(0);
    format!("Code ({:02}:{:02} left): ", left / 60, left % 60)
}

/// `status` for people.
pub fn status<Tz: TimeZone<Offset: Display>>(
    status: &Status,
    now: &DateTime<Tz>,
    paint: Paint,
    typed: &Typed,
) -> String {
    let mut page = Page { now, paint, typed, text: String::new(), told: Vec::new() };
    if waits_for_its_key(status) {
        page.text.push_str("The accounts are not known before the vault is open.\n");
    } else if status.accounts.is_empty() {
        page.text.push_str("No account yet.\n");
        page.next_login(&typed.command("login"), &typed.command("login --browser"));
        page.text.push('\n');
    }
    for account in &status.accounts {
        page.account(account);
        page.text.push('\n');
    }
    for trouble in &status.troubles {
        page.trouble(trouble);
    }
    let up = time::span(now.to_utc() - status.started_at);
    let daemon = format!("garminsyncd {}, process {}, up {up}", clean(&status.version), status.pid);
    page.text.push_str(&paint.dim(&daemon));
    page.text.push('\n');
    page.text
}

/// Whether the daemon cannot see its accounts yet, because the key of its vault is in a keyring that is locked.
pub fn waits_for_its_key(status: &Status) -> bool {
    status.troubles.iter().any(|trouble| trouble.kind == "vault.locked")
}

/// Whether nothing is known of an account's mirror: no run ever read for it, and none can. How much is to be read nobody knows then.
fn is_untouched(account: &AccountStatus) -> bool {
    let sync = &account.sync;
    let read = sync.newest_day.is_some() || sync.last_ok_at.is_some() || sync.last_error.is_some();
    !read && sync.state == SyncState::Idle && account.state != AccountState::Active
}

struct Page<'a, Tz: TimeZone> {
    now: &'a DateTime<Tz>,
    paint: Paint,
    typed: &'a Typed,
    text: String,
    /// Commands that were told already: a trouble often has the hint its account's state has.
    told: Vec<String>,
}

impl<Tz: TimeZone<Offset: Display>> Page<'_, Tz> {
    fn line(&mut self, label: &str, text: &str) {
        let label = self.paint.dim(&format!("{label:<10}"));
        let _ = writeln!(self.text, "  {label}{text}");
    }

    fn next(&mut self, command: &str) {
        if !self.told.iter().any(|told| told == command) {
            let bold = self.paint.bold(&clean(command));
            self.line("next", &bold);
            self.told.push(command.into());
        }
    }

    fn next_login(&mut self, login: &str, browser: &str) {
        self.next(&format!("{login}, or with your own browser: {browser}"));
        self.told.push(login.into());
    }

    fn account(&mut self, account: &AccountStatus) {
        let words = state_words(account.state);
        let state = match account.state {
            AccountState::Active => self.paint.green(words),
            AccountState::SigningIn | AccountState::AwaitingMfa | AccountState::CheckingCode => {
                self.paint.yellow(words)
            }
            AccountState::SignedOut | AccountState::LoginNeeded | AccountState::CoolingDown => self.paint.red(words),
        };
        let name = self.paint.bold(&clean(&account.name));
        let who = account.display_name.as_deref().map(|who| format!(" ({})", clean(who))).unwrap_or_default();
        let since = time::span(self.now.to_utc() - account.since);
        let _ = writeln!(self.text, "{name}{who}: {state} for {since}");
        if let Some(reason) = &account.reason {
            self.line("reason", &clean(reason));
        }
        self.need(account);
        if let Some(tier) = &account.tiers.account {
            self.tier("login", tier);
        }
        if let Some(tier) = &account.tiers.personal {
            self.tier("API key", tier);
        }
        // What the reason says is not said once more.
        let reason = account.reason.as_deref().map(|reason| reason.trim_end_matches('.'));
        let is_said = |text: &str| reason.is_some_and(|reason| !reason.is_empty() && text.starts_with(reason));
        self.sync(&account.sync, is_said);
        if !is_untouched(account) {
            self.mirror(&account.sync);
        }
        self.pace("account login", account.sync.queues.account.as_ref());
        self.pace("API key", account.sync.queues.personal.as_ref());
        for trouble in &account.troubles {
            match &trouble.hint {
                // It has nothing to add but what is safe, which stands above as well.
                Some(hint) if trouble.kind == "login.needed" && is_said(&trouble.text) => {
                    self.next(&self.typed.dressed(hint));
                }
                _ => self.trouble(trouble),
            }
        }
    }

    /// What the account needs from a person, and what is safe meanwhile.
    fn need(&mut self, account: &AccountStatus) {
        let login = self.typed.command_for(&account.name, "login");
        let browser = self.typed.command_for(&account.name, "login --browser");
        match account.state {
            AccountState::AwaitingMfa => {
                if let Some(mfa) = &account.mfa {
                    for (label, line) in ["code", ""].into_iter().zip(code_sent(mfa, self.now).lines()) {
                        self.line(label, line);
                    }
                }
                self.next(&self.typed.command_for(&account.name, "mfa"));
            }
            AccountState::SignedOut | AccountState::LoginNeeded => {
                if account.state == AccountState::LoginNeeded {
                    self.line("safe", "all data stay and can be read; syncs go on after the login");
                }
                match account.instead {
                    Some(WayIn::ApiKey) => {
                        // The daemon knows where the key belongs: no login brings one that the configuration keeps in a file.
                        let needed = account.troubles.iter().find(|trouble| trouble.kind == "login.needed");
                        let hint = needed.and_then(|trouble| trouble.hint.as_deref());
                        let login = || make_a_key(&self.typed.command_for(&account.name, "login --api-key-stdin"));
                        self.next(&hint.map_or_else(login, |hint| self.typed.dressed(hint)));
                    }
                    _ => self.next_login(&login, &browser),
                }
            }
            AccountState::CoolingDown => {
                let until = account.until.map(|until| format!(" until {}", time::clock(until, self.now)));
                self.line("waits", &format!("no sign-in is tried{}; all data stay", until.unwrap_or_default()));
                self.next(&browser);
                self.next(&format!("{login} (after that)"));
            }
            AccountState::Active => {
                if let Some(until) = account.until {
                    let until = time::clock(until, self.now);
                    self.line("waits", &format!("no sign-in by password is tried until {until}; syncs go on"));
                }
            }
            AccountState::SigningIn | AccountState::CheckingCode => {}
        }
    }

    fn tier(&mut self, label: &str, tier: &TierStatus) {
        let mut facts = Vec::new();
        if tier.state != AccountState::Active {
            facts.push(self.paint.red(state_words(tier.state)));
        }
        let mut ends = |what: &str, at: Option<DateTime<Utc>>| {
            if let Some(at) = at {
                let verb = if at > self.now.to_utc() { "ends" } else { "ended" };
                facts.push(format!("{what}{verb} {}", time::relative(at, self.now)));
            }
        };
        // What Garmin has ended has no end to come; the one it would have had is no comfort.
        if tier.state == AccountState::Active {
            ends("", tier.refresh_expires_at);
            ends("", tier.key_expires_at);
            ends("token ", tier.access_expires_at);
        }
        if let Some(at) = tier.last_refresh_at {
            facts.push(format!("renewed {}", time::relative(at, self.now)));
        }
        if facts.is_empty() {
            facts.push("works".into());
        }
        self.line(label, &facts.join(", "));
    }

    fn sync(&mut self, sync: &SyncStatus, is_said: impl Fn(&str) -> bool) {
        let mut facts = vec![match sync.state {
            SyncState::Idle => "idle".into(),
            SyncState::Running => {
                let share = sync.progress.map(|share| format!(" {:.0} %", share.clamp(0.0, 1.0) * 100.0));
                let dataset = sync.dataset.as_deref().map(|dataset| format!(" {}", clean(dataset)));
                format!("running{}{}", share.unwrap_or_default(), dataset.unwrap_or_default())
            }
            SyncState::Paused => match sync.paused_until {
                Some(until) => {
                    let until = time::clock(until, self.now);
                    format!("paused until {until}, because Garmin asked for it or did not answer")
                }
                None => "paused, because Garmin asked for it or did not answer".into(),
            },
        }];
        match sync.last_ok_at {
            Some(at) => facts.push(format!("last ok {}", time::relative(at, self.now))),
            None => facts.push("none has ended yet".into()),
        }
        // The schedule's next time is none while a pause is not over.
        if let Some(at) = sync.next_at.map(|next| next.max(sync.paused_until.unwrap_or(next))) {
            facts.push(format!("next {}", time::clock(at, self.now)));
        }
        self.line("sync", &facts.join(", "));
        if let Some(error) = sync.last_error.as_ref().filter(|error| !is_said(error)) {
            self.line("", &format!("last run: {}", clean(error)));
        }
    }

    fn mirror(&mut self, sync: &SyncStatus) {
        let mut facts = Vec::new();
        if let Some(day) = sync.newest_day {
            facts.push(format!("newest day {day}"));
        }
        if let Some(day) = sync.complete_from {
            facts.push(format!("complete from {day}"));
        }
        // What a mirror has never had is no gap yet, as long as nothing stopped the sync that brings it.
        let is_first = sync.last_ok_at.is_none() && (sync.state == SyncState::Running || sync.last_error.is_none());
        match sync.gaps.saturating_sub(sync.not_served.values().sum()) {
            0 if facts.is_empty() && sync.not_served.is_empty() => {}
            1 if is_first => facts.push("one day or file still to read".into()),
            gaps if gaps > 0 && is_first => facts.push(format!("{gaps} days and files still to read")),
            0 => facts.push("no gaps".into()),
            gaps => facts.push(self.paint.yellow(&count(gaps, "gap"))),
        }
        match sync.not_served.keys().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => {}
            [one] => facts.push(format!("{one} not served")),
            [one, other] => facts.push(format!("{one} and {other} not served")),
            ref more => facts.push(format!("{} datasets not served", more.len())),
        }
        facts.push(format!("{} today", count(sync.requests_today, "request")));
        self.line("mirror", &facts.join(", "));
    }

    /// How fast a tier is asked, where that is not as it usually is.
    fn pace(&mut self, tier: &str, queue: Option<&QueueStatus>) {
        let Some(queue) = queue else { return };
        let mut facts = Vec::new();
        let lately = queue.throttled_at.filter(|at| self.now.to_utc() - *at < TimeDelta::days(1));
        if let Some(at) = lately {
            let seconds = queue.gap_ms as f64 / 1000.0;
            facts.push(format!("slowed {} to one in {seconds:.2} s", time::relative(at, self.now)));
        }
        if let Some(left) = queue.budget_left.filter(|left| *left <= queue.requests_today / 4) {
            facts.push(format!("{} left today", count(left, "request")));
        }
        if !facts.is_empty() {
            self.line("pace", &format!("{tier}: {}", facts.join(", ")));
        }
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let since = time::relative(trouble.since, self.now);
        let text = format!("{} ({since})", self.paint.yellow(&clean(&trouble.text)));
        self.line("trouble", &text);
        if let Some(hint) = &trouble.hint {
            self.next(&self.typed.dressed(hint));
        }
    }
}

#[cfg(test)]
mod tests;
