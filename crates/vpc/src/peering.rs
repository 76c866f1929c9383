//! This side's ports to the routers of other VPCs.

use ovn::names::peer_port;
use ovn::nb::LogicalRouterPort;

use crate::checked::{CheckedPeering, CheckedVpc};
use crate::switch::router_mac;

/// The rows. OVN connects the two ends as soon as both are there.
pub(crate) fn peer_ports(vpc: &CheckedVpc) -> Vec<LogicalRouterPort> {
    let row = |peering: &CheckedPeering| {
        let name = peer_port(&vpc.name, &peering.remote);
        LogicalRouterPort {
            mac: router_mac(&name),
            name,
            router: vpc.name.clone(),
            networks: peering.networks.clone(),
            peer: Some(peer_port(&peering.remote, &vpc.name)),
            route_table: None,
            ipv6_ra_configs: std::collections::BTreeMap::new(),
        }
    };
    vpc.peerings.iter().map(row).collect()
}
