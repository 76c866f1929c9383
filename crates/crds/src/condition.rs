//! Conditions in a status: one answer each to one yes-or-no question about the object.

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, null_is_default};
use crate::object::Other;

/// The condition type that says whether the object does its work.
pub const READY: &str = "Ready";
/// The condition type that says whether the spec can be meant.
pub const VALIDATED: &str = "Validated";

/// One condition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// The question: `Ready`, `Validated`, `Error`.
    #[serde(rename = "type", deserialize_with = "null_is_default")]
    pub kind: String,
    /// The answer: `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "null_is_default")]
    pub status: String,
    /// One word in CamelCase, for programs.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub reason: String,
    /// A sentence, for people.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub message: String,
    /// The generation of the object that the answer is about; 0 when unknown.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub observed_generation: i64,
    /// When somebody looked last (RFC 3339).
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub last_update_time: String,
    /// When the answer changed last (RFC 3339).
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub last_transition_time: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

impl Condition {
    /// A condition with its reason and message, without times.
    pub fn new(kind: &str, holds: bool, reason: &str, message: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            status: if holds { "True" } else { "False" }.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..Self::default()
        }
    }

    /// The condition of that type.
    pub fn find<'a>(conditions: &'a [Self], kind: &str) -> Option<&'a Self> {
        conditions.iter().find(|condition| condition.kind == kind)
    }

    /// True when the answer is `True`.
    pub fn holds(&self) -> bool {
        self.status == "True"
    }
}
