//! `Bridge`: what ports are plugged into. Of it only `ports` is written.

use std::collections::BTreeSet;

use ovsdb::value::Uuid;

use super::LocalTable;
use crate::cell::Found;

/// A bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Its name.
    pub name: String,
    /// Its datapath: empty or `system` for the kernel's, `netdev` for the one in user space.
    pub datapath_type: String,
    /// Its `Port` rows.
    pub ports: BTreeSet<Uuid>,
}

impl Bridge {
    /// The columns that are read or written.
    pub const COLUMNS: &'static [&'static str] = &["name", "datapath_type", "ports"];
    /// The table.
    pub const TABLE: LocalTable = LocalTable::Bridge;

    /// Reads a row; `None` when it has no name.
    pub fn read(row: Found<'_>) -> Option<Self> {
        Some(Self {
            name: row.text("name")?.to_owned(),
            datapath_type: row.text("datapath_type").unwrap_or_default().to_owned(),
            ports: row.references("ports"),
        })
    }

    /// Whether packets are forwarded in user space. There a pod's checksum offload must be off (TCP hangs otherwise,
    /// ping works), and [`super::Policing`] has no effect.
    pub fn is_in_user_space(&self) -> bool {
        self.datapath_type == "netdev"
    }
}
