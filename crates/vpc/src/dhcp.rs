//! What OVN answers to DHCP requests and router solicitations of a subnet's pods.

use std::collections::BTreeMap;

use ipnet::IpNet;
use ovn::nb::{DhcpFor, DhcpOptions, Family};
use ovn::wanted::Key;

use crate::checked::CheckedSubnet;

/// The address that DHCPv4 answers come from; as upstream.
const SERVER: &str = "169.254.0.254";

/// The DHCPv4 options of a subnet: its own, overridden by what its author gives.
///
/// `server_mac` is the router's, where upstream takes a random one: a database made anew answers as before.
pub(crate) fn v4_options(
    subnet: &CheckedSubnet,
    mtu: u32,
    given: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let gateway = subnet.nets.iter().find(|net| net.cidr.addr().is_ipv4()).map(|net| net.gateway.to_string());
    let mut options = BTreeMap::from([
        ("lease_time".to_owned(), "3600".to_owned()),
        ("server_id".to_owned(), SERVER.to_owned()),
        ("server_mac".to_owned(), subnet.router_mac.to_string()),
        ("mtu".to_owned(), mtu.to_string()),
    ]);
    options.extend(gateway.map(|gateway| ("router".to_owned(), gateway)));
    options.extend(given);
    options
}

/// The DHCPv6 options of a subnet: its own, overridden by what its author gives.
pub(crate) fn v6_options(
    subnet: &CheckedSubnet,
    given: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut options = BTreeMap::from([("server_id".to_owned(), subnet.router_mac.to_string())]);
    options.extend(given);
    options
}

/// The contents of router advertisements: upstream's, overridden by what the subnet's author gives.
pub(crate) fn router_advertisements(given: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = [
        ("address_mode", "dhcpv6_stateful"),
        ("max_interval", "30"),
        ("min_interval", "5"),
        ("send_periodic", "true"),
    ];
    let mut configs: BTreeMap<String, String> =
        own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    configs.extend(given);
    configs
}

/// The rows.
pub(crate) fn dhcp_options(subnet: &CheckedSubnet) -> Vec<DhcpOptions> {
    let row = |(cidr, family, options): (IpNet, Family, &BTreeMap<String, String>)| DhcpOptions {
        scope: DhcpFor::Switch(subnet.name.clone()),
        family,
        cidr,
        options: options.clone(),
    };
    families(subnet).map(row).collect()
}

/// The rows that a port of the subnet refers to, IPv4 and IPv6.
pub(crate) fn references(subnet: &CheckedSubnet) -> (Option<Key>, Option<Key>) {
    let scope = DhcpFor::Switch(subnet.name.clone());
    let of = |family: Family| {
        families(subnet).find(|(_, found, _)| *found == family).map(|_| DhcpOptions::key_of(&scope, family))
    };
    (of(Family::V4), of(Family::V6))
}

fn families(subnet: &CheckedSubnet) -> impl Iterator<Item = (IpNet, Family, &BTreeMap<String, String>)> {
    subnet.nets.iter().filter_map(|net| {
        let (family, options) = match net.cidr {
            IpNet::V4(_) => (Family::V4, &subnet.dhcp_v4),
            IpNet::V6(_) => (Family::V6, &subnet.dhcp_v6),
        };
        Some((net.cidr, family, options.as_ref()?))
    })
}
