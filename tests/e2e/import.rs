//! Taking over the login of another program: each family of token files, with invented tokens of the fake's, and what it costs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use garminsync_test_support::fake::{Effect, Host, Issued, Rule};
use garminsync_test_support::harness::{Daemon, Ran};
use garminsync_test_support::people::SignInMood;
use serde_json::{Value, json};

use crate::stage::{ANA, Stage, ana};

async fn stage() -> Stage {
    Stage::set(ana(SignInMood::Captcha), "").await
}

/// Writes a file below the home, and says where.
fn file(stage: &Stage, name: &str, text: &str) -> PathBuf {
    let path = stage.home.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(&path, text).expect("a file");
    path
}

async fn import(stage: &Stage, path: &Path) -> Ran {
    stage.home.ctl(&["login", "--json", "--import", path.to_str().expect("a path")]).await
}

fn garminconnect(tokens: &Issued) -> String {
    json!({"di_token": tokens.access, "di_refresh_token": tokens.refresh, "di_client_id": tokens.client_id}).to_string()
}

fn oauth1() -> Value {
    json!({"oauth_token": "o", "oauth_token_secret": "s", "mfa_token": null, "mfa_expiration_timestamp": null, "domain": "garmin.com"})
}

fn oauth2(tokens: &Issued) -> Value {
    let now = chrono::Utc::now().timestamp();
    json!({"scope": "CONNECT_READ", "jti": "j", "token_type": "bearer", "access_token": tokens.access, "refresh_token": tokens.refresh,
        "expires_in": tokens.expires_in_s, "expires_at": now + tokens.expires_in_s, "refresh_token_expires_in": 2_591_999,
        "refresh_token_expires_at": now + 2_591_999})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_is_taken_over_with_one_request() {
    let stage = stage().await;
    let _daemon = Daemon::start(&stage.home).await;
    let tokens = || stage.fake.tokens(ANA);
    let (ha, pirate) = (tokens(), tokens());
    let paths = [
        file(&stage, ".garminconnect/garmin_tokens.json", &garminconnect(&tokens())).parent().expect("a directory").to_owned(),
        file(&stage, "health/1001/garmin_tokens.json", &garminconnect(&tokens())).parent().and_then(|p| p.parent()).expect("two").to_owned(),
        file(&stage, ".garmin_tokens.json", &json!({"token": ha.access, "refresh_token": ha.refresh, "client_id": ha.client_id}).to_string()),
        file(&stage, "native-oauth2.json", &json!({"createdAt": "2026-11-01T00:00:00Z", "di": {"clientId": pirate.client_id, "token": oauth2(&pirate)}, "it": {}}).to_string()),
        file(&stage, "garth.txt", &json!([oauth1(), oauth2(&tokens())]).to_string()),
        {
            file(&stage, "garth/oauth1_token.json", &oauth1().to_string());
            file(&stage, "garth/oauth2_token.json", &oauth2(&tokens()).to_string()).parent().expect("a directory").to_owned()
        },
    ];
    for (number, path) in paths.iter().enumerate() {
        let account = format!("a{number}");
        let said = stage
            .home
            .ctl(&["--account", &account, "login", "--json", "--import", path.to_str().expect("a path")])
            .await;
        assert_eq!((said.code, said.json()["state"].as_str()), (0, Some("active")), "{}: {said:?}", path.display());
        assert!(said.stderr.contains("that program's copy no longer works"), "{said:?}");
        assert!(said.stderr.contains("login --browser"), "{said:?}");
    }
    assert_eq!(stage.asked(Host::Diauth, "POST", ""), 0, "what is still good is not renewed");
    assert_eq!(stage.asked(Host::Sso, "", ""), 0);
}

/// An access token that has ended is renewed once: the new pair is on disk, and the other program's copy is dead, as was said.
#[tokio::test(flavor = "multi_thread")]
async fn an_ended_access_token_is_renewed_and_the_copy_is_dead() {
    let stage = stage().await;
    stage.fake.knobs(|knobs| knobs.access_life = Some(Duration::from_secs(1)));
    let tokens = stage.fake.tokens(ANA);
    stage.fake.knobs(|knobs| knobs.access_life = None);
    let path = file(&stage, "garmin_tokens.json", &garminconnect(&tokens));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let daemon = Daemon::start(&stage.home).await;
    let said = import(&stage, &path).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("stops working now"), "{said:?}");
    assert_eq!(stage.asked(Host::Diauth, "POST", ""), 1);
    stage.idle().await;
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "the new pair was on disk");

    // The file holds what Garmin has rotated away.
    let dead = import(&stage, &path).await;
    assert_eq!((dead.code, dead.json()["error"]["kind"].as_str()), (8, Some("invalid_credentials")), "{dead:?}");
    assert!(dead.json()["error"].to_string().contains("login --browser"), "{dead:?}");
    assert_eq!(stage.home.account("default").await["state"], "active", "the login that is here goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_is_a_login_with_the_key() {
    let stage = stage().await;
    let _daemon = Daemon::start(&stage.home).await;
    let key = stage.fake.person(ANA).expect("Ana").api_key;
    let cache = json!({"fingerprint": "ab", "access_token": "e30.e30.e30", "expires_at": 1.5}).to_string();
    let alone = file(&stage, "cache/connect-personal-api-bearer-token.json", &cache);
    let said = import(&stage, &alone).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.json()["error"]["message"].to_string().contains("connect-personal-api-key"), "{said:?}");
    file(&stage, "garmin/connect-personal-api-bearer-token.json", &cache);
    let directory =
        file(&stage, "garmin/connect-personal-api-key", &format!("{key}\n")).parent().expect("a directory").to_owned();
    let said = import(&stage, &directory).await;
    assert!(said.code == 0 && !said.stderr.contains("no longer works"), "a key has no copy that dies: {said:?}");
    assert_eq!(stage.home.account("default").await["tiers"]["personal"]["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_over_is_said_and_not_sent() {
    let stage = stage().await;
    let _daemon = Daemon::start(&stage.home).await;
    let mut person = ana(SignInMood::Ok);
    (person.email, person.domain) = ("mei@example.org".into(), "garmin.cn".into());
    stage.fake.add(person);
    let chinese = garminconnect(&stage.fake.tokens("mei@example.org"));
    file(&stage, "two/1001/garmin_tokens.json", &garminconnect(&stage.fake.tokens(ANA)));
    let two = file(&stage, "two/1002/garmin_tokens.json", &garminconnect(&stage.fake.tokens(ANA)));
    for (path, words) in [
        (file(&stage, "oauth1_token.json", &oauth1().to_string()), "OAuth1"),
        (file(&stage, "notes.txt", "buy milk"), "nothing there is a login"),
        (file(&stage, "cn.json", &chinese), "garmin.cn"),
        (stage.home.path().join("absent"), "cannot be read"),
        (two.parent().and_then(|p| p.parent()).expect("two").to_owned(), "2 users; choose one"),
    ] {
        let said =
            stage.home.ctl(&["--account", "eva", "login", "--json", "--import", path.to_str().expect("a path")]).await;
        assert_eq!(said.code, 2, "{}: {said:?}", path.display());
        let message = said.json()["error"]["message"].to_string().to_lowercase();
        assert!(message.contains(&words.to_lowercase()) && message.contains("nothing was sent"), "{said:?}");
    }
    assert_eq!(stage.asked(Host::Diauth, "POST", "") + stage.asked(Host::Connectapi, "", ""), 0);
    assert!(stage.home.account("eva").await.is_null(), "no account is made for it");
}

/// Trouble at Garmin costs neither the tokens in the file nor the account's login.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_costs_nothing() {
    let stage = stage().await;
    let _daemon = Daemon::start(&stage.home).await;
    let path = file(&stage, "garmin_tokens.json", &garminconnect(&stage.fake.tokens(ANA)));
    // Garmin's data service refuses the access token although its date is good; the renewal is throttled.
    stage.fake.expire_access(ANA);
    stage.fake.misbehave(Rule::does(Effect::throttled(600)).host(Host::Diauth));
    let said = import(&stage, &path).await;
    assert_eq!((said.code, said.json()["error"]["kind"].as_str()), (6, Some("rate_limited")), "{said:?}");
    assert_eq!((said.json()["error"]["retry_after_s"].as_u64(), stage.asked(Host::Diauth, "POST", "")), (Some(600), 1));
    stage.fake.behave();
    assert_eq!(import(&stage, &path).await.code, 0, "the file is as good as before");
    assert_eq!(stage.asked(Host::Diauth, "POST", ""), 2);
}

