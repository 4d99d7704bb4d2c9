//! Files that are larger than the daemon may be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::SignInMood;

use crate::stage::{PASSWORD, Stage, ana, today};

/// Large files pass through to the disk: three of fifty megabytes, two of them under way at once, in a daemon that may take sixty.
#[tokio::test(flavor = "multi_thread")]
async fn large_files_are_never_in_memory() {
    const LARGE: usize = 50_000_000;
    let stage = Stage::set(ana(SignInMood::Ok).lived(today(), 3, 1), "").await;
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    let with_files = config.replace("sleep = true", "sleep = true\nwellness_zip = true");
    std::fs::write(stage.home.config_file(), with_files).expect("written");
    stage.fake.knobs(|knobs| knobs.wellness_padding = LARGE);
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let sync = stage.home.ctl(&["sync", "--wait"]).await;
    assert_eq!(sync.code, 0, "{sync:?}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("a process");
    let peak = status.split("VmHWM:").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a peak");
    let peak: u64 = peak.parse().expect("kilobytes");
    let database = stage.home.database().expect("garmin.db");
    let mut files = database.prepare("SELECT path, bytes, sha256 FROM wellness_file").expect("a table");
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?));
    let files: Vec<_> = files.query_map([], row).expect("rows").collect::<Result<_, _>>().expect("rows");
    assert!(files.len() >= 2, "{files:?}");
    let mut known = BTreeSet::new();
    for (path, bytes, sha256) in files {
        let kept = std::fs::read(stage.home.data_dir().join(&path)).expect("a file");
        assert!(kept.len() > LARGE && i64::try_from(kept.len()) == Ok(bytes), "{path}: {bytes}");
        assert!(kept.starts_with(b"PK") && sha256.len() == 64, "{sha256}");
        known.insert(stage.home.data_dir().join(path));
    }
    assert!(peak < 60_000, "{peak} kB");
    assert_eq!(below(&stage.home.data_dir().join("wellness")), known, "nothing else is left of what was on its way");
}

/// All files below a directory.
fn below(place: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(place).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { [path].into() }).collect()
}
