//! Where in a packet a value lies, with the places that rules ask for most.

use crate::number::numbered;

numbered! {
    /// The header that an offset counts from (`enum nft_payload_bases`).
    Header {
        /// Link layer (`NFT_PAYLOAD_LL_HEADER`).
        Link = 0,
        /// IPv4 or IPv6 (`NFT_PAYLOAD_NETWORK_HEADER`).
        Network = 1,
        /// TCP, UDP, ICMP (`NFT_PAYLOAD_TRANSPORT_HEADER`).
        Transport = 2,
    }
}

/// Bytes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The header.
    pub header: Header,
    /// Bytes from the header's start.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

impl Place {
    /// `len` bytes at `offset` of `header`.
    pub const fn new(header: Header, offset: u32, len: u32) -> Self {
        Self { header, offset, len }
    }
}

/// Destination of an Ethernet frame (IEEE 802.3).
pub const ETHER_DESTINATION: Place = Place::new(Header::Link, 0, 6);
/// Source of an Ethernet frame.
pub const ETHER_SOURCE: Place = Place::new(Header::Link, 6, 6);
/// IPv4 source (RFC 791).
pub const IPV4_SOURCE: Place = Place::new(Header::Network, 12, 4);
/// IPv4 destination.
pub const IPV4_DESTINATION: Place = Place::new(Header::Network, 16, 4);
/// IPv6 source (RFC 8200).
pub const IPV6_SOURCE: Place = Place::new(Header::Network, 8, 16);
/// IPv6 destination.
pub const IPV6_DESTINATION: Place = Place::new(Header::Network, 24, 16);
/// Source port of TCP, UDP and SCTP.
pub const SOURCE_PORT: Place = Place::new(Header::Transport, 0, 2);
/// Destination port of TCP, UDP and SCTP.
pub const DESTINATION_PORT: Place = Place::new(Header::Transport, 2, 2);
/// Type of an ICMP or ICMPv6 message.
pub const ICMP_TYPE: Place = Place::new(Header::Transport, 0, 1);
