//! The fake Garmin: one process that plays `sso`, `diauth`, `connectapi` and the Personal tier under path prefixes
//! of one loopback address, refuses what Garmin refuses, misbehaves on request and counts everything.
//! Tests start it in-process, `fake-garmin` runs it as a program. It shares no code with the client it tests.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use garminsync_test_support::fake::{Effect, FakeGarmin, Filter, Host, Options, Rule};
//! use garminsync_test_support::people::{Person, SignInMood};
//!
//! let fake = FakeGarmin::start(Options::default()).await?;
//! fake.add(Person::named("ana@example.org").mood(SignInMood::MfaEmail));
//! fake.misbehave(Rule::does(Effect::throttled(60)).host(Host::Connectapi).skip(3).times(1));
//! // … a client signs in at fake.endpoints_toml() …
//! let code = &fake.mail("ana@example.org")[0].code;
//! assert_eq!(fake.count(&Filter::host(Host::Sso).path("api/login")), 1);
//! # Ok(()) }
//! ```

mod bucket;
mod codes;
mod control;
mod data;
mod diauth;
mod http;
mod knobs;
mod mfa;
mod personal;
mod rules;
mod seen;
mod server;
mod sessions;
mod sso;
mod tokens;
mod widget;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use http::Host;
pub use knobs::{Knobs, Rate, TokenForm};
pub use rules::{Body, Effect, Rule};
pub use seen::{Filter, Seen};
pub use world::{Mail, OnMail};

use crate::people::{Life, Person};
use diauth::Grant;
use server::{Server, Shared};
use world::World;

/// How a fake is started.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The knobs at the start.
    pub knobs: Knobs,
    /// Everything random (codes, tickets, token lives) follows from this.
    pub seed: u64,
    /// Called for every code that is sent.
    pub on_mail: Option<OnMail>,
}

impl Default for Options {
    /// A free loopback port, default knobs.
    fn default() -> Self {
        Options { listen: (Ipv4Addr::LOCALHOST, 0).into(), knobs: Knobs::default(), seed: 1, on_mail: None }
    }
}

/// Tokens handed out without a sign-in.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Bearer for connectapi.
    pub access: String,
    /// Refresh token.
    pub refresh: String,
    /// The client id both belong to.
    pub client_id: String,
    /// Seconds until the access token ends.
    pub expires_in_s: i64,
}

/// A running fake. Dropping it closes its port and every connection.
pub struct FakeGarmin {
    shared: Shared,
    server: Server,
}

