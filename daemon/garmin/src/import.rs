//! Logins that other programs keep in files: which program a file is of, found by its content alone, and what of it can be used. The
//! account room takes the result over. Pure: contents in, tokens out; it reads no file and asks Garmin nothing.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::tokens::{Found, is_client_id};
use crate::{Domain, Garmin, Tokens};

/// The programs whose tokens can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The Python library garminconnect, and garmin-health-data, which keeps the same file.
    Garminconnect,
    /// The Home Assistant integration ha_garmin.
    HaGarmin,
    /// pirate-garmin.
    PirateGarmin,
    /// garth. Its refresh token comes of an older exchange; whether Garmin's present token service renews it is unproven.
    Garth,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tool::Garminconnect => "garminconnect",
            Tool::HaGarmin => "ha_garmin",
            Tool::PirateGarmin => "pirate-garmin",
            Tool::Garth => "garth",
        })
    }
}

/// What files of another program hold.
#[derive(Debug)]
pub enum Import {
    /// A token pair. Once it is renewed, the other program's copy is dead.
    Tokens(Tool, Box<Tokens>),
    /// The key file of Garmin's own Personal API client. Nothing in it changes by use.
    Key(SecretString),
}

/// Why nothing can be taken over. The words are for people, and repeat nothing of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotImportable {
    /// Nothing that is known.
    #[error(
        "nothing there is a login that can be taken over: known are the token files of garminconnect, garmin-health-data, \
         ha_garmin, pirate-garmin and garth, and the key file of Garmin's Personal API client"
    )]
    Nothing,
    /// garth's older half.
    #[error(
        "that is only the OAuth1 half of a garth login, which Garmin's token service does not take any more; it cannot be \
         taken over, and neither can anything be made of it"
    )]
    OnlyOauth1,
    /// The cache of Garmin's own client.
    #[error(
        "that is only the bearer cache of Garmin's Personal API client: it ends within a day and cannot be renewed; what lasts is \
         the key beside it, in the file connect-personal-api-key"
    )]
    OnlyBearer,
    /// A pair without its lasting half.
    #[error("the token file of {0} that is there holds no refresh token, so its login would end within a day")]
    NoRefreshToken(Tool),
    /// A pair that cannot be renewed as it stands.
    #[error(
        "the token file of {0} that is there names a client id that is none of Garmin's, so its login could not be renewed"
    )]
    OddClientId(Tool),
    /// More logins than one.
    #[error("there is more than one login, and which one is meant cannot be known; name the one file")]
    Several,
    /// The other one of Garmin's two worlds.
    #[error("the tokens there are of {0}, and this account is one of the other region")]
    OtherRegion(Domain),
}

impl Garmin {
    /// What can be used of these files' contents, in any order.
    ///
    /// # Errors
    /// Why nothing can.
    pub fn import(&self, files: &[&str]) -> Result<Import, NotImportable> {
        read(files, self.settings.endpoints.domain, Utc::now())
    }
}

/// What one file is.
enum File {
    Pair(Tool, Box<Tokens>),
    Key(SecretString),
    HalfPair(Tool),
    OddPair(Tool),
    Oauth1,
    Bearer,
    Unknown,
}

