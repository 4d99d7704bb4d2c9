//! JSON-RPC 2.0 frames, one a line: how they are written and read. Pure text in, pure text out; sockets are somebody else's.
//! A line that cannot be read is never quoted back: it may hold a password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::limits::MAX_ID_BYTES;

/// A request's id: what JSON-RPC allows, less fractions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Id {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The error of an answer: a protocol mistake, or an application [`Failure`].
#[derive(Clone, Debug, PartialEq)]
pub enum RpcError {
    /// The line is no JSON (-32700).
    Parse,
    /// The JSON is no request (-32600).
    InvalidRequest(&'static str),
    /// Nobody here has that method (-32601).
    UnknownMethod(String),
    /// The parameters do not fit (-32602). The text names fields, never values.
    InvalidParams(String),
    /// An application error (-32000).
    Failure(Failure),
    /// What another version sent: code and message.
    Other(i64, String),
}

impl From<Failure> for RpcError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// One line, in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A call that wants an answer, or, without an id, none.
    Request {
        /// Absent in a notification.
        id: Option<Id>,
        /// The method's name.
        method: String,
        /// By name; `{}` when absent.
        params: Value,
    },
    /// A call's good answer.
    Result {
        /// The request's id.
        id: Id,
        /// What the method returns.
        result: Value,
    },
    /// A call's bad answer.
    Error {
        /// The request's id; absent when it could not be read.
        id: Option<Id>,
        /// What went wrong.
        error: RpcError,
    },
}

impl Frame {
    /// A notification: a request nobody answers.
    pub fn notification(method: &str, params: impl Serialize) -> Self {
        Self::Request { id: None, method: method.into(), params: serde_json::to_value(params).unwrap_or(Value::Null) }
    }

    /// The frame as one line with its newline.
    pub fn to_line(&self) -> String {
        let value = match self {
            Self::Request { id: Some(id), method, params } => {
                json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
            }
            Self::Request { id: None, method, params } => {
                json!({ "jsonrpc": "2.0", "method": method, "params": params })
            }
            Self::Result { id, result } => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Self::Error { id, error } => json!({ "jsonrpc": "2.0", "id": id, "error": error.to_value() }),
        };
        let mut line = value.to_string();
        line.push('\n');
        line
    }

    /// Reads a line.
    ///
    /// # Errors
    /// The id as far as it could be read, and what is wrong; no part of the line's values.
    pub fn parse(line: &[u8]) -> Result<Self, Box<(Option<Id>, RpcError)>> {
        let value: Value = serde_json::from_slice(line).map_err(|_| wrong(None, RpcError::Parse))?;
        let Value::Object(mut object) = value else {
            return Err(wrong(None, RpcError::InvalidRequest("a frame is a JSON object; batches are not spoken here")));
        };
        let id = match object.remove("id") {
            None => None,
            Some(Value::Null) if object.contains_key("error") => None,
            Some(id) => match serde_json::from_value(id) {
                Ok(Id::Text(long)) if long.len() > MAX_ID_BYTES => {
                    return Err(wrong(None, RpcError::InvalidRequest("an id has at most 64 bytes")));
                }
                Ok(id) => Some(id),
                Err(_) => return Err(wrong(None, RpcError::InvalidRequest("an id is an integer or a string"))),
            },
        };
        if object.remove("jsonrpc") != Some(Value::String("2.0".into())) {
            return Err(wrong(id, RpcError::InvalidRequest("jsonrpc must be \"2.0\"")));
        }
        if let Some(error) = object.remove("error") {
            return Ok(Self::Error { id, error: RpcError::from_value(error) });
        }
        if let Some(result) = object.remove("result") {
            let id = id.ok_or_else(|| wrong(None, RpcError::InvalidRequest("a result names its request")))?;
            return Ok(Self::Result { id, result });
        }
        let Some(Value::String(method)) = object.remove("method") else {
            return Err(wrong(id, RpcError::InvalidRequest("method must be a string")));
        };
        let params = match object.remove("params") {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(params @ Value::Object(_)) => params,
            Some(_) => return Err(wrong(id, RpcError::InvalidRequest("params go by name"))),
        };
        Ok(Self::Request { id, method, params })
    }
}

fn wrong(id: Option<Id>, error: RpcError) -> Box<(Option<Id>, RpcError)> {
    Box::new((id, error))
}

impl RpcError {
    /// JSON-RPC's number for it.
    pub fn code(&self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::InvalidRequest(_) => -32600,
            Self::UnknownMethod(_) => -32601,
            Self::InvalidParams(_) => -32602,
            Self::Failure(_) => -32000,
            Self::Other(code, _) => *code,
        }
    }

    /// The sentence for people.
    pub fn message(&self) -> String {
        match self {
            Self::Parse => "the line is not JSON".into(),
            Self::InvalidRequest(why) => format!("not a request: {why}"),
            Self::UnknownMethod(method) => format!("unknown method {method:?}"),
            Self::InvalidParams(why) => format!("wrong parameters: {why}"),
            Self::Failure(failure) => failure.message.clone(),
            Self::Other(_, message) => message.clone(),
        }
    }

    fn to_value(&self) -> Value {
        let mut value = json!({ "code": self.code(), "message": self.message() });
        if let Self::Failure(failure) = self {
            value["data"] = serde_json::to_value(failure).unwrap_or(Value::Null);
        }
        value
    }

    fn from_value(mut value: Value) -> Self {
        let code = value["code"].as_i64().unwrap_or(0);
        let message = value["message"].as_str().unwrap_or("an error without words").to_owned();
        match (code, serde_json::from_value::<Failure>(value["data"].take())) {
            (-32000, Ok(failure)) => Self::Failure(Failure { message, ..failure }),
            (-32601, _) => Self::UnknownMethod(message),
            _ => Self::Other(code, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;

    #[test]
    fn frames_survive_the_wire() {
        let failure = Failure::new(Kind::MfaCodeRejected, "That code was not accepted.").attempts_left(2);
        for frame in [
            Frame::Request { id: Some(Id::Number(7)), method: "status".into(), params: json!({}) },
            Frame::notification("progress", json!({ "request": 7 })),
            Frame::Result { id: Id::Text("a".into()), result: json!({ "ok": true }) },
            Frame::Error { id: Some(Id::Number(7)), error: RpcError::Failure(failure) },
        ] {
            let line = frame.to_line();
            assert!(line.ends_with('\n') && !line.trim_end().contains('\n'));
            assert_eq!(Frame::parse(line.trim_end().as_bytes()), Ok(frame));
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        for line in
            ["{\"password\":\"hunter2\"", "[\"hunter2\"]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":{\"hunter2\":1}}"]
        {
            let (_, error) = *Frame::parse(line.as_bytes()).unwrap_err();
            assert!(!error.message().contains("hunter2"), "{}", error.message());
        }
    }

    #[test]
    fn a_long_id_is_not_repeated() {
        let frame = |length: usize| json!({ "jsonrpc": "2.0", "id": "x".repeat(length), "method": "m" }).to_string();
        assert!(Frame::parse(frame(MAX_ID_BYTES).as_bytes()).is_ok());
        let (id, error) = *Frame::parse(frame(MAX_ID_BYTES + 1).as_bytes()).unwrap_err();
        assert_eq!((id, error.code()), (None, -32600));
    }

    #[test]
    fn params_default_to_an_empty_object() {
        let frame = Frame::parse(br#"{"jsonrpc":"2.0","id":1,"method":"status"}"#).unwrap();
        assert_eq!(frame, Frame::Request { id: Some(Id::Number(1)), method: "status".into(), params: json!({}) });
    }
}