/// Killed between the renewal and the proof: the rotated pair is on disk, and the next start goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_the_rotation_loses_no_token() {
    let stage = stage().await;
    let path = file(&stage, "garmin_tokens.json", &garminconnect(&stage.fake.tokens(ANA)));
    stage.fake.expire_access(ANA);
    let hang = Effect::hang(Duration::from_secs(120));
    stage.fake.misbehave(Rule::does(hang).host(Host::Connectapi).path("socialProfile").skip(1).times(1));
    let daemon = Daemon::start(&stage.home).await;
    let killed = async {
        garminsync_test_support::harness::until("the second proof is under way", || async {
            (stage.asked(Host::Connectapi, "GET", "socialProfile") == 2).then_some(())
        })
        .await;
        daemon.kill().await;
    };
    let (said, ()) = tokio::join!(import(&stage, &path), killed);
    assert_eq!(said.code, 1, "{said:?}");
    let _daemon = Daemon::start(&stage.home).await;
    stage.account_is("the login is there", |account| account["state"] == "active").await;
    assert_eq!(stage.asked(Host::Diauth, "POST", ""), 1, "rotated once");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
}

/// No token or ticket shows in what is said, logged, or seen of the processes.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_shows() {
    let stage = stage().await;
    let daemon = Daemon::start_with(&stage.home, &["--log", "trace"]).await;
    let path = file(&stage, "tokens/garmin_tokens.json", &garminconnect(&stage.fake.tokens(ANA)));
    let mut said = format!("{:?}", import(&stage, &path).await);
    let ticket = stage.fake.ticket(ANA, "https://mobile.integration.garmin.com/gcm/android");
    let paste = stage.home.ctl_with(&["login", "--browser", "--json"], &ticket).await;
    assert_eq!(paste.code, 0, "{paste:?}");
    said += &format!("{paste:?}{:?}", stage.home.ctl_with(&["login", "--browser"], &ticket).await);
    stage.idle().await;
    for seen in ["cmdline", "environ"] {
        said += &String::from_utf8_lossy(&std::fs::read(format!("/proc/{}/{seen}", daemon.pid())).unwrap_or_default());
    }
    assert!(daemon.terminate().await.success());
    said += &stage.home.log();
    for file in std::fs::read_dir(stage.home.state_dir())
        .expect("the state")
        .chain(std::fs::read_dir(stage.home.data_dir()).expect("the data"))
    {
        said += &String::from_utf8_lossy(&std::fs::read(file.expect("an entry").path()).unwrap_or_default());
    }
    let mut secrets = stage.fake.tokens_issued();
    secrets.push(ticket);
    assert!(secrets.len() > 4);
    for secret in secrets {
        assert!(!said.contains(&secret), "a secret of {} bytes shows", secret.len());
    }
}
