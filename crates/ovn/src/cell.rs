//! One column of a wanted row, and how a column of a found row is read.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::value::{Atom, Row, Uuid, Value};

use crate::wanted::Key;

/// The columns of a wanted row by their names in the schema.
pub type Columns = BTreeMap<&'static str, Cell>;

/// The columns of a found row by their names in the schema, as the database tells them.
pub type FoundColumns = Row;

/// What is wanted of one column, and how much of it is ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// The whole column is ours and has this value.
    Whole(Value),
    /// The whole column is ours where a found row has it; it is left out of a new row, whose default is this value.
    /// For columns that only later versions of OVN have.
    WhereKnown(Value),
    /// These keys of a map are ours: with this value, or absent. The other keys are left as they are.
    Keys(BTreeMap<String, Option<String>>),
    /// The whole column is ours and refers to the rows of these keys.
    Refs(BTreeSet<Key>),
    /// The column refers to the rows of these keys and besides to rows that are not ours, which are left in it.
    SharedRefs(BTreeSet<Key>),
}

/// One text.
pub(crate) fn text(value: impl Into<String>) -> Value {
    Value::Atom(Atom::String(value.into()))
}

/// One text or nothing.
pub(crate) fn optional_text(value: Option<&str>) -> Value {
    value.map_or_else(empty, text)
}

/// One number.
pub(crate) fn integer(value: i64) -> Value {
    value.into()
}

/// One number or nothing.
pub(crate) fn optional_integer(value: Option<i64>) -> Value {
    value.map_or_else(empty, integer)
}

/// Yes or no.
pub(crate) fn boolean(value: bool) -> Value {
    value.into()
}

/// A set of texts.
pub(crate) fn texts<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Value {
    Value::set(values.into_iter().map(Into::into))
}

/// A map of texts.
pub(crate) fn map(values: &BTreeMap<String, String>) -> Value {
    Value::map(values.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

/// A map of texts to numbers.
pub(crate) fn integers(values: impl IntoIterator<Item = (&'static str, i64)>) -> Value {
    Value::map(values)
}

/// Our keys of a map.
pub(crate) fn keys<'a>(values: impl IntoIterator<Item = (&'a str, Option<String>)>) -> Cell {
    Cell::Keys(values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A set in the one form that equal sets share: a set of one element is that element (RFC 7047 section 5.1).
pub(crate) fn set(atoms: impl IntoIterator<Item = Atom>) -> Value {
    Value::set(atoms)
}

/// The empty set.
pub(crate) fn empty() -> Value {
    Value::empty()
}

/// Whether the column holds nothing: no element, or no entry.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Atom(_) => false,
        Value::Set(set) => set.is_empty(),
        Value::Map(map) => map.is_empty(),
    }
}

/// Whether two columns hold the same, whichever way a set of one or an empty map is written.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    one == other || (is_empty(one) && is_empty(other)) || (one.only().is_some() && one.only() == other.only())
}

/// A row that was found, for reading.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a>(pub &'a FoundColumns);

impl<'a> Found<'a> {
    /// The only text of a column; `None` when the column is absent, empty or something else.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        self.0.get(column)?.as_str()
    }

    /// The only number of a column.
    pub fn integer(&self, column: &str) -> Option<i64> {
        self.0.get(column)?.as_integer()
    }

    /// The text of a key of a map column.
    pub fn entry(&self, column: &str, key: &str) -> Option<&'a str> {
        let Value::Map(map) = self.0.get(column)? else { return None };
        map.get(&Atom::from(key))
            .and_then(|atom| if let Atom::String(text) = atom { Some(text.as_str()) } else { None })
    }

    /// The text of a key of `external_ids`.
    pub fn external_id(&self, key: &str) -> Option<&'a str> {
        self.entry("external_ids", key)
    }

    /// The rows that a column refers to.
    pub fn references(&self, column: &str) -> BTreeSet<Uuid> {
        self.0.get(column).map(references).unwrap_or_default()
    }
}

/// The rows that a value refers to, as element or as value of a map.
pub(crate) fn references(value: &Value) -> BTreeSet<Uuid> {
    let uuid = |atom: &Atom| if let Atom::Uuid(uuid) = atom { Some(*uuid) } else { None };
    match value {
        Value::Atom(_) | Value::Set(_) => value.elements().filter_map(uuid).collect(),
        Value::Map(map) => map.values().filter_map(uuid).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_element_equals_a_set_of_it_and_nothing_equals_nothing() {
        let alone = text("a");
        let in_a_set = Value::Set(BTreeSet::from([Atom::String("a".into())]));
        assert!(same(&alone, &in_a_set) && same(&in_a_set, &alone));
        assert!(same(&empty(), &Value::Map(BTreeMap::new())));
        assert!(!same(&alone, &empty()));
        assert!(!same(&alone, &text("b")));
    }

    #[test]
    fn sets_have_one_form_whatever_the_order_they_were_given_in() {
        assert_eq!(texts(["b", "a", "b"]), texts(["a", "b"]));
        assert_eq!(texts(["a"]), text("a"));
    }
}
