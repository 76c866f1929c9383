//! Everything that can be refused, and why.

use std::net::{AddrParseError, IpAddr};

use thiserror::Error;

use crate::family::Family;
use crate::mac::Mac;

/// A text that is not an Ethernet address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("MAC {text:?} is not six pairs of hexadecimal digits such as 0a:00:00:00:00:01")]
pub struct InvalidMac {
    /// The text, cut to 80 characters.
    pub text: String,
}

impl InvalidMac {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: cut(text) }
    }
}

/// A text that does not name addresses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing is written there.
    #[error("no address is given")]
    Empty,
    /// Not an IP address.
    #[error("{text:?} is not an IP address")]
    BadAddress {
        /// The text, cut to 80 characters.
        text: String,
        /// What the parser says.
        source: AddrParseError,
    },
    /// Not a CIDR.
    #[error("{text:?} is not a CIDR such as 10.0.1.0/24")]
    BadCidr {
        /// The text, cut to 80 characters.
        text: String,
        /// What the parser says.
        source: ipnet::AddrParseError,
    },
    /// A range whose end lies before its start.
    #[error("range {text:?} ends before it starts")]
    Reversed {
        /// The range as written.
        text: String,
    },
    /// A range from one family into the other.
    #[error("range {text:?} mixes IPv4 and IPv6")]
    MixedFamilies {
        /// The range as written.
        text: String,
    },
    /// Two where only one of each family can be.
    #[error("{text:?} gives more than one {family}")]
    TwoOfOneFamily {
        /// The text, cut to 80 characters.
        text: String,
        /// The family given twice.
        family: Family,
    },
}

/// A subnet whose addresses cannot be served as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpecError {
    /// `cidrBlock` cannot be read.
    #[error("subnet {subnet}: cidrBlock cannot be used")]
    Cidr {
        /// The subnet's name.
        subnet: String,
        /// What is wrong with it.
        source: TextError,
    },
    /// `gateway` cannot be read.
    #[error("subnet {subnet}: gateway cannot be used")]
    Gateway {
        /// The subnet's name.
        subnet: String,
        /// What is wrong with it.
        source: TextError,
    },
    /// `gateway` is not an address of the subnet.
    #[error("subnet {subnet}: gateway {gateway} is not in {cidr}")]
    GatewayOutside {
        /// The subnet's name.
        subnet: String,
        /// The gateway as written.
        gateway: IpAddr,
        /// The subnet's `cidrBlock`, normalised.
        cidr: String,
    },
    /// An entry of `excludeIps` cannot be read.
    #[error("subnet {subnet}: excludeIps entry {entry:?} cannot be used")]
    Exclude {
        /// The subnet's name.
        subnet: String,
        /// The entry, cut to 80 characters.
        entry: String,
        /// What is wrong with it.
        source: TextError,
    },
}

/// Why an address or MAC was not given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PickError {
    /// The request names no family at all.
    #[error("subnet {subnet}: the request asks for no address")]
    NothingAsked {
        /// The subnet's name.
        subnet: String,
    },
    /// A family was asked for that the subnet has no CIDR of.
    #[error("subnet {subnet} has no {family} addresses")]
    FamilyNotServed {
        /// The subnet's name.
        subnet: String,
        /// The family asked for.
        family: Family,
    },
    /// Every address of a family is held, excluded or set aside.
    #[error("subnet {subnet} has no free {family} address")]
    Exhausted {
        /// The subnet's name.
        subnet: String,
        /// The family that is full.
        family: Family,
    },
    /// None of the listed addresses is free.
    #[error("none of the listed addresses {listed} is free in subnet {subnet}")]
    PoolExhausted {
        /// The subnet's name.
        subnet: String,
        /// The list, cut to 80 characters.
        listed: String,
    },
    /// The address is not in the subnet's CIDR.
    #[error("address {ip} is not in subnet {subnet} ({cidr})")]
    OutsideSubnet {
        /// The address asked for.
        ip: IpAddr,
        /// The subnet's name.
        subnet: String,
        /// The subnet's CIDR of that family.
        cidr: String,
    },
    /// The address is the subnet's gateway.
    #[error("address {ip} is the gateway of subnet {subnet}")]
    IsGateway {
        /// The address asked for.
        ip: IpAddr,
        /// The subnet's name.
        subnet: String,
    },
    /// The address is the first or the last of the CIDR.
    #[error("address {ip} is the network or broadcast address of subnet {subnet}")]
    IsNetworkOrBroadcast {
        /// The address asked for.
        ip: IpAddr,
        /// The subnet's name.
        subnet: String,
    },
    /// Somebody holds the address.
    #[error("address {ip} of subnet {subnet} is held")]
    Held {
        /// The address asked for.
        ip: IpAddr,
        /// The subnet's name.
        subnet: String,
    },
    /// Somebody outside our claims answers for the address.
    #[error("address {ip} of subnet {subnet} is set aside: somebody outside answers for it")]
    SetAside {
        /// The address asked for.
        ip: IpAddr,
        /// The subnet's name.
        subnet: String,
    },
    /// The pool changed between [`crate::Subnet::pick`] and [`crate::Subnet::take`]; picking again helps.
    #[error("the pick of {ip} in subnet {subnet} is out of date")]
    Stale {
        /// The address picked.
        ip: IpAddr,
        /// The subnet's name.
        subnet: String,
    },
    /// Another address of the subnet has the MAC.
    #[error("MAC {mac} is held in subnet {subnet}")]
    MacHeld {
        /// The MAC asked for, or the last one derived.
        mac: Mac,
        /// The subnet's name.
        subnet: String,
    },
    /// The MAC cannot belong to one interface.
    #[error("MAC {mac} is not a unicast address")]
    MacNotUnicast {
        /// The MAC asked for.
        mac: Mac,
    },
}

impl PickError {
    /// Whether a release by somebody else could make the same request succeed.
    pub fn may_pass_later(&self) -> bool {
        match self {
            Self::Exhausted { .. }
            | Self::PoolExhausted { .. }
            | Self::Held { .. }
            | Self::SetAside { .. }
            | Self::Stale { .. }
            | Self::MacHeld { .. } => true,
            Self::NothingAsked { .. }
            | Self::FamilyNotServed { .. }
            | Self::OutsideSubnet { .. }
            | Self::IsGateway { .. }
            | Self::IsNetworkOrBroadcast { .. }
            | Self::MacNotUnicast { .. } => false,
        }
    }
}

/// A StatefulSet pod whose number is beyond the end of its `ip_pool`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("pod number {ordinal} has no item in an ip_pool of {items}")]
pub struct OrdinalBeyondPool {
    /// The pod's ordinal.
    pub ordinal: u32,
    /// How many items the pool has.
    pub items: u128,
}

/// Keeps error texts short whatever was sent.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
