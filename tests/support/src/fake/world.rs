//! Everything the fake Garmin holds: people, sessions, tickets, tokens, mail, rules and log, behind one lock.
//! `server` asks it for replies, the handle (`FakeGarmin`) looks into it and changes it.
//! Replies are computed from the world and a request alone; nothing here waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use fastrand::Rng;
use serde::Serialize;

use super::bucket::Bucket;
use super::http::{Host, Reply, Request};
use super::knobs::{Knobs, Rate};
use super::rules::Rules;
use super::seen::Log;
use super::sessions::Session;
use super::tokens::TokenBook;
use super::{data, diauth, mfa, personal, sso};
use crate::people::Person;

/// One code that was "sent".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// When, by the fake's clock.
    pub at: DateTime<Utc>,
    /// Whose sign-in it belongs to.
    pub user: String,
    /// `email` or `sms`.
    pub method: String,
    /// The masked destination, as the login answer shows it.
    pub sent_to: String,
    /// The six digits.
    pub code: String,
}

/// Called for every code the moment it is sent.
pub type OnMail = Arc<dyn Fn(&Mail) + Send + Sync>;

/// A service ticket that was issued and not yet used.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub user: String,
    pub service_url: String,
    pub issued: DateTime<Utc>,
}

pub(crate) struct World {
    pub knobs: Knobs,
    pub people: Vec<Person>,
    pub sessions: HashMap<String, Session>,
    pub tickets: HashMap<String, Ticket>,
    /// Browsers that have signed in: `CASTGC` and whose it is.
    pub browsers: HashMap<String, String>,
    pub tokens: TokenBook,
    pub mail: Vec<Mail>,
    pub rules: Rules,
    pub log: Log,
    pub rng: Rng,
    on_mail: Option<OnMail>,
    ahead: Duration,
    buckets: BTreeMap<Host, (Rate, Bucket)>,
}

impl World {
    pub fn new(knobs: Knobs, seed: u64, on_mail: Option<OnMail>) -> World {
        World {
            knobs,
            people: Vec::new(),
            sessions: HashMap::new(),
            tickets: HashMap::new(),
            browsers: HashMap::new(),
            tokens: TokenBook::default(),
            mail: Vec::new(),
            rules: Rules::default(),
            log: Log::default(),
            rng: Rng::with_seed(seed),
            on_mail,
            ahead: Duration::ZERO,
            buckets: BTreeMap::new(),
        }
    }

    /// The fake's clock: the real one and what it was advanced by.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    pub fn advance(&mut self, by: Duration) {
        self.ahead += by;
    }

    pub fn person(&self, email: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.email.eq_ignore_ascii_case(email))
    }

    pub fn person_mut(&mut self, email: &str) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.email.eq_ignore_ascii_case(email))
    }

    pub fn send_mail(&mut self, mail: Mail) {
        if let Some(on_mail) = &self.on_mail {
            on_mail(&mail);
        }
        self.mail.push(mail);
    }

    pub fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| self.rng.digit(10)).collect()
    }

    pub fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| self.rng.alphanumeric()).collect()
    }

    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    /// A ticket for one service URL, good once and for a minute. JSON flows say `sso` at its end, pages `cas`.
    pub fn issue_ticket(&mut self, user: &str, service_url: &str, by: &str) -> String {
        let ticket = format!("ST-{}-{}-{by}", self.digits(7), self.letters(20));
        let issued = self.now();
        let entry = Ticket { user: user.to_owned(), service_url: service_url.to_owned(), issued };
        self.tickets.insert(ticket.clone(), entry);
        ticket
    }

    /// Whose request this is, as far as it can be told before anything is checked.
    pub fn user_of(&self, request: &Request) -> Option<String> {
        let person = |email: &str| self.person(email).map(|person| person.email.clone());
        match request.host {
            Host::Sso => {
                let named = request.json().and_then(|body| body["username"].as_str().and_then(person));
                let form = request.form();
                let named = named.or_else(|| person(form.get("username")?));
                let cookies = request.cookies();
                let known = named.or_else(|| self.sessions.get(cookies.get("SESSION")?)?.user());
                known.or_else(|| self.browsers.get(cookies.get("CASTGC")?).cloned())
            }
            Host::Diauth => {
                let form = request.form();
                let by_ticket = form.get("service_ticket").and_then(|ticket| self.tickets.get(ticket));
                let by_token = || self.tokens.owner_of_refresh(form.get("refresh_token")?);
                by_ticket.map(|ticket| ticket.user.clone()).or_else(by_token)
            }
            Host::Connectapi | Host::Personal => {
                let by_token = request.bearer().and_then(|token| self.tokens.owner_of_access(token));
                let key = request.header("authorization").and_then(|value| value.strip_prefix("ApiKey "));
                let by_key = || self.people.iter().find(|person| Some(person.api_key.as_str()) == key);
                by_token.or_else(|| by_key().map(|person| person.email.clone()))
            }
        }
    }

    /// What Garmin answers; changes the world as Garmin's would.
    pub fn answer(&mut self, request: &Request) -> Reply {
        if let Some(refusal) = self.too_fast(request) {
            return refusal;
        }
        match request.host {
            Host::Sso if request.path.contains("/mfa/") => mfa::answer(self, request),
            Host::Sso => sso::answer(self, request),
            Host::Diauth => diauth::answer(self, request),
            Host::Connectapi => data::account(self, request),
            Host::Personal => personal::answer(self, request),
        }
    }

    fn too_fast(&mut self, request: &Request) -> Option<Reply> {
        let rate = self.knobs.rate?;
        if !matches!(request.host, Host::Connectapi | Host::Personal) {
            return None;
        }
        let now = self.now();
        let crowded = self.log.in_flight(request.host) > rate.in_flight;
        let fresh = || (rate, Bucket::full(rate, now));
        let (known, bucket) = self.buckets.entry(request.host).or_insert_with(fresh);
        if *known != rate {
            // Another policy begins with a rest.
            (*known, *bucket) = fresh();
        }
        if !crowded && bucket.take(rate, now) {
            return None;
        }
        let refusal = Reply::exception(429);
        Some(match rate.retry_after_s {
            Some(seconds) => refusal.with("retry-after", seconds.to_string()),
            None => refusal,
        })
    }
}
