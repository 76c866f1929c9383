//! The routes of last resort, which lead nowhere: OVN asks policies about what has a route only.
//!
//! A `reroute` is to act on all that it matches, whether or not a static route leads there. Upstream gets this from a
//! route of each subnet by source, which on vanilla OVN would beat a `0.0.0.0/0` of the author. By destination the range
//! of everything is beaten by every other one. Its next hop is the router itself, for which nobody answers, so what no
//! policy takes is dropped as it is without the route.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use ovn::nb::{PolicyAction, RoutePolicy};

use crate::checked::{CheckedRoute, CheckedVpc};
use crate::net::is_same_family;

/// The routes: for each family that a policy reroutes and each table that packets meet, unless the author has a route of
/// everything there.
pub(crate) fn fallbacks(vpc: &CheckedVpc) -> Vec<CheckedRoute> {
    let mut routes = Vec::new();
    for everything in [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())] {
        let Some(next_hop) = own_address(vpc, &everything).filter(|_| is_rerouted(vpc, &everything)) else {
            continue;
        };
        let without = tables(vpc).into_iter().filter(|table| !has_route_of(vpc, table, &everything));
        routes.extend(without.map(|table| CheckedRoute {
            table: table.to_owned(),
            policy: RoutePolicy::Destination,
            prefix: everything,
            next_hop,
        }));
    }
    routes
}

/// The main table, which packets of peers meet too, and those of the subnets.
fn tables(vpc: &CheckedVpc) -> BTreeSet<&str> {
    let of_subnets = vpc.subnets.values().filter_map(|subnet| subnet.route_table.as_deref());
    std::iter::once("").chain(of_subnets).collect()
}

/// The router's own address of a family on its first port that has one.
fn own_address(vpc: &CheckedVpc, everything: &IpNet) -> Option<IpAddr> {
    vpc.networks().map(|(network, _)| network.addr()).find(|own| is_same_family(everything, own))
}

fn is_rerouted(vpc: &CheckedVpc, everything: &IpNet) -> bool {
    vpc.policies.iter().any(|policy| match &policy.action {
        PolicyAction::Reroute(next_hops) => next_hops.iter().any(|hop| is_same_family(everything, hop)),
        PolicyAction::Allow | PolicyAction::Drop => false,
    })
}

fn has_route_of(vpc: &CheckedVpc, table: &str, everything: &IpNet) -> bool {
    vpc.routes.iter().any(|route| route.table == table && route.prefix == *everything)
}
