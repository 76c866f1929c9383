//! Values as the kernel compares them, and the kinds that `nft list` prints them by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::name::Name;
use crate::number::numbered;

numbered! {
    /// What a field of a key or of a map's data is. The kernel keeps the number for `nft` (its `enum datatypes`) and
    /// asks only the length.
    FieldKind {
        /// `ipv4_addr`, 4 bytes.
        Ipv4 = 7,
        /// `ipv6_addr`, 16 bytes.
        Ipv6 = 8,
        /// `ether_addr`, 6 bytes.
        Mac = 9,
        /// `inet_proto`, 1 byte.
        Protocol = 12,
        /// `inet_service`: a port, 2 bytes.
        Port = 13,
        /// `mark`, 4 bytes in the machine's order.
        Mark = 19,
        /// `iface_index`, 4 bytes in the machine's order.
        Index = 20,
        /// `ifname`, 16 bytes.
        Device = 41,
    }
}

impl FieldKind {
    /// Length in bytes, without padding.
    pub fn byte_len(self) -> u32 {
        match self {
            Self::Protocol => 1,
            Self::Port => 2,
            Self::Ipv4 | Self::Mark | Self::Index => 4,
            Self::Mac => 6,
            Self::Ipv6 | Self::Device => 16,
        }
    }
}

/// A value of a [`FieldKind`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A hardware address.
    Mac([u8; 6]),
    /// A transport protocol, such as 6 for TCP (IANA).
    Protocol(u8),
    /// A port.
    Port(u16),
    /// A mark of a packet or connection, or any other number in the machine's order.
    Mark(u32),
    /// An interface index.
    Index(u32),
    /// An interface name.
    Device(Name),
}

impl Field {
    /// The bytes, without padding.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Ipv4(address) => address.octets().to_vec(),
            Self::Ipv6(address) => address.octets().to_vec(),
            Self::Mac(address) => address.to_vec(),
            Self::Protocol(number) => vec![*number],
            Self::Port(port) => port.to_be_bytes().to_vec(),
            Self::Mark(number) | Self::Index(number) => number.to_ne_bytes().to_vec(),
            Self::Device(name) => {
                let mut bytes = name.as_str().as_bytes().to_vec();
                bytes.resize(bytes.len().max(16), 0);
                bytes
            }
        }
    }
}

impl From<IpAddr> for Field {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::Ipv4(address),
            IpAddr::V6(address) => Self::Ipv6(address),
        }
    }
}

/// The bytes of a key or of data: one field as it is, several each padded to whole words.
pub fn concatenation(fields: &[Field]) -> Vec<u8> {
    if let [field] = fields {
        return field.bytes();
    }
    let mut bytes = Vec::new();
    for field in fields {
        bytes.extend(field.bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_concatenation_are_padded_and_a_single_one_is_not() {
        let (address, port) = (Field::Ipv4([10, 0, 0, 1].into()), Field::Port(80));

        assert_eq!(concatenation(&[address, port.clone()]), [10, 0, 0, 1, 0, 80, 0, 0]);
        assert_eq!(concatenation(&[port]), [0, 80]);
    }
}
