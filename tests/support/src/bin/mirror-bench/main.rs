//! `cargo mirror-bench`: what a mirror costs Garmin and this machine, measured with real programs against the fake Garmin: a first sync, a
//! second one, one by the schedule, a rebuild, the README's queries, and how well the archive compresses. A table for people on stdout, and
//! the same as JSON with `--json`. It reports; it judges nothing. Linux only, because it reads `/proc`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report")]

mod archive;
mod fewest;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use archive::{Archive, LEVEL, archive};
use chrono::Days;
use clap::{Parser, ValueEnum};
use garminsync_test_support::fake::{FakeGarmin, Host, Options, Rate, Seen};
use garminsync_test_support::harness::{Binaries, Daemon, Home, readme_queries, run};
use garminsync_test_support::people::{self, Person, SignInMood};
use serde::Serialize;

const EMAIL: &str = "ana@example.org";
const PASSWORD: &str = "bench";
/// Two syncs by a schedule of each minute have ended by then.
const TICKS_AT_LATEST: Duration = Duration::from_secs(600);
/// Ticks a second of `/proc`'s clock, on every Linux there is.
const TICKS: f64 = 100.0;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measures what a mirror costs Garmin and this machine.
#[derive(Debug, Parser)]
struct Args {
    /// Years of life, one bench each
    #[arg(long, value_delimiter = ',', default_value = "1,10")]
    years: Vec<u64>,
    /// Milliseconds that every answer of Garmin takes, one bench each
    #[arg(long, value_delimiter = ',', default_value = "0,50,150")]
    latency: Vec<u64>,
    /// How Ana signs in, one bench each
    #[arg(long, value_enum, value_delimiter = ',', default_value = "account")]
    tier: Vec<Tier>,
    /// Also the samples within the day
    #[arg(long)]
    samples: bool,
    /// Leave it to the daemon to find the first day with data
    #[arg(long)]
    auto: bool,
    /// Activities a year
    #[arg(long, default_value_t = 300)]
    activities: usize,
    /// Requests a second that the policy allows; what is faster is answered 429
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// Least seconds between two data requests of the daemon, instead of what it would leave Garmin
    #[arg(long)]
    gap: Option<f64>,
    /// Leave out what takes minutes: the tick of the schedule
    #[arg(long)]
    no_tick: bool,
    /// More TOML for the daemon's configuration
    #[arg(long, default_value = "")]
    config: String,
    /// Where garminsyncd and garminsyncctl are; built in the release profile when absent
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Write the figures here too, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Tier {
    /// By a Personal API key alone
    Personal,
    /// By e-mail and password alone
    Account,
    /// By both
    Both,
}

/// Nothing is mirrored while Ana signs in with both: else the first of them would be asked for everything.
const NOTHING: &str = "[sync]\nschedule = \"\"\n[datasets]\nwellness = false\ntraining = false\nbody = false\ninventory = false\n\
    activity = false\nsamples = false\n";

#[derive(Debug, Serialize)]
struct Figures {
    years: u64,
    latency_ms: u64,
    tier: Tier,
    samples: bool,
    requests: u64,
    /// By dataset: how many, and the smallest number that Garmin's caps allow, where it is known.
    routes: BTreeMap<String, (u64, Option<u64>)>,
    throttled: usize,
    wall_s: f64,
    /// The time in which the policy allows so many requests.
    policy_s: f64,
    cpu_s: f64,
    peak_mb: f64,
    database_mb_per_year: f64,
    /// Of a sync that somebody asks for, right after the first.
    second_requests: u64,
    /// Of a sync that the schedule starts, with nothing new since the last one.
    tick_requests: Option<u64>,
    /// Milliseconds of each query of the README.
    queries: Vec<(String, f64)>,
    rebuilt_rows: u64,
    rebuild_s: f64,
    archive: Vec<Archive>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match bench(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("No figures: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(args: &Args) -> Result<()> {
    let binaries = match &args.programs {
        Some(dir) => {
            let dir = dir.canonicalize()?;
            Binaries { daemon: dir.join("garminsyncd"), ctl: dir.join("garminsyncctl") }
        }
        None => Binaries::build()?,
    };
    let mut all = Vec::new();
    for years in &args.years {
        for latency in &args.latency {
            for tier in &args.tier {
                eprintln!("{years} years, {latency} ms, {tier:?} …");
                let figures = one(args, &binaries, *years, *latency, *tier).await?;
                print(&figures);
                all.push(figures);
            }
        }
    }
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

async fn one(args: &Args, binaries: &Binaries, years: u64, latency: u64, tier: Tier) -> Result<Figures> {
    let fake = FakeGarmin::start(Options::default()).await?;
    let (days, activities) = (365 * years, args.activities * usize::try_from(years)?);
    let today = people::today();
    fake.add(Person::named(EMAIL).password(PASSWORD).mood(SignInMood::Ok).lived(today, days, activities));
    let start = today - Days::new(days - 1);
    let config = |schedule: &str| {
        let Args { samples, config, .. } = args;
        let start = if args.auto { "auto".into() } else { start.to_string() };
        format!(
            "[sync]\nschedule = \"{schedule}\"\nstart = \"{start}\"\ndaily_requests = 0\nintraday = {samples}\n{config}\n"
        )
    };
    let gap = args.gap.map(|gap| format!("request_gap_s = {gap}\n")).unwrap_or_default();
    let endpoints = format!("{}sign_in_pause_s = 0\n{gap}", fake.endpoints_toml());
    let home = Home::new(binaries, &endpoints, &if tier == Tier::Both { NOTHING.into() } else { config("") })?;
    let mut daemon = Daemon::start(&home).await;
    fake.knobs(|knobs| {
        knobs.latency = Duration::from_millis(latency);
        knobs.rate = Some(Rate { per_second: args.rate, burst: args.rate, in_flight: 4, retry_after_s: Some(1) });
    });
    let person = fake.person(EMAIL).ok_or("nobody")?;
    let by_key = (["login", "--api-key-stdin", "--expires", "365"], person.api_key.as_str());
    let by_password = (["login", "--email", EMAIL, "--password-stdin"], PASSWORD);
    let logins = match tier {
        Tier::Account => vec![by_password],
        Tier::Personal => vec![by_key],
        Tier::Both => vec![by_key, by_password],
    };
    for (words, secret) in logins {
        let login = home.ctl_with(&words, &format!("{secret}\n")).await;
        if login.code != 0 {
            return Err(login.stderr.into());
        }
    }
    if tier == Tier::Both {
        synced(&home).await?;
        daemon.terminate().await;
        std::fs::write(home.config_file(), format!("{endpoints}\n{}", config("")))?;
        fake.forget_requests();
        daemon = Daemon::start(&home).await;
    }
    let began = Instant::now();
    synced(&home).await?;
    let wall_s = began.elapsed().as_secs_f64();
    let (cpu_s, peak_mb) = (cpu(daemon.pid())?, peak(daemon.pid())?);
    let throttled = fake.throttled();
    let seen = data_requests(&fake);
    let span = fewest::Span { first: start, last: today, found: args.auto };
    let routes = fewest::compare(&seen, &person.life, span);
    let requests = seen.len() as u64;

    fake.forget_requests();
    synced(&home).await?;
    let second_requests = data_requests(&fake).len() as u64;
    daemon.terminate().await;
    let tick_requests = if args.no_tick {
        None
    } else {
        std::fs::write(home.config_file(), format!("{endpoints}\n{}", config("* * * * *")))?;
        Some(tick(&home, &fake).await?)
    };

    let database = home.data_dir().join("garmin.db");
    let database_mb_per_year = std::fs::metadata(&database)?.len() as f64 / 1e6 / years as f64;
    let mut command = home.command(home.daemon_program());
    command.arg("--rebuild");
    let began = Instant::now();
    let rebuilt = run(command, "").await;
    let rebuild_s = began.elapsed().as_secs_f64();
    if rebuilt.code != 0 {
        return Err(rebuilt.stderr.into());
    }
    Ok(Figures {
        years,
        latency_ms: latency,
        tier,
        samples: args.samples,
        requests,
        routes,
        throttled,
        wall_s,
        policy_s: requests as f64 / args.rate,
        cpu_s,
        peak_mb,
        database_mb_per_year,
        second_requests,
        tick_requests,
        queries: queries(&database)?,
        rebuilt_rows: projected_rows(&database)?,
        rebuild_s,
        archive: archive(&database)?,
    })
}

/// Starts a sync, or joins the one that the login has started, and waits for its end, as long as it takes.
async fn synced(home: &Home) -> Result<()> {
    let mut command = home.command(home.ctl_program());
    let ended = command.args(["sync", "--wait"]).stdin(Stdio::null()).output().await?;
    if ended.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ended.stderr).into()) }
}

/// The requests of the second sync that the schedule starts: the first one reads what the restart left open.
async fn tick(home: &Home, fake: &FakeGarmin) -> Result<u64> {
    let daemon = Daemon::start(home).await;
    let mut ended = Vec::new();
    let began = Instant::now();
    while ended.len() < 2 {
        if began.elapsed() > TICKS_AT_LATEST {
            return Err("the schedule starts no syncs".into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let history = home.ctl(&["history", "--last", "5", "--json"]).await.json();
        let runs = history["runs"].as_array().cloned().unwrap_or_default();
        let scheduled = runs.iter().filter(|run| run["trigger"] == "schedule" && run["ended_at"].is_string());
        let known = ended.len();
        ended = scheduled.map(|run| run["sync"].clone()).collect();
        if known == 0 && ended.len() == 1 {
            fake.forget_requests();
        }
    }
    let sent = data_requests(fake).len() as u64;
    daemon.terminate().await;
    Ok(sent)
}

/// What the data hosts were asked.
fn data_requests(fake: &FakeGarmin) -> Vec<Seen> {
    fake.requests().into_iter().filter(|seen| matches!(seen.host, Host::Connectapi | Host::Personal)).collect()
}

/// How long each query of the README takes, all its rows read: the best of three, as the page cache is warm when somebody plays with it.
fn queries(database: &Path) -> Result<Vec<(String, f64)>> {
    let database = rusqlite::Connection::open(database)?;
    let mut times = Vec::new();
    for query in readme_queries()? {
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let began = Instant::now();
            let mut statement = database.prepare(&query.sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            best = best.min(began.elapsed().as_secs_f64() * 1000.0);
        }
        times.push((query.title, best));
    }
    Ok(times)
}

fn cpu(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).ok_or("no CPU time in /proc");
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

fn peak(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kilobytes = status.split("VmHWM:").nth(1).and_then(|rest| rest.split_whitespace().next()).ok_or("no VmHWM")?;
    Ok(kilobytes.parse::<f64>()? / 1024.0)
}

fn projected_rows(database: &Path) -> Result<u64> {
    let database = rusqlite::Connection::open(database)?;
    let mut statement = database.prepare("SELECT tables FROM projection")?;
    let tables = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<std::result::Result<Vec<_>, _>>()?;
    let mut rows = 0;
    for table in tables.iter().flat_map(|tables| tables.split(',')) {
        rows += database.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get::<_, i64>(0))?;
    }
    Ok(rows.unsigned_abs())
}

fn print(figures: &Figures) {
    let Figures { years, latency_ms, tier, requests, routes, throttled, wall_s, policy_s, cpu_s, peak_mb, .. } =
        figures;
    let samples = if figures.samples { "with" } else { "without" };
    println!("\n## {years} years, {latency_ms} ms, {tier:?} tier, {samples} samples\n\n| what | measured |\n|---|---|");
    println!("| requests of the first sync | {requests} |");
    let fewest: u64 = routes.values().filter(|(sent, _)| *sent > 0).filter_map(|(_, fewest)| *fewest).sum();
    println!("| the fewest for what was asked | {fewest} |");
    println!("| answered 429 | {throttled} |");
    println!("| wall time; of what the policy allows | {wall_s:.1} s; {:.2} |", wall_s / policy_s.max(0.001));
    println!("| CPU time of the daemon | {cpu_s:.1} s |");
    println!("| peak memory (RSS) | {peak_mb:.1} MB |");
    println!("| garmin.db a year | {:.2} MB |", figures.database_mb_per_year);
    println!("| requests of a second sync, by hand | {} |", figures.second_requests);
    if let Some(tick) = figures.tick_requests {
        println!("| requests of a tick with nothing new | {tick} |");
    }
    let (rows, seconds) = (figures.rebuilt_rows, figures.rebuild_s);
    println!("| rebuild | {rows} rows in {seconds:.2} s, {:.0} a second |", rows as f64 / seconds.max(0.001));
    println!("\n| query | ms |\n|---|---|");
    for (title, ms) in &figures.queries {
        println!("| {title} | {ms:.1} |");
    }
    println!("\n| dataset | requests | fewest | ratio |\n|---|---|---|---|");
    for (dataset, (sent, fewest)) in routes {
        let fewest = fewest.filter(|fewest| *fewest > 0 || *sent == 0);
        let ratio = fewest.map_or_else(|| "?".into(), |fewest| format!("{:.2}", *sent as f64 / fewest.max(1) as f64));
        println!(
            "| {dataset} | {sent} | {} | {ratio} |",
            fewest.map_or_else(|| "?".into(), |fewest| fewest.to_string())
        );
    }
    println!("\n| archive | answers | plain | zstd {LEVEL} | with a dictionary |\n|---|---|---|---|---|");
    for one in &figures.archive {
        let with = one.with_dictionary.map_or_else(|| "too few".into(), |bytes| bytes.to_string());
        println!("| {} | {} | {} | {} | {with} |", one.dataset, one.answers, one.plain, one.compressed);
    }
}
