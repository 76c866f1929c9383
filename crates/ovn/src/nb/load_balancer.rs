//! `Load_Balancer`: virtual addresses and what is behind them.

use std::collections::{BTreeMap, BTreeSet};

use super::Table;
use crate::cell::{Cell, Columns, Found, keys, map, text, texts};
use crate::names::Protocol;
use crate::wanted::{Key, NbRow, Place};

/// A part of a packet by which the backend is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SelectionField {
    /// The source address. (`ipv6_src` for the other family came after OVN 23.03.)
    IpSource,
    /// The destination address.
    IpDestination,
    /// The source port.
    PortSource,
    /// The destination port.
    PortDestination,
}

impl SelectionField {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            SelectionField::IpSource => "ip_src",
            SelectionField::IpDestination => "ip_dst",
            SelectionField::PortSource => "tp_src",
            SelectionField::PortDestination => "tp_dst",
        }
    }
}

/// Virtual addresses and what is behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// See [`crate::names::load_balancer`].
    pub name: String,
    /// The protocol of all its addresses.
    pub protocol: Protocol,
    /// `<address>:<port>` to backends of the same form; an IPv6 address stands in brackets.
    pub vips: BTreeMap<String, BTreeSet<String>>,
    /// Whether a connection to an address without a backend is refused instead of ignored.
    pub reject: bool,
    /// By what a client stays with its backend; empty for the five parts of a connection. This and never
    /// `affinity_timeout`, which loses a client's first packets.
    pub selection_fields: BTreeSet<SelectionField>,
    /// For health checks: backend address to `<switch port>:<source address>`.
    pub ip_port_mappings: BTreeMap<String, String>,
}

impl LoadBalancer {
    /// The key of the load balancer of this name.
    pub fn key_of(name: &str) -> Key {
        Key::named(Table::LoadBalancer, name)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        row.text("name").map(str::to_owned)
    }
}

impl NbRow for LoadBalancer {
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }

    fn place(&self) -> Option<Place> {
        None
    }

    fn to_columns(&self) -> Columns {
        let backends = |of: &BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>().join(",");
        let vips: BTreeMap<String, String> =
            self.vips.iter().map(|(vip, of)| (vip.clone(), backends(of))).collect();
        Columns::from([
            ("name", Cell::Whole(text(&self.name))),
            ("protocol", Cell::Whole(text(self.protocol.as_str()))),
            ("vips", Cell::Whole(map(&vips))),
            (
                "selection_fields",
                Cell::Whole(texts(self.selection_fields.iter().map(|field| field.as_str()))),
            ),
            ("ip_port_mappings", Cell::Whole(map(&self.ip_port_mappings))),
            (
                "options",
                keys([("reject", self.reject.then(|| "true".to_owned())), ("affinity_timeout", None)]),
            ),
        ])
    }
}
