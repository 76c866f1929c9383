//! `Logical_Router_Port`: a router's end of the link to a switch or to another router.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{LogicalRouter, Table};
use crate::address::Mac;
use crate::cell::{Cell, Columns, Found, keys, map, optional_text, text, texts};
use crate::wanted::{Key, NbRow, Place};

/// A router's end of the link to a switch or to another router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalRouterPort {
    /// See [`crate::names::router_port`] and [`crate::names::peer_port`].
    pub name: String,
    /// The router that has the port.
    pub router: String,
    /// The port's Ethernet address.
    pub mac: Mac,
    /// The router's addresses on this link, each with its prefix length, e.g. `10.0.1.1/24`. OVN wants one at least.
    pub networks: Vec<IpNet>,
    /// The port of the router at the other end, when that is a router.
    pub peer: Option<String>,
    /// The route table for packets that enter here; `None` for the main one.
    pub route_table: Option<String>,
    /// Contents of router advertisements (RFC 4861), empty to send none.
    pub ipv6_ra_configs: BTreeMap<String, String>,
}

impl LogicalRouterPort {
    /// The key of the port of this name.
    pub fn key_of(name: &str) -> Key {
        Key::named(Table::LogicalRouterPort, name)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        row.text("name").map(str::to_owned)
    }
}

impl NbRow for LogicalRouterPort {
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }

    fn place(&self) -> Option<Place> {
        Some(Place { parent: LogicalRouter::key_of(&self.router), column: "ports" })
    }

    fn to_columns(&self) -> Columns {
        Columns::from([
            ("name", Cell::Whole(text(&self.name))),
            ("mac", Cell::Whole(text(self.mac.to_string()))),
            ("networks", Cell::Whole(texts(self.networks.iter().map(ToString::to_string)))),
            ("peer", Cell::Whole(optional_text(self.peer.as_deref()))),
            ("options", keys([("route_table", self.route_table.clone())])),
            ("ipv6_ra_configs", Cell::Whole(map(&self.ipv6_ra_configs))),
            ("external_ids", keys([("lr", Some(self.router.clone()))])),
        ])
    }
}
