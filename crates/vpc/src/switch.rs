//! The switch of a subnet, and the link between it and its router.

use std::collections::BTreeSet;

use ovn::address::{Mac, PortAddress};
use ovn::names::{router_port, switch_port};
use ovn::nb::{LogicalRouterPort, LogicalSwitch, LogicalSwitchPort, PortKind};

use crate::checked::{CheckedSubnet, CheckedVpc};
use crate::net::Net;

/// The switch.
pub(crate) fn switch(subnet: &CheckedSubnet) -> LogicalSwitch {
    LogicalSwitch { name: subnet.name.clone(), load_balancers: BTreeSet::new() }
}

/// The router's end of the link.
pub(crate) fn router_end(vpc: &CheckedVpc, subnet: &CheckedSubnet) -> LogicalRouterPort {
    LogicalRouterPort {
        name: router_port(&vpc.name, &subnet.name),
        router: vpc.name.clone(),
        mac: subnet.router_mac,
        networks: subnet.nets.iter().map(Net::gateway_net).collect(),
        peer: None,
        route_table: subnet.route_table.clone(),
        ipv6_ra_configs: subnet.router_advertisements.clone(),
    }
}

/// The switch's end of the link.
pub(crate) fn switch_end(vpc: &CheckedVpc, subnet: &CheckedSubnet) -> LogicalSwitchPort {
    LogicalSwitchPort {
        name: switch_port(&subnet.name, &vpc.name),
        switch: subnet.name.clone(),
        kind: PortKind::Router {
            router_port: router_port(&vpc.name, &subnet.name),
            arp_proxy: BTreeSet::new(),
        },
        addresses: vec![PortAddress::Router],
        port_security: Vec::new(),
        dhcpv4: None,
        dhcpv6: None,
        pod: None,
    }
}

/// The Ethernet address of a gateway. It is the subnet's alone: pods whose subnet moves to another VPC keep a true
/// neighbour cache. No port's name has a slash, so it is no peering's.
pub(crate) fn gateway_mac(subnet: &str) -> Mac {
    router_mac(&format!("subnet/{subnet}"))
}

/// The Ethernet address of a router's port: locally administered, unicast, always the same for the same name, so that
/// a northbound database made anew leaves the neighbour caches of the pods true.
pub(crate) fn router_mac(name: &str) -> Mac {
    let hash = fnv1a(name.bytes());
    let [_, _, bytes @ ..] = (hash ^ (hash >> 48)).to_be_bytes();
    let [first, rest @ ..] = bytes;
    let [b, c, d, e, f] = rest;
    Mac::new([first & 0xfc | 0x02, b, c, d, e, f])
}

/// FNV-1a with 64 bits, the same in every version.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routers_mac_is_the_same_in_every_version() {
        assert_eq!(router_mac("test-vpc-1-net1").to_string(), "92:dc:a8:62:4e:04");
        assert_ne!(router_mac("test-vpc-1-net1"), router_mac("test-vpc-2-net2"));
        assert_eq!(gateway_mac("net1").to_string(), "9a:4d:2e:e0:0f:e8");
        assert_ne!(gateway_mac("net1"), router_mac("net1"));
    }

    #[test]
    fn a_routers_mac_is_local_and_for_one_station() {
        for port in ["a", "b", "c-d", "", "x.y-z"] {
            assert_eq!(router_mac(port).bytes()[0] & 0x03, 0x02);
        }
    }
}
