//! Which rows an operation or a monitor is about (RFC 7047 section 5.1, `<condition>`).

use serde::{Serialize, Serializer};

use crate::value::{Uuid, Value};

/// How a column is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Function {
    /// The column's number is lower.
    #[serde(rename = "<")]
    LessThan,
    /// The column's number is lower or the same.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// The column holds the same; a map all the same pairs.
    #[serde(rename = "==")]
    Equal,
    /// The column holds something else.
    #[serde(rename = "!=")]
    NotEqual,
    /// The column's number is higher or the same.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// The column's number is higher.
    #[serde(rename = ">")]
    GreaterThan,
    /// The column holds every element or pair of the value.
    #[serde(rename = "includes")]
    Includes,
    /// The column holds no element or pair of the value.
    #[serde(rename = "excludes")]
    Excludes,
}

/// One comparison. An operation takes the rows that meet all of its conditions; a monitor those that meet any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// The column; `_uuid` is the row's identity.
    pub column: String,
    /// The comparison.
    pub function: Function,
    /// What the column is compared with.
    pub value: Value,
}

impl Condition {
    /// A comparison of a column.
    pub fn new(column: impl Into<String>, function: Function, value: impl Into<Value>) -> Self {
        Self { column: column.into(), function, value: value.into() }
    }

    /// The column holds exactly this.
    pub fn equal(column: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(column, Function::Equal, value)
    }

    /// The row of this UUID.
    pub fn row(uuid: Uuid) -> Self {
        Self::equal("_uuid", uuid)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.column, self.function, &self.value).serialize(serializer)
    }
}
