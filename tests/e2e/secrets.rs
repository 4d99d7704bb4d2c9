//! Secrets stay put: what a whole life of logins and syncs leaves behind, and what everybody can see of the programs meanwhile, is searched for
//! every secret that took part.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use garminsync_test_support::fake::{Effect, Host, Rule, Seen};
use garminsync_test_support::harness::{Daemon, Ran, until};
use garminsync_test_support::people::{SignInFlow, SignInMood};
use serde_json::json;

use crate::stage::{ANA, PASSWORD, Stage, ana};

/// Every secret that took part, and everything that was said.
#[derive(Default)]
struct Search {
    secrets: Vec<String>,
    /// Six digits may stand by chance in a database full of numbers; not in what we say.
    codes: Vec<String>,
    said: String,
}

impl Search {
    fn hears(&mut self, ran: &Ran) {
        self.said += &format!("{}\n{}\n", ran.stdout, ran.stderr);
    }

    /// Looks at a place; `words` if it is made of our words, in which a code has no business either.
    fn finds_nothing(&self, place: &str, bytes: &[u8], words: bool) {
        for secret in &self.secrets {
            assert!(!contains(bytes, secret), "a secret ({} bytes long) stands in {place}", secret.len());
        }
        if words {
            assert!(self.codes.iter().all(|code| !contains(bytes, code)), "a code stands in {place}");
        }
    }
}

fn contains(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// Looks, all the time, at what everybody on the machine can see of the processes of a home: the daemon, ctl, and the programs they run.
struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    thread: JoinHandle<()>,
}

impl Watch {
    fn start(home: &Path) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let (told, noted, mark) = (stop.clone(), seen.clone(), format!("HOME={}\0", home.display()));
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                for process in std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
                    let environ = std::fs::read(process.path().join("environ")).unwrap_or_default();
                    if contains(&environ, &mark) {
                        let cmdline = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
                        noted.lock().expect("a list").extend([environ, cmdline]);
                    }
                }
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        Self { stop, seen, thread }
    }

    fn end(self) -> Vec<u8> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it watched to the end");
        let seen = self.seen.lock().expect("a list");
        seen.iter().flat_map(|bytes| [bytes.as_slice(), b"\n"].concat()).collect()
    }
}

/// Where the programs of an unattended sign-in find what they print: outside of the home, which is searched.
struct Unattended(tempfile::TempDir);

impl Unattended {
    /// A stage where the daemon may sign Ana in by itself, by programs that live long enough to be looked at.
    async fn stage() -> (Stage, Self) {
        let place = tempfile::tempdir().expect("a directory");
        std::fs::write(place.path().join("password"), format!("{PASSWORD}\n")).expect("written");
        let program = |name: &str| {
            let file = place.path().join(name);
            format!("[\"sh\", \"-c\", \"while ! test -s {0}; do sleep 0.1; done; sleep 0.3; cat {0}\"]", file.display())
        };
        let config = format!(
            "[accounts.default]\nemail = \"{ANA}\"\npassword_command = {}\n[mfa]\ncommand = {}\n",
            program("password"),
            program("code")
        );
        (Stage::set(ana(SignInMood::MfaEmail), &config).await, Self(place))
    }

    /// Garmin ends the login, and the daemon makes another; its code.
    async fn signs_in(&self, stage: &Stage, steps: &mut Vec<Ran>) -> String {
        let mails = stage.fake.mail(ANA).len();
        stage.fake.revoke(ANA);
        stage.fake.expire_access(ANA);
        steps.push(stage.home.ctl(&["sync", "--wait", "--json"]).await);
        until("Garmin mails a code", || async { (stage.fake.mail(ANA).len() > mails).then_some(()) }).await;
        std::fs::write(self.0.path().join("code"), stage.code()).expect("written");
        stage.account_is("it is signed in again", |account| account["state"] == "active").await;
        stage.code()
    }
}

