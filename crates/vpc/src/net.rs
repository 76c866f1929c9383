//! Ranges and addresses as they stand in `cidrBlock`, `gateway` and the like.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::finding::{Fault, Reason};

/// One family of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Net {
    /// The range, without host bits.
    pub cidr: IpNet,
    /// The router's address in it.
    pub gateway: IpAddr,
}

impl Net {
    /// The router's address with the range's prefix length: `10.0.1.1/24`.
    pub fn gateway_net(&self) -> IpNet {
        match (self.cidr, self.gateway) {
            (IpNet::V4(cidr), IpAddr::V4(gateway)) => {
                Ipv4Net::new(gateway, cidr.prefix_len()).map_or(self.cidr, IpNet::V4)
            }
            (IpNet::V6(cidr), IpAddr::V6(gateway)) => {
                Ipv6Net::new(gateway, cidr.prefix_len()).map_or(self.cidr, IpNet::V6)
            }
            // `nets` never pairs two families.
            _ => self.cidr,
        }
    }
}

/// `4` or `6`, for OVN's `ip4` and `ip6`.
pub(crate) fn digit(net: &IpNet) -> char {
    if matches!(net, IpNet::V4(_)) { '4' } else { '6' }
}

/// True when both are of one family.
pub(crate) fn is_same_family(net: &IpNet, ip: &IpAddr) -> bool {
    net.addr().is_ipv4() == ip.is_ipv4()
}

/// True when the ranges share an address.
pub(crate) fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// The items of a list separated by commas, without empty ones.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A range, without host bits; a bare address is itself alone.
pub(crate) fn range(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>().map(|net| net.trunc()).or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

/// The families of a subnet, from its `cidrBlock` and `gateway`, IPv4 first.
pub(crate) fn nets(cidr_block: &str, gateway: &str) -> Result<Vec<Net>, Fault> {
    let mut cidrs = items(cidr_block).map(cidr).collect::<Result<Vec<_>, _>>()?;
    cidrs.sort();
    let v4 = cidrs.iter().filter(|cidr| matches!(cidr, IpNet::V4(_))).count();
    if cidrs.is_empty() || v4 > 1 || cidrs.len() - v4 > 1 {
        return Err(Fault::new(
            Reason::InvalidCidr,
            format!(
                "cidrBlock {cidr_block:?} is neither one range nor an IPv4 and an IPv6 one; write it as 10.0.1.0/24"
            ),
        ));
    }
    let mut gateways = Vec::new();
    for text in items(gateway) {
        let bad = || {
            Fault::new(
                Reason::InvalidGateway,
                format!("gateway {text:?} is not an address; write it as 10.0.1.1"),
            )
        };
        gateways.push(text.parse::<IpAddr>().map_err(|_| bad())?);
    }
    let nets =
        cidrs.into_iter().map(|cidr| with_gateway(cidr, &mut gateways)).collect::<Result<Vec<_>, _>>()?;
    match gateways.first() {
        None => Ok(nets),
        Some(left) => Err(Fault::new(
            Reason::InvalidGateway,
            format!(
                "gateway {left} is in no range of {cidr_block}, or one too many; name one for each family"
            ),
        )),
    }
}

fn cidr(text: &str) -> Result<IpNet, Fault> {
    let bad = |why: &str| Fault::new(Reason::InvalidCidr, format!("cidrBlock {text:?} {why}"));
    let cidr: IpNet = text.parse().map_err(|_| bad("is not a range; write it as 10.0.1.0/24"))?;
    let cidr = cidr.trunc();
    if cidr.prefix_len() + 1 >= cidr.max_prefix_len() {
        return Err(bad("has no room for a gateway and a pod; use /30 (IPv6 /126) or larger"));
    }
    if let Some(reserved) = reserved().find(|reserved| overlap(reserved, &cidr)) {
        return Err(bad(&format!("touches {reserved}, which is reserved; choose another range")));
    }
    Ok(cidr)
}

/// Ranges that hosts and routers treat in their own way (RFC 6890), as upstream refuses them.
const RESERVED: [&str; 8] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "255.255.255.255/32",
    "::/96",
    "fe80::/10",
    "ff00::/8",
];

