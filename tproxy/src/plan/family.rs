//! What differs between IPv4 and IPv6 on the wire and in the tables.

use std::net::IpAddr;

use nft::place::{IPV4_DESTINATION, IPV4_SOURCE, IPV6_DESTINATION, IPV6_SOURCE};
use nft::{CtKey, FieldKind, Header, Name, Place, Protocol};

use super::ProbeAddresses;

/// One family: its numbers, its places in a packet and its sets.
#[derive(Debug)]
pub(crate) struct Wire {
    /// For messages to people.
    pub(crate) word: &'static str,
    /// For expressions that have to be told.
    pub(crate) protocol: Protocol,
    /// The same as `meta nfproto` gives it.
    pub(crate) number: u8,
    /// Ethertype.
    pub(crate) ether_type: u16,
    pub(crate) address: FieldKind,
    pub(crate) source: Place,
    pub(crate) destination: Place,
    /// Destination of a connection's answers.
    pub(crate) answers_to: CtKey,
    /// Protocol number of ICMP, and its type "destination unreachable" (RFC 792, RFC 4443 section 3.1).
    pub(crate) unreachable: (u8, u8),
    /// Destination address and port of the packet that an ICMP error quotes, if it has no options.
    pub(crate) quoted: (Place, Place),
    /// Endpoints that are probed.
    pub(crate) targets: Name,
    /// Endpoint → hardware address of the pod.
    pub(crate) macs: Name,
    /// Endpoint → device of the pod.
    pub(crate) devices: Name,
    /// Device and endpoint that belong together.
    pub(crate) own: Name,
    /// The chain for what pods send to the probe address.
    pub(crate) answers: Name,
}

static IPV4: Wire = Wire {
    word: "IPv4",
    protocol: Protocol::Ipv4,
    number: 2,
    ether_type: 0x0800,
    address: FieldKind::Ipv4,
    source: IPV4_SOURCE,
    destination: IPV4_DESTINATION,
    answers_to: CtKey::DestinationIpv4,
    unreachable: (1, 3),
    // 8 bytes of ICMP, then the quoted header of 20.
    quoted: (Place::new(Header::Transport, 24, 4), Place::new(Header::Transport, 30, 2)),
    targets: Name::of("targets4"),
    macs: Name::of("macs4"),
    devices: Name::of("devices4"),
    own: Name::of("own4"),
    answers: Name::of("answers4"),
};

static IPV6: Wire = Wire {
    word: "IPv6",
    protocol: Protocol::Ipv6,
    number: 10,
    ether_type: 0x86dd,
    address: FieldKind::Ipv6,
    source: IPV6_SOURCE,
    destination: IPV6_DESTINATION,
    answers_to: CtKey::DestinationIpv6,
    unreachable: (58, 1),
    // 8 bytes of ICMPv6, then the quoted header of 40.
    quoted: (Place::new(Header::Transport, 32, 16), Place::new(Header::Transport, 50, 2)),
    targets: Name::of("targets6"),
    macs: Name::of("macs6"),
    devices: Name::of("devices6"),
    own: Name::of("own6"),
    answers: Name::of("answers6"),
};

impl Wire {
    pub(crate) fn of(ip: IpAddr) -> &'static Self {
        if ip.is_ipv4() { &IPV4 } else { &IPV6 }
    }
}

/// The families with a probe address, each with its own.
pub(crate) fn wires(probe: &ProbeAddresses) -> impl Iterator<Item = (&'static Wire, IpAddr)> {
    let probe = *probe;
    probe.families().filter_map(move |family| probe.of(family)).map(|ip| (Wire::of(ip), ip))
}
