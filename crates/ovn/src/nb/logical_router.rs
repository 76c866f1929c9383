//! `Logical_Router`: the router of one VPC.

use std::collections::BTreeSet;

use super::Table;
use crate::cell::{Cell, Columns, Found, keys, text};
use crate::wanted::{Key, NbRow, Place};

/// The router of one VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalRouter {
    /// The VPC's name.
    pub name: String,
    /// Seconds after which a learned neighbour that is not used is forgotten; `None` for never.
    pub mac_binding_age: Option<u32>,
    /// Whether neighbours are resolved only when there is traffic for them, instead of in advance.
    pub dynamic_neigh_routers: bool,
    /// Whether the router learns from every ARP request it sees, even one for somebody else; OVN's default is yes.
    pub always_learn_from_arp_request: bool,
    /// The load balancers that act on this router. Those of others are left attached.
    pub load_balancers: BTreeSet<Key>,
}

impl LogicalRouter {
    /// The key of the router of this name.
    pub fn key_of(name: &str) -> Key {
        Key::named(Table::LogicalRouter, name)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        row.text("name").map(str::to_owned)
    }
}

impl NbRow for LogicalRouter {
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }

    fn place(&self) -> Option<Place> {
        None
    }

    fn to_columns(&self) -> Columns {
        Columns::from([
            ("name", Cell::Whole(text(&self.name))),
            (
                "options",
                keys([
                    ("mac_binding_age_threshold", self.mac_binding_age.map(|age| age.to_string())),
                    ("dynamic_neigh_routers", self.dynamic_neigh_routers.then(|| "true".to_owned())),
                    (
                        "always_learn_from_arp_request",
                        (!self.always_learn_from_arp_request).then(|| "false".to_owned()),
                    ),
                ]),
            ),
            ("load_balancer", Cell::SharedRefs(self.load_balancers.clone())),
        ])
    }
}