fn read(files: &[&str], domain: Domain, now: DateTime<Utc>) -> Result<Import, NotImportable> {
    let found: Vec<File> = files.iter().flat_map(|text| look_at(text, domain, now)).collect();
    let (mut pairs, mut keys) = (Vec::new(), Vec::new());
    // Of several reasons the one that a person can do most about.
    let mut why = NotImportable::Nothing;
    for file in found {
        why = match file {
            File::Pair(tool, tokens) => {
                pairs.push((tool, tokens));
                continue;
            }
            File::Key(key) => {
                keys.push(key);
                continue;
            }
            File::HalfPair(tool) => NotImportable::NoRefreshToken(tool),
            File::OddPair(tool) => NotImportable::OddClientId(tool),
            File::Bearer if !matches!(why, NotImportable::NoRefreshToken(_) | NotImportable::OddClientId(_)) => {
                NotImportable::OnlyBearer
            }
            File::Oauth1 if why == NotImportable::Nothing => NotImportable::OnlyOauth1,
            _ => why,
        };
    }
    // A directory that garminconnect has used for years holds garth's files beside its own.
    if pairs.iter().any(|(tool, _)| *tool != Tool::Garth) {
        pairs.retain(|(tool, _)| *tool != Tool::Garth);
    }
    pairs.dedup_by(|(_, one), (_, other)| one.refresh.expose_secret() == other.refresh.expose_secret());
    keys.dedup_by(|one, other| one.expose_secret() == other.expose_secret());
    match (pairs.len(), keys.len()) {
        (2.., _) => return Err(NotImportable::Several),
        (0, 2..) => return Err(NotImportable::Several),
        _ => {}
    }
    match (pairs.pop(), keys.pop()) {
        (Some((_, tokens)), _) if tokens.domain != domain => Err(NotImportable::OtherRegion(tokens.domain)),
        (Some((tool, tokens)), _) => Ok(Import::Tokens(tool, tokens)),
        (None, Some(key)) => Ok(Import::Key(key)),
        (None, None) => Err(why),
    }
}

fn look_at(text: &str, domain: Domain, now: DateTime<Utc>) -> Vec<File> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let known = |json: &Value| look_at_json(json, domain, now);
    match serde_json::from_str::<Value>(text) {
        // garth writes both halves into two files, or into one text.
        Ok(Value::Array(parts)) => return parts.iter().map(known).collect(),
        Ok(json @ Value::Object(_)) => return vec![known(&json)],
        // A key of digits alone would be a number.
        Ok(Value::Number(_)) | Err(_) => {}
        Ok(_) => return vec![],
    }
    let packed: String = text.split_whitespace().collect();
    if let Some(Value::Array(parts)) = STANDARD.decode(&packed).ok().and_then(|json| serde_json::from_slice(&json).ok())
    {
        return parts.iter().map(known).collect();
    }
    if is_key(text) { vec![File::Key(text.into())] } else { vec![] }
}

/// Opaque text without blanks, and no more is known of keys: whatever is much shorter or longer, or looks like a page, is none.
fn is_key(text: &str) -> bool {
    (16..=1024).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['<', '>', '{', '}', '"'])
        && !text.contains("://")
}

fn look_at_json(json: &Value, domain: Domain, now: DateTime<Utc>) -> File {
    let pirate = &json["di"]["token"];
    let (tool, at, [access, refresh, client_id]) =
        if json.get("di_token").is_some() || json.get("di_refresh_token").is_some() {
            (Tool::Garminconnect, json, ["di_token", "di_refresh_token", "di_client_id"])
        } else if pirate.is_object() {
            (Tool::PirateGarmin, pirate, ["access_token", "refresh_token", ""])
        } else if json.get("fingerprint").is_some() && json.get("access_token").is_some() {
            return File::Bearer;
        } else if json.get("oauth_token").is_some() && json.get("oauth_token_secret").is_some() {
            return File::Oauth1;
        } else if json.get("access_token").is_some() && json.get("refresh_token").is_some() {
            (Tool::Garth, json, ["access_token", "refresh_token", ""])
        } else if json.get("token").is_some() && json.get("refresh_token").is_some() {
            (Tool::HaGarmin, json, ["token", "refresh_token", "client_id"])
        } else {
            return File::Unknown;
        };
    let text = |value: &'_ Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let Some(refresh) = text(&at[refresh]) else { return File::HalfPair(tool) };
    let access = text(&at[access]).unwrap_or_default();
    let client_id = if tool == Tool::PirateGarmin { text(&json["di"]["clientId"]) } else { text(&at[client_id]) };
    if client_id.as_deref().is_some_and(|id| !is_client_id(id)) {
        return File::OddPair(tool);
    }
    let found = Found {
        access: &access,
        refresh: &refresh,
        client_id: client_id.as_deref(),
        expires_at: at["expires_at"].as_f64(),
        refresh_expires_at: at["refresh_token_expires_at"].as_f64(),
    };
    File::Pair(tool, Box::new(Tokens::of_another_program(&found, domain, now)))
}

#[cfg(test)]
#[path = "import_test.rs"]
mod tests;
