//! The rows that we write, held against the schema of the database that takes them.

use std::collections::BTreeSet;

use ovsdb::value::{Atom, Value};

use super::*;
use crate::cell::{Cell, FoundColumns, map, text};
use crate::schema_check::{fault, installed};
use crate::snapshot::Snapshot;

const SCHEMA: &str = "/usr/share/ovn/ovn-nb.ovsschema";

/// Columns of every table in OVN 23.03 (schema 7.0.0), as far as we have to do with them.
const NOT_IN_2303: &[(Table, &str)] = &[(Table::Acl, "tier")];

#[test]
fn every_column_is_in_the_installed_schema_and_takes_what_we_write() {
    let Some(schema) = installed(SCHEMA) else { return };
    let rows = examples::all();
    let columns = rows.iter().flat_map(|row| {
        let table = row.key().table;
        row.to_columns().into_iter().map(move |(column, cell)| (table, column, cell))
    });
    let faults: Vec<_> =
        columns.filter_map(|(table, column, cell)| fault(&schema, table.name(), column, &cell)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_place_is_in_the_installed_schema() {
    let Some(schema) = installed(SCHEMA) else { return };
    for table in Table::ALL {
        let root = schema["tables"][table.name()]["isRoot"].as_bool().unwrap_or(false);
        assert_eq!(table.is_root(), root, "{table}");
        let indexes = schema["tables"][table.name()]["indexes"].to_string();
        assert_eq!(table.has_name_index(), indexes == r#"[["name"]]"#, "{table}");
        for (column, held) in table.holds() {
            let key = &schema["tables"][table.name()]["columns"][column]["type"]["key"];
            assert_eq!((&key["refTable"], &key["refType"]), (&held.name().into(), &"strong".into()));
        }
    }
}

#[test]
fn every_watched_column_is_in_ovn_23_03_but_those_written_only_where_they_are_found() {
    let Some(schema) = installed(SCHEMA) else { return };
    assert_eq!(schema["version"], "7.0.0", "the list below is for this version");
    for table in Table::ALL {
        for column in table.columns() {
            let known = !schema["tables"][table.name()]["columns"][column].is_null();
            assert_ne!(known, NOT_IN_2303.contains(&(table, column)), "{table} {column}");
        }
    }
}

#[test]
fn what_is_written_or_holds_rows_is_watched() {
    for row in examples::all() {
        let table = row.key().table;
        let written: Vec<_> = row.to_columns().into_keys().collect();
        let holding = table.holds().iter().map(|(column, _)| *column);
        for column in written.into_iter().chain(holding).chain(["external_ids"]) {
            assert!(table.columns().contains(&column), "{table} {column}");
        }
    }
}

#[test]
fn every_table_has_an_example_and_a_parent_that_may_hold_it() {
    let tables: BTreeSet<_> = examples::all().iter().map(|row| row.key().table).collect();
    assert_eq!(tables, Table::ALL.into());
    for row in examples::all() {
        let (key, place) = (row.key(), row.place());
        assert_eq!(place.is_none(), key.table.is_root(), "{key}");
        assert_eq!(key.within.is_some(), key.table.is_nameless(), "{key}");
        if let Some(place) = place {
            assert!(place.parent.table.holds().contains(&(place.column, key.table)), "{key}");
        }
    }
}

/// The columns as the database would tell them back.
pub(crate) fn stored(row: &dyn crate::wanted::NbRow) -> FoundColumns {
    let mut found = FoundColumns::new();
    for (column, cell) in row.to_columns() {
        let value = match cell {
            Cell::Whole(value) => value,
            Cell::Keys(keys) => map(&keys.into_iter().filter_map(|(k, v)| v.map(|v| (k, v))).collect()),
            Cell::WhereKnown(_) | Cell::Refs(_) | Cell::SharedRefs(_) => continue,
        };
        found.insert(column.to_owned(), value);
    }
    found
}

#[test]
fn a_row_that_is_found_again_has_the_key_it_was_written_under() {
    for row in examples::all() {
        let key = row.key();
        let (parent, child) = (uuid(1), uuid(2));
        let mut snapshot = Snapshot::new();
        snapshot.put(key.table, child, stored(row.as_ref()));
        if let Some(place) = row.place() {
            let columns = FoundColumns::from([
                ("name".to_owned(), text(&place.parent.name)),
                (place.column.to_owned(), Value::Atom(Atom::Uuid(child))),
            ]);
            snapshot.put(place.parent.table, parent, columns);
        }
        assert_eq!(snapshot.candidates(&key, Some(parent)), [child], "{key}");
        snapshot.remove(parent);
        snapshot.remove(child);
        assert_eq!(snapshot.candidates(&key, Some(parent)), [], "{key}");
    }
}

pub(crate) fn uuid(number: u8) -> ovsdb::value::Uuid {
    ovsdb::value::Uuid([number; 16])
}
