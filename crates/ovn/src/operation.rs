//! The few operations of RFC 7047 section 5.2 that we send, in one place.

use ovsdb::condition::{Condition, Function};
use ovsdb::op::{Mutation, Mutator, Operation};
use ovsdb::value::{Uuid, Value};

/// Some columns with their values.
pub(crate) type Values = ovsdb::value::Row;

/// The row of this UUID.
pub(crate) fn is(uuid: Uuid) -> Vec<Condition> {
    vec![Condition::row(uuid)]
}

/// The rows in which a column of one text has this one.
pub(crate) fn has_text(column: &str, value: &str) -> Condition {
    Condition::equal(column, value)
}

/// The rows in which a column of one text has another one.
pub(crate) fn has_other_text(column: &str, value: &str) -> Condition {
    Condition::new(column, Function::NotEqual, value)
}

/// The rows in whose `external_ids` a key has this value.
pub(crate) fn has_external_id(key: &str, value: &str) -> Condition {
    Condition::new("external_ids", Function::Includes, Value::map([(key, value)]))
}

/// A new row; others of the same transaction refer to it by `name`.
pub(crate) fn insert(table: &str, name: String, row: Values) -> Operation {
    Operation::Insert { table: table.to_owned(), uuid_name: Some(name), row }
}

/// New values of some columns.
pub(crate) fn update(table: &str, conditions: Vec<Condition>, row: Values) -> Operation {
    Operation::Update { table: table.to_owned(), conditions, row }
}

/// Elements put into and taken out of columns.
pub(crate) fn mutate(table: &str, conditions: Vec<Condition>, mutations: Vec<Mutation>) -> Operation {
    Operation::Mutate { table: table.to_owned(), conditions, mutations }
}

/// Elements to put into a column.
pub(crate) fn put_in(column: &str, value: Value) -> Mutation {
    Mutation::new(column, Mutator::Insert, value)
}

/// Elements or keys to take out of a column.
pub(crate) fn take_out(column: &str, value: Value) -> Mutation {
    Mutation::new(column, Mutator::Delete, value)
}

/// The end of a row.
pub(crate) fn delete(table: &str, conditions: Vec<Condition>) -> Operation {
    Operation::Delete { table: table.to_owned(), conditions }
}

/// Fails the transaction at once unless exactly these rows meet the conditions, compared in these columns.
pub(crate) fn guard(
    table: &str,
    conditions: Vec<Condition>,
    columns: Vec<String>,
    rows: Vec<Values>,
) -> Operation {
    Operation::Wait { table: table.to_owned(), conditions, columns, equal: true, rows }
}
