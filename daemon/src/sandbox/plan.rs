//! `PodNetwork` + claim → the interface that is wanted inside the sandbox. Pure.

use std::net::IpAddr;

use daemon_api::IfName;
use daemon_api::reply::PodIp;
use daemon_api::request::Route;
use ipam::Mac;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::network::{Form, Macvlan, PodNetwork};
use crate::ledger::Claim;

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteTo {
    /// Where to.
    pub destination: IpNet,
    /// The next hop; `None` when the destination is on the link.
    pub gateway: Option<IpAddr>,
}

impl RouteTo {
    /// The default destination of the family of `gateway`.
    pub fn everywhere(gateway: IpAddr) -> IpNet {
        match gateway {
            IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
            IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
        }
    }

    /// True for a default route.
    pub fn is_default(&self) -> bool {
        self.destination.prefix_len() == 0
    }
}

/// The wanted interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortPlan {
    /// Its name inside the sandbox.
    pub interface: IfName,
    /// The macvlan to make.
    pub macvlan: Macvlan,
    /// Its MAC.
    pub mac: Mac,
    /// Its addresses with the subnet's prefix length, IPv4 first.
    pub addresses: Vec<IpNet>,
    /// Its routes beside the connected ones.
    pub routes: Vec<RouteTo>,
}

/// The interface for a claim; `None` when another plugin makes it.
pub fn port(interface: &IfName, network: &PodNetwork, claim: &Claim) -> Option<PortPlan> {
    let Form::Macvlan(macvlan) = &network.form else { return None };
    Some(PortPlan {
        interface: interface.clone(),
        macvlan: macvlan.clone(),
        mac: claim.mac?,
        addresses: claim.addresses.iter().map(|ip| with_prefix(network, *ip)).collect(),
        routes: routes(network, claim),
    })
}

fn with_prefix(network: &PodNetwork, ip: IpAddr) -> IpNet {
    let host_length = if ip.is_ipv4() { 32 } else { 128 };
    let length = network.prefix(ip).map_or(host_length, |net| net.prefix_len());
    IpNet::new(ip, length).unwrap_or_else(|_| IpNet::from(ip))
}

/// The routes asked for, then the subnet's default routes of families for which no default route is asked for.
fn routes(network: &PodNetwork, claim: &Claim) -> Vec<RouteTo> {
    let mut routes: Vec<RouteTo> = Vec::new();
    let asked = network.routes.iter().copied();
    let defaults = claim.addresses.iter().filter(|_| network.has_default_route).filter_map(|ip| {
        let gateway = network.gateway(*ip)?;
        Some(RouteTo { destination: RouteTo::everywhere(gateway), gateway: Some(gateway) })
    });
    for route in asked.chain(defaults) {
        if !routes.iter().any(|r| r.destination == route.destination) {
            routes.push(route);
        }
    }
    routes
}

/// The addresses of an answer. A gateway is only told to an interface that is to have the default route.
pub fn reply_ips(network: &PodNetwork, claim: &Claim) -> Vec<PodIp> {
    claim
        .addresses
        .iter()
        .map(|ip| PodIp {
            protocol: if ip.is_ipv4() { "IPv4" } else { "IPv6" }.to_owned(),
            ip: ip.to_string(),
            cidr: with_prefix(network, *ip).trunc().to_string(),
            gateway: network
                .gateway(*ip)
                .filter(|_| network.has_default_route)
                .map_or_else(String::new, |gw| gw.to_string()),
        })
        .collect()
}

/// The routes of the interface as the kernel lists them: IPv4 by destination, then IPv6 by destination with the
/// default last.
pub fn reply_routes(plan: &PortPlan) -> Vec<Route> {
    let connected = plan.addresses.iter().map(|net| RouteTo { destination: net.trunc(), gateway: None });
    let mut all: Vec<RouteTo> = connected.chain(plan.routes.iter().copied()).collect();
    all.sort_by_key(|r| {
        (r.destination.addr().is_ipv6(), r.destination.addr().is_ipv6() && r.is_default(), r.destination)
    });
    all.iter()
        .map(|r| Route {
            dst: r.destination.to_string(),
            gw: r.gateway.map_or_else(String::new, |gw| gw.to_string()),
        })
        .collect()
}

#[cfg(test)]
mod tests;
