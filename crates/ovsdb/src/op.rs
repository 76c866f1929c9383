//! The operations of a transaction (RFC 7047 section 5.2) as values.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::condition::Condition;
use crate::value::{Row, Value};

/// How a mutation changes a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Mutator {
    /// Each number plus the value.
    #[serde(rename = "+=")]
    Add,
    /// Each number minus the value.
    #[serde(rename = "-=")]
    Subtract,
    /// Each number times the value.
    #[serde(rename = "*=")]
    Multiply,
    /// Each number divided by the value.
    #[serde(rename = "/=")]
    Divide,
    /// What is left of each number divided by the value; integers only.
    #[serde(rename = "%=")]
    Modulo,
    /// Elements or pairs put in. A pair whose key is there already is left out, whatever its value.
    #[serde(rename = "insert")]
    Insert,
    /// Elements, pairs, or (a set against a map) keys taken out.
    #[serde(rename = "delete")]
    Delete,
}

/// A change of a column in place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mutation {
    /// The column.
    pub column: String,
    /// What is done to it.
    pub mutator: Mutator,
    /// With what.
    pub value: Value,
}

impl Mutation {
    /// A change of a column.
    pub fn new(column: impl Into<String>, mutator: Mutator, value: impl Into<Value>) -> Self {
        Self { column: column.into(), mutator, value: value.into() }
    }
}

impl Serialize for Mutation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.column, self.mutator, &self.value).serialize(serializer)
    }
}

/// One operation. Those of one transaction take effect together or not at all, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A new row (5.2.1).
    Insert {
        /// Where.
        table: String,
        /// By which [`crate::value::Atom::NamedUuid`] other operations of the transaction refer to it.
        uuid_name: Option<String>,
        /// Its columns; those left out get the defaults of their types.
        row: Row,
    },
    /// Reads rows (5.2.2).
    Select {
        /// Where.
        table: String,
        /// Which rows.
        conditions: Vec<Condition>,
        /// Which columns, all when `None`.
        columns: Option<Vec<String>>,
    },
    /// New values of some columns (5.2.3).
    Update {
        /// Where.
        table: String,
        /// Which rows.
        conditions: Vec<Condition>,
        /// The columns with their new values.
        row: Row,
    },
    /// Changes of columns in place (5.2.4).
    Mutate {
        /// Where.
        table: String,
        /// Which rows.
        conditions: Vec<Condition>,
        /// The changes, in this order.
        mutations: Vec<Mutation>,
    },
    /// The end of rows (5.2.5).
    Delete {
        /// Where.
        table: String,
        /// Which rows.
        conditions: Vec<Condition>,
    },
    /// Fails the transaction at once when rows are not as expected (5.2.6).
    ///
    /// The timeout is always 0: one who waits for a change learns of it from a monitor and holds no transaction open.
    Wait {
        /// Where.
        table: String,
        /// Which rows.
        conditions: Vec<Condition>,
        /// The columns that are compared.
        columns: Vec<String>,
        /// Whether the rows must be exactly `rows`, or must not.
        equal: bool,
        /// What is expected.
        rows: Vec<Row>,
    },
    /// Success is told only after the change is on disk (5.2.7). A clustered database does so in any case.
    CommitDurably,
    /// Fails the transaction (5.2.8).
    Abort,
    /// A text for the database's log (5.2.9).
    Comment {
        /// The text.
        comment: String,
    },
    /// Fails the transaction unless this connection has the lock (5.2.10).
    Assert {
        /// The name of the lock.
        lock: String,
    },
}

impl Operation {
    /// Its name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Insert { .. } => "insert",
            Self::Select { .. } => "select",
            Self::Update { .. } => "update",
            Self::Mutate { .. } => "mutate",
            Self::Delete { .. } => "delete",
            Self::Wait { .. } => "wait",
            Self::CommitDurably => "commit",
            Self::Abort => "abort",
            Self::Comment { .. } => "comment",
            Self::Assert { .. } => "assert",
        }
    }

    /// Its table, when it has one.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Insert { table, .. }
            | Self::Select { table, .. }
            | Self::Update { table, .. }
            | Self::Mutate { table, .. }
            | Self::Delete { table, .. }
            | Self::Wait { table, .. } => Some(table),
            Self::CommitDurably | Self::Abort | Self::Comment { .. } | Self::Assert { .. } => None,
        }
    }

    fn conditions(&self) -> Option<&[Condition]> {
        match self {
            Self::Select { conditions, .. }
            | Self::Update { conditions, .. }
            | Self::Mutate { conditions, .. }
            | Self::Delete { conditions, .. }
            | Self::Wait { conditions, .. } => Some(conditions),
            Self::Insert { .. }
            | Self::CommitDurably
            | Self::Abort
            | Self::Comment { .. }
            | Self::Assert { .. } => None,
        }
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("op", self.name())?;
        if let Some(table) = self.table() {
            object.serialize_entry("table", table)?;
        }
        if let Some(conditions) = self.conditions() {
            object.serialize_entry("where", conditions)?;
        }
        match self {
            Self::Insert { uuid_name, row, .. } => {
                if let Some(name) = uuid_name {
                    object.serialize_entry("uuid-name", name)?;
                }
                object.serialize_entry("row", row)?;
            }
            Self::Select { columns: Some(columns), .. } => object.serialize_entry("columns", columns)?,
            Self::Select { columns: None, .. } | Self::Delete { .. } | Self::Abort => {}
            Self::Update { row, .. } => object.serialize_entry("row", row)?,
            Self::Mutate { mutations, .. } => object.serialize_entry("mutations", mutations)?,
            Self::Wait { columns, equal, rows, .. } => {
                object.serialize_entry("timeout", &0)?;
                object.serialize_entry("columns", columns)?;
                object.serialize_entry("until", if *equal { "==" } else { "!=" })?;
                object.serialize_entry("rows", rows)?;
            }
            Self::CommitDurably => object.serialize_entry("durable", &true)?,
            Self::Comment { comment } => object.serialize_entry("comment", comment)?,
            Self::Assert { lock } => object.serialize_entry("lock", lock)?,
        }
        object.end()
    }
}

#[cfg(test)]
mod tests;
