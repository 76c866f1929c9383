//! The messages of JSON-RPC 1.0 as OVSDB exchanges them (RFC 7047 section 4), without a look into what they carry.
//!
//! What a message carries stays text ([`RawValue`]) until somebody knows its type: a first reply of megabytes is read once.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod scanner;

pub use scanner::{ScanError, Scanner};

/// A message that came in.
#[derive(Debug)]
pub enum Incoming {
    /// The answer to one of our requests.
    Reply {
        /// The number of the request.
        id: u64,
        /// Its result, or why there is none.
        result: Result<Box<RawValue>, RpcError>,
    },
    /// A request to us. Servers send `echo` alone.
    Request {
        /// What the answer must repeat.
        id: Box<RawValue>,
        /// What is asked.
        method: String,
        /// With what.
        params: Box<RawValue>,
    },
    /// News that nobody answers.
    Notification {
        /// What happened: `update3`, `monitor_canceled`, …
        method: String,
        /// With what.
        params: Box<RawValue>,
    },
}

/// The server answered a request as a whole with an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server answered {error:?}{}", details.as_deref().map(|text| format!(" ({text})")).unwrap_or_default())]
pub struct RpcError {
    /// The kind of error, a fixed text such as `unknown database`.
    pub error: String,
    /// More about it, for people.
    pub details: Option<String>,
}

impl RpcError {
    fn read(raw: &RawValue) -> Self {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Object { error: String, details: Option<String> },
            Text(String),
        }
        match serde_json::from_str(raw.get()) {
            Ok(Form::Object { error, details }) => Self { error, details },
            Ok(Form::Text(error)) => Self { error, details: None },
            Err(_) => Self { error: raw.get().to_owned(), details: None },
        }
    }
}

/// What came in is no message of JSON-RPC 1.0.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It is no JSON object.
    #[error("cannot read a message as JSON")]
    Json(#[source] serde_json::Error),
    /// It answers a request that we cannot have made.
    #[error("a reply to request {0}, which is none of ours")]
    ForeignId(String),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Incoming {
    /// Reads one message as the [`Scanner`] cuts it out.
    pub fn read(message: &[u8]) -> Result<Self, MessageError> {
        let envelope: Envelope<'_> = serde_json::from_slice(message).map_err(MessageError::Json)?;
        let owned = |raw: Option<&RawValue>| raw.unwrap_or(RawValue::NULL).to_owned();
        if let Some(method) = envelope.method {
            let (method, params) = (method.into_owned(), owned(envelope.params));
            return Ok(match envelope.id {
                Some(id) => Self::Request { id: id.to_owned(), method, params },
                None => Self::Notification { method, params },
            });
        }
        let id = envelope.id.map_or("null", RawValue::get);
        let id = id.parse().map_err(|_| MessageError::ForeignId(id.to_owned()))?;
        let result = match envelope.error {
            Some(error) => Err(RpcError::read(error)),
            None => Ok(owned(envelope.result)),
        };
        Ok(Self::Reply { id, result })
    }
}

/// The text of a request.
pub fn request(id: u64, method: &str, params: &impl Serialize) -> Bytes {
    #[derive(Serialize)]
    struct Request<'a, P> {
        id: u64,
        method: &'a str,
        params: &'a P,
    }
    encode(&Request { id, method, params })
}

/// The text of the answer to a request: what came with it, as `echo` wants it, or that we do not know the method.
pub fn answer(id: &RawValue, method: &str, params: &RawValue) -> Bytes {
    #[derive(Serialize)]
    struct Reply<'a> {
        id: &'a RawValue,
        result: Option<&'a RawValue>,
        error: Option<&'a str>,
    }
    let known = method == "echo";
    encode(&Reply { id, result: known.then_some(params), error: (!known).then_some("unknown method") })
}

fn encode(message: &impl Serialize) -> Bytes {
    let text = serde_json::to_vec(message);
    Bytes::from(text.expect("memory takes any bytes, and every map of ours has texts as keys"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_carry_a_result_or_an_error() {
        let Ok(Incoming::Reply { id: 7, result: Ok(result) }) =
            Incoming::read(br#"{"id":7,"result":[1, "\u007b"],"error":null}"#)
        else {
            panic!()
        };
        assert_eq!(result.get(), r#"[1, "\u007b"]"#);
        let failed = |text: &str| match Incoming::read(text.as_bytes()) {
            Ok(Incoming::Reply { result: Err(error), .. }) => error.to_string(),
            other => panic!("{other:?}"),
        };
        let long =
            r#"{"id":0,"result":null,"error":{"error":"unknown database","details":"no X","syntax":"?"}}"#;
        assert_eq!(failed(long), r#"the server answered "unknown database" (no X)"#);
        assert_eq!(failed(r#"{"id":0,"error":"canceled"}"#), r#"the server answered "canceled""#);
        assert_eq!(failed(r#"{"id":0,"error":[1]}"#), r#"the server answered "[1]""#);
    }

    #[test]
    fn requests_and_notifications_differ_in_their_id() {
        let echo = Incoming::read(br#"{"method":"echo","params":["x"],"id":"echo"}"#).unwrap();
        let Incoming::Request { id, method, params } = echo else { panic!() };
        assert_eq!(&answer(&id, &method, &params)[..], br#"{"id":"echo","result":["x"],"error":null}"#);
        assert_eq!(
            &answer(&id, "format_disk", &params)[..],
            br#"{"id":"echo","result":null,"error":"unknown method"}"#
        );
        let news = Incoming::read(br#"{"id":null,"method":"update3","params":[]}"#).unwrap();
        assert!(matches!(news, Incoming::Notification { method, .. } if method == "update3"));
    }

    #[test]
    fn what_answers_nothing_is_refused() {
        for text in ["[]", "{", r#"{"id":"echo","result":[]}"#, r#"{"id":null,"error":"?"}"#, r#"{"id":-1}"#]
        {
            assert!(Incoming::read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_request_has_its_three_members() {
        assert_eq!(
            &request(3, "get_schema", &["db"])[..],
            br#"{"id":3,"method":"get_schema","params":["db"]}"#
        );
    }
}
