//! The fields of a packet that an OVN expression may ask about (ovn-sb(5), Logical_Flow `match`).

/// What a field holds, and so what it can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// The name of a port.
    Port,
    /// A number of so many bits, with an order.
    Number(u32),
    /// A number of so many bits that stands for a name: `==` and `!=` only.
    Word(u32),
    /// An Ethernet address.
    Mac,
    /// An IPv4 address.
    V4,
    /// An IPv6 address.
    V6,
    /// Yes or no; needs no comparison.
    Bit,
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
            Holds::Bit => 1,
        }
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
    ("vlan.tci", Holds::Word(16)),
    ("vlan.vid", Holds::Number(12)),
    ("vlan.pcp", Holds::Number(3)),
    ("vlan.present", Holds::Bit),
    ("ip", Holds::Bit),
    ("ip4", Holds::Bit),
    ("ip6", Holds::Bit),
    ("ip.proto", Holds::Word(8)),
    ("ip.dscp", Holds::Number(6)),
    ("ip.ecn", Holds::Word(2)),
    ("ip.ttl", Holds::Number(8)),
    ("ip.frag", Holds::Word(2)),
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
    ("icmp", Holds::Bit),
    ("icmp4", Holds::Bit),
    ("icmp4.type", Holds::Number(8)),
    ("icmp4.code", Holds::Number(8)),
    ("icmp6", Holds::Bit),
    ("icmp6.type", Holds::Number(8)),
    ("icmp6.code", Holds::Number(8)),
    ("igmp", Holds::Bit),
    ("mldv1", Holds::Bit),
    ("mldv2", Holds::Bit),
    ("arp", Holds::Bit),
    ("arp.op", Holds::Number(16)),
    ("arp.spa", Holds::V4),
    ("arp.sha", Holds::Mac),
    ("arp.tpa", Holds::V4),
    ("arp.tha", Holds::Mac),
    ("rarp", Holds::Bit),
    ("nd", Holds::Bit),
    ("nd_ns", Holds::Bit),
    ("nd_na", Holds::Bit),
    ("nd_rs", Holds::Bit),
    ("nd_ra", Holds::Bit),
    ("nd.target", Holds::V6),
    ("nd.sll", Holds::Mac),
    ("nd.tll", Holds::Mac),
    ("tcp", Holds::Bit),
    ("tcp.src", Holds::Number(16)),
    ("tcp.dst", Holds::Number(16)),
    ("tcp.flags", Holds::Word(12)),
    ("udp", Holds::Bit),
    ("udp.src", Holds::Number(16)),
    ("udp.dst", Holds::Number(16)),
    ("sctp", Holds::Bit),
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
