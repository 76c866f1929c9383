//! The rows that we write, held against the schema of the database that takes them.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::collections::BTreeSet;

use ovsdb::value::{Atom, Value};

use super::*;
use crate::cell::{Cell, FoundColumns, map, text};
use crate::schema_check::{fault, installed};
use crate::snapshot::Snapshot;

const SCHEMA: &str = "/usr/share/ovn/ovn-nb.ovsschema";

/// The columns that we write. All of them are in OVN 23.03 (schema 7.0.0), but for `ACL.tier`, which is only ever
/// written where it is found.
const IN_2303: &[(&str, &[&str])] = &[
    ("Logical_Router", &["name", "options", "load_balancer", "external_ids"]),
    (
        "Logical_Router_Port",
        &["name", "mac", "networks", "peer", "options", "ipv6_ra_configs", "external_ids"],
    ),
    (
        "Logical_Router_Static_Route",
        &["route_table", "policy", "ip_prefix", "nexthop", "output_port", "options", "external_ids"],
    ),
    ("Logical_Router_Policy", &["priority", "match", "action", "nexthops", "external_ids"]),
    ("Logical_Switch", &["name", "load_balancer", "external_ids"]),
    (
        "Logical_Switch_Port",
        &[
            "name",
            "type",
            "options",
            "tag",
            "addresses",
            "port_security",
            "dhcpv4_options",
            "dhcpv6_options",
            "external_ids",
        ],
    ),
    ("ACL", &["direction", "priority", "match", "action", "name", "log", "severity", "external_ids"]),
    ("QoS", &["direction", "priority", "match", "bandwidth", "external_ids"]),
    ("DHCP_Options", &["cidr", "options", "external_ids"]),
    (
        "Load_Balancer",
        &["name", "protocol", "vips", "selection_fields", "ip_port_mappings", "options", "external_ids"],
    ),
    ("Load_Balancer_Health_Check", &["vip", "options", "external_ids"]),
    ("Port_Group", &["name", "ports", "external_ids"]),
];

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
fn only_columns_of_ovn_23_03_are_written() {
    for row in examples::all() {
        let (_, known) = IN_2303.iter().find(|(table, _)| *table == row.key().table.name()).unwrap();
        for (column, cell) in row.to_columns() {
            assert!(known.contains(&column) || matches!(cell, Cell::WhereKnown(_)), "{} {column}", row.key());
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
