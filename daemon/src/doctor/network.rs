//! Names, Garmin's hosts and the clock they tell. Each host is asked once, all at the same time, and not again for a minute: people who look for
//! a fault type the same command many times. It must not sign in.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use garminsync_garmin::{Domain, Garmin, Outcome, Probed, Service};
use garminsync_protocol::{Check, DEFAULT_ACCOUNT, KEY_PAGE};

use super::{Doctor, clock_of, failed, ok, skipped, warning};

/// How long an answer of Garmin's is good for.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// How long a name may take to be found.
const NAME_IN: Duration = Duration::from_secs(5);

/// A clock that is off by more makes tokens seem to end at the wrong time.
const OFF: TimeDelta = TimeDelta::seconds(60);
/// A clock that is off by more has every token look expired, or never expire.
const FAR_OFF: TimeDelta = TimeDelta::minutes(15);

/// One host, and what was heard of it.
#[derive(Clone)]
pub struct Heard {
    /// `sso`; with another region's name behind it, where accounts live in two.
    pub name: String,
    pub service: Service,
    pub host: String,
    /// Whether this machine finds its address by itself; a proxy may do so in its stead.
    pub resolves: Result<(), String>,
    pub probed: Probed,
}

impl Doctor {
    /// What Garmin's hosts say; of the last minute, if they were asked in it.
    pub(super) async fn hear(&self) -> Vec<Heard> {
        // Held meanwhile: who asks at the same time gets the same answers.
        let mut last = self.0.probed.lock().await;
        if let Some((at, heard)) = &*last
            && at.elapsed() < GOOD_FOR
        {
            return heard.clone();
        }
        let heard = join_all(self.hosts().into_iter().map(|(name, service, garmin)| async move {
            let (host, port) = garmin.host_of(service).unwrap_or_default();
            let (resolves, probed) = tokio::join!(resolves(&host, port), garmin.probe(service));
            Heard { name, service, host, resolves, probed }
        }))
        .await;
        *last = Some((Instant::now(), heard.clone()));
        heard
    }

    /// Every host of every region that an account lives in, once.
    fn hosts(&self) -> Vec<(String, Service, Garmin)> {
        let board = self.0.board.snapshot();
        let names = board.accounts.iter().map(|account| account.name.as_str()).chain([DEFAULT_ACCOUNT]);
        let mut clients: Vec<Garmin> = Vec::new();
        for client in names.filter_map(|name| (self.0.garmin)(name).ok()) {
            if !clients.iter().any(|known| known.endpoints() == client.endpoints()) {
                clients.push(client);
            }
        }
        let mut hosts = Vec::new();
        let mut bases = Vec::new();
        for (n, client) in clients.iter().enumerate() {
            for service in Service::ALL {
                let domain = client.endpoints().domain;
                let base = (service, client.host_of(service));
                // The Personal API exists at garmin.com only.
                if bases.contains(&base) || (service == Service::Personal && domain == Domain::Cn) {
                    continue;
                }
                bases.push(base);
                let name = service.as_str();
                let name = if n == 0 { name.to_owned() } else { format!("{name}.{domain}") };
                hosts.push((name, service, client.clone()));
            }
        }
        hosts
    }
}

async fn resolves(host: &str, port: u16) -> Result<(), String> {
    match tokio::time::timeout(NAME_IN, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(mut addresses)) => addresses.next().map(drop).ok_or_else(|| "it has no address".into()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", NAME_IN.as_secs())),
    }
}

/// Names, then one line a host.
pub fn checks(heard: &[Heard]) -> Vec<Check> {
    std::iter::once(names(heard)).chain(heard.iter().map(host)).collect()
}

fn names(heard: &[Heard]) -> Check {
    let lost: Vec<_> = heard.iter().filter_map(|heard| Some((heard, heard.resolves.as_ref().err()?))).collect();
    let Some((first, why)) = lost.first() else {
        return ok("dns", "the names of Garmin's hosts are found");
    };
    let text = format!("{} of {} names are not found: {} ({why})", lost.len(), heard.len(), first.host);
    if lost.iter().all(|(heard, _)| !matches!(heard.probed.outcome, Outcome::Unreachable(_))) {
        return ok("dns", format!("{text}; a proxy finds them"));
    }
    let hint =
        format!("look at the network and its name server, such as /etc/resolv.conf: getent hosts {}", first.host);
    failed("dns", text, hint)
}

fn host(heard: &Heard) -> Check {
    let Heard { name, service, host, probed, .. } = heard;
    let took = probed.took.as_millis();
    match &probed.outcome {
        Outcome::Through(status) => ok(name, format!("{host} lets this machine through (HTTP {status}, {took} ms)")),
        Outcome::Refused(status) if *service == Service::Sso => warning(
            name,
            format!(
                "{host} turns this machine's sign-ins away (HTTP {status}): it takes them for a robot's. A login that works goes on working"
            ),
            format!(
                "garminsyncctl login --browser; or make a key at {KEY_PAGE}, then: garminsyncctl login --api-key-stdin"
            ),
        ),
        Outcome::Refused(status) => {
            warning(name, format!("{host} refuses for now (HTTP {status})"), "wait an hour; the daemon waits by itself")
        }
        Outcome::Trouble(status) => warning(
            name,
            format!("{host} has trouble of its own (HTTP {status})"),
            "wait; the daemon tries again by itself. https://connect.garmin.com/status tells about outages",
        ),
        Outcome::Strange(status) => warning(
            name,
            format!("what answers for {host} is not what is known of it (HTTP {status})"),
            "look whether this network wants a login of its own, or a gateway in [garmin.endpoints] is wrong",
        ),
        Outcome::Unreachable(error) => failed(
            name,
            format!("{error}"),
            format!("look at the network, a firewall or a proxy (HTTPS_PROXY of the daemon): curl -I https://{host}/"),
        ),
    }
}

/// This machine's clock against Garmin's.
pub fn clock(heard: &[Heard], now: DateTime<Utc>) -> Option<Check> {
    let Some(off) = heard.iter().find_map(|heard| clock_of(&heard.probed)) else {
        return Some(skipped(
            "clock",
            format!("{} UTC; no host of Garmin's was there to compare", now.format("%F %T")),
        ));
    };
    let how = if off < TimeDelta::zero() { "behind" } else { "ahead of" };
    let text = format!("the clock is {} s {how} Garmin's", off.num_seconds().abs());
    let hint = "set the clock, and keep it right: timedatectl set-ntp true";
    Some(match off.abs() {
        off if off > FAR_OFF => failed("clock", text, hint),
        off if off > OFF => warning("clock", text, hint),
        _ => ok("clock", "the clock agrees with Garmin's"),
    })
}
