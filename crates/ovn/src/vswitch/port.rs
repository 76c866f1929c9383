//! `Port`: what joins an interface to a bridge, and where its queues hang.

use std::collections::BTreeSet;

use ovsdb::value::Uuid;

use super::LocalTable;
use crate::cell::Found;

/// A port of a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name: that of its interface, unless it is a bond.
    pub name: String,
    /// Its `Interface` rows.
    pub interfaces: BTreeSet<Uuid>,
    /// Its `QoS` row.
    pub qos: Option<Uuid>,
}

impl Port {
    /// The columns that are read or written.
    pub const COLUMNS: &'static [&'static str] = &["name", "interfaces", "qos"];
    /// The table.
    pub const TABLE: LocalTable = LocalTable::Port;

    /// Reads a row; `None` when it has no name.
    pub fn read(row: Found<'_>) -> Option<Self> {
        Some(Self {
            name: row.text("name")?.to_owned(),
            interfaces: row.references("interfaces"),
            qos: row.references("qos").pop_first(),
        })
    }
}
