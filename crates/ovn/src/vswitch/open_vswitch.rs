//! `Open_vSwitch`: the one row with the node's settings. Read only.

use super::LocalTable;
use crate::cell::Found;

/// The node's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenVSwitch {
    /// The chassis name that ovn-controller registers (`external_ids:system-id`).
    pub system_id: Option<String>,
    /// The addresses that tunnels end at (`external_ids:ovn-encap-ip`, comma separated).
    pub encap_ips: Vec<String>,
    /// The integration bridge (`external_ids:ovn-bridge`), `br-int` unless set.
    pub integration_bridge: String,
}

impl OpenVSwitch {
    /// The columns that are read.
    pub const COLUMNS: &'static [&'static str] = &["external_ids"];
    /// The table.
    pub const TABLE: LocalTable = LocalTable::OpenVSwitch;

    /// Reads the row.
    pub fn read(row: Found<'_>) -> Self {
        let encap_ips = row.external_id("ovn-encap-ip").unwrap_or_default().split(',');
        Self {
            system_id: row.external_id("system-id").map(str::to_owned),
            encap_ips: encap_ips.map(str::trim).filter(|ip| !ip.is_empty()).map(str::to_owned).collect(),
            integration_bridge: row.external_id("ovn-bridge").unwrap_or("br-int").to_owned(),
        }
    }
}
