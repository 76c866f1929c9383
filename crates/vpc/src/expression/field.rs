//! The fields of a packet that an OVN expression may ask about (ovn-sb(5), Logical_Flow `match`).

use ovn::nb::Family;

/// What a field holds, and so what it can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// The name of a port.
    Port,
    /// A number of so many bits, with an order.
    Number(u32),
    /// A number of so many bits that stands for a name: neither order nor bits, and never asked for by what it is not.
    Word(u32),
    /// An Ethernet address.
    Mac,
    /// An IPv4 address.
    V4,
    /// An IPv6 address.
    V6,
    /// Yes or no; needs no comparison.
    Bit,
    /// Yes, made of words: needs no comparison, and is never asked for by its opposite.
    Kind,
}

impl Holds {
    /// How many bits it has; 0 for a name.
    pub(super) fn bits(self) -> u32 {
        match self {
            Holds::Port => 0,
            Holds::Number(bits) | Holds::Word(bits) => bits,
            Holds::Mac => 48,
            Holds::V4 => 32,
            Holds::V6 => 128,
            Holds::Bit | Holds::Kind => 1,
        }
    }
}

/// The family of all packets that have the field, whatever it is compared with.
pub(super) fn family(name: &str) -> Option<Family> {
    let stem = name.split('.').next().unwrap_or(name);
    match stem {
        "ip4" | "icmp4" | "igmp" => Some(Family::V4),
        "ip6" | "icmp6" | "mldv1" | "mldv2" | "nd" | "nd_ns" | "nd_na" | "nd_rs" | "nd_ra" => {
            Some(Family::V6)
        }
        _ => None,
    }
}

/// Looks a field up. Registers (`reg0`, `xreg0`, `xxreg0`, `flags…`) are OVN's own and not for people: unknown here.
pub(super) fn holds(name: &str) -> Option<Holds> {
    FIELDS.iter().find(|(field, _)| *field == name).map(|(_, holds)| *holds)
}

const FIELDS: &[(&str, Holds)] = &[
    ("inport", Holds::Port),
    ("outport", Holds::Port),
    ("eth.src", Holds::Mac),
    ("eth.dst", Holds::Mac),
    ("eth.type", Holds::Word(16)),
    ("eth.bcast", Holds::Bit),
    ("eth.mcast", Holds::Bit),
    ("vlan.tci", Holds::Number(16)),
    ("vlan.vid", Holds::Number(12)),
    ("vlan.pcp", Holds::Number(3)),
    ("vlan.present", Holds::Bit),
    ("ip", Holds::Kind),
    ("ip4", Holds::Kind),
    ("ip6", Holds::Kind),
    ("ip.proto", Holds::Word(8)),
    ("ip.dscp", Holds::Word(6)),
    ("ip.ecn", Holds::Word(2)),
    ("ip.ttl", Holds::Word(8)),
    ("ip.frag", Holds::Number(2)),
    ("ip.is_frag", Holds::Bit),
    ("ip.first_frag", Holds::Bit),
    ("ip.later_frag", Holds::Bit),
    ("ip4.src", Holds::V4),
    ("ip4.dst", Holds::V4),
    ("ip4.mcast", Holds::Bit),
    ("ip6.src", Holds::V6),
    ("ip6.dst", Holds::V6),
    ("ip6.label", Holds::Number(20)),
    ("ip6.mcast", Holds::Bit),
    ("icmp", Holds::Kind),
    ("icmp4", Holds::Kind),
    ("icmp4.type", Holds::Word(8)),
    ("icmp4.code", Holds::Word(8)),
    ("icmp6", Holds::Kind),
    ("icmp6.type", Holds::Word(8)),
    ("icmp6.code", Holds::Word(8)),
    ("igmp", Holds::Kind),
    ("mldv1", Holds::Kind),
    ("mldv2", Holds::Kind),
    ("arp", Holds::Kind),
    ("arp.op", Holds::Word(16)),
    ("arp.spa", Holds::V4),
    ("arp.sha", Holds::Mac),
    ("arp.tpa", Holds::V4),
    ("arp.tha", Holds::Mac),
    ("rarp", Holds::Kind),
    ("nd", Holds::Kind),
    ("nd_ns", Holds::Kind),
    ("nd_na", Holds::Kind),
    ("nd_rs", Holds::Kind),
    ("nd_ra", Holds::Kind),
    ("nd.target", Holds::V6),
    ("nd.sll", Holds::Mac),
    ("nd.tll", Holds::Mac),
    ("tcp", Holds::Kind),
    ("tcp.src", Holds::Number(16)),
    ("tcp.dst", Holds::Number(16)),
    ("tcp.flags", Holds::Number(12)),
    ("udp", Holds::Kind),
    ("udp.src", Holds::Number(16)),
    ("udp.dst", Holds::Number(16)),
    ("sctp", Holds::Kind),
    ("sctp.src", Holds::Number(16)),
    ("sctp.dst", Holds::Number(16)),
    ("ct.trk", Holds::Bit),
    ("ct.new", Holds::Bit),
    ("ct.est", Holds::Bit),
    ("ct.rel", Holds::Bit),
    ("ct.rpl", Holds::Bit),
    ("ct.inv", Holds::Bit),
    ("ct.dnat", Holds::Bit),
    ("ct.snat", Holds::Bit),
    ("pkt.mark", Holds::Number(32)),
];
