//! The classic BPF program that lets only ARP and neighbour discovery of others into a packet socket.

use libc::sock_filter;

use crate::frame::{
    ETHERTYPE_ARP, ETHERTYPE_IPV6, NEIGHBOUR_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEXT_HEADER_ICMPV6,
};

/// `BPF_LD | BPF_W|H|B | BPF_ABS`, `BPF_ALU | BPF_AND | BPF_K`, `BPF_JMP | BPF_JEQ | BPF_K`, `BPF_RET | BPF_K` in
/// linux/bpf_common.h.
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const AND: u16 = 0x54;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Offsets of packet metadata (linux/filter.h): `SKF_AD_OFF + SKF_AD_PKTTYPE`, `SKF_AD_OFF + SKF_AD_VLAN_TAG`.
const PACKET_TYPE: u32 = (-0x1000i32 + 4).cast_unsigned();
const VLAN_TAG: u32 = (-0x1000i32 + 44).cast_unsigned();
/// `PACKET_OUTGOING` in linux/if_packet.h: what this machine sends, macvlans on the interface included.
const OUTGOING: u32 = 4;
/// The VLAN's number in its tag (IEEE 802.1Q); 0 is priority without a VLAN.
const VLAN_ID: u32 = 0xfff;
/// Bytes of a frame that are worth reading: an advertisement with two options is 94.
const SNAP_BYTES: u32 = 256;

/// Positions below: 12 and 13 are the jump targets.
pub(crate) const NEIGHBOUR_FILTER: [sock_filter; 15] = [
    op(LOAD_WORD, PACKET_TYPE),
    jump(OUTGOING, 12, 0),
    op(LOAD_WORD, VLAN_TAG),
    op(AND, VLAN_ID),
    jump(0, 0, 9),
    op(LOAD_HALF, 12),
    jump(ETHERTYPE_ARP as u32, 6, 0),
    jump(ETHERTYPE_IPV6 as u32, 0, 6),
    op(LOAD_BYTE, 14 + 6),
    jump(NEXT_HEADER_ICMPV6 as u32, 0, 4),
    op(LOAD_BYTE, 14 + 40),
    jump(NEIGHBOUR_SOLICITATION as u32, 1, 0),
    jump(NEIGHBOUR_ADVERTISEMENT as u32, 0, 1),
    op(RETURN, SNAP_BYTES),
    op(RETURN, 0),
];

const fn op(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// Skips `jt` operations when the loaded value is `k`, else `jf`.
const fn jump(k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: JUMP_EQUAL, jt, jf, k }
}
