//! The rows that should be there: each with its owner, its natural key and its place, references by natural key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thiserror::Error;

use crate::cell::{Cell, Columns};
use crate::nb::Table;
use crate::owner::{CHASSIS_KEY, OWNER_KEY, Owner, VENDOR, VENDOR_KEY};

/// What makes a row that one and no other, before it has a UUID and after it lost it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The row's table.
    pub table: Table,
    /// The row in which `name` is unique, for rows without a name of their own (routes, policies, ACLs): the table
    /// and name of the row that holds them. `None` where `name` is unique in the whole table.
    pub within: Option<(Table, String)>,
    /// The name, or what stands for one.
    pub name: String,
}

impl Key {
    /// The key of a row that has a name of its own.
    pub fn named(table: Table, name: impl Into<String>) -> Self {
        Self { table, within: None, name: name.into() }
    }

    /// The key of a row that is told from others of the same parent only.
    pub fn within(table: Table, parent: &Key, name: impl Into<String>) -> Self {
        Self { table, within: Some((parent.table, parent.name.clone())), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.table, self.name)?;
        self.within.as_ref().map_or(Ok(()), |(table, name)| write!(f, " of {table} {name}"))
    }
}

/// Where a row hangs: rows of most tables vanish when no row refers to them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The row that holds it. It need not be wanted in the same set: one that is found will do.
    pub parent: Key,
    /// The column of that row.
    pub column: &'static str,
}

/// A typed row that knows its key, its place and its columns.
pub trait NbRow {
    /// Its natural key.
    fn key(&self) -> Key;
    /// Where it hangs; `None` for a row that stands by itself.
    fn place(&self) -> Option<Place>;
    /// The columns that we write, without the tag.
    fn to_columns(&self) -> Columns;
}

/// One wanted row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its natural key.
    pub key: Key,
    /// Where it hangs.
    pub place: Option<Place>,
    /// Whom it is made for.
    pub owner: Owner,
    /// The columns that we write, with the tag in `external_ids`.
    pub columns: Columns,
}

/// Two wanted rows with one natural key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key} is wanted for {first} and again, with other contents, for {second}")]
pub struct WantedTwice {
    /// The key.
    pub key: Box<Key>,
    /// Whose row is kept.
    pub first: Owner,
    /// Whose row was not added.
    pub second: Owner,
}

/// A set of wanted rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    rows: BTreeMap<Key, Row>,
}

impl Wanted {
    /// No rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row and tags it with its owner. Adding the same row again changes nothing.
    pub fn want(&mut self, owner: &Owner, row: &dyn NbRow) -> Result<(), WantedTwice> {
        self.want_on(owner, None, row)
    }

    /// The same for a row that the node of this `system-id` keeps, and no other one.
    pub fn want_on(
        &mut self,
        owner: &Owner,
        chassis: Option<&str>,
        row: &dyn NbRow,
    ) -> Result<(), WantedTwice> {
        let mut columns = row.to_columns();
        tag(&mut columns, owner, chassis);
        self.add(Row { key: row.key(), place: row.place(), owner: owner.clone(), columns })
    }

    /// Adds all rows of another set; the first row whose key is taken by a different one stops it.
    pub fn extend(&mut self, other: Wanted) -> Result<(), WantedTwice> {
        other.rows.into_values().try_for_each(|row| self.add(row))
    }

    /// Adds a row that is tagged already.
    pub(crate) fn add(&mut self, row: Row) -> Result<(), WantedTwice> {
        match self.rows.get(&row.key) {
            Some(first) if *first != row => {
                Err(WantedTwice { first: first.owner.clone(), second: row.owner, key: Box::new(row.key) })
            }
            Some(_) => Ok(()),
            None => {
                self.rows.insert(row.key.clone(), row);
                Ok(())
            }
        }
    }

    /// The row of this key.
    pub fn get(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key)
    }

    /// All rows in the order of their keys.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Those for whom there are rows.
    pub fn owners(&self) -> BTreeSet<&Owner> {
        self.rows.values().map(|row| &row.owner).collect()
    }
}

fn tag(columns: &mut Columns, owner: &Owner, chassis: Option<&str>) {
    let ids = columns.remove("external_ids");
    let mut keys = if let Some(Cell::Keys(keys)) = ids { keys } else { BTreeMap::new() };
    keys.insert(VENDOR_KEY.to_owned(), Some(VENDOR.to_owned()));
    keys.insert(OWNER_KEY.to_owned(), Some(owner.to_string()));
    if let Some(chassis) = chassis {
        keys.insert(CHASSIS_KEY.to_owned(), Some(chassis.to_owned()));
    }
    columns.insert("external_ids", Cell::Keys(keys));
}
