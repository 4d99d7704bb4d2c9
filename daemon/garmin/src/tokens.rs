//! Tokens as values: what they hold, how they are read from an answer, how they become text for the vault and back.
//! The token services make them and the account room keeps them. Nothing here asks Garmin anything.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use url::Url;

use crate::{CLIENT_IDS, Domain};

/// The token pair of an account login. The serialized form holds the secrets; `Debug` hides them.
///
/// The refresh token rotates with each use and the old one dies, so a new pair has to be on disk before its access token
/// is used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// The bearer token of data requests, good for 4 to 30 hours.
    #[serde(serialize_with = "expose")]
    pub access: SecretString,
    /// What the next pair is made from. Opaque.
    #[serde(serialize_with = "expose")]
    pub refresh: SecretString,
    /// The OAuth client id the pair was issued to, and must be renewed with.
    pub client_id: String,
    /// The world that issued the pair, where alone it can be renewed.
    pub domain: Domain,
    /// When the pair was received.
    pub issued_at: DateTime<Utc>,
    /// When the access token ends, by this machine's clock. Equal to `issued_at` if Garmin did not say: renew before use.
    pub access_expires_at: DateTime<Utc>,
    /// When the refresh token ends, if Garmin said so. 30 days after each renewal, so far.
    pub refresh_expires_at: Option<DateTime<Utc>>,
}

/// A bearer token of the Personal API. It has no refresh token: the key makes the next one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PersonalToken {
    /// The bearer token.
    #[serde(serialize_with = "expose")]
    pub access: SecretString,
    /// When it ends, by this machine's clock: 24 hours after it was made, or with its key.
    pub expires_at: DateTime<Utc>,
    /// When its key ends, where the token lets that be known, by Garmin's clock.
    pub key_expires_at: Option<DateTime<Utc>>,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl Tokens {
    /// Reads the answer of the account tier's token service, received at `now` of this machine's clock and `date` of Garmin's. `None` if there is no access token in it, or neither a refresh
    /// token nor an `old` pair to keep one from.
    pub(crate) fn read(
        answer: &Value,
        client_id: &str,
        domain: Domain,
        old: Option<&Tokens>,
        now: DateTime<Utc>,
        date: Option<DateTime<Utc>>,
    ) -> Option<Tokens> {
        let text = |key: &str| answer[key].as_str().filter(|text| !text.is_empty());
        let seconds = |key: &str| seconds_after(now, answer[key].as_f64()?);
        // Anything else cannot stand in a header, so no request could be made with it.
        let access = text("access_token").filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))?;
        let claims = claims(access);
        let (refresh, refresh_expires_at) = match (text("refresh_token"), old) {
            (Some(refresh), _) => (refresh.into(), seconds("refresh_token_expires_in")),
            // Garmin may leave it out, and then means that the old one stays good.
            (None, Some(old)) => (old.refresh.clone(), old.refresh_expires_at),
            (None, None) => return None,
        };
        let issuer = claims["iss"].as_str().unwrap_or_default();
        Some(Tokens {
            access: access.into(),
            refresh,
            client_id: claims["client_id"].as_str().filter(|id| is_client_id(id)).unwrap_or(client_id).into(),
            domain: domain_of(issuer).unwrap_or(domain),
            issued_at: now,
            access_expires_at: expiry(&claims, now, date).or_else(|| seconds("expires_in")).unwrap_or(now),
            refresh_expires_at,
        })
    }

    /// A pair that another program was given. What its file says counts where the access token's claims say nothing; what neither
    /// says makes the pair one to renew before use.
    pub(crate) fn of_another_program(found: &Found, domain: Domain, now: DateTime<Utc>) -> Tokens {
        let at = |seconds: Option<f64>| seconds_after(DateTime::UNIX_EPOCH, seconds?);
        let claims = claims(found.access);
        let text = |key: &str| claims[key].as_str().filter(|text| !text.is_empty());
        let usable = !found.access.is_empty() && found.access.bytes().all(|byte| byte.is_ascii_graphic());
        let expires = moment(&claims["exp"]).or_else(|| at(found.expires_at)).filter(|_| usable);
        // A clock that is behind must not make a pair that was issued in the future.
        let issued_at = at(claims["iat"].as_f64()).filter(|at| *at < now).unwrap_or(now);
        Tokens {
            access: if usable { found.access } else { "" }.into(),
            refresh: found.refresh.into(),
            // The claims name the id that Garmin issued the pair to; a file may have been written by hand.
            client_id: text("client_id")
                .filter(|id| is_client_id(id))
                .or(found.client_id)
                .unwrap_or(CLIENT_IDS[0])
                .into(),
            domain: text("iss").and_then(domain_of).unwrap_or(domain),
            issued_at,
            access_expires_at: expires.unwrap_or(issued_at),
            refresh_expires_at: at(found.refresh_expires_at),
        }
    }
}

