//! `Logical_Switch_Port`: what is plugged into a switch.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{LogicalSwitch, Table};
use crate::address::{PortAddress, Station};
use crate::cell::{Cell, Columns, Found, keys, optional_integer, text, texts};
use crate::wanted::{Key, NbRow, Place};

/// What is behind a switch port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortKind {
    /// An interface of a pod or a machine.
    Station,
    /// A router.
    Router {
        /// Name of the router's port.
        router_port: String,
        /// Addresses for which the router's port answers ARP and ND besides its own, such as a load balancer's in
        /// the switch's own range.
        arp_proxy: BTreeSet<IpAddr>,
    },
    /// The physical network of this name.
    Localnet {
        /// The name that nodes map to a bridge (`ovn-bridge-mappings`).
        network: String,
        /// The VLAN, 1 to 4094.
        vlan: Option<u16>,
    },
    /// An address that moves between the ports of this switch.
    Virtual {
        /// The address.
        ip: IpAddr,
        /// The ports that may hold it.
        parents: BTreeSet<String>,
    },
}

impl PortKind {
    fn as_str(&self) -> &'static str {
        match self {
            PortKind::Station => "",
            PortKind::Router { .. } => "router",
            PortKind::Localnet { .. } => "localnet",
            PortKind::Virtual { .. } => "virtual",
        }
    }

    fn options(&self) -> Cell {
        let list = |items: Vec<String>, by: &str| (!items.is_empty()).then(|| items.join(by));
        let mut options: BTreeMap<&str, Option<String>> = BTreeMap::from([
            ("router-port", None),
            ("arp_proxy", None),
            ("network_name", None),
            ("virtual-ip", None),
            ("virtual-parents", None),
        ]);
        match self {
            PortKind::Station => {}
            PortKind::Router { router_port, arp_proxy } => {
                options.insert("router-port", Some(router_port.clone()));
                let arp_proxy = arp_proxy.iter().map(ToString::to_string).collect();
                options.insert("arp_proxy", list(arp_proxy, " "));
            }
            PortKind::Localnet { network, .. } => {
                options.insert("network_name", Some(network.clone()));
            }
            PortKind::Virtual { ip, parents } => {
                options.insert("virtual-ip", Some(ip.to_string()));
                options.insert("virtual-parents", list(parents.iter().cloned().collect(), ","));
            }
        }
        keys(options)
    }

    fn vlan(&self) -> Option<u16> {
        match self {
            PortKind::Localnet { vlan, .. } => *vlan,
            PortKind::Station | PortKind::Router { .. } | PortKind::Virtual { .. } => None,
        }
    }
}

/// What is plugged into a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalSwitchPort {
    /// See [`crate::names::pod_port`] and [`crate::names::switch_port`].
    pub name: String,
    /// The switch that has the port. A port that is found on another switch is moved.
    pub switch: String,
    /// What is behind it.
    pub kind: PortKind,
    /// The addresses that the switch delivers to it.
    pub addresses: Vec<PortAddress>,
    /// The addresses that it may send from; empty for any.
    pub port_security: Vec<Station>,
    /// The DHCPv4 options for the port, see [`super::DhcpOptions`].
    pub dhcpv4: Option<Key>,
    /// The DHCPv6 options for the port.
    pub dhcpv6: Option<Key>,
    /// The pod behind it, namespace and name.
    pub pod: Option<(String, String)>,
}

impl LogicalSwitchPort {
    /// The key of the port of this name.
    pub fn key_of(name: &str) -> Key {
        Key::named(Table::LogicalSwitchPort, name)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        row.text("name").map(str::to_owned)
    }
}

impl NbRow for LogicalSwitchPort {
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }

    fn place(&self) -> Option<Place> {
        Some(Place { parent: LogicalSwitch::key_of(&self.switch), column: "ports" })
    }

    fn to_columns(&self) -> Columns {
        let pod = self.pod.as_ref().map(|(namespace, pod)| format!("{namespace}/{pod}"));
        Columns::from([
            ("name", Cell::Whole(text(&self.name))),
            ("type", Cell::Whole(text(self.kind.as_str()))),
            ("options", self.kind.options()),
            // `tag` is northd's answer to `tag_request` on ports with a parent; on a localnet port it is ours.
            ("tag", Cell::Whole(optional_integer(self.kind.vlan().map(i64::from)))),
            ("addresses", Cell::Whole(texts(self.addresses.iter().map(ToString::to_string)))),
            ("port_security", Cell::Whole(texts(self.port_security.iter().map(ToString::to_string)))),
            ("dhcpv4_options", Cell::Refs(self.dhcpv4.iter().cloned().collect())),
            ("dhcpv6_options", Cell::Refs(self.dhcpv6.iter().cloned().collect())),
            ("external_ids", keys([("ls", Some(self.switch.clone())), ("pod", pod)])),
        ])
    }
}
