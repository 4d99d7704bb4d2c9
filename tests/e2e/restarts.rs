//! Five hundred restarts in each state that an account can be in, by SIGTERM and SIGKILL in turn: nobody signs in unasked, and what else is
//! asked of Garmin does not grow beyond what the state explains.

use std::time::Duration;

use chrono::{DateTime, Utc};
use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::harness::{Daemon, until};
use garminsync_test_support::people::{Person, SignInMood};

use crate::stage::{ANA, PASSWORD, Stage, ana};

const STARTS: usize = 500;

/// Requests to other hosts than the sign-in that may be explained: so many in all, and so many a start. Apart from them, the questions whose
/// login it is: so many a start.
struct Explained {
    in_all: usize,
    a_start: usize,
    whose_a_start: usize,
}

const NONE: Explained = Explained { in_all: 0, a_start: 0, whose_a_start: 0 };

/// Two homes get into a state at the same time, and share its restarts. The states are the first and the last:
/// between them Garmin may have answered, or something may have to be found out again.
async fn restarts(mood: SignInMood, states: [&str; 2], explained: Explained, get_there: impl AsyncFn(&Stage)) {
    tokio::join!(
        half(ana(mood.clone()), states, &explained, &get_there),
        half(ana(mood), states, &explained, &get_there)
    );
}

async fn half(person: Person, [first, last]: [&str; 2], explained: &Explained, get_there: &impl AsyncFn(&Stage)) {
    let stage = Stage::set(person, "").await;
    let daemon = Daemon::start(&stage.home).await;
    get_there(&stage).await;
    stage.account_is("it stands as it should", |account| account["state"] == first).await;
    daemon.kill().await;
    stage.fake.forget_requests();
    let starts = STARTS / 2;
    for n in 0..starts {
        let daemon = Daemon::start(&stage.home).await;
        match n % 2 {
            0 => assert!(daemon.terminate().await.success(), "{}", stage.home.log()),
            _ => daemon.kill().await,
        }
    }
    let _daemon = Daemon::start(&stage.home).await;
    stage.account_is("it stands where it may", |account| account["state"] == first || account["state"] == last).await;
    let asked = |host| stage.fake.count(&Filter::host(host));
    assert_eq!(asked(Host::Sso), 0, "a sign-in that nobody asked for");
    let whose = stage.asked(Host::Connectapi, "GET", "socialProfile");
    let others = asked(Host::Diauth) + asked(Host::Connectapi) + asked(Host::Personal) - whose;
    let most = explained.in_all + explained.a_start * (starts + 1);
    let is_explained = whose <= explained.whose_a_start * (starts + 1);
    assert!(is_explained, "{whose} questions whose login it is in {starts} starts: {:?}", stage.fake.counts());
    assert!(others <= most, "{others} requests in {starts} starts, {most} can be explained: {:?}", stage.fake.counts());
}

