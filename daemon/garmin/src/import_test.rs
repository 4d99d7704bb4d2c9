//! Files as other programs write them, with invented tokens, and what must become of each.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::CLIENT_IDS;

const KEY: &str = "fakekey00112233445566778899aabbcc";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_000_000, 0).unwrap()
}

fn jwt(issuer: &str, client_id: &str) -> String {
    let claims = json!({"exp": 1_793_070_000, "iat": 1_792_990_000, "iss": issuer, "client_id": client_id});
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn access() -> String {
    jwt("https://diauth.garmin.com", CLIENT_IDS[1])
}

fn garminconnect(refresh: &str) -> String {
    json!({"di_token": access(), "di_refresh_token": refresh, "di_client_id": CLIENT_IDS[1]}).to_string()
}

fn oauth1() -> Value {
    json!({"oauth_token": "o", "oauth_token_secret": "s", "mfa_token": null, "mfa_expiration_timestamp": null, "domain": "garmin.com"})
}

fn oauth2() -> Value {
    json!({"scope": "CONNECT_READ", "jti": "j", "token_type": "Bearer", "access_token": access(), "refresh_token": "r-garth",
        "expires_in": 70_000, "expires_at": 1_793_070_000, "refresh_token_expires_in": 2_591_999, "refresh_token_expires_at": 1_795_000_000})
}

fn bearer_cache() -> String {
    json!({"fingerprint": "ab12", "access_token": access(), "expires_at": 1_793_070_000.5}).to_string()
}

fn import(files: &[&str]) -> Result<Import, NotImportable> {
    read(files, Domain::Com, now())
}

fn pair(files: &[&str]) -> (Tool, Tokens) {
    match import(files) {
        Ok(Import::Tokens(tool, tokens)) => (tool, *tokens),
        other => panic!("{other:?}"),
    }
}

fn why(files: &[&str]) -> NotImportable {
    import(files).expect_err("it is nothing to take over")
}

#[test]
fn every_program_is_known_by_its_content() {
    let ha = json!({"token": access(), "refresh_token": "r-ha", "client_id": CLIENT_IDS[1]}).to_string();
    let pirate = json!({
        "createdAt": "2026-10-20T10:00:00Z", "loginClientId": "GCM_ANDROID_DARK", "serviceUrl": "https://mobile.integration.garmin.com/gcm/android",
        "di": {"clientId": CLIENT_IDS[1], "token": {"scope": "x", "token_type": "bearer", "access_token": access(), "refresh_token": "r-pirate",
            "expires_in": 70_000, "expires_at": 1_793_070_000.25, "refresh_token_expires_in": 2_591_999, "refresh_token_expires_at": 1_795_000_000, "jti": "j", "customer_id": "c"}},
        "it": {"clientId": "IT", "token": {"access_token": "it-a", "refresh_token": "it-r"}},
    })
    .to_string();
    let both = json!([oauth1(), oauth2()]).to_string();
    let packed = STANDARD.encode(&both);
    let (one, two) = (oauth1().to_string(), oauth2().to_string());
    for (files, tool, refresh) in [
        (vec![garminconnect("r-gc")], Tool::Garminconnect, "r-gc"),
        (vec![format!("\u{feff}\n{}\n", garminconnect("r-gc"))], Tool::Garminconnect, "r-gc"),
        (vec![ha], Tool::HaGarmin, "r-ha"),
        (vec![pirate], Tool::PirateGarmin, "r-pirate"),
        (vec![one.clone(), two.clone()], Tool::Garth, "r-garth"),
        (vec![two.clone()], Tool::Garth, "r-garth"),
        (vec![both], Tool::Garth, "r-garth"),
        (vec![format!("{}\n{}\n", &packed[..60], &packed[60..])], Tool::Garth, "r-garth"),
        // A directory that garminconnect has used for years.
        (vec![one, two, garminconnect("r-gc")], Tool::Garminconnect, "r-gc"),
        (
            vec![garminconnect("r-gc"), garminconnect("r-gc"), "{}".into(), "notes".into(), KEY.into()],
            Tool::Garminconnect,
            "r-gc",
        ),
    ] {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let (found, tokens) = pair(&files);
        assert_eq!((found, tokens.refresh.expose_secret()), (tool, refresh), "{files:?}");
        assert_eq!(tokens.access.expose_secret(), access());
        assert_eq!((&*tokens.client_id, tokens.domain), (CLIENT_IDS[1], Domain::Com));
        assert_eq!(tokens.access_expires_at.timestamp(), 1_793_070_000);
        assert_eq!(tokens.issued_at.timestamp(), 1_792_990_000);
    }
}

#[test]
fn a_key_is_a_key_unless_there_are_tokens() {
    for text in [KEY.to_owned(), format!("  {KEY}\n"), "1234567890123456".into()] {
        let Ok(Import::Key(key)) = import(&[&text, &bearer_cache()]) else { panic!("{text}") };
        assert_eq!(key.expose_secret(), text.trim());
    }
    for text in [
        "short",
        "two words of some length",
        "<html></html>.....",
        "https://connect.garmin.com/app",
        "\"quoted-text-of-a-length\"",
    ] {
        assert_eq!(why(&[text]), NotImportable::Nothing, "{text}");
    }
    assert_eq!(why(&[KEY, "another-key-of-that-length"]), NotImportable::Several);
}

#[test]
fn what_cannot_work_is_told_apart() {
    let oauth1 = oauth1().to_string();
    let chinese =
        json!({"di_token": jwt("https://diauth.garmin.cn", "C"), "di_refresh_token": "r", "di_client_id": "C"})
            .to_string();
    let half = json!({"di_token": access(), "di_refresh_token": null, "di_client_id": "C"}).to_string();
    for (files, reason) in [
        (vec![], NotImportable::Nothing),
        (vec!["", "{}", "[]", "[1]", "null", "{\"di\": 1}"], NotImportable::Nothing),
        (vec![&*oauth1], NotImportable::OnlyOauth1),
        (vec![&*bearer_cache()], NotImportable::OnlyBearer),
        (vec![&*oauth1, &*bearer_cache()], NotImportable::OnlyBearer),
        (vec![&*half], NotImportable::NoRefreshToken(Tool::Garminconnect)),
        (vec![&*garminconnect("a"), &*garminconnect("b")], NotImportable::Several),
        (vec![&*chinese], NotImportable::OtherRegion(Domain::Cn)),
    ] {
        assert_eq!(why(&files), reason, "{files:?}");
    }
    assert!(matches!(read(&[&chinese], Domain::Cn, now()), Ok(Import::Tokens(..))));
}

#[test]
fn what_the_token_does_not_say_comes_from_the_file() {
    let garth = json!({"access_token": "opaque", "refresh_token": "r", "expires_at": 1_793_000_600.5, "refresh_token_expires_at": 1_795_000_000}).to_string();
    let (_, tokens) = pair(&[&garth]);
    assert_eq!(tokens.access_expires_at - now(), TimeDelta::seconds(600));
    assert_eq!(tokens.refresh_expires_at.map(|at| at.timestamp()), Some(1_795_000_000));
    assert_eq!((&*tokens.client_id, tokens.domain, tokens.issued_at), (CLIENT_IDS[0], Domain::Com, now()));
    // Neither says anything, or no header could carry the token: it is renewed before use.
    for access in ["opaque", "", "two words", "line\nbreak"] {
        let file = json!({"di_token": access, "di_refresh_token": "r", "di_client_id": "C"}).to_string();
        let (_, tokens) = pair(&[&file]);
        assert!(tokens.access_expires_at <= now(), "{access}");
    }
}

#[test]
fn the_words_and_the_debug_form_hold_no_token() {
    let found = format!("{:?}", import(&[&garminconnect("s3cret-r")]));
    assert!(!found.contains("s3cret") && !found.contains(&access()), "{found}");
    assert!(!format!("{:?}", import(&[KEY])).contains(KEY));
}

proptest! {
    /// Whatever lies in a directory: no panic, and order does not matter to what is found.
    #[test]
    fn any_files_in_any_order(mut files in prop::collection::vec(prop_oneof![
        ".{0,80}",
        "\\{\"(di_token|token|access_token|oauth_token|fingerprint|refresh_token|di)\": ?(\"[a-z.]{0,9}\"|1|null|\\{\\})\\}",
        Just(garminconnect("r-gc")),
        Just(oauth1().to_string()),
        Just(oauth2().to_string()),
        Just(bearer_cache()),
        Just(KEY.to_owned()),
    ], 0..6)) {
        let said = |files: &[String]| {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            match import(&files) {
                Ok(Import::Tokens(tool, tokens)) => format!("{tool} {}", tokens.refresh.expose_secret()),
                Ok(Import::Key(key)) => key.expose_secret().to_owned(),
                Err(NotImportable::NoRefreshToken(_)) => "half".into(),
                Err(why) => format!("{why:?}"),
            }
        };
        let first = said(&files);
        files.reverse();
        prop_assert_eq!(first, said(&files));
    }
}

#[test]
fn a_client_id_that_is_none_is_refused() {
    for id in ["A B", "A:B", "A\r\nX-Evil: 1", "A\u{0}", "lower", "Ä", &"A".repeat(200)] {
        let file = json!({"di_token": "", "di_refresh_token": "r", "di_client_id": id}).to_string();
        assert_eq!(why(&[&file]), NotImportable::OddClientId(Tool::Garminconnect), "{id:?}");
        // A claim is of the same file: what is odd there does not count.
        let claimed = json!({"di_token": jwt("https://diauth.garmin.com", id), "di_refresh_token": "r"}).to_string();
        assert_eq!(pair(&[&claimed]).1.client_id, CLIENT_IDS[0], "{id:?}");
    }
    let absent = json!({"di_token": "", "di_refresh_token": "r", "di_client_id": null}).to_string();
    assert_eq!(pair(&[&absent]).1.client_id, CLIENT_IDS[0]);
}
