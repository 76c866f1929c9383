//! `QoS`: how what leaves a port, towards the pod, is queued.

use std::collections::BTreeSet;

use ovsdb::value::Uuid;

use super::LocalTable;
use crate::cell::Found;

/// A set of queues for a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qos {
    /// The discipline; ours is `linux-htb`.
    pub kind: String,
    /// The switch port that it was made for. Upstream's and our rows carry it, others do not.
    pub iface_id: Option<String>,
    /// Its `Queue` rows.
    pub queues: BTreeSet<Uuid>,
}

impl Qos {
    /// The columns that are read or written.
    pub const COLUMNS: &'static [&'static str] = &["type", "queues", "external_ids"];
    /// The table.
    pub const TABLE: LocalTable = LocalTable::Qos;
    /// The discipline of our rows. It limits on both datapaths.
    pub const KIND: &'static str = "linux-htb";

    /// Reads a row.
    pub fn read(row: Found<'_>) -> Self {
        Self {
            kind: row.text("type").unwrap_or_default().to_owned(),
            iface_id: row.external_id("iface-id").map(str::to_owned),
            queues: row.references("queues"),
        }
    }
}
