//! The static routes of a `Vpc`.

use std::net::IpAddr;

use crds::StaticRoute;
use ipnet::IpNet;
use ovn::nb::RoutePolicy;

use crate::checked::{CheckedRoute, CheckedVpc};
use crate::finding::{Effect, Fault, Findings, Reason};
use crate::net::{is_same_family, overlap, range};

/// Reads the routes of `vpc`, whose subnets and peerings are already there.
pub(super) fn routes(
    written: &[StaticRoute],
    vpc: &CheckedVpc,
    findings: &mut Findings,
) -> Vec<CheckedRoute> {
    let mut accepted = Vec::new();
    for (index, route) in written.iter().enumerate() {
        let what = format!("staticRoutes[{index}] {} via {}", route.cidr.trim(), route.next_hop_ip.trim());
        let read = route_of(route).and_then(|route| {
            connected(vpc, &route.next_hop)?;
            Ok(route)
        });
        let Some(route) = findings.keep(read.map_err(|fault| fault.about(&what))) else { continue };
        if accepted.contains(&route) {
            findings.note(Reason::Duplicate, format!("{what}: the same route stands before it; remove one"));
            continue;
        }
        if let Some(fault) = without_effect(&route, vpc).or_else(|| hides_subnets(&route, vpc)) {
            findings.add(Effect::Note, fault.about(&what));
        }
        accepted.push(route);
    }
    look_at_destinations(&mut accepted);
    accepted.sort();
    accepted
}

/// A source in the range of everything says nothing, and vanilla OVN gives such a route the priority of its drop of what
/// has no route, which wins. By destination the same route acts; where there is one already, it comes first anyway.
fn look_at_destinations(routes: &mut [CheckedRoute]) {
    let is_everything = |route: &CheckedRoute| route.prefix.prefix_len() == 0;
    let taken: Vec<(String, IpNet)> = routes
        .iter()
        .filter(|route| is_everything(route) && route.policy == RoutePolicy::Destination)
        .map(|route| (route.table.clone(), route.prefix))
        .collect();
    for route in routes.iter_mut().filter(|route| is_everything(route)) {
        if !taken.iter().any(|(table, prefix)| (table, prefix) == (&route.table, &route.prefix)) {
            route.policy = RoutePolicy::Destination;
        }
    }
}

fn route_of(written: &StaticRoute) -> Result<CheckedRoute, Fault> {
    let bad = |message: String| Fault::new(Reason::InvalidRoute, message);
    let policy = match written.policy.as_str() {
        "" | "policyDst" => RoutePolicy::Destination,
        "policySrc" => RoutePolicy::Source,
        other => return Err(bad(format!("policy {other:?} is neither policyDst nor policySrc"))),
    };
    let prefix = range(&written.cidr)
        .ok_or_else(|| bad(format!("cidr {:?} is neither a range nor an address", written.cidr)))?;
    let next_hop: IpAddr = written
        .next_hop_ip
        .trim()
        .parse()
        .map_err(|_| bad(format!("nextHopIP {:?} is not an address", written.next_hop_ip)))?;
    if !is_same_family(&prefix, &next_hop) {
        return Err(bad("cidr and nextHopIP are of two families".to_owned()));
    }
    Ok(CheckedRoute { table: written.route_table.trim().to_owned(), policy, prefix, next_hop })
}

/// Refuses a next hop that the router cannot send to. northd would ignore the row and say so in a log.
pub(super) fn connected(vpc: &CheckedVpc, next_hop: &IpAddr) -> Result<(), Fault> {
    let Some((network, _)) = vpc.networks().find(|(network, _)| network.contains(next_hop)) else {
        return Err(Fault::new(
            Reason::NextHopNotConnected,
            format!(
                "next hop {next_hop} is in no subnet of Vpc {}; use an address of one, or add the subnet first",
                vpc.name
            ),
        ));
    };
    if network.addr() == *next_hop {
        return Err(Fault::new(
            Reason::NextHopIsRouter,
            format!(
                "next hop {next_hop} is the router's own address; name the gateway pod behind it, such as a lanIp"
            ),
        ));
    }
    if is_nobody(&network, next_hop) {
        return Err(Fault::new(
            Reason::NextHopNotConnected,
            format!("next hop {next_hop} is no host's address in {}; name the host", network.trunc()),
        ));
    }
    Ok(())
}

/// The address of the network itself, or of everybody on it. Where two hosts share a link there are none (RFC 3021, RFC 6164).
fn is_nobody(network: &IpNet, address: &IpAddr) -> bool {
    let has_both = network.prefix_len() + 1 < network.max_prefix_len();
    has_both && (network.network() == *address || address.is_ipv4() && network.broadcast() == *address)
}

fn without_effect(route: &CheckedRoute, vpc: &CheckedVpc) -> Option<Fault> {
    let is_table_used = vpc.subnets.values().any(|s| s.route_table.as_deref().unwrap_or("") == route.table);
    if !route.table.is_empty() && !is_table_used {
        return Some(Fault::new(
            Reason::RouteNeverActs,
            format!("no subnet uses route table {0}; set routeTable: {0} in a Subnet", route.table),
        ));
    }
    let is_connected = vpc.networks().any(|(network, _)| network.trunc() == route.prefix);
    (route.policy == RoutePolicy::Destination && is_connected).then(|| {
        Fault::new(
            Reason::RouteNeverActs,
            format!("{} is connected to the router, which comes first; use a longer prefix", route.prefix),
        )
    })
}

/// A longer source prefix beats the router's own networks, so the pods in it lose the other subnets.
fn hides_subnets(route: &CheckedRoute, vpc: &CheckedVpc) -> Option<Fault> {
    if route.policy != RoutePolicy::Source {
        return None;
    }
    let in_table = |table: Option<&str>| table.unwrap_or("") == route.table;
    let has_pods = vpc
        .subnets
        .values()
        .filter(|subnet| in_table(subnet.route_table.as_deref()))
        .any(|subnet| subnet.nets.iter().any(|net| overlap(&net.cidr, &route.prefix)));
    let hidden: Vec<String> = vpc
        .networks()
        .map(|(network, _)| network.trunc())
        .filter(|network| is_same_family(network, &route.prefix.addr()))
        .filter(|network| {
            network.prefix_len() < route.prefix.prefix_len() && !network.contains(&route.next_hop)
        })
        .map(|network| network.to_string())
        .collect();
    (has_pods && !hidden.is_empty()).then(|| {
        Fault::new(
            Reason::RouteHidesSubnets,
            format!(
                "its prefix is longer than {}, so traffic from {} goes to the next hop instead; use a policyRoute to spare it",
                hidden.join(", "),
                route.prefix
            ),
        )
    })
}
