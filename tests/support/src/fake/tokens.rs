//! The tokens that were issued, and what each is worth now. `diauth` and `personal` issue, the data tiers ask.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A token as the data tiers see it.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub user: String,
    pub personal: bool,
    /// It comes of a ticket for the widget's page.
    pub widget: bool,
    pub expires: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(crate) struct Refresh {
    pub user: String,
    pub client_id: String,
    pub widget: bool,
    pub expires: DateTime<Utc>,
    /// The token that took its place; `None` while it is good.
    pub successor: Option<String>,
    pub revoked: bool,
}

#[derive(Debug, Default)]
pub(crate) struct TokenBook {
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
}

impl TokenBook {
    pub fn add_access(&mut self, token: &str, access: Access) {
        self.access.insert(token.to_owned(), access);
    }

    pub fn add_refresh(&mut self, token: &str, refresh: Refresh) {
        self.refresh.insert(token.to_owned(), refresh);
    }

    pub fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(token)
    }

    pub fn refresh(&self, token: &str) -> Option<&Refresh> {
        self.refresh.get(token)
    }

    /// Every token that was ever issued.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.access.keys().chain(self.refresh.keys())
    }

    pub fn owner_of_access(&self, token: &str) -> Option<String> {
        self.access.get(token).map(|access| access.user.clone())
    }

    pub fn owner_of_refresh(&self, token: &str) -> Option<String> {
        self.refresh.get(token).map(|refresh| refresh.user.clone())
    }

    pub fn rotate(&mut self, old: &str, new: &str) {
        if let Some(refresh) = self.refresh.get_mut(old) {
            refresh.successor = Some(new.to_owned());
        }
    }

    /// Revokes the token and everything that was rotated out of it.
    pub fn revoke_chain(&mut self, token: &str) {
        let mut next = Some(token.to_owned());
        while let Some(refresh) = next.and_then(|token| self.refresh.get_mut(&token)) {
            refresh.revoked = true;
            next = refresh.successor.clone();
        }
    }

    pub fn revoke_refresh_of(&mut self, user: &str) {
        self.refresh.values_mut().filter(|refresh| refresh.user == user).for_each(|refresh| refresh.revoked = true);
    }

    /// Ends the account tier's (or the Personal tier's) access tokens of a person.
    pub fn expire_access_of(&mut self, user: &str, personal: bool) {
        let of_user = self.access.values_mut().filter(|access| access.user == user && access.personal == personal);
        of_user.for_each(|access| access.expires = DateTime::UNIX_EPOCH);
    }
}

/// A JWT whose signature nobody can check.
pub(crate) fn jwt(claims: &Value, signature: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = part(r#"{"alg":"RS256","typ":"JWT","kid":"fake"}"#);
    format!("{header}.{}.{}", part(&claims.to_string()), part(signature))
}
