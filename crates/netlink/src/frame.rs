//! The frames of address announcement and address detection: RFC 5227 for IPv4, RFC 4861 and RFC 4862 for IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A hardware address.
pub type Mac = [u8; 6];

/// EtherType of ARP.
pub(crate) const ETHERTYPE_ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Next header of ICMPv6 (RFC 4443).
pub(crate) const NEXT_HEADER_ICMPV6: u8 = 58;
/// ICMPv6 type (RFC 4861 section 4.3).
pub(crate) const NEIGHBOUR_SOLICITATION: u8 = 135;
/// ICMPv6 type (RFC 4861 section 4.4).
pub(crate) const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// Hop limit of all neighbour discovery: proof that no router forwarded it (RFC 4861 section 7.1).
pub(crate) const NDP_HOP_LIMIT: u8 = 255;
/// Neighbour discovery option (RFC 4861 section 4.6.1).
pub(crate) const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
/// Neighbour discovery option (RFC 4861 section 4.6.1).
pub(crate) const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
/// Length of an Ethernet header without VLAN tag.
pub(crate) const ETHERNET_LEN: usize = 14;
/// Length of the IPv6 header.
pub(crate) const IPV6_LEN: usize = 40;
/// Ethernet, IPv4 over Ethernet, six and four bytes of address (RFC 826).
pub(crate) const ARP_PREFIX: [u8; 6] = [0, 1, 8, 0, 6, 4];

const BROADCAST: Mac = [0xff; 6];
const NOBODY: Mac = [0; 6];
const ARP_REQUEST: u16 = 1;
/// The override bit of an advertisement: caches shall believe it (RFC 4861 section 4.4).
const OVERRIDE: [u8; 4] = [0x20, 0, 0, 0];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// "I am `ip`": to everybody, asked by nobody (RFC 5227 section 2.3, RFC 4861 section 7.2.6).
pub(crate) fn announcement(mac: Mac, ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => arp_request(mac, ip, ip),
        IpAddr::V6(ip) => {
            let mut body = OVERRIDE.to_vec();
            body.extend(ip.octets());
            body.extend([TARGET_LINK_LAYER_ADDRESS, 1]);
            body.extend(mac);
            ndp(mac, ip, ALL_NODES, NEIGHBOUR_ADVERTISEMENT, &body)
        }
    }
}

/// "Is anybody `ip`?", without claiming it (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2).
pub(crate) fn probe(mac: Mac, ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => arp_request(mac, Ipv4Addr::UNSPECIFIED, ip),
        IpAddr::V6(ip) => {
            // No source option: an unspecified source forbids it (RFC 4861 section 4.3).
            let mut body = vec![0; 4];
            body.extend(ip.octets());
            ndp(mac, Ipv6Addr::UNSPECIFIED, solicited_node(ip), NEIGHBOUR_SOLICITATION, &body)
        }
    }
}

fn arp_request(mac: Mac, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = ethernet(BROADCAST, mac, ETHERTYPE_ARP);
    frame.extend(ARP_PREFIX);
    frame.extend(ARP_REQUEST.to_be_bytes());
    frame.extend(mac);
    frame.extend(sender.octets());
    frame.extend(NOBODY);
    frame.extend(target.octets());
    frame
}

fn ndp(mac: Mac, source: Ipv6Addr, destination: Ipv6Addr, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut icmp = vec![kind, 0, 0, 0];
    icmp.extend(body);
    let len = u16::try_from(icmp.len()).expect("a neighbour discovery message is below 40 bytes");
    let sum = icmpv6_checksum(source, destination, &icmp);
    icmp[2..4].copy_from_slice(&sum.to_be_bytes());

    let mut frame = ethernet(multicast_mac(destination), mac, ETHERTYPE_IPV6);
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(len.to_be_bytes());
    frame.extend([NEXT_HEADER_ICMPV6, NDP_HOP_LIMIT]);
    frame.extend(source.octets());
    frame.extend(destination.octets());
    frame.extend(icmp);
    frame
}

fn ethernet(destination: Mac, source: Mac, ethertype: u16) -> Vec<u8> {
    let mut frame = Vec::with_capacity(ETHERNET_LEN + IPV6_LEN + 32);
    frame.extend(destination);
    frame.extend(source);
    frame.extend(ethertype.to_be_bytes());
    frame
}

/// The multicast group every holder of `ip` listens to (RFC 4291 section 2.7.1).
fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = ip.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// RFC 2464 section 7.
fn multicast_mac(group: Ipv6Addr) -> Mac {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

/// RFC 4443 section 2.3 over the pseudo-header of RFC 8200 section 8.1; `icmp` has zero in the checksum's place.
pub(crate) fn icmpv6_checksum(source: Ipv6Addr, destination: Ipv6Addr, icmp: &[u8]) -> u16 {
    let mut pseudo = Vec::with_capacity(40 + icmp.len());
    pseudo.extend(source.octets());
    pseudo.extend(destination.octets());
    pseudo.extend(u32::try_from(icmp.len()).unwrap_or(u32::MAX).to_be_bytes());
    pseudo.extend([0, 0, 0, NEXT_HEADER_ICMPV6]);
    pseudo.extend(icmp);
    let sum: u64 = pseudo
        .chunks(2)
        .map(|pair| u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])))
        .sum();
    let mut folded = sum;
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    !u16::try_from(folded).expect("folded to 16 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [2, 0, 0, 0, 0, 5];

    #[test]
    fn arp_announcement_has_sender_and_target_alike() {
        let frame = announcement(MAC, "10.0.0.5".parse().unwrap());

        assert_eq!(frame.len(), 42);
        assert_eq!(frame[..6], BROADCAST);
        assert_eq!(frame[20..22], [0, 1]);
        assert_eq!(frame[28..32], [10, 0, 0, 5]);
        assert_eq!(frame[38..42], [10, 0, 0, 5]);
    }

    #[test]
    fn arp_probe_does_not_claim_the_address_it_asks_for() {
        let frame = probe(MAC, "10.0.0.5".parse().unwrap());

        assert_eq!(frame[22..28], MAC);
        assert_eq!(frame[28..32], [0; 4]);
        assert_eq!(frame[38..42], [10, 0, 0, 5]);
    }

    #[test]
    fn solicitation_goes_to_the_solicited_node_group_from_nobody() {
        let frame = probe(MAC, "fd00::12:3456".parse().unwrap());

        assert_eq!(frame.len(), ETHERNET_LEN + IPV6_LEN + 24);
        assert_eq!(frame[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        assert_eq!(frame[22..38], [0; 16]);
        assert_eq!(frame[38..54], "ff02::1:ff12:3456".parse::<Ipv6Addr>().unwrap().octets());
    }

    #[test]
    fn checksum_over_a_whole_message_with_its_checksum_is_zero() {
        for ip in ["fd00::5", "fe80::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"] {
            for frame in [announcement(MAC, ip.parse().unwrap()), probe(MAC, ip.parse().unwrap())] {
                let at = |from: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&frame[from..from + 16]).unwrap());

                assert_eq!(icmpv6_checksum(at(22), at(38), &frame[54..]), 0, "{ip}");
            }
        }
    }
}
