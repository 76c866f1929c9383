//! `PodNetwork` + claim → the interface that is wanted inside the sandbox. Pure.

use std::net::IpAddr;

use daemon_api::reply::PodIp;
use daemon_api::request::Route;
use daemon_api::{ContainerId, IfName};
use ipam::Mac;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netlink::{Link, MacvlanMode};
use ovn::vswitch::{PodInterface, PodPort, Shaping};
use tproxy::PodRoute;

use super::ground::Ground;
use super::network::{Form, PodNetwork};
use crate::ledger::{Claim, Link as ClaimLink};
use crate::northbound;

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
    /// The device to make.
    pub device: Device,
    /// Its MAC.
    pub mac: Mac,
    /// Its addresses with the subnet's prefix length, IPv4 first.
    pub addresses: Vec<IpNet>,
    /// Its routes beside the connected ones.
    pub routes: Vec<RouteTo>,
    /// Its ways back to where probes come from; no answer tells of them.
    pub probe_routes: Vec<PodRoute>,
}

/// A device that we make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// A macvlan.
    Macvlan {
        /// Its parent on the node.
        parent: Link,
        /// How macvlans of one parent see each other.
        mode: MacvlanMode,
        /// MTU in bytes; `None` means the parent's.
        mtu: Option<u32>,
    },
    /// A veth into the node's Open vSwitch.
    Veth(VethPlan),
}

impl Device {
    /// What the kernel calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            Device::Macvlan { .. } => kind_of(ClaimLink::Macvlan),
            Device::Veth(_) => kind_of(ClaimLink::Veth),
        }
    }
}

/// What the kernel calls a device of ours.
pub fn kind_of(link: ClaimLink) -> &'static str {
    match link {
        ClaimLink::Delegated => "device",
        ClaimLink::Macvlan => "macvlan",
        ClaimLink::Veth => "veth",
    }
}

/// A veth and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VethPlan {
    /// MTU of both ends, in bytes.
    pub mtu: u32,
    /// The pod computes its checksums itself: the datapath in user space takes frames as they are.
    pub has_whole_checksums: bool,
    /// The host's end takes frames for every address: the datapath in user space would ask for it a moment later.
    pub is_host_promiscuous: bool,
    /// The host's end as a port of the node's bridge.
    pub port: PodPort,
}

impl VethPlan {
    /// The host's end.
    pub fn host_name(&self) -> &str {
        &self.port.interface.name
    }
}

/// The name of the host's end of a sandbox's veth.
pub fn host_name(container: &ContainerId, interface: &IfName) -> String {
    ovn::names::host_name(container.as_str(), interface.as_str())
}

/// The interface for a claim; `None` when another plugin makes it.
pub fn port(network: &PodNetwork, ground: &Ground, claim: &Claim) -> Option<PortPlan> {
    let device = match (&network.form, ground) {
        (Form::Macvlan(wanted), Ground::Master(parent)) => {
            Device::Macvlan { parent: parent.clone(), mode: wanted.mode, mtu: wanted.mtu }
        }
        (Form::Veth(wanted), Ground::Switch { settings, pod_mtu }) => Device::Veth(VethPlan {
            mtu: wanted.mtu.unwrap_or(*pod_mtu),
            has_whole_checksums: settings.is_in_user_space,
            is_host_promiscuous: settings.is_in_user_space,
            port: switch_port(&settings.bridge, claim)?,
        }),
        (Form::Delegated { .. } | Form::Macvlan(_) | Form::Veth(_), _) => return None,
    };
    Some(PortPlan {
        interface: claim.owner.interface.clone(),
        device,
        mac: claim.mac?,
        addresses: claim.addresses.iter().map(|ip| with_prefix(network, *ip)).collect(),
        routes: routes(network, claim),
        probe_routes: Vec::new(),
    })
}

/// The host's end of a claim's veth as a port of a bridge; `None` when the claim has no port or no sandbox.
pub fn switch_port(bridge: &str, claim: &Claim) -> Option<PodPort> {
    let sandbox = claim.sandbox.as_ref()?;
    Some(PodPort {
        bridge: bridge.to_owned(),
        interface: PodInterface {
            name: host_name(&sandbox.container, &claim.owner.interface),
            iface_id: northbound::port::of_claim(claim)?.name(),
            pod: claim.owner.pod.name.clone(),
            namespace: claim.owner.pod.namespace.clone(),
            netns: sandbox.netns.to_string(),
            ips: claim.addresses.clone(),
            encap_ip: None,
            // Has no effect on the datapath in user space; what the pod sends is limited by a meter in OVN.
            policing: None,
        },
        shaping: claim.port.into_pod.map(|limit| Shaping::of_megabits(limit.rate, limit.burst)),
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