fn reserved() -> impl Iterator<Item = IpNet> {
    RESERVED.into_iter().filter_map(|text| text.parse().ok())
}

/// Takes the gateway of `cidr` out of `gateways`; without one it is the first usable address.
fn with_gateway(cidr: IpNet, gateways: &mut Vec<IpAddr>) -> Result<Net, Fault> {
    let Some(place) = gateways.iter().position(|gateway| is_same_family(&cidr, gateway)) else {
        return Ok(Net { cidr, gateway: first(&cidr) });
    };
    let gateway = gateways.remove(place);
    let bad = |why: String| Err(Fault::new(Reason::InvalidGateway, format!("gateway {gateway} {why}")));
    if !cidr.contains(&gateway) {
        return bad(format!(
            "is outside {cidr}; choose an address inside, or leave it out for {}",
            first(&cidr)
        ));
    }
    let is_last = cidr.addr().is_ipv4() && gateway == cidr.broadcast();
    if gateway == cidr.network() || is_last {
        return bad(format!("is no host's address in {cidr}; choose another, such as {}", first(&cidr)));
    }
    Ok(Net { cidr, gateway })
}

/// The first usable address.
fn first(cidr: &IpNet) -> IpAddr {
    match cidr {
        IpNet::V4(v4) => Ipv4Addr::from(u32::from(v4.network()).saturating_add(1)).into(),
        IpNet::V6(v6) => Ipv6Addr::from(u128::from(v6.network()).saturating_add(1)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cidr: &str, gateway: &str) -> String {
        match nets(cidr, gateway) {
            Ok(nets) => nets
                .iter()
                .map(|n| format!("{} of {}", n.gateway_net(), n.cidr))
                .collect::<Vec<_>>()
                .join(", "),
            Err(fault) => format!("{}: {}", fault.reason, fault.message),
        }
    }

    #[test]
    fn the_gateway_is_the_first_address_unless_somebody_says_otherwise() {
        assert_eq!(read("10.0.1.0/24", ""), "10.0.1.1/24 of 10.0.1.0/24");
        assert_eq!(read("10.0.1.7/24", "10.0.1.254"), "10.0.1.254/24 of 10.0.1.0/24");
        assert_eq!(
            read("fd00::/64, 10.0.1.0/24", "10.0.1.9"),
            "10.0.1.9/24 of 10.0.1.0/24, fd00::1/64 of fd00::/64"
        );
    }

    #[test]
    fn a_wrong_gateway_is_refused_with_a_better_one() {
        assert_eq!(
            read("10.0.1.0/24", "10.0.2.1"),
            "InvalidGateway: gateway 10.0.2.1 is outside 10.0.1.0/24; choose an address inside, or leave it out for 10.0.1.1"
        );
        assert!(read("10.0.1.0/24", "10.0.1.0").starts_with("InvalidGateway"));
        assert!(read("10.0.1.0/24", "10.0.1.255").starts_with("InvalidGateway"));
        assert!(read("10.0.1.0/24", "fd00::1").starts_with("InvalidGateway"));
        assert!(read("10.0.1.0/24", "10.0.1.1,10.0.1.2").starts_with("InvalidGateway"));
        assert!(read("10.0.1.0/24", "first").starts_with("InvalidGateway"));
    }

    #[test]
    fn a_range_that_cannot_serve_is_refused() {
        for bad in [
            "",
            ",",
            "10.0.1.0",
            "10.0.1.0/24,10.0.2.0/24",
            "10.0.1.0/31",
            "169.254.1.0/24",
            "0.0.0.0/0",
            "::/0",
        ] {
            assert!(read(bad, "").starts_with("InvalidCidr"), "{bad}");
        }
    }
}