impl FakeGarmin {
    /// Starts a fake that knows nobody yet.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(options: Options) -> io::Result<FakeGarmin> {
        Self::start_blocking(options)
    }

    /// [`FakeGarmin::start`] without a runtime: the fake brings its own.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start_blocking(options: Options) -> io::Result<FakeGarmin> {
        let shared = Shared::new(World::new(options.knobs, options.seed, options.on_mail));
        let server = Server::start(options.listen, shared.clone())?;
        Ok(FakeGarmin { shared, server })
    }

    /// Closes the port and every connection. What it saw can still be asked for.
    pub async fn stop(&mut self) {
        self.server.stop();
    }

    /// Listens again on the same port after [`FakeGarmin::stop`], with everything it knew.
    ///
    /// # Errors
    /// Somebody else has taken the port.
    pub async fn resume(&mut self) -> io::Result<()> {
        self.server.stop();
        self.server = Server::start(self.server.address, self.shared.clone())?;
        Ok(())
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The base URL of one host, such as `http://127.0.0.1:PORT/sso`.
    pub fn url(&self, host: Host) -> String {
        format!("{}/{}", self.base_url(), host.prefix())
    }

    /// The `[garmin.endpoints]` table for the daemon's configuration.
    pub fn endpoints_toml(&self) -> String {
        Host::ALL.iter().fold("[garmin.endpoints]\n".to_owned(), |toml, host| {
            toml + &format!("{} = \"{}\"\n", host.prefix(), self.url(*host))
        })
    }

    /// Takes somebody in; a person with the same address is replaced.
    pub fn add(&self, person: Person) {
        let mut world = self.shared.lock();
        world.people.retain(|known| !known.email.eq_ignore_ascii_case(&person.email));
        world.people.push(person);
    }

    /// A person as they are now, with all their data.
    pub fn person(&self, user: &str) -> Option<Person> {
        self.shared.lock().person(user).cloned()
    }

    /// Changes a person: mood, password, key, life. `None` if nobody has that address.
    pub fn change<R>(&self, user: &str, change: impl FnOnce(&mut Person) -> R) -> Option<R> {
        self.shared.lock().person_mut(user).map(change)
    }

    /// Changes a person's data: late uploads, edits, deletions.
    pub fn live<R>(&self, user: &str, change: impl FnOnce(&mut Life) -> R) -> Option<R> {
        self.change(user, |person| change(&mut person.life))
    }

    /// Every code that was sent to a person, oldest first.
    pub fn mail(&self, user: &str) -> Vec<Mail> {
        let world = self.shared.lock();
        world.mail.iter().filter(|mail| mail.user.eq_ignore_ascii_case(user)).cloned().collect()
    }

    /// Every request, in the order they came.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.lock().log.seen.clone()
    }

    /// How many requests there were of a kind.
    pub fn count(&self, filter: &Filter) -> usize {
        self.shared.lock().log.seen.iter().filter(|seen| filter.meets(seen)).count()
    }

    /// How many requests there were, by host and route.
    pub fn counts(&self) -> BTreeMap<(Host, String), u64> {
        self.shared.lock().log.counts()
    }

    /// The most requests to one host that were ever under way at once.
    pub fn most_in_flight(&self, host: Host) -> u32 {
        let world = self.shared.lock();
        world.log.seen.iter().filter(|seen| seen.host == host).map(|seen| seen.in_flight).max().unwrap_or(0)
    }

    /// How many requests were answered 429.
    pub fn throttled(&self) -> usize {
        self.count(&Filter::default().status(429))
    }

    /// Forgets the requests and the mail so far.
    pub fn forget_requests(&self) {
        let mut world = self.shared.lock();
        world.log.forget();
        world.mail.clear();
    }

    /// Turns knobs.
    pub fn knobs(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.shared.lock().knobs);
    }

    /// Adds a rule. The first rule that meets a request decides.
    pub fn misbehave(&self, rule: Rule) {
        self.shared.lock().rules.add(rule);
    }

    /// Takes all rules away.
    pub fn behave(&self) {
        self.shared.lock().rules.clear();
    }

    /// Moves the fake's clock: codes, tickets and tokens grow old.
    pub fn advance(&self, by: Duration) {
        self.shared.lock().advance(by);
    }

    /// The fake's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.lock().now()
    }

    /// A service ticket as if the person had signed in by browser.
    pub fn ticket(&self, user: &str, service_url: &str) -> String {
        self.shared.lock().issue_ticket(user, service_url, "cas")
    }

    /// Tokens as if the person had signed in.
    pub fn tokens(&self, user: &str) -> Issued {
        let mut world = self.shared.lock();
        let client_id = world.knobs.client_ids.first().cloned().unwrap_or_default();
        let answer = diauth::issue(&mut world, &Grant { user, client_id: &client_id, widget: false }, true);
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        Issued {
            access: text("access_token"),
            refresh: text("refresh_token"),
            client_id,
            expires_in_s: answer["expires_in"].as_i64().unwrap_or_default(),
        }
    }

    /// Every token that this fake has issued, good or not: what must not be found where secrets do not belong.
    pub fn tokens_issued(&self) -> Vec<String> {
        self.shared.lock().tokens.all().cloned().collect()
    }

    /// Ends a person's access tokens of the account tier; refresh tokens stay good.
    pub fn expire_access(&self, user: &str) {
        self.shared.lock().tokens.expire_access_of(user, false);
    }

    /// Ends a person's bearers of the Personal tier; the key stays good.
    pub fn expire_personal(&self, user: &str) {
        self.shared.lock().tokens.expire_access_of(user, true);
    }

    /// Revokes a person's refresh tokens, as a changed password does.
    pub fn revoke(&self, user: &str) {
        self.shared.lock().tokens.revoke_refresh_of(user);
    }
}
