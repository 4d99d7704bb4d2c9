//! Commands that need no daemon, or not much of one.

use std::path::Path;

use garminsync_protocol::PROTOCOL;

use crate::fake_daemon::{Fake, hello};
use crate::person::Person;

#[tokio::test]
async fn version_works_with_any_daemon_and_with_none() {
    let fake = Fake::greeting(hello(PROTOCOL + 7), |_, _| vec![]);
    let json = Person::default().runs(fake.socket(), "version --json").await.ends(0).json();
    assert_eq!(json["client"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["daemon"]["protocol"], PROTOCOL + 7);
    let ran = Person::default().runs(fake.socket(), "version").await.ends(0);
    assert!(ran.out.contains("garminsyncd   0.9.0 (protocol 8)"), "{ran:?}");

    let ran = Person::default().runs(Path::new("/nowhere/control.sock"), "version --json").await.ends(0);
    assert!(ran.json()["daemon"].is_null());
}

#[tokio::test]
async fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = Person::default().runs(Path::new("/nowhere"), &format!("completions {shell}")).await.ends(0);
        for word in ["login", "mfa", "logout", "status", "sync", "cancel", "version", "completions", "code-stdin"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
        assert!(!ran.out.contains("_default"), "zsh completes files where a name or a date is wanted");
    }
}