/// What a token file of another program says.
pub(crate) struct Found<'a> {
    pub access: &'a str,
    pub refresh: &'a str,
    pub client_id: Option<&'a str>,
    /// Epoch seconds, for the access token.
    pub expires_at: Option<f64>,
    /// Epoch seconds, for the refresh token.
    pub refresh_expires_at: Option<f64>,
}

impl PersonalToken {
    /// Reads the answer of the Personal API's token service: the raw JWT, perhaps in quotes, perhaps as `access_token` of an
    /// object. Received at `now` of this machine's clock and `date` of Garmin's. `None` if it is no JWT.
    pub(crate) fn read(body: &str, now: DateTime<Utc>, date: Option<DateTime<Utc>>) -> Option<PersonalToken> {
        let token = match serde_json::from_str(body) {
            Ok(Value::String(text)) => text,
            Ok(object) => object["access_token"].as_str()?.into(),
            Err(_) => body.to_owned(),
        };
        let token = token.trim();
        if token.split('.').count() != 3 || !token.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-=".contains(&b)) {
            return None;
        }
        let claims = claims(token);
        // A token without a date is found out by its first 401.
        let expires_at = expiry(&claims, now, date).unwrap_or(now + PERSONAL_LIFE);
        let key_expires_at = end_of_key(&claims, date.unwrap_or(now));
        Some(PersonalToken { access: token.into(), expires_at, key_expires_at })
    }
}

/// The published lifetime of a Personal token.
const PERSONAL_LIFE: TimeDelta = TimeDelta::hours(24);
/// Less than this is missing from a whole life for other reasons than the key's end.
const ROUNDING: TimeDelta = TimeDelta::minutes(5);

/// When the key of a Personal token ends. A token never outlives its key, so one that is issued for less than its 24 hours ends
/// with it. No claim about the key itself has been seen; should there be one, it counts more.
fn end_of_key(claims: &Value, date: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Some(end) = ["key_exp", "api_key_exp", "key_expires_at"].iter().find_map(|name| moment(&claims[*name])) {
        return Some(end);
    }
    let end = moment(&claims["exp"])?;
    let issued = moment(&claims["iat"]).unwrap_or(date);
    (end - issued < PERSONAL_LIFE - ROUNDING).then_some(end)
}

/// The claims of a JWT, unverified (Garmin's key is not public); null if it is none.
fn claims(token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, payload, _] = parts[..] else { return Value::Null };
    let decoded = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('='));
    decoded.ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// A wrong clock of less than this does not matter to a token.
const CLOCKS_AGREE: TimeDelta = TimeDelta::minutes(2);

/// When a token that came at `now` ends, by this machine's clock. `exp` is a moment of Garmin's clock: where the token, seen from
/// here, was made in the future or is over already, this machine's clock is wrong, and only how long the token lives counts.
fn expiry(claims: &Value, now: DateTime<Utc>, date: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    let end = moment(&claims["exp"])?;
    let issued = moment(&claims["iat"]);
    if now < end && issued.is_none_or(|issued| issued <= now + CLOCKS_AGREE) {
        return Some(end);
    }
    let theirs = date.filter(|date| *date < end).or(issued.filter(|issued| *issued < end));
    theirs.map_or(Some(end), |theirs| now.checked_add_signed(end - theirs))
}

