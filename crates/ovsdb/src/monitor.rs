//! A copy of chosen rows, kept current from what `monitor_cond_since` tells (ovsdb-server(7), "Monitor_Cond_Since").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::condition::Condition;
use crate::schema::{ColumnType, Schema};
use crate::value::{Row, Uuid};

mod replica;
#[cfg(test)]
mod tests;

pub use replica::{Change, Inconsistent, Replica};

/// What to watch of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Its columns, all when `None`. Those that the database does not have are left out.
    pub columns: Option<BTreeSet<String>>,
    /// Which rows: those that meet any of these conditions, all when there is none.
    pub conditions: Vec<Condition>,
}

impl Watch {
    /// All rows and columns.
    pub fn all() -> Self {
        Self { columns: None, conditions: Vec::new() }
    }

    /// All rows with these columns.
    pub fn columns<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self { columns: Some(columns.into_iter().map(Into::into).collect()), conditions: Vec::new() }
    }

    /// Only the rows that meet this condition or one given before.
    pub fn or_where(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

/// What to watch by the names of the tables. Those that the database does not have are left out.
pub type Watches = BTreeMap<String, Watch>;

/// The watched tables and columns that a database really has, with their types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    tables: BTreeMap<Arc<str>, BTreeMap<String, ColumnType>>,
}

impl Shape {
    /// What of this can be watched in a database of this schema.
    pub fn new(watches: &Watches, schema: &Schema) -> Self {
        let tables = watches.iter().filter_map(|(name, watch)| {
            let columns = schema.tables.get(name)?.columns.iter();
            let wanted = |column: &String| watch.columns.as_ref().is_none_or(|some| some.contains(column));
            let columns = columns.filter(|(column, _)| wanted(column));
            Some((Arc::from(name.as_str()), columns.map(|(c, t)| (c.clone(), t.clone())).collect()))
        });
        Self { tables: tables.collect() }
    }

    /// The third parameter of the request: an object with one array for each table.
    pub fn request<'a>(&'a self, watches: &'a Watches) -> impl Serialize + 'a {
        Request { shape: self, watches }
    }
}

struct Request<'a> {
    shape: &'a Shape,
    watches: &'a Watches,
}

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Part<'a> {
            columns: Vec<&'a String>,
            #[serde(rename = "where", skip_serializing_if = "<[Condition]>::is_empty")]
            conditions: &'a [Condition],
        }
        let mut object = serializer.serialize_map(None)?;
        for (name, columns) in &self.shape.tables {
            let conditions = self.watches.get(&**name).map_or(&[][..], |watch| &watch.conditions);
            object.serialize_entry(&**name, &[Part { columns: columns.keys().collect(), conditions }])?;
        }
        object.end()
    }
}

/// What happened to one row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowUpdate {
    /// It was there when the monitor began. Columns that hold their default are left out.
    Initial(Row),
    /// It is new, or has come to meet the conditions. Columns that hold their default are left out.
    Insert(Row),
    /// These columns changed: the new value, or of a set or map what differs.
    Modify(Row),
    /// It is gone, or no longer meets the conditions.
    Delete(Nothing),
}

/// What stands beside `delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(from).map(|_| Self)
    }
}

/// What happened to the rows of each table (`<table-updates2>`).
pub type Updates = BTreeMap<String, BTreeMap<Uuid, RowUpdate>>;

/// The answer to `monitor_cond_since`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Beginning {
    /// Whether the server still knew the transaction up to which we had followed. If not, `updates` are all rows there are.
    pub resumed: bool,
    /// Up to which transaction we have followed now; zero for a database without history.
    pub last_transaction: Uuid,
    /// The rows.
    pub updates: Updates,
}

/// The parameters of the notification `update3`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Progress {
    /// The number that we gave the monitor.
    pub monitor: u64,
    /// Up to which transaction we have followed now; zero for a database without history.
    pub last_transaction: Uuid,
    /// The rows.
    pub updates: Updates,
}
