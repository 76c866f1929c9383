//! Ethernet addresses and the texts in which OVN takes a port's addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// An Ethernet address of one station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl Mac {
    /// The address of these six bytes.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// Its six bytes.
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A text that is no Ethernet address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not an Ethernet address such as 0a:58:0a:00:01:02")]
pub struct BadMac(pub String);

impl FromStr for Mac {
    type Err = BadMac;

    fn from_str(text: &str) -> Result<Self, BadMac> {
        let bad = || BadMac(text.chars().take(80).collect());
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let digits = parts.next().filter(|part| part.len() == 2).ok_or_else(bad)?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(bad());
            }
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() { Err(bad()) } else { Ok(Self(bytes)) }
    }
}

/// One entry of a switch port's `addresses`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortAddress {
    /// One station: its Ethernet address and its IP addresses, `0a:… 10.0.1.2 fd00::2`.
    Station(Station),
    /// The addresses of the router port at the other end.
    Router,
    /// Whatever is sent to no known address.
    Unknown,
}

/// An Ethernet address and the IP addresses that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Station {
    /// The Ethernet address.
    pub mac: Mac,
    /// The IP addresses, in the order in which they are written.
    pub ips: Vec<IpAddr>,
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mac)?;
        self.ips.iter().try_for_each(|ip| write!(f, " {ip}"))
    }
}

impl fmt::Display for PortAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PortAddress::Station(station) => station.fmt(f),
            PortAddress::Router => f.write_str("router"),
            PortAddress::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ethernet_address_is_read_back_from_its_text() {
        let mac: Mac = "0A:58:0a:00:01:fe".parse().unwrap();
        assert_eq!(mac.to_string(), "0a:58:0a:00:01:fe");
        assert_eq!(mac.to_string().parse(), Ok(mac));
        for bad in [
            "",
            "0a:58:0a:00:01",
            "0a:58:0a:00:01:02:03",
            "+a:58:0a:00:01:02",
            "0a58.0a00.0102",
            "a:b:c:d:e:f",
        ] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_station_is_written_as_ovn_takes_it() {
        let ips = vec!["10.0.1.2".parse().unwrap(), "fd00::2".parse().unwrap()];
        let station = Station { mac: Mac::new([2, 0, 0, 0, 0, 1]), ips };
        assert_eq!(PortAddress::Station(station).to_string(), "02:00:00:00:00:01 10.0.1.2 fd00::2");
        assert_eq!(PortAddress::Router.to_string(), "router");
    }
}
