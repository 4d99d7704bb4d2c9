//! Secrets stay put: what a whole life of logins and syncs leaves behind, and what everybody can see of the programs meanwhile, is searched for
//! every secret that took part.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use garminsync_test_support::harness::{Daemon, Ran};
use garminsync_test_support::people::SignInMood;
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

/// Each way in, once. A new way is a new line.
async fn every_way_in(stage: &Stage, search: &mut Search) {
    let mut steps: Vec<Ran> = vec![stage.login("wrong horse", &["--json", "--no-wait"]).await];
    steps.push(stage.login(PASSWORD, &["--json", "--no-wait"]).await);
    search.codes = vec![stage.wrong_code(), stage.code()];
    for code in &search.codes {
        steps.push(stage.home.ctl_with(&["mfa", "--json"], &format!("{code}\n")).await);
    }
    stage.idle().await;
    stage.fake.expire_access(ANA);
    steps.push(stage.home.ctl(&["sync", "--wait", "--json"]).await);
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
    assert!(good >= 8, "the ways in were gone to their end: {steps:?}");
    search.secrets.extend([PASSWORD.to_owned(), "wrong horse".into(), key, ticket]);
    search.secrets.extend(stage.fake.tokens_issued());
    steps.iter().for_each(|ran| search.hears(ran));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere_it_should_not_be() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let mut search = Search::default();
    let watch = Watch::start(stage.home.path());
    let daemon = Daemon::start_with(&stage.home, &["--log", "trace"]).await;
    every_way_in(&stage, &mut search).await;
    // As it stands on disk while the daemon runs, its journals and logs included.
    let running = files(stage.home.path());
    assert!(daemon.terminate().await.success());
    let processes = watch.end();
    assert!(contains(&processes, "garminsyncctl") && contains(&processes, "garminsyncd"), "somebody was watched");

    let vault_key = std::fs::read_to_string(stage.home.state_dir().join("vault.key")).expect("the key");
    search.secrets.push(vault_key.trim().to_owned());
    assert!(search.secrets.len() > 8, "tokens of both tiers took part");
    search.finds_nothing("what the programs said", search.said.as_bytes(), true);
    search.finds_nothing("/proc", &processes, true);
    search.finds_nothing("the log", stage.home.log().as_bytes(), false);
    let places = files(stage.home.path());
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