/// By the widget, the only door that is open, with a code that has to be asked for again.
async fn by_widget(stage: &Stage, steps: &mut Vec<Ran>) -> String {
    stage.fake.change(ANA, |ana| {
        for flow in [SignInFlow::Mobile, SignInFlow::Portal] {
            ana.moods.insert(flow, SignInMood::Throttled429);
        }
    });
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Sso).path("/sso/verifyMFA/mfaCode").times(1));
    steps.push(stage.login(PASSWORD, &["--json", "--no-wait"]).await);
    let mails = stage.fake.mail(ANA).len();
    steps.push(stage.home.ctl(&["mfa", "--resend", "--json"]).await);
    assert_eq!(stage.fake.mail(ANA).len(), mails + 1, "the resend sent one: {steps:?}");
    let enter = |seen: &Seen| seen.path.contains("/sso/verifyMFA/loginEnterMfaCode");
    steps.push(stage.home.ctl_with(&["mfa", "--json"], &format!("{}\n", stage.code())).await);
    assert!(stage.fake.requests().iter().any(enter), "the widget took the code");
    stage.fake.behave();
    stage.fake.change(ANA, |ana| ana.moods.clear());
    stage.idle().await;
    stage.code()
}

/// Each way in, once. A new way is a new line.
async fn every_way_in(stage: &Stage, unattended: &Unattended, search: &mut Search) {
    let mut steps: Vec<Ran> = vec![stage.login("wrong horse", &["--json", "--no-wait"]).await];
    steps.push(stage.login(PASSWORD, &["--json", "--no-wait"]).await);
    search.codes = vec![stage.wrong_code(), stage.code()];
    for code in &search.codes {
        steps.push(stage.home.ctl_with(&["mfa", "--json"], &format!("{code}\n")).await);
    }
    stage.idle().await;
    stage.fake.expire_access(ANA);
    steps.push(stage.home.ctl(&["sync", "--wait", "--json"]).await);
    search.codes.push(unattended.signs_in(stage, &mut steps).await);
    search.codes.push(by_widget(stage, &mut steps).await);
    let key = stage.fake.person(ANA).expect("a person").api_key;
    steps.push(stage.home.ctl_with(&["login", "--api-key-stdin", "--json"], &format!("{key}\n")).await);
    let service = "https://mobile.integration.garmin.com/gcm/android";
    let ticket = stage.fake.ticket(ANA, service);
    let address = format!("{service}?ticket={ticket}\n");
    steps.push(stage.home.ctl_with(&["login", "--browser", "--json"], &address).await);
    let tokens = stage.fake.tokens(ANA);
    let file = stage.home.path().join("garmin_tokens.json");
    let text = json!({"di_token": tokens.access, "di_refresh_token": tokens.refresh, "di_client_id": tokens.client_id});
    std::fs::write(&file, text.to_string()).expect("written");
    steps.push(stage.home.ctl(&["login", "--json", "--import", &file.display().to_string()]).await);
    std::fs::remove_file(&file).expect("removed");
    stage.idle().await;
    for words in [&["status"][..], &["status", "--json"], &["accounts", "--json"], &["doctor"], &["doctor", "--json"]] {
        steps.push(stage.home.ctl(words).await);
    }
    let good = steps.iter().filter(|ran| ran.code == 0).count();
    assert!(good >= 11, "the ways in were gone to their end: {steps:?}");
    search.secrets.extend([PASSWORD.to_owned(), "wrong horse".into(), key, ticket]);
    search.secrets.extend(stage.fake.tokens_issued());
    steps.iter().for_each(|ran| search.hears(ran));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere_it_should_not_be() {
    let (stage, unattended) = Unattended::stage().await;
    let mut search = Search::default();
    let watch = Watch::start(stage.home.path());
    let daemon = Daemon::start_with(&stage.home, &["--log", "trace"]).await;
    every_way_in(&stage, &unattended, &mut search).await;
    // As it stands on disk while the daemon runs, its journals and logs included.
    let running = files(stage.home.path());
    assert!(daemon.terminate().await.success());
    let processes = watch.end();
    let programs = unattended.0.path().join("password").display().to_string();
    for watched in ["garminsyncctl", "garminsyncd", programs.as_str(), "GARMINSYNC_MFA_METHOD=email"] {
        assert!(contains(&processes, watched), "{watched} was watched");
    }
    back_up(&stage).await;

    let vault_key = std::fs::read_to_string(stage.home.state_dir().join("vault.key")).expect("the key");
    search.secrets.push(vault_key.trim().to_owned());
    assert!(search.secrets.len() > 8, "tokens of both tiers took part");
    search.finds_nothing("what the programs said", search.said.as_bytes(), true);
    search.finds_nothing("/proc", &processes, true);
    search.finds_nothing("the log", stage.home.log().as_bytes(), false);
    let places = files(stage.home.path());
    assert!(
        places.iter().any(|(path, _)| path.parent().is_some_and(|dir| dir.ends_with("backups"))),
        "a copy was looked at"
    );
    for name in ["vault.db", "garmin.db"] {
        assert!(places.iter().any(|(path, _)| path.ends_with(name)), "{name} was looked at");
    }
    for (path, bytes) in running.iter().chain(&places) {
        if !path.ends_with("vault.key") {
            search.finds_nothing(&path.display().to_string(), bytes, false);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        assert!(!name.starts_with("core"), "a core file was written: {}", path.display());
    }
}

/// Makes the daemon copy the database as it does for a new release; what becomes of the change itself is of no interest here.
async fn back_up(stage: &Stage) {
    let hand = rusqlite::Connection::open(stage.home.data_dir().join("garmin.db")).expect("garmin.db");
    let schema: i64 = hand.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a schema");
    hand.pragma_update(None, "user_version", schema - 1).expect("an older schema");
    drop(hand);
    let copies = stage.home.data_dir().join("backups");
    let daemon = Daemon::spawn(&stage.home, &[]);
    until("there is a copy", || async {
        files(&copies).iter().any(|(path, _)| path.extension().is_some_and(|end| end == "db")).then_some(())
    })
    .await;
    daemon.kill().await;
}

/// The journal's native protocol has a socket of its own at a fixed place. A daemon that sees another /run talks to ours.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_journal() {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixDatagram;

    let (stage, unattended) = Unattended::stage().await;
    let may = stage.home.command("unshare").args(["-Urm", "true"]).output().await;
    if !may.is_ok_and(|ran| ran.status.success()) {
        eprintln!(
            "NOT TESTED: this machine lets nobody have a /run of their own (unshare -Urm), so no journal can be stood in for"
        );
        return;
    }
    let run = stage.home.path().join("run");
    let place = run.join("systemd/journal");
    std::fs::create_dir_all(&place).expect("a directory");
    let socket = UnixDatagram::bind(place.join("socket")).expect("a socket");
    let journal = Arc::new(Mutex::new(Vec::new()));
    let heard = journal.clone();
    std::thread::spawn(move || {
        let mut entry = vec![0; 1 << 20];
        while let Ok(length) = socket.recv(&mut entry) {
            heard.lock().expect("a list").push(entry[..length].to_vec());
        }
    });
    // As systemd starts a service: stderr is the journal's, and a variable tells which file that is.
    let stderr = std::fs::File::create(stage.home.log_file()).expect("a log file");
    let facts = stderr.metadata().expect("facts");
    let mut daemon = stage.home.command("unshare");
    daemon.args(["-Urm", "sh", "-c", "mount --bind \"$0\" /run && exec \"$@\""]).arg(&run);
    daemon.arg(stage.home.daemon_program()).args(["--log", "trace"]);
    daemon.env("JOURNAL_STREAM", format!("{}:{}", facts.dev(), facts.ino())).stderr(stderr);
    let mut daemon = daemon.spawn().expect("the daemon starts");
    until("it answers", || async { (stage.home.ctl(&["status"]).await.code != 3).then_some(()) }).await;

    let mut search = Search::default();
    every_way_in(&stage, &unattended, &mut search).await;
    // Entries come in order: with the last one all have been heard.
    let pid = daemon.id().expect("it runs").to_string();
    let _ = std::process::Command::new("kill").args(["-TERM", &pid]).status();
    assert!(daemon.wait().await.expect("it ends").success());
    let entries = until("its last words are heard", || async {
        let entries = journal.lock().expect("a list").clone();
        entries.iter().any(|entry| contains(entry, "MESSAGE\n\x07\0\0\0\0\0\0\0stopped")).then_some(entries)
    })
    .await;
    let empty = entries.iter().filter(|entry| entry.is_empty()).count();
    assert_eq!(
        empty, 1,
        "the first asks whether anybody listens; what is too long for the socket comes as a file, which nobody reads here"
    );
    let journal = entries.concat();
    for field in ["SYSLOG_IDENTIFIER", "garminsyncd", "ACCOUNT", "PRIORITY", "login renewed"] {
        assert!(contains(&journal, field), "{field} is not among the {} bytes of the journal", journal.len());
    }
    assert!(!stage.home.log().contains("login renewed"), "the journal has it, and not stderr");
    search.finds_nothing("the journal", &journal, false);
}

/// Memory holds what the vault seals. A crash leaves none of it behind: of the daemon, nor of a client that holds a password.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_no_core_file() {
    use tokio::io::AsyncWriteExt;

    const GENEROUS: [&str; 3] = ["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"];
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    // What the machine does with a program that takes no care: only where this leaves a file, the absence of one says anything.
    let mut careless = stage.home.command("sh");
    careless.args(GENEROUS).args(["sh", "-c", "kill -ABRT $$"]);
    garminsync_test_support::harness::run(careless, "").await;
    let cores = || {
        let names = std::fs::read_dir(stage.home.path()).expect("the home").filter_map(Result::ok);
        names.filter(|entry| entry.file_name().to_string_lossy().starts_with("core")).count()
    };
    let before = cores();
    if before == 0 {
        eprintln!("this machine puts core files elsewhere, or writes none: only the limits are looked at");
    }
    for signal in ["-SEGV", "-ABRT"] {
        let mut daemon = stage.home.command("sh");
        let mut daemon = daemon.args(GENEROUS).arg(stage.home.daemon_program()).spawn().expect("the daemon starts");
        until("it answers", || async { (stage.home.ctl(&["status"]).await.code != 3).then_some(()) }).await;
        assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
        stage.idle().await;
        crashes(&mut daemon, signal).await;

        let daemon = Daemon::start(&stage.home).await;
        stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(600))).host(Host::Sso));
        let mut ctl = stage.home.command("sh");
        ctl.args(GENEROUS).arg(stage.home.ctl_program()).args(["login", "--email", ANA, "--password-stdin"]);
        let mut ctl = ctl.stdin(std::process::Stdio::piped()).spawn().expect("ctl starts");
        let password = format!("{PASSWORD}\n");
        ctl.stdin.as_mut().expect("a pipe").write_all(password.as_bytes()).await.expect("written");
        stage.account_is("Garmin has it", |account| account["state"] == "signing_in").await;
        crashes(&mut ctl, signal).await;
        stage.home.ctl(&["mfa", "--cancel"]).await;
        daemon.kill().await;
        stage.fake.behave();
    }
    assert_eq!(cores(), before);
}

/// Sends the signal until it takes it for a crash: Rust lets one that is sent from outside pass once.
#[cfg(target_os = "linux")]
async fn crashes(program: &mut tokio::process::Child, signal: &str) {
    let pid = program.id().expect("it runs").to_string();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let status = until("it crashes", || {
        let _ = std::process::Command::new("kill").args([signal, &pid]).status();
        let ended = program.try_wait().expect("a child");
        async move { ended }
    })
    .await;
    assert!(!status.success() && status.code().is_none(), "{status}");
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.push((entry.path(), std::fs::read(entry.path()).unwrap_or_default())),
            _ => {}
        }
    }
    found
}
