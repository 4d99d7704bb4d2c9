//! `cargo mirror-bench`: what a mirror costs Garmin and this machine, measured with real programs against the fake Garmin: a first sync, a
//! second one, a rebuild, and how well the archive compresses. A table for people on stdout, and the same as JSON with `--json`. It
//! reports; it judges nothing. Linux only, because it reads `/proc`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use chrono::{Days, Utc};
use clap::Parser;
use garminsync_test_support::fake::{FakeGarmin, Host, Options, Rate};
use garminsync_test_support::harness::{Binaries, Daemon, Home, run};
use garminsync_test_support::people::{Person, SignInMood};
use serde::Serialize;

const EMAIL: &str = "ana@example.org";
const PASSWORD: &str = "bench";
/// Ticks a second of `/proc`'s clock, on every Linux there is.
const TICKS: f64 = 100.0;
/// zstd's level in the archive.
const LEVEL: i32 = 3;
/// The size of a dictionary, as zstd's own tool makes them.
const DICTIONARY: usize = 112_640;

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
    /// Activities a year
    #[arg(long, default_value_t = 300)]
    activities: usize,
    /// Requests a second that the policy allows; what is faster is answered 429
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
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

#[derive(Debug, Serialize)]
struct Figures {
    years: u64,
    latency_ms: u64,
    requests: u64,
    /// By route: how many, and the smallest number that Garmin's caps allow, where it is known.
    routes: BTreeMap<String, (u64, Option<u64>)>,
    throttled: usize,
    wall_s: f64,
    /// The time in which the policy allows so many requests.
    policy_s: f64,
    cpu_s: f64,
    peak_mb: f64,
    database_mb_per_year: f64,
    second_requests: u64,
    rebuilt_rows: u64,
    rebuild_s: f64,
    archive: Vec<Archive>,
}

/// The archived answers of one dataset, in bytes.
#[derive(Debug, Serialize)]
struct Archive {
    dataset: String,
    answers: u64,
    plain: u64,
    compressed: u64,
    /// With a dictionary trained on every other answer, the dictionary included; absent where there are too few to train one.
    with_dictionary: Option<u64>,
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
            eprintln!("{years} years, {latency} ms …");
            let figures = one(args, &binaries, *years, *latency).await?;
            print(&figures);
            all.push(figures);
        }
    }
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

