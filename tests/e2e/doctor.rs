//! `doctor`: what it finds when all is well, when something is not, and when there is no daemon to ask.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::harness::{Daemon, Home, Ran, run};
use garminsync_test_support::people::SignInMood;
use serde_json::Value;

use crate::stage::{PASSWORD, Stage, ana, binaries};

/// The check of that name.
fn found(ran: &Ran, name: &str) -> Value {
    let json = ran.json();
    let checks = json["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check {name}: {json:#}")).clone()
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_and_each_host_was_asked_once() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.login_has_synced().await;
    stage.fake.forget_requests();
    let ran = stage.home.ctl(&["doctor", "--json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((&ran.json()["version"], &ran.json()["ok"]), (&1.into(), &true.into()));
    for name in [
        "client",
        "daemon",
        "config",
        "state",
        "data",
        "socket",
        "lock",
        "key",
        "database",
        "time_zone",
        "clock",
        "dns",
        "sso",
        "diauth",
        "connectapi",
        "personal",
        "vault",
        "account default",
    ] {
        assert_eq!(found(&ran, name)["verdict"], "ok", "{name}: {ran:?}");
    }
    for host in Host::ALL {
        assert_eq!(stage.fake.count(&Filter::host(host)), 1, "{host:?}");
    }
    assert_eq!(stage.fake.count(&Filter::host(Host::Sso).method("GET").path("/mobile/api/login").status(405)), 1);
    // Whoever looks again at once, or twice at a time, hears the same answers.
    let (page, json) = tokio::join!(stage.home.ctl(&["doctor"]), stage.home.ctl(&["doctor", "--json"]));
    assert_eq!((page.code, json.code), (0, 0), "{page:?}");
    assert!(page.stdout.contains("\nok    sso ") && page.stderr.contains("asking Garmin's hosts"), "{page:?}");
    assert_eq!(stage.fake.requests().len(), Host::ALL.len());
    assert_eq!(stage.home.account("default").await["state"], "active", "no attempt was counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_found_with_what_to_do() {
    let mut stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.home = stage.home.in_zone("Nowhere/Atlantis");
    let _daemon = Daemon::start(&stage.home).await;
    stage.fake.misbehave(Rule::does(Effect::CloudflareChallenge).host(Host::Sso));
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth));
    stage.fake.misbehave(Rule::does(Effect::Reset).host(Host::Connectapi));
    chmod(&stage.home.state_dir(), 0o755);
    chmod(&stage.home.state_dir().join("vault.key"), 0o644);
    std::fs::write(stage.home.state_dir().join("lock"), "1").expect("written");
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    std::fs::write(stage.home.config_file(), config + "\n[sink]\n").expect("written");
    let ran = stage.home.ctl(&["doctor", "--json"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    for (name, verdict, hint) in [
        ("config", "failed", "--check-config"),
        ("state", "failed", "chmod 700"),
        ("key", "failed", "chmod 600"),
        ("lock", "failed", "restart"),
        ("time_zone", "warning", "tzdata"),
        ("sso", "warning", "login --browser"),
        ("diauth", "warning", "wait"),
        ("connectapi", "failed", "network"),
        ("account default", "warning", "garminsyncctl login"),
    ] {
        let check = found(&ran, name);
        assert_eq!(check["verdict"], verdict, "{check}");
        assert!(check["hint"].as_str().is_some_and(|said| said.contains(hint)), "{check}");
    }
    // Whoever named the socket has to name it in what comes next, too.
    let socket = stage.home.socket();
    let named = stage.home.ctl(&["--socket", &socket.to_string_lossy(), "doctor", "--json"]).await;
    for name in ["sso", "account default"] {
        let hint = found(&named, name)["hint"].as_str().unwrap_or_default().to_owned();
        assert!(hint.contains(&format!("garminsyncctl --socket {} login", socket.display())), "{hint}");
    }
    assert!(found(&ran, "config")["text"].as_str().is_some_and(|text| text.contains("sink")), "{ran:?}");
    // So is what only the rooms know to be wrong.
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    std::fs::write(stage.home.config_file(), config.replace("[sink]", "").replace("sleep = true", "steeps = true"))
        .expect("written");
    let typo = found(&stage.home.ctl(&["doctor", "--json"]).await, "config")["text"].clone();
    let line = format!("{}:", stage.home.config_file().display());
    assert!(typo.as_str().is_some_and(|text| text.contains(&line) && text.contains("steeps")), "{typo}");
    // Warnings alone are no failure.
    let page = stage.home.ctl(&["doctor"]).await;
    assert!(page.stdout.contains("FAIL  state") && page.stdout.contains("next: "), "{page:?}");
    assert!(page.stderr.contains("to mend"), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_found() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    // After a sync the file is whole without what lies beside it.
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let file = stage.home.data_dir().join("garmin.db");
    let length = std::fs::metadata(&file).expect("garmin.db").len();
    let whole = std::fs::read(&file).expect("garmin.db");
    std::fs::write(&file, [&whole[..100], &vec![0x5a; usize::try_from(length).expect("small") - 100][..]].concat())
        .expect("written");
    let ran = stage.home.ctl(&["doctor", "--json"]).await;
    assert_eq!((ran.code, found(&ran, "database")["verdict"].as_str()), (1, Some("failed")), "{ran:?}");
    std::fs::write(&file, whole).expect("written");
    daemon.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_it_says_what_stands_there_and_what_to_type() {
    let home = Home::new(&binaries(), "", "").expect("a home");
    let absent = home.ctl(&["doctor", "--json"]).await;
    assert_eq!(absent.code, 1, "{absent:?}");
    assert!(found(&absent, "socket")["text"].as_str().is_some_and(|text| text.contains("is not there")), "{absent:?}");
    assert!(found(&absent, "daemon")["hint"].as_str().is_some_and(|hint| hint.contains("garminsyncd")), "{absent:?}");
    let config = found(&absent, "config")["hint"].clone();
    assert!(config.as_str().is_some_and(|hint| hint.contains("garminsyncd --check-config")), "{absent:?}");

    Daemon::start(&home).await.kill().await;
    let dead = home.ctl(&["doctor", "--json"]).await;
    assert_eq!((dead.code, found(&dead, "socket")["verdict"].as_str()), (1, Some("warning")), "{dead:?}");
    assert!(found(&dead, "socket")["text"].as_str().is_some_and(|text| text.contains("left behind")), "{dead:?}");

    std::fs::remove_file(home.socket()).expect("removed");
    std::fs::write(home.socket(), "").expect("written");
    let file = home.ctl(&["doctor", "--json"]).await;
    assert!(found(&file, "socket")["text"].as_str().is_some_and(|text| text.contains("is no socket")), "{file:?}");
    std::fs::remove_file(home.socket()).expect("removed");

    if !std::process::Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n") {
        eprintln!("NOT SHOWN: what another user is told (it takes root to become another user)");
        return;
    }
    let _daemon = Daemon::start(&home).await;
    for path in [home.path().to_owned(), home.path().join(".local"), home.path().join(".local/state"), home.state_dir()]
    {
        chmod(&path, 0o755);
    }
    let program = home.path().join("ctl");
    std::fs::copy(home.ctl_program(), &program).expect("a copy");
    let mut command = home.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command.arg("--socket").arg(home.socket()).args(["doctor", "--json"]);
    let refused = run(command, "").await;
    let socket = found(&refused, "socket");
    assert_eq!((refused.code, socket["verdict"].as_str()), (1, Some("failed")), "{refused:?}");
    assert!(socket["text"].as_str().is_some_and(|text| text.contains("this is user 65534")), "{refused:?}");
    assert!(socket["hint"].as_str().is_some_and(|hint| hint.contains("group")), "{refused:?}");
}
