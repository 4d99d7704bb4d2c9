//! A text that must not be seen: passwords, codes, keys. Its `Debug` prints nothing of it and it is wiped on drop.

use std::borrow::Cow;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret on its way over the control socket. The only way to its text is [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The text itself; call it at the last moment.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The inner type, for libraries that speak it.
    pub fn into_inner(self) -> SecretString {
        self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<SecretString> for Secret {
    fn from(text: SecretString) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Serde's own words for a wrong type quote the value ("invalid type: integer `123456`"): a code sent as a number
        // would stand in the error text. So any scalar is taken for what it says, and anything else is refused wordlessly.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(text.into()),
            serde_json::Value::Number(number) => Ok(number.to_string().into()),
            _ => Err(serde::de::Error::custom("a secret must be a string")),
        }
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "password", "description": "never logged, never echoed" })
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_and_errors_show_nothing() {
        let secret: Secret = serde_json::from_str("\"correct horse\"").unwrap();
        assert_eq!(format!("{secret:?}"), "(secret)");
        assert_eq!(secret.expose(), "correct horse");
        let number: Secret = serde_json::from_str("123456").unwrap();
        assert_eq!(number.expose(), "123456");
        let error = serde_json::from_str::<Secret>("[\"hunter2\"]").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
