//! What the checks accepted, typed and canonical: the rows are made from this and from nothing else.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use ovn::address::Mac;
use ovn::nb::{AclAction, Direction, PolicyAction, RoutePolicy};

use crate::net::Net;

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedVpc {
    /// Its name, also the router's.
    pub name: String,
    /// True for the VPC of subnets that name none.
    pub is_default: bool,
    /// The namespaces that may use it; empty means all.
    pub namespaces: Vec<String>,
    /// Its subnets, by name.
    pub subnets: BTreeMap<String, CheckedSubnet>,
    /// Its static routes, sorted, each once.
    pub routes: Vec<CheckedRoute>,
    /// Its policy routes, highest first; of one priority in the order of the spec.
    pub policies: Vec<CheckedPolicy>,
    /// Its links to other VPCs, by the other's name.
    pub peerings: Vec<CheckedPeering>,
}

/// A subnet of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSubnet {
    /// Its name, also the switch's.
    pub name: String,
    /// The namespaces that may use it; empty means all.
    pub namespaces: Vec<String>,
    /// Its families, IPv4 first.
    pub nets: Vec<Net>,
    /// The Ethernet address of the router's port.
    pub router_mac: Mac,
    /// The route table for packets that come from it; `None` for the main one.
    pub route_table: Option<String>,
    /// True when only the subnet itself and `allow` may reach its pods.
    pub private: bool,
    /// The ranges that may reach its pods when it is private.
    pub allow: Vec<IpNet>,
    /// Pods may reach each other whatever `acls` say.
    pub allow_east_west: bool,
    /// Rules of its author.
    pub acls: Vec<CheckedAcl>,
    /// DHCPv4 options to write, when asked for.
    pub dhcp_v4: Option<BTreeMap<String, String>>,
    /// DHCPv6 options to write, when asked for.
    pub dhcp_v6: Option<BTreeMap<String, String>>,
    /// Contents of router advertisements; empty to send none.
    pub router_advertisements: BTreeMap<String, String>,
}

impl CheckedSubnet {
    /// The range of the family of `ip`.
    pub fn net_of(&self, ip: &IpAddr) -> Option<&Net> {
        self.nets.iter().find(|net| net.cidr.addr().is_ipv4() == ip.is_ipv4())
    }
}

/// A static route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedRoute {
    /// The table; empty for the main one.
    pub table: String,
    /// Which address it looks at.
    pub policy: RoutePolicy,
    /// The range, without host bits.
    pub prefix: IpNet,
    /// Where to; several routes that differ in this only share the traffic.
    pub next_hop: IpAddr,
}

/// A policy route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPolicy {
    /// 0 to 32767; the highest that matches decides.
    pub priority: u16,
    /// The expression, as its author wrote it.
    pub match_text: String,
    /// What to do.
    pub action: PolicyAction,
}

/// A link to another VPC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedPeering {
    /// The other VPC.
    pub remote: String,
    /// This side's addresses with their prefix lengths.
    pub networks: Vec<IpNet>,
}

/// A rule of a subnet's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedAcl {
    /// On which side of a port.
    pub direction: Direction,
    /// 0 to 32767; the highest that matches decides.
    pub priority: u16,
    /// The expression, as its author wrote it.
    pub match_text: String,
    /// What to do.
    pub action: AclAction,
}

impl CheckedVpc {
    /// The router's own addresses with their prefix lengths, and the port each is on.
    pub fn networks(&self) -> impl Iterator<Item = (IpNet, String)> {
        let subnets = self.subnets.values().flat_map(|subnet| {
            let port = ovn::names::router_port(&self.name, &subnet.name);
            subnet.nets.iter().map(move |net| (net.gateway_net(), port.clone()))
        });
        let peers = self.peerings.iter().flat_map(|peering| {
            let port = ovn::names::peer_port(&self.name, &peering.remote);
            peering.networks.iter().map(move |network| (*network, port.clone()))
        });
        subnets.chain(peers)
    }

    /// True when pods of `namespace` may use it.
    pub fn admits(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|admitted| admitted == namespace)
    }
}

impl CheckedSubnet {
    /// True when pods of `namespace` may use it, as far as the subnet says.
    pub fn admits(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|admitted| admitted == namespace)
    }
}