/// A claim that is a moment: epoch seconds.
fn moment(claim: &Value) -> Option<DateTime<Utc>> {
    seconds_after(DateTime::UNIX_EPOCH, claim.as_f64()?)
}

/// A moment some seconds after another; `None` beyond the reach of the calendar.
fn seconds_after(start: DateTime<Utc>, seconds: f64) -> Option<DateTime<Utc>> {
    start.checked_add_signed(TimeDelta::try_seconds(seconds as i64)?)
}

/// Whether this looks like a client id of Garmin's: all that are known are words of capital letters, digits and underscores.
pub(crate) fn is_client_id(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=128).contains(&text.len()) && text.bytes().all(known)
}

/// The world named by an issuer, which is an address or a bare host.
fn domain_of(issuer: &str) -> Option<Domain> {
    let url = Url::parse(issuer).or_else(|_| Url::parse(&format!("https://{issuer}"))).ok()?;
    Domain::of_host(url.host_str()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn jwt(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_793_000_000, 0).unwrap()
    }

    fn in_seconds(seconds: i64) -> DateTime<Utc> {
        now() + TimeDelta::seconds(seconds)
    }

    fn read(answer: &Value, old: Option<&Tokens>) -> Option<Tokens> {
        Tokens::read(answer, "ASKED", Domain::Com, old, now(), None)
    }

    #[test]
    fn the_claims_count_more_than_the_answer() {
        let access = jwt(&json!({"exp": 1_793_000_500, "client_id": "CLAIMED", "iss": "https://diauth.garmin.cn"}));
        let answer = json!({"access_token": access, "refresh_token": "r", "expires_in": 9, "refresh_token_expires_in": 2_591_999});
        let tokens = read(&answer, None).unwrap();
        assert_eq!(tokens.access_expires_at, in_seconds(500));
        assert_eq!(tokens.refresh_expires_at, Some(in_seconds(2_591_999)));
        assert_eq!((&*tokens.client_id, tokens.domain), ("CLAIMED", Domain::Cn));
        assert_eq!(tokens.issued_at, now());
    }

    #[test]
    fn what_the_claims_do_not_say_comes_from_the_answer() {
        for access in ["opaque".to_owned(), "a.b.c".into(), jwt(&json!({"exp": "soon"})), jwt(&json!([]))] {
            let answer = json!({"access_token": access, "refresh_token": "r", "expires_in": 60});
            let tokens = read(&answer, None).unwrap();
            assert_eq!(tokens.access_expires_at, in_seconds(60), "{access}");
            assert_eq!((&*tokens.client_id, tokens.domain, tokens.refresh_expires_at), ("ASKED", Domain::Com, None));
        }
        let without = read(&json!({"access_token": "opaque", "refresh_token": "r"}), None).unwrap();
        assert_eq!(without.access_expires_at, now(), "renew before use");
        let absurd = read(&json!({"access_token": "o", "refresh_token": "r", "expires_in": 1e300}), None).unwrap();
        assert_eq!(absurd.access_expires_at, now());
    }

    #[test]
    fn the_old_refresh_token_stays_if_there_is_no_new_one() {
        let first = json!({"access_token": "a", "refresh_token": "r1", "refresh_token_expires_in": 100});
        let old = read(&first, None).unwrap();
        let kept = read(&json!({"access_token": "b", "expires_in": 5}), Some(&old)).unwrap();
        assert_eq!(kept.refresh.expose_secret(), "r1");
        assert_eq!(kept.refresh_expires_at, old.refresh_expires_at);
        let rotated = read(&json!({"access_token": "b", "refresh_token": "r2"}), Some(&old)).unwrap();
        assert_eq!((rotated.refresh.expose_secret(), rotated.refresh_expires_at), ("r2", None));
        assert!(read(&json!({"access_token": "a"}), None).is_none());
        assert!(read(&json!({"refresh_token": "r"}), None).is_none());
        assert!(read(&json!({"access_token": "", "refresh_token": "r"}), None).is_none());
        assert!(read(&json!([]), None).is_none());
        for access in ["a\nb", "a b", "a\u{7f}", "\u{e4}"] {
            assert!(read(&json!({"access_token": access, "refresh_token": "r"}), None).is_none(), "{access:?}");
        }
    }

    #[test]
    fn tokens_survive_as_text_and_hide_in_debug() {
        let answer = json!({"access_token": "s3cret-a", "refresh_token": "s3cret-r", "expires_in": 60});
        let tokens = read(&answer, None).unwrap();
        let text = serde_json::to_string(&tokens).unwrap();
        let back: Tokens = serde_json::from_str(&text).unwrap();
        assert_eq!(back.refresh.expose_secret(), "s3cret-r");
        assert_eq!(back.access_expires_at, tokens.access_expires_at);
        assert!(text.contains(r#""domain":"garmin.com""#));
        assert!(!format!("{tokens:?}").contains("s3cret"));
    }

    #[test]
    fn personal_tokens_come_in_several_wrappings() {
        let token = jwt(&json!({"exp": 1_793_000_500}));
        let wrappings =
            [token.clone(), format!("{token}\n"), format!("\"{token}\""), json!({"access_token": token}).to_string()];
        for body in wrappings {
            let read = PersonalToken::read(&body, now(), None).unwrap();
            assert_eq!((read.access.expose_secret(), read.expires_at), (&*token, in_seconds(500)), "{body}");
        }
        let dateless = PersonalToken::read("a.b.c", now(), None).unwrap();
        assert_eq!(dateless.expires_at, in_seconds(24 * 3600));
        for body in ["", "<html>a.b.c</html> ", "{}", "[]", "opaque", "a.b", "a .b.c"] {
            assert!(PersonalToken::read(body, now(), None).is_none(), "{body}");
        }
    }

    #[test]
    fn a_wrong_clock_changes_nothing_about_a_tokens_life() {
        let (issued, day) = (1_793_000_000, 24 * 3600);
        let access = jwt(&json!({"iat": issued, "exp": issued + day}));
        let answer = json!({"access_token": access, "refresh_token": "r", "refresh_token_expires_in": 2_591_999});
        let years = TimeDelta::days(1000);
        for (off, date) in
            [(years, true), (-years, true), (years, false), (-years, false), (-TimeDelta::hours(3), false)]
        {
            let here = now() + off;
            let tokens = Tokens::read(&answer, "C", Domain::Com, None, here, date.then(now)).unwrap();
            assert_eq!(tokens.access_expires_at - here, TimeDelta::seconds(day), "{off}");
            assert_eq!(tokens.refresh_expires_at, Some(here + TimeDelta::seconds(2_591_999)));
        }
        // A clock that is right, or ahead by hours only: the claim itself.
        for off in [TimeDelta::zero(), TimeDelta::hours(3)] {
            let tokens = Tokens::read(&answer, "C", Domain::Com, None, now() + off, Some(now())).unwrap();
            assert_eq!(tokens.access_expires_at, in_seconds(day));
        }
    }

    #[test]
    fn a_short_token_tells_when_its_key_ends() {
        let end = |claims: Value| PersonalToken::read(&jwt(&claims), now(), Some(now())).unwrap().key_expires_at;
        let (issued, hour) = (1_793_000_000, 3600);
        assert_eq!(end(json!({"iat": issued, "exp": issued + 24 * hour})), None, "a whole life");
        assert_eq!(end(json!({"iat": issued, "exp": issued + 24 * hour - 60})), None, "rounding");
        assert_eq!(end(json!({"iat": issued, "exp": issued + 20 * hour})), Some(in_seconds(20 * hour)));
        assert_eq!(end(json!({"exp": issued + 20 * hour})), Some(in_seconds(20 * hour)), "by Garmin's date");
        assert_eq!(end(json!({"exp": issued + 24 * hour})), None);
        assert_eq!(
            end(json!({"key_exp": issued + 99, "iat": issued, "exp": issued + 24 * hour})),
            Some(in_seconds(99))
        );
        assert_eq!(end(json!({})), None);
    }
}
