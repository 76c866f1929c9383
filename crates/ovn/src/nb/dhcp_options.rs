//! `DHCP_Options`: what OVN itself answers to DHCP requests of a port.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::Table;
use crate::cell::{Cell, Columns, Found, keys, map, text};
use crate::wanted::{Key, NbRow, Place};

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4: DHCPv4, RFC 2131.
    V4,
    /// IPv6: DHCPv6, RFC 8415.
    V6,
}

impl Family {
    /// The word in upstream's `external_ids`.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }
}

/// Whom the answers are for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DhcpFor {
    /// All ports of the switch of this name.
    Switch(String),
    /// The one port of this name.
    Port {
        /// The port.
        port: String,
        /// Its switch.
        switch: String,
    },
}

/// What OVN answers to DHCP requests. Switch ports refer to it by [`DhcpOptions::key_of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DhcpOptions {
    /// Whom the answers are for.
    pub scope: DhcpFor,
    /// The family.
    pub family: Family,
    /// The subnet's range.
    pub cidr: IpNet,
    /// The options, named as in ovn-nb(5), e.g. `router` and `lease_time`.
    pub options: BTreeMap<String, String>,
}

impl DhcpOptions {
    /// The key of the options of a family for a switch or a port.
    pub fn key_of(scope: &DhcpFor, family: Family) -> Key {
        let name = match scope {
            DhcpFor::Switch(switch) => name(switch, None, family.as_str()),
            DhcpFor::Port { port, switch } => name(switch, Some(port), family.as_str()),
        };
        Key::named(Table::DhcpOptions, name)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        let port = row.external_id("port");
        Some(name(row.external_id("ls")?, port, row.external_id("protocol")?))
    }
}

fn name(switch: &str, port: Option<&str>, protocol: &str) -> String {
    match port {
        Some(port) => format!("{protocol} of port {port} of {switch}"),
        None => format!("{protocol} of {switch}"),
    }
}

impl NbRow for DhcpOptions {
    fn key(&self) -> Key {
        Self::key_of(&self.scope, self.family)
    }

    fn place(&self) -> Option<Place> {
        None
    }

    fn to_columns(&self) -> Columns {
        let (switch, port) = match &self.scope {
            DhcpFor::Switch(switch) => (switch, None),
            DhcpFor::Port { port, switch } => (switch, Some(port.clone())),
        };
        let protocol = self.family.as_str().to_owned();
        Columns::from([
            ("cidr", Cell::Whole(text(self.cidr.trunc().to_string()))),
            ("options", Cell::Whole(map(&self.options))),
            (
                "external_ids",
                keys([("ls", Some(switch.clone())), ("protocol", Some(protocol)), ("port", port)]),
            ),
        ])
    }
}
