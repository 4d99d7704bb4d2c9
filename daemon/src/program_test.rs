//! Programs that do what they should, and all that they may do instead.

use std::time::Instant;

use super::*;

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Program {
    Program::new(&["sh".into(), "-c".into(), script.into()]).unwrap()
}

async fn line(script: &str) -> Result<String, Failed> {
    let line = shell(script).first_line(&[("GARMINSYNC_ACCOUNT", "eva")], SOON).await;
    line.map(|line| line.expose_secret().to_owned())
}

#[tokio::test]
async fn the_first_line_is_the_secret() {
    assert_eq!(line("echo ' correct horse '").await.unwrap(), " correct horse ");
    assert_eq!(line(r"printf 'secret\r\nuser: ana\nurl: x\n'").await.unwrap(), "secret");
    assert_eq!(line("printf secret").await.unwrap(), "secret");
    assert_eq!(line(r#"printf '%s' "$1""#).await.unwrap_err(), Failed::Nothing);
    assert_eq!(line("echo; echo second").await.unwrap_err(), Failed::Nothing);
    assert_eq!(line(r"printf 'a\033[2Jb\n'").await.unwrap_err(), Failed::NoText);
    assert_eq!(line(r"printf '\377\n'").await.unwrap_err(), Failed::NoText);
    // It reads nothing of ours.
    assert_eq!(line("read word; echo \"got:$word\"").await.unwrap(), "got:");
}

#[tokio::test]
async fn it_gets_what_it_needs_and_nothing_else() {
    let names = line("env | cut -d= -f1 | sort | tr '\\n' ' '").await.unwrap();
    let known =
        |name: &str| PASSED_ON.contains(&name) || ["GARMINSYNC_ACCOUNT", "PWD", "SHLVL", "_", "OLDPWD"].contains(&name);
    assert!(names.split(' ').filter(|name| !name.is_empty()).all(known), "{names}");
    assert!(names.contains("PATH") && names.contains("GARMINSYNC_ACCOUNT"), "{names}");
    assert_eq!(line("echo $GARMINSYNC_ACCOUNT").await.unwrap(), "eva");
}

#[tokio::test]
async fn a_failure_tells_how_it_ended_and_nothing_that_was_printed() {
    let told = line("echo hunter2; echo \"no key: hunter2 \" >&2; exit 3").await.unwrap_err().to_string();
    assert!(told.contains("exit status: 3") && !told.contains("hunter2") && !told.contains("key"), "{told}");
    assert!(told.contains("run it by hand as ") && told.ends_with(&host::user()), "{told}");
    let told = line("echo 'is it hunter2?' >&2").await.unwrap_err().to_string();
    assert!(told.starts_with("it printed nothing; ") && !told.contains("hunter2"), "{told}");
    let failed = line("echo hunter2; kill -9 $$").await.unwrap_err().to_string();
    assert!(failed.contains("signal: 9") && !failed.contains("hunter2"), "{failed}");
    let missing = Program::new(&["no-such-program".into()]).unwrap().first_line(&[], SOON).await.unwrap_err();
    assert!(matches!(missing, Failed::NotStarted(_)), "{missing}");
}

#[tokio::test]
async fn too_much_and_too_long_end_it_with_all_it_has_started() {
    let begun = Instant::now();
    assert_eq!(line("yes | tr -d '\\n'").await.unwrap_err(), Failed::TooMuch);
    assert_eq!(line("yes").await.unwrap_err(), Failed::TooMuch);
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let script = format!("sleep 600 & echo $! > {0}; echo $$ >> {0}; echo secret; sleep 600", pids.display());
    let short = Duration::from_millis(700);
    assert_eq!(shell(&script).first_line(&[], short).await.unwrap_err(), Failed::TooSlow(short));
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        while is_alive(pid) {
            assert!(begun.elapsed() < SOON, "{pid} lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert!(begun.elapsed() < SOON);
}

/// A zombie that nobody has waited for yet is dead enough.
fn is_alive(pid: &str) -> bool {
    let output = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// A password manager leaves its agent behind, which holds the pipe open.
#[tokio::test]
async fn what_goes_on_in_the_background_is_not_waited_for() {
    let begun = Instant::now();
    assert_eq!(line("sleep 15 & echo secret").await.unwrap(), "secret");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_command_line_that_cannot_be_meant_is_told() {
    let wrong = |words: &[&str]| Program::new(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).unwrap_err();
    assert!(wrong(&[]).contains("empty"));
    assert!(wrong(&[" ", "x"]).contains("empty"));
    assert!(wrong(&["bin/pass"]).contains("absolute"));
    assert!(wrong(&["pass", "a\0b"]).contains("NUL"));
}
