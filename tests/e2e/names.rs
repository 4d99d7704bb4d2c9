//! Public names: the protocol's description and the help texts are held against what was agreed on. A difference is a decision;
//! `UPDATE_GOLDEN=1 cargo test --test e2e names` writes the new text for review.

use std::path::Path;

use garminsync_protocol::openrpc;
use garminsync_test_support::harness::{Daemon, Home};

use crate::stage::binaries;

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("the golden file");
    }
    let agreed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, agreed, "{name} is not what was agreed on (see the head of this file)");
}

#[test]
fn the_protocol_describes_itself() {
    let mut text = serde_json::to_string_pretty(&openrpc::document()).expect("JSON");
    text.push('\n');
    golden("openrpc.json", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_texts() {
    let home = Home::new(&binaries(), "", "").expect("a home");
    let mut command = home.command(home.daemon_program());
    command.arg("--help");
    golden("garminsyncd.help", &garminsync_test_support::harness::run(command, "").await.stdout);
    let mut text = String::new();
    for words in [
        &["--help"][..],
        &["login", "--help"],
        &["mfa", "--help"],
        &["sync", "--help"],
        &["status", "--help"],
        &["accounts", "--help"],
        &["doctor", "--help"],
        &["logout", "--help"],
    ] {
        let ran = home.ctl(words).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        text += &format!("$ garminsyncctl {}\n{}\n", words.join(" "), ran.stdout);
    }
    golden("garminsyncctl.help", &text);
    for shell in ["bash", "zsh", "fish"] {
        let completions = home.ctl(&["completions", shell]).await;
        assert!(completions.code == 0 && completions.stdout.contains("garminsyncctl"), "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_agree() {
    let home = Home::new(&binaries(), "", "").expect("a home");
    let _daemon = Daemon::start(&home).await;
    let version = home.ctl(&["version", "--json"]).await.json();
    assert_eq!(version["version"], 1);
    let status = home.status().await;
    assert_eq!(status["version"], 1);
    assert_eq!(status["daemon"]["version"], env!("CARGO_PKG_VERSION"));
}
