//! Secrets stay put: what a whole life of logins and syncs leaves behind is searched for every secret that took part.

use std::path::Path;

use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::SignInMood;

use crate::stage::{PASSWORD, Stage, ana};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere_it_should_not_be() {
    let person = ana(SignInMood::MfaEmail);
    let key = person.api_key.clone();
    let stage = Stage::set(person, "").await;
    let mut said = String::new();
    let mut seen = String::new();
    let daemon = Daemon::start_with(&stage.home, &["--log", "trace"]).await;

    let wrong = stage.login("wrong horse", &["--json", "--no-wait"]).await;
    said += &format!("{wrong:?}");
    let login = stage.login(PASSWORD, &["--json", "--no-wait"]).await;
    assert_eq!(login.code, 5, "{login:?}");
    said += &format!("{login:?}");
    let wrong_code = stage.wrong_code();
    said += &format!("{:?}", stage.home.ctl_with(&["mfa", "--json"], &format!("{wrong_code}\n")).await);
    let code = stage.code();
    let mfa = stage.home.ctl_with(&["mfa", "--json"], &format!("{code}\n")).await;
    assert_eq!(mfa.code, 0, "{mfa:?}");
    said += &format!("{mfa:?}");
    stage.idle().await;
    stage.fake.expire_access(crate::stage::ANA);
    said += &format!("{:?}", stage.home.ctl(&["sync", "--wait", "--json"]).await);
    let with_key = stage.home.ctl_with(&["login", "--api-key-stdin", "--json"], &format!("{key}\n")).await;
    assert_eq!(with_key.code, 0, "{with_key:?}");
    stage.idle().await;
    said += &format!("{:?}", stage.home.ctl(&["status"]).await);
    seen += &process(daemon.pid());
    assert!(daemon.terminate().await.success());

    let mut secrets = vec![PASSWORD.to_owned(), "wrong horse".into(), key];
    secrets.extend(stage.fake.tokens_issued());
    assert!(secrets.len() > 6, "tokens of both tiers took part");
    let codes = [code, wrong_code];
    let mut places =
        vec![("output", said.into_bytes()), ("process", seen.into_bytes()), ("log", stage.home.log().into_bytes())];
    for file in ["garmin.db", "garmin.db-wal"] {
        places.push((file, std::fs::read(stage.home.data_dir().join(file)).unwrap_or_default()));
    }
    for entry in std::fs::read_dir(stage.home.state_dir()).expect("the state directory").filter_map(Result::ok) {
        places.push(("state", std::fs::read(entry.path()).unwrap_or_default()));
    }
    for (place, bytes) in &places {
        for secret in &secrets {
            assert!(!contains(bytes, secret), "a secret ({} bytes long) stands in {place}", secret.len());
        }
    }
    // Six digits may stand by chance in a database full of numbers; not in what we say.
    for (place, bytes) in &places[..2] {
        assert!(codes.iter().all(|code| !contains(bytes, code)), "a code stands in {place}");
    }
}

fn contains(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// What everybody on the machine can see of a process.
fn process(pid: u32) -> String {
    ["cmdline", "environ"]
        .iter()
        .filter_map(|file| std::fs::read(Path::new("/proc").join(pid.to_string()).join(file)).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}
