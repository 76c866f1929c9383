//! The copy itself: how each kind of update changes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Nothing, RowUpdate, Shape, Updates};
use crate::schema::ColumnType;
use crate::value::{Row, Uuid, Value};

/// An update that does not fit what we have: the copy must be made afresh.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    /// A table that is not watched.
    #[error("an update of table {0}, which is not watched")]
    Table(String),
    /// A column that is not watched.
    #[error("an update of column {column} of {table}, which is not watched")]
    Column {
        /// The table.
        table: Arc<str>,
        /// The column.
        column: String,
    },
    /// A change of a row that we do not have.
    #[error("a change of row {row} of {table}, which is not known")]
    Row {
        /// The table.
        table: Arc<str>,
        /// The row.
        row: Uuid,
    },
    /// A difference of another kind than the column.
    #[error("a difference of column {column} of {table} that is none of its kind")]
    Difference {
        /// The table.
        table: Arc<str>,
        /// The column.
        column: String,
    },
}

/// A row that is new, has changed, or is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its table.
    pub table: Arc<str>,
    /// Its identity.
    pub uuid: Uuid,
    /// All its watched columns as they are now; `None` when it is gone.
    pub row: Option<Arc<Row>>,
}

/// The rows of the watched tables. Every row has all watched columns.
#[derive(Debug, Clone)]
pub struct Replica {
    shape: Shape,
    tables: BTreeMap<Arc<str>, BTreeMap<Uuid, Arc<Row>>>,
}

impl Replica {
    /// A copy without rows.
    pub fn new(shape: Shape) -> Self {
        let tables = shape.tables.keys().map(|name| (name.clone(), BTreeMap::new())).collect();
        Self { shape, tables }
    }

    /// What it is a copy of.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The rows of a table in the order of their UUIDs.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = (Uuid, &Arc<Row>)> {
        self.tables.get(table).into_iter().flatten().map(|(uuid, row)| (*uuid, row))
    }

    /// Follows one step of the database. After an error the copy is of no more use than to be replaced.
    pub fn apply(&mut self, updates: Updates) -> Result<Vec<Change>, Inconsistent> {
        let mut changes = Vec::new();
        for (name, rows) in updates {
            let Some((table, columns)) = self.shape.tables.get_key_value(name.as_str()) else {
                return Err(Inconsistent::Table(name));
            };
            let columns = Columns { table, types: columns };
            let copy = self.tables.entry(table.clone()).or_default();
            for (uuid, update) in rows {
                let row = columns.follow(copy.get(&uuid), uuid, update)?;
                let changed = match &row {
                    Some(row) => copy.insert(uuid, row.clone()).as_ref() != Some(row),
                    None => copy.remove(&uuid).is_some(),
                };
                if changed {
                    changes.push(Change { table: table.clone(), uuid, row });
                }
            }
        }
        Ok(changes)
    }

    /// Takes these as all rows there are, and tells only what differs from before.
    pub fn replace(&mut self, shape: Shape, updates: Updates) -> Result<Vec<Change>, Inconsistent> {
        let mut fresh = Self::new(shape);
        fresh.apply(updates)?;
        let before = std::mem::replace(self, fresh);
        let mut changes = Vec::new();
        for (table, rows) in &before.tables {
            let after = self.tables.get(table);
            let gone = rows.keys().filter(|uuid| !after.is_some_and(|after| after.contains_key(uuid)));
            changes.extend(gone.map(|uuid| Change { table: table.clone(), uuid: *uuid, row: None }));
        }
        for (table, rows) in &mut self.tables {
            for (uuid, row) in rows {
                match before.tables.get(table).and_then(|before| before.get(uuid)) {
                    Some(same) if same == row => *row = same.clone(),
                    _ => changes.push(Change { table: table.clone(), uuid: *uuid, row: Some(row.clone()) }),
                }
            }
        }
        Ok(changes)
    }
}

/// The watched columns of one table.
struct Columns<'a> {
    table: &'a Arc<str>,
    types: &'a BTreeMap<String, ColumnType>,
}

impl Columns<'_> {
    fn follow(
        &self,
        before: Option<&Arc<Row>>,
        uuid: Uuid,
        update: RowUpdate,
    ) -> Result<Option<Arc<Row>>, Inconsistent> {
        match update {
            RowUpdate::Delete(Nothing) => Ok(None),
            RowUpdate::Initial(told) | RowUpdate::Insert(told) => {
                self.complete(told).map(|row| Some(row.into()))
            }
            RowUpdate::Modify(told) => match before {
                Some(before) => self.modify(before, told).map(|row| Some(row.into())),
                None => Err(Inconsistent::Row { table: self.table.clone(), row: uuid }),
            },
        }
    }

    fn column(&self, column: &str) -> Result<&ColumnType, Inconsistent> {
        let unknown = || Inconsistent::Column { table: self.table.clone(), column: column.to_owned() };
        self.types.get(column).ok_or_else(unknown)
    }

    fn complete(&self, told: Row) -> Result<Row, Inconsistent> {
        let mut row: Row =
            self.types.iter().map(|(name, kind)| (name.clone(), kind.default_value())).collect();
        for (name, value) in told {
            let value = self.column(&name)?.normalise(value);
            row.insert(name, value);
        }
        Ok(row)
    }

    fn modify(&self, before: &Row, told: Row) -> Result<Row, Inconsistent> {
        let mut row = before.clone();
        for (name, value) in told {
            let kind = self.column(&name)?;
            let value = kind.normalise(value);
            let value = match row.remove(&name) {
                Some(before) if kind.is_composite() => differ(before, value).ok_or_else(|| {
                    Inconsistent::Difference { table: self.table.clone(), column: name.clone() }
                })?,
                _ => value,
            };
            row.insert(name, value);
        }
        Ok(row)
    }
}

/// A set or map after a difference: elements and pairs in both are gone, those only in the difference are new, and a key that
/// has another value in the difference has that value now. `None` when one is a map and the other is not.
fn differ(before: Value, difference: Value) -> Option<Value> {
    if let (Value::Map(before), Value::Map(difference)) = (&before, &difference) {
        let mut map = before.clone();
        for (key, value) in difference {
            if map.get(key) == Some(value) {
                map.remove(key);
            } else {
                map.insert(key.clone(), value.clone());
            }
        }
        return Some(Value::Map(map));
    }
    if matches!(before, Value::Map(_)) || matches!(difference, Value::Map(_)) {
        return None;
    }
    let (kept, told) = (before.elements(), difference.elements());
    let (kept, told): (std::collections::BTreeSet<_>, _) = (kept.collect(), told.collect());
    Some(Value::set(kept.symmetric_difference(&told).map(|atom| (*atom).clone())))
}
