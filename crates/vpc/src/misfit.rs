//! Pods whose addresses are no longer their subnet's, because it was edited under them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::checked::CheckedSubnet;
use crate::facts::Ports;
use crate::finding::{Fault, Reason};

/// How many pods are named.
const NAMED: usize = 2;

/// Why a pod cannot have this address.
pub(crate) fn reason(subnet: &CheckedSubnet, address: &IpAddr) -> Option<Reason> {
    match subnet.net_of(address).filter(|net| net.cidr.contains(address)) {
        None => Some(Reason::AddressOutsideSubnet),
        Some(net) if net.gateway == *address => Some(Reason::GatewayAddressTaken),
        Some(_) => None,
    }
}

/// The first of the pods and how many there are.
pub(crate) fn of(subnet: &CheckedSubnet, ports: &Ports) -> Option<Fault> {
    let mut pods = BTreeSet::new();
    let mut first: Option<(Reason, IpAddr)> = None;
    for port in ports.of_subnet(&subnet.name) {
        for address in &port.addresses {
            let Some(reason) = reason(subnet, address) else { continue };
            pods.insert(port.pod_ref());
            // That the gateway was moved onto a pod is the rarer cause, and the harder one to see.
            if first.is_none() || first.is_some_and(|(found, _)| found < reason) {
                first = Some((reason, *address));
            }
        }
    }
    let (reason, address) = first?;
    let why = if reason == Reason::GatewayAddressTaken {
        format!("{address} is its gateway")
    } else {
        let ranges: Vec<String> = subnet.nets.iter().map(|net| net.cidr.to_string()).collect();
        format!("{address} is not in {}", ranges.join(","))
    };
    let message = format!(
        "{} addresses that are not of the subnet any more ({why}); delete {} made again",
        named(&pods),
        if pods.len() == 1 { "it so that it is" } else { "them so that they are" },
    );
    Some(Fault::new(reason, message))
}

fn named(pods: &BTreeSet<String>) -> String {
    let first: Vec<&str> = pods.iter().take(NAMED).map(String::as_str).collect();
    match (first.as_slice(), pods.len().saturating_sub(NAMED)) {
        ([only], _) => format!("pod {only} has"),
        (_, 0) => format!("pods {} have", first.join(" and ")),
        (_, more) => format!("pods {} and {more} more have", first.join(", ")),
    }
}
