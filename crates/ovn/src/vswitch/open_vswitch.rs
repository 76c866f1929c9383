//! `Open_vSwitch`: the one row with the node's settings, and the number of its configuration.

use ovsdb::op::{Mutation, Mutator, Operation};

use super::LocalTable;
use crate::cell::Found;
use crate::operation::mutate;

/// The node's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenVSwitch {
    /// The chassis name that ovn-controller registers (`external_ids:system-id`).
    pub system_id: Option<String>,
    /// How tunnels wrap packets (`external_ids:ovn-encap-type`, comma separated).
    pub encap_types: Vec<String>,
    /// The addresses that tunnels end at (`external_ids:ovn-encap-ip`, comma separated).
    pub encap_ips: Vec<String>,
    /// The integration bridge (`external_ids:ovn-bridge`), `br-int` unless set.
    pub integration_bridge: String,
    /// The number of the configuration that is wanted, see [`next_configuration`].
    pub next_cfg: i64,
    /// The number of the configuration that ovs-vswitchd has carried out.
    pub cur_cfg: i64,
}

impl OpenVSwitch {
    /// The columns that are read.
    pub const COLUMNS: &'static [&'static str] = &["external_ids", "next_cfg", "cur_cfg"];
    /// The table.
    pub const TABLE: LocalTable = LocalTable::OpenVSwitch;

    /// Reads the row.
    pub fn read(row: Found<'_>) -> Self {
        let list = |key| -> Vec<String> {
            let items = row.external_id(key).unwrap_or_default().split(',').map(str::trim);
            items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        Self {
            system_id: row.external_id("system-id").map(str::to_owned),
            encap_types: list("ovn-encap-type"),
            encap_ips: list("ovn-encap-ip"),
            next_cfg: row.integer("next_cfg").unwrap_or_default(),
            cur_cfg: row.integer("cur_cfg").unwrap_or_default(),
            integration_bridge: row.external_id("ovn-bridge").unwrap_or("br-int").to_owned(),
        }
    }
}

/// Numbers the configuration that a transaction makes, so that one can see when ovs-vswitchd has carried it out.
pub fn next_configuration() -> Operation {
    mutate(LocalTable::OpenVSwitch.name(), Vec::new(), vec![Mutation::new("next_cfg", Mutator::Add, 1)])
}
