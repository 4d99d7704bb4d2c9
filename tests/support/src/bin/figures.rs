//! `cargo figures`: the numbers of the README, measured here with the release programs against the fake Garmin. It reports; it
//! judges nothing.
#![expect(clippy::print_stdout, reason = "a report")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::Days;
use garminsync_test_support::fake::{FakeGarmin, Filter, Host, Options};
use garminsync_test_support::harness::{Binaries, Daemon, Home};
use garminsync_test_support::people::{self, Person, SignInMood};

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("The figures are read from /proc: run this on Linux.");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() -> ExitCode {
    match measure::all().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("No figures: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
mod measure {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::UnixStream;

    use super::*;

    const EMAIL: &str = "ana@example.org";
    const PASSWORD: &str = "figures";
    const DAYS: u64 = 365;
    const ACTIVITIES: usize = 300;
    const STARTS: usize = 20;
    const CALLS: usize = 2000;

    type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

    pub async fn all() -> Result<()> {
        let binaries = Binaries::build()?;
        let fake = FakeGarmin::start(Options::default()).await?;
        let today = people::today();
        fake.add(Person::named(EMAIL).password(PASSWORD).mood(SignInMood::Ok).lived(today, DAYS, ACTIVITIES));
        let start = today - Days::new(DAYS - 1);
        // Samples are left out: they make the first sync three times as long, and nothing else here different.
        let config = format!("[sync]\nschedule = \"*/30 * * * *\"\nstart = \"{start}\"\nintraday = false\n");
        let home = Home::new(&binaries, &format!("{}\nsign_in_pause_s = 0\n", fake.endpoints_toml()), &config)?;

        println!("| what | measured |\n|---|---|");
        println!("| start to first answer, median of {STARTS} | {:.0} ms |", starts(&home).await * 1000.0);

        let daemon = Daemon::start(&home).await;
        idle("freshly started, no account", daemon.pid()).await?;
        let words = ["login", "--email", EMAIL, "--password-stdin"];
        let login = home.ctl_with(&words, &format!("{PASSWORD}\n")).await;
        if login.code != 0 {
            return Err(login.stderr.into());
        }
        let began = Instant::now();
        let calls = latencies(&home).await?;
        synced(&home).await?;
        let took = began.elapsed().as_secs_f64();
        let sent = fake.count(&Filter::host(Host::Connectapi));
        let files = fake.count(&Filter::host(Host::Connectapi).path("/download-service/"));
        println!(
            "| first sync without samples, {DAYS} days and {ACTIVITIES} activities: data requests | {}, of them {files} for files |",
            sent - 1
        );
        println!("| first sync: wall time | {took:.0} s |");
        println!(
            "| `status` during that sync, {} calls | median {:.2} ms, p99 {:.2} ms |",
            calls.len(),
            at(&calls, 0.5),
            at(&calls, 0.99)
        );

        fake.forget_requests();
        synced(&home).await?;
        println!("| second sync: data requests | {} |", fake.count(&Filter::host(Host::Connectapi)));
        idle("after both syncs", daemon.pid()).await?;
        let size = std::fs::metadata(home.data_dir().join("garmin.db"))?.len();
        println!("| garmin.db after one year | {:.1} MB |", size as f64 / 1e6);
        daemon.terminate().await;
        Ok(())
    }

    async fn synced(home: &Home) -> Result<()> {
        let sync = home.ctl(&["sync", "--wait"]).await;
        if sync.code == 0 { Ok(()) } else { Err(sync.stderr.into()) }
    }

    async fn starts(home: &Home) -> f64 {
        let mut seconds = Vec::new();
        for _ in 0..STARTS {
            let began = Instant::now();
            let daemon = Daemon::start(home).await;
            seconds.push(began.elapsed().as_secs_f64());
            daemon.terminate().await;
        }
        seconds.sort_by(f64::total_cmp);
        at(&seconds, 0.5)
    }

    /// Milliseconds of `status` calls, one after the other on one connection, sorted.
    async fn latencies(home: &Home) -> Result<Vec<f64>> {
        let stream = UnixStream::connect(home.socket()).await?;
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        lines.next_line().await?;
        let (mut taken, mut began_running) = (Vec::new(), false);
        for id in 0..CALLS {
            let began = Instant::now();
            writer.write_all(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"status\"}}\n").as_bytes()).await?;
            let answer = lines.next_line().await?.ok_or("the daemon hung up")?;
            taken.push(began.elapsed().as_secs_f64() * 1000.0);
            let is_running = answer.contains("\"running\"");
            if began_running && !is_running {
                break;
            }
            began_running |= is_running;
            // Spread over the sync, not to wait for anything.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        taken.sort_by(f64::total_cmp);
        Ok(taken)
    }

    fn at(sorted: &[f64], share: f64) -> f64 {
        let last = sorted.len().saturating_sub(1);
        sorted.get(((last as f64) * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    async fn idle(when: &str, pid: u32) -> Result<()> {
        const WATCHED: Duration = Duration::from_secs(20);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let before = switches(pid)?;
        tokio::time::sleep(WATCHED).await;
        let per_second = (switches(pid)? - before) as f64 / WATCHED.as_secs_f64();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rss = number_after(&status, "VmRSS:").unwrap_or(0) as f64 / 1024.0;
        let own = number_after(&status, "RssAnon:").unwrap_or(0) as f64 / 1024.0;
        println!("| idle, {when}: memory (RSS; of it not shared with files) | {rss:.1} MB; {own:.1} MB |");
        println!("| idle, {when}: context switches a second | {per_second:.1} |");
        Ok(())
    }

    fn switches(pid: u32) -> Result<u64> {
        let mut sum = 0;
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let status = std::fs::read_to_string(task?.path().join("status"))?;
            sum += number_after(&status, "\nvoluntary_ctxt_switches:").unwrap_or(0);
            sum += number_after(&status, "\nnonvoluntary_ctxt_switches:").unwrap_or(0);
        }
        Ok(sum)
    }

    fn number_after(text: &str, label: &str) -> Option<u64> {
        text.split(label).nth(1)?.split_whitespace().next()?.parse().ok()
    }
}