/// Signed in, with nothing left to go on with.
async fn signed_in(stage: &Stage) {
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.login_has_synced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_out() {
    restarts(SignInMood::Ok, ["signed_out"; 2], NONE, async |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn awaiting_a_code() {
    restarts(SignInMood::MfaEmail, ["awaiting_mfa"; 2], NONE, async |stage| {
        assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn active() {
    restarts(SignInMood::Ok, ["active"; 2], NONE, signed_in).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn login_needed() {
    restarts(SignInMood::Ok, ["login_needed"; 2], NONE, async |stage| {
        signed_in(stage).await;
        stage.fake.revoke(ANA);
        stage.fake.expire_access(ANA);
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cooling_down() {
    restarts(SignInMood::Ok, ["cooling_down"; 2], NONE, async |stage| {
        stage.fake.misbehave(Rule::does(Effect::CloudflareChallenge).host(Host::Sso));
        assert_eq!(stage.login(PASSWORD, &[]).await.code, 6);
        stage.fake.behave();
    })
    .await;
}

/// A key that Garmin has deleted, which is remembered.
#[tokio::test(flavor = "multi_thread")]
async fn key_refused() {
    restarts(SignInMood::Ok, ["login_needed"; 2], NONE, async |stage| {
        let key = stage.fake.person(ANA).expect("a person").api_key;
        let login = stage.home.ctl_with(&["login", "--api-key-stdin"], &format!("{key}\n")).await;
        assert_eq!(login.code, 0, "{login:?}");
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
        stage.fake.change(ANA, |person| person.api_key = "another".into());
        stage.fake.expire_personal(ANA);
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 4);
    })
    .await;
}

/// An access token that ended while the daemon was off, and nothing that needs it: one renewal at most, then it is fresh.
#[tokio::test(flavor = "multi_thread")]
async fn active_with_an_access_token_that_has_ended() {
    let explained = Explained { in_all: 1, ..NONE };
    restarts(SignInMood::Ok, ["active"; 2], explained, async |stage| {
        stage.fake.knobs(|knobs| knobs.access_life = Some(Duration::from_secs(5)));
        signed_in(stage).await;
        stage.fake.knobs(|knobs| knobs.access_life = None);
        stage
            .account_is("the access token has ended", |account| {
                let ends = account["tiers"]["account"]["access_expires_at"].as_str().expect("a time");
                ends.parse::<DateTime<Utc>>().expect("a time") < Utc::now()
            })
            .await;
    })
    .await;
}

/// The tokens of a new login, on disk when the daemon was killed, and Garmin has trouble of its own: they are kept, and the sign-in is not
/// repeated.
#[tokio::test(flavor = "multi_thread")]
async fn candidate_tokens_that_garmin_cannot_confirm() {
    // The check; and where that is told as Garmin's trouble, the first request of the sync that goes on.
    let explained = Explained { a_start: 1, whose_a_start: 1, ..NONE };
    restarts(SignInMood::Ok, ["signing_in", "active"], explained, async |stage| {
        stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(100))).host(Host::Connectapi).times(1));
        stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Connectapi));
        let mut login = stage.home.command(stage.home.ctl_program());
        login.args(["login", "--email", ANA, "--password-stdin"]).stdin(std::process::Stdio::piped());
        let mut login = login.stderr(std::process::Stdio::null()).spawn().expect("ctl starts");
        let mut stdin = login.stdin.take().expect("a pipe");
        tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{PASSWORD}\n").as_bytes()).await.expect("written");
        until("the tokens are being checked", || async {
            (stage.fake.count(&Filter::host(Host::Connectapi)) == 1).then_some(())
        })
        .await;
        let kept: i64 = stage
            .vault()
            .query_row("SELECT count(*) FROM secret WHERE kind = 'candidate_tokens'", [], |row| row.get(0))
            .expect("rows");
        assert_eq!(kept, 1, "they are on disk before anybody asks whether they work");
    })
    .await;
}

/// A daemon that was killed right after a login had not yet written down whose data there will be: the next one does so before it asks for any.
#[tokio::test(flavor = "multi_thread")]
async fn whose_data_there_are_is_written_down_after_all() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    signed_in(&stage).await;
    let records = || rusqlite::Connection::open(stage.home.data_dir().join("garmin.db")).expect("garmin.db");
    let known = || {
        let sql = "SELECT profile_id, display_name, full_name, domain FROM account";
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(i64, String, String, String)> { row.try_into() };
        rusqlite::OptionalExtension::optional(records().query_row(sql, [], row)).expect(sql)
    };
    let person = known().expect("Ana");
    daemon.kill().await;
    records().execute_batch("DELETE FROM account").expect("no account");
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(known(), Some(person));
}

/// A key in a file, of which nobody knows yet whose it is, and a Garmin that does not answer: the daemon is there at once, and asks nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_whose_person_is_not_known() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("key");
    let person = ana(SignInMood::Ok);
    let key = person.api_key.clone();
    let stage = Stage::set(person, &format!("[accounts.default]\napi_key_file = {file:?}\n")).await;
    let daemon = Daemon::start(&stage.home).await;
    signed_in(&stage).await;
    daemon.kill().await;
    std::fs::write(&file, &key).expect("written");
    stage.fake.forget_requests();
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(100))).host(Host::Personal));
    for _ in 0..3 {
        let daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.account("default").await["tiers"]["personal"]["state"], "active");
        assert_eq!(stage.home.ctl(&["gaps"]).await.code, 0, "who only looks waits for nobody");
        assert!(daemon.terminate().await.success(), "{}", stage.home.log());
    }
    assert_eq!(stage.fake.requests().len(), 0, "{:?}", stage.fake.counts());
}