async fn one(args: &Args, binaries: &Binaries, years: u64, latency: u64) -> Result<Figures> {
    let fake = FakeGarmin::start(Options::default()).await?;
    let (days, activities) = (365 * years, args.activities * usize::try_from(years)?);
    let today = Utc::now().date_naive();
    fake.add(Person::named(EMAIL).password(PASSWORD).mood(SignInMood::Ok).lived(today, days, activities));
    let start = today - Days::new(days - 1);
    let config = format!("[sync]\nschedule = \"\"\nstart = \"{start}\"\n{}\n", args.config);
    let home = Home::new(binaries, &format!("{}\nsign_in_pause_s = 0\n", fake.endpoints_toml()), &config)?;
    let daemon = Daemon::start(&home).await;
    fake.knobs(|knobs| {
        knobs.latency = Duration::from_millis(latency);
        knobs.rate = Some(Rate { per_second: args.rate, burst: args.rate, in_flight: 4, retry_after_s: Some(1) });
    });
    let login = home.ctl_with(&["login", "--email", EMAIL, "--password-stdin"], &format!("{PASSWORD}\n")).await;
    if login.code != 0 {
        return Err(login.stderr.into());
    }
    let began = Instant::now();
    synced(&home).await?;
    let wall_s = began.elapsed().as_secs_f64();
    let (cpu_s, peak_mb) = (cpu(daemon.pid())?, peak(daemon.pid())?);
    let throttled = fake.throttled();
    let routes = routes(&fake, days, activities as u64);
    let requests = routes.values().map(|(sent, _)| sent).sum();

    fake.forget_requests();
    synced(&home).await?;
    let second_requests = data_requests(&fake).map(|(_, sent)| sent).sum();
    daemon.terminate().await;

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
        requests,
        routes,
        throttled,
        wall_s,
        policy_s: requests as f64 / args.rate,
        cpu_s,
        peak_mb,
        database_mb_per_year,
        second_requests,
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

fn data_requests(fake: &FakeGarmin) -> impl Iterator<Item = (String, u64)> {
    let counts = fake.counts().into_iter();
    counts
        .filter(|((host, _), _)| matches!(host, Host::Connectapi | Host::Personal))
        .map(|((_, route), sent)| (route, sent))
}

/// How often each route was asked, and the fewest requests that its caps allow: garmin-connect.md, the account tier.
fn routes(fake: &FakeGarmin, days: u64, activities: u64) -> BTreeMap<String, (u64, Option<u64>)> {
    let mut files = 0;
    fake.live(EMAIL, |life| {
        files = life.activities().iter().filter(|one| life.original(one.activity_id).is_some()).count() as u64;
    });
    let fewest = |route: &str| {
        Some(match route {
            _ if route.contains("/dailysummaries") => days.div_ceil(31),
            _ if route.contains("/stats/sleep/") => days.div_ceil(28),
            _ if route.contains("/hrv/daily/") => days.div_ceil(367),
            _ if route.contains("/activities/search/") => activities / 1000 + 1,
            _ if route.contains("/download-service/files/activity/") => files,
            _ => return None,
        })
    };
    data_requests(fake).map(|(route, sent)| (route.clone(), (sent, fewest(&route)))).collect()
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

/// How well each dataset's answers compress, alone and with a dictionary. It is trained on half of them and tried on all, as it would be
/// for answers that come later.
fn archive(database: &Path) -> Result<Vec<Archive>> {
    let database = rusqlite::Connection::open(database)?;
    let mut statement = database.prepare("SELECT dataset, body FROM answer ORDER BY dataset")?;
    let mut bodies: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body = zstd::decode_all(row.get_ref(1)?.as_blob()?)?;
        bodies.entry(row.get(0)?).or_default().push(body);
    }
    let sum = |sizes: std::io::Result<Vec<usize>>| sizes.map(|sizes| sizes.iter().sum::<usize>() as u64);
    let measure = |(dataset, bodies): (String, Vec<Vec<u8>>)| -> Result<Archive> {
        let alone = bodies.iter().map(|body| zstd::bulk::compress(body, LEVEL).map(|body| body.len())).collect();
        let half: Vec<&[u8]> = bodies.iter().step_by(2).map(Vec::as_slice).collect();
        let with_dictionary = zstd::dict::from_samples(&half, DICTIONARY).ok().and_then(|dictionary| {
            let mut with = zstd::bulk::Compressor::with_dictionary(LEVEL, &dictionary).ok()?;
            let sizes = bodies.iter().map(|body| with.compress(body).map(|body| body.len())).collect();
            Some(sum(sizes).ok()? + dictionary.len() as u64)
        });
        let plain = bodies.iter().map(|body| body.len() as u64).sum();
        Ok(Archive { dataset, answers: bodies.len() as u64, plain, compressed: sum(alone)?, with_dictionary })
    };
    bodies.into_iter().map(measure).collect()
}

fn print(figures: &Figures) {
    let Figures { years, latency_ms, requests, routes, throttled, wall_s, policy_s, cpu_s, peak_mb, .. } = figures;
    println!("\n## {years} years, {latency_ms} ms\n\n| what | measured |\n|---|---|");
    println!("| requests of the first sync | {requests} |");
    println!("| answered 429 | {throttled} |");
    println!("| wall time; of what the policy allows | {wall_s:.1} s; {:.2} |", wall_s / policy_s.max(0.001));
    println!("| CPU time of the daemon | {cpu_s:.1} s |");
    println!("| peak memory (RSS) | {peak_mb:.1} MB |");
    println!("| garmin.db a year | {:.2} MB |", figures.database_mb_per_year);
    println!("| requests of a second sync | {} |", figures.second_requests);
    let (rows, seconds) = (figures.rebuilt_rows, figures.rebuild_s);
    println!("| rebuild | {rows} rows in {seconds:.2} s, {:.0} a second |", rows as f64 / seconds.max(0.001));
    println!("\n| route | requests | fewest |\n|---|---|---|");
    for (route, (sent, fewest)) in routes {
        println!("| {route} | {sent} | {} |", fewest.map_or_else(|| "?".into(), |fewest| fewest.to_string()));
    }
    println!("\n| archive | answers | plain | zstd {LEVEL} | with a dictionary |\n|---|---|---|---|---|");
    for one in &figures.archive {
        let with = one.with_dictionary.map_or_else(|| "too few".into(), |bytes| bytes.to_string());
        println!("| {} | {} | {} | {} | {with} |", one.dataset, one.answers, one.plain, one.compressed);
    }
}
