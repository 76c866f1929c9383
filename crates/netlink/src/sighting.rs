//! What a frame of somebody else's says about who has which address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::frame::{
    ARP_PREFIX, ETHERNET_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV6, IPV6_LEN, Mac, NDP_HOP_LIMIT,
    NEIGHBOUR_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEXT_HEADER_ICMPV6, SOURCE_LINK_LAYER_ADDRESS,
    TARGET_LINK_LAYER_ADDRESS,
};

/// Somebody on the link says that it has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sighting {
    /// The address.
    pub ip: IpAddr,
    /// Who has it.
    pub mac: Mac,
}

/// The address that the sender of `frame` uses, when the frame says so.
///
/// ARP, request or reply: the sender address (RFC 5227 section 2.1.1). Neighbour advertisement: the target.
/// Neighbour solicitation: the source. Somebody who only probes, from `0.0.0.0` or `::`, has no address yet.
pub(crate) fn of_frame(frame: &[u8]) -> Option<Sighting> {
    let ethertype = u16::from_be_bytes(array(frame, 12)?);
    match ethertype {
        ETHERTYPE_ARP => of_arp(frame.get(ETHERNET_LEN..)?),
        ETHERTYPE_IPV6 => of_ndp(array(frame, 6)?, frame.get(ETHERNET_LEN..)?),
        _ => None,
    }
}

fn of_arp(packet: &[u8]) -> Option<Sighting> {
    if !packet.starts_with(&ARP_PREFIX) {
        return None;
    }
    let ip = Ipv4Addr::from(array::<4>(packet, 14)?);
    (!ip.is_unspecified()).then_some(Sighting { ip: ip.into(), mac: array(packet, 8)? })
}

fn of_ndp(sender: Mac, packet: &[u8]) -> Option<Sighting> {
    let is_ndp = packet.first()? >> 4 == 6
        && *packet.get(6)? == NEXT_HEADER_ICMPV6
        && *packet.get(7)? == NDP_HOP_LIMIT;
    let icmp = packet.get(IPV6_LEN..).filter(|_| is_ndp)?;
    let (ip, option) = match *icmp.first()? {
        NEIGHBOUR_ADVERTISEMENT => (array::<16>(icmp, 8)?, TARGET_LINK_LAYER_ADDRESS),
        NEIGHBOUR_SOLICITATION => (array::<16>(packet, 8)?, SOURCE_LINK_LAYER_ADDRESS),
        _ => return None,
    };
    let ip = Ipv6Addr::from(ip);
    let mac = link_layer_address(icmp.get(24..)?, option).unwrap_or(sender);
    (!ip.is_unspecified()).then_some(Sighting { ip: ip.into(), mac })
}

/// RFC 4861 section 4.6: type, length in units of 8 bytes, value.
fn link_layer_address(mut options: &[u8], wanted: u8) -> Option<Mac> {
    loop {
        let (kind, units) = (*options.first()?, usize::from(*options.get(1)?));
        if units == 0 {
            return None;
        }
        if kind == wanted {
            return array(options, 2);
        }
        options = options.get(units * 8..)?;
    }
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{announcement, probe};

    const MAC: Mac = [2, 0, 0, 0, 0, 5];

    #[test]
    fn an_announcement_is_a_sighting_of_its_address() {
        for ip in ["10.0.0.5", "fd00::5"] {
            let ip = ip.parse().unwrap();

            assert_eq!(of_frame(&announcement(MAC, ip)), Some(Sighting { ip, mac: MAC }));
        }
    }

    #[test]
    fn a_probe_is_no_sighting() {
        for ip in ["10.0.0.5", "fd00::5"] {
            assert_eq!(of_frame(&probe(MAC, ip.parse().unwrap())), None);
        }
    }

    #[test]
    fn an_advertisement_that_crossed_a_router_is_ignored() {
        let mut frame = announcement(MAC, "fd00::5".parse().unwrap());
        frame[ETHERNET_LEN + 7] = 254;

        assert_eq!(of_frame(&frame), None);
    }

    #[test]
    fn without_an_option_the_sender_of_the_frame_has_the_address() {
        let mut frame = announcement(MAC, "fd00::5".parse().unwrap());
        frame.truncate(frame.len() - 8);
        frame[6..12].copy_from_slice(&[4; 6]);

        assert_eq!(of_frame(&frame).map(|seen| seen.mac), Some([4; 6]));
    }

    #[test]
    fn no_prefix_of_a_frame_panics() {
        for ip in ["10.0.0.5", "fd00::5"] {
            let frame = announcement(MAC, ip.parse().unwrap());
            for len in 0..frame.len() {
                let _ = of_frame(&frame[..len]);
            }
        }
    }
}
