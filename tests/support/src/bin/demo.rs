//! `cargo demo`: a newcomer's tour without a Garmin account. A fake Garmin and a daemon in a temporary folder; a login with a code,
//! a first sync, `status`, one SQL query. Exits 0 and leaves nothing behind; `--auto` types by itself.
#![expect(clippy::print_stdout, reason = "a tour talks")]

use std::io::IsTerminal;
use std::process::{ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use clap::Parser;
use garminsync_test_support::fake::{FakeGarmin, Knobs, Mail, Options};
use garminsync_test_support::harness::{Binaries, Daemon, Home, PATIENCE};
use garminsync_test_support::people::{self, Person, SignInMood};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const EMAIL: &str = "ana@example.org";
const PASSWORD: &str = "demo";
const QUERY: &str =
    "SELECT substr(start_local, 1, 7) AS month, count(*) AS runs, round(sum(distance_m) / 1000, 1) AS km
    FROM activity WHERE type = 'running' GROUP BY month ORDER BY month DESC LIMIT 6";

/// A tour of garminsync with a pretend Garmin
#[derive(Parser)]
#[command(name = "cargo demo")]
struct Args {
    /// Type everything by itself
    #[arg(long)]
    auto: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let by_itself = args.auto || !std::io::stdin().is_terminal();
    match tour(by_itself).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nThe tour ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn tour(by_itself: bool) -> Result<(), Box<dyn std::error::Error>> {
    println!("Building the two programs …");
    let binaries = Binaries::build()?;
    let (deliver, letterbox) = mpsc::channel();
    let knobs = Knobs { latency: Duration::from_millis(5), ..Knobs::default() };
    let options = Options { knobs, on_mail: Some(mailman(deliver)), ..Options::default() };
    let fake = FakeGarmin::start(options).await?;
    let person = Person::named(EMAIL).password(PASSWORD).mood(SignInMood::MfaEmail);
    fake.add(person.lived(people::today(), 365, 150));
    let home = Home::new(&binaries, &format!("{}\nsign_in_pause_s = 0\n", fake.endpoints_toml()), "")?;
    println!(
        "A pretend Garmin listens at {}, and everything else lives in {}.",
        fake.base_url(),
        home.path().display()
    );
    let daemon = Daemon::start(&home).await;
    println!("garminsyncd runs (process {}). Ana has a year of data at Garmin and nothing here.\n", daemon.pid());

    // Whatever ends the tour, the daemon ends with it and the folder goes.
    let toured = tokio::select! {
        toured = walk(&home, &letterbox, by_itself) => toured,
        () = interrupted() => Err("it was interrupted".into()),
    };
    let stopped = daemon.terminate().await;
    toured?;
    println!("\ngarminsyncd has stopped ({stopped}); the folder goes with this program.");
    Ok(())
}

/// Waits for Ctrl-C, for a request to end, or for the terminal to be closed.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let wait = |kind| async move {
            match signal(kind) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wait(SignalKind::interrupt()) => {}
            () = wait(SignalKind::terminate()) => {}
            () = wait(SignalKind::hangup()) => {}
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
}

async fn walk(
    home: &Home,
    letterbox: &mpsc::Receiver<String>,
    by_itself: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    if by_itself {
        shown("garminsyncctl login --email ana@example.org --password-stdin --code-stdin");
        let mut login = ctl(home, &["login", "--email", EMAIL, "--password-stdin", "--code-stdin"]);
        let mut login = login.stdin(Stdio::piped()).spawn()?;
        let mut keyboard = login.stdin.take().ok_or("no keyboard")?;
        keyboard.write_all(format!("{PASSWORD}\n").as_bytes()).await?;
        let code = tokio::task::block_in_place(|| letterbox.recv_timeout(PATIENCE))?;
        keyboard.write_all(format!("{code}\n").as_bytes()).await?;
        drop(keyboard);
        if !login.wait().await?.success() {
            return Err("the login failed".into());
        }
    } else {
        println!("Ana's password is \"{PASSWORD}\"; the code will come by \"mail\", right here.");
        run(home, &["login", "--email", EMAIL]).await?;
    }
    run(home, &["sync", "--wait"]).await?;
    run(home, &["status"]).await?;
    shown("sqlite3 garmin.db");
    query(home)?;
    Ok(())
}

/// The fake's mail: shown to the person, and kept for `--auto`.
fn mailman(deliver: mpsc::Sender<String>) -> garminsync_test_support::fake::OnMail {
    std::sync::Arc::new(move |mail: &Mail| {
        println!("\n    +-- mail to {} --------------------", mail.sent_to);
        println!("    | Your Garmin security code is {}", mail.code);
        println!("    +--------------------------------------------------");
        let _ = deliver.send(mail.code.clone());
    })
}

fn shown(command: &str) {
    println!("\n$ {command}");
}

fn ctl(home: &Home, words: &[&str]) -> Command {
    let mut command = home.command(home.ctl_program());
    command.args(words).env("TERM", std::env::var_os("TERM").unwrap_or_else(|| "dumb".into()));
    command
}

async fn run(home: &Home, words: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    shown(&format!("garminsyncctl {}", words.join(" ")));
    let status = ctl(home, words).status().await?;
    if status.success() { Ok(()) } else { Err(format!("it ended with {status}").into()) }
}

fn query(home: &Home) -> rusqlite::Result<()> {
    println!("sqlite> {QUERY};");
    let database = home.database()?;
    let mut statement = database.prepare(QUERY)?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, f64>(2)?)))?;
    println!("{:<9}{:>6}{:>9}", "month", "runs", "km");
    for row in rows {
        let (month, runs, km) = row?;
        println!("{month:<9}{runs:>6}{km:>9.1}");
    }
    Ok(())
}
