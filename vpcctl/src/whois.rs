//! `ipam whois`: what an address is, in every VPC that has it.

use std::net::IpAddr;

use crds::{Ip, Subnet};
use ipnet::IpNet;

/// What an address is in one subnet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing<'a> {
    /// Somebody holds it.
    Held { ip: &'a Ip },
    /// The subnet's gateway.
    Gateway,
    /// The first or last address of an IPv4 network, or of an IPv6 one as Kube-OVN counts.
    NetworkOrBroadcast,
    /// Only for those who ask for it.
    Excluded,
    /// Anybody may get it.
    Free,
}

/// Where an address was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sighting<'a> {
    /// The subnet's name.
    pub(crate) subnet: &'a str,
    /// The subnet, unless it is gone and only its claim is left.
    pub(crate) object: Option<&'a Subnet>,
    /// What the address is there.
    pub(crate) standing: Standing<'a>,
}

/// Looks at every subnet and every holder.
pub(crate) fn sightings<'a>(address: IpAddr, subnets: &'a [Subnet], ips: &'a [Ip]) -> Vec<Sighting<'a>> {
    let holders: Vec<&Ip> = ips.iter().filter(|ip| holds(ip, address)).collect();
    let mut seen = Vec::new();
    for subnet in subnets {
        let held: Vec<&&Ip> = holders.iter().filter(|ip| ip.spec.subnet == subnet.name()).collect();
        for ip in &held {
            seen.push(Sighting {
                subnet: subnet.name(),
                object: Some(subnet),
                standing: Standing::Held { ip },
            });
        }
        let network = networks(subnet).find(|network| network.contains(&address));
        if let (Some(network), true) = (network, held.is_empty()) {
            let standing = unheld(address, subnet, &network);
            seen.push(Sighting { subnet: subnet.name(), object: Some(subnet), standing });
        }
    }
    let is_orphan = |ip: &&&Ip| subnets.iter().all(|subnet| subnet.name() != ip.spec.subnet);
    for ip in holders.iter().filter(is_orphan) {
        seen.push(Sighting { subnet: &ip.spec.subnet, object: None, standing: Standing::Held { ip } });
    }
    seen
}

fn holds(ip: &Ip, address: IpAddr) -> bool {
    let spec = &ip.spec;
    let all = spec.ip_address.split(',').chain([spec.v4_ip_address.as_str(), spec.v6_ip_address.as_str()]);
    addresses(all).any(|held| held == address)
}

fn unheld<'a>(address: IpAddr, subnet: &Subnet, network: &IpNet) -> Standing<'a> {
    let is_gateway = addresses(subnet.spec.gateway.split(',')).any(|gateway| gateway == address);
    let has_ends = network.max_prefix_len() - network.prefix_len() > 1;
    if is_gateway {
        Standing::Gateway
    } else if has_ends && (address == network.network() || address == network.broadcast()) {
        Standing::NetworkOrBroadcast
    } else if subnet.spec.exclude_ips.iter().any(|range| covers(range, address)) {
        Standing::Excluded
    } else {
        Standing::Free
    }
}

fn networks(subnet: &Subnet) -> impl Iterator<Item = IpNet> {
    subnet.spec.cidr_block.split(',').filter_map(|cidr| cidr.trim().parse().ok())
}

fn addresses<'a>(texts: impl Iterator<Item = &'a str>) -> impl Iterator<Item = IpAddr> {
    texts.filter_map(|text| text.trim().parse().ok())
}

/// `a` or `a..b`, both included.
fn covers(range: &str, address: IpAddr) -> bool {
    let (first, last) = range.split_once("..").unwrap_or((range, range));
    match (first.trim().parse::<IpAddr>(), last.trim().parse::<IpAddr>()) {
        (Ok(first), Ok(last)) => {
            first.is_ipv4() == address.is_ipv4()
                && last.is_ipv4() == address.is_ipv4()
                && (first..=last).contains(&address)
        }
        _ => false,
    }
}

/// The text for people, one line per subnet.
pub(crate) fn render(address: IpAddr, sightings: &[Sighting<'_>]) -> String {
    if sightings.is_empty() {
        return format!("{address} is outside every subnet\n");
    }
    sightings.iter().map(|sighting| format!("{address} {}\n", sentence(sighting))).collect()
}

fn sentence(sighting: &Sighting<'_>) -> String {
    let subnet = place(sighting);
    match &sighting.standing {
        Standing::Held { ip } => format!("is held by {} in {subnet}", holder(ip)),
        Standing::Gateway => format!("is the gateway of {subnet}"),
        Standing::NetworkOrBroadcast => format!("is the network or broadcast address of {subnet}"),
        Standing::Excluded => format!("is excluded in {subnet}: only for a pod that asks for it"),
        Standing::Free => format!("is free in {subnet}"),
    }
}

fn place(sighting: &Sighting<'_>) -> String {
    match sighting.object {
        None => format!("subnet {} (which is gone)", sighting.subnet),
        Some(subnet) if subnet.spec.vpc.is_empty() => format!("subnet {}", sighting.subnet),
        Some(subnet) => format!("subnet {} of VPC {}", sighting.subnet, subnet.spec.vpc),
    }
}

fn holder(ip: &Ip) -> String {
    let spec = &ip.spec;
    let who = match spec.namespace.as_str() {
        "" => format!("node {}", spec.pod_name),
        namespace => format!("pod {namespace}/{}", spec.pod_name),
    };
    let details: Vec<String> = [
        ("ip", ip.name()),
        ("mac", &spec.mac_address),
        ("node", &spec.node_name),
        ("sandbox", spec.container_id.get(..12).unwrap_or(&spec.container_id)),
    ]
    .iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("{name} {value}"))
    .collect();
    format!("{who} ({})", details.join(", "))
}

#[cfg(test)]
mod tests;
