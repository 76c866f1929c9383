//! Ethernet addresses: checked, written as text, derived from subnet and address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::InvalidMac;

/// Bit of the first byte that says "a group" (IEEE 802, I/G bit).
const GROUP: u8 = 0x01;
/// Bit of the first byte that says "not from a vendor" (IEEE 802, U/L bit).
const LOCAL: u8 = 0x02;

/// A 48-bit Ethernet address, `aa:bb:cc:dd:ee:ff` as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The MAC of a dynamic claim: locally administered, unicast, the same for the same subnet and address.
    ///
    /// Two IPv4 addresses of one subnet never share one. Two IPv6 addresses, or a derived and a static MAC,
    /// can: [`crate::Subnet::pick`] then goes on with [`Mac::derived_again`].
    pub fn derived(subnet_name: &str, ip: IpAddr) -> Self {
        Self::derived_again(subnet_name, ip, 0)
    }

    /// The MAC to try after `attempt` others were held: `attempt` 0 is [`Mac::derived`].
    pub fn derived_again(subnet_name: &str, ip: IpAddr, attempt: u32) -> Self {
        let seed = Fnv::new().bytes(subnet_name.as_bytes()).bytes(&attempt.to_be_bytes());
        let mut bytes = match ip {
            IpAddr::V4(v4) => {
                let [prefix, second, ..] = seed.finish();
                let [a, b, c, d] = v4.octets();
                [prefix, second, a, b, c, d]
            }
            IpAddr::V6(v6) => {
                let [a, b, c, d, e, f, ..] = seed.bytes(&v6.octets()).finish();
                [a, b, c, d, e, f]
            }
        };
        bytes[0] = bytes[0] & !GROUP | LOCAL;
        Self(bytes)
    }

    /// Whether one interface may have it: neither a group address nor all zero.
    pub fn is_unicast(self) -> bool {
        self.0[0] & GROUP == 0 && self.0 != [0; 6]
    }

    /// Whether it was chosen by software rather than by a vendor.
    pub fn is_local(self) -> bool {
        self.0[0] & LOCAL != 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Mac {
    type Err = InvalidMac;

    /// Six pairs of hexadecimal digits, either case, between `:` or between `-`.
    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        let invalid = || InvalidMac::new(text);
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut bytes = [0; 6];
        let mut pairs = text.split(separator);
        for byte in &mut bytes {
            let pair = pairs.next().ok_or_else(invalid)?;
            if pair.len() != 2 || !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(invalid());
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        if pairs.next().is_some() {
            return Err(invalid());
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Mac {
    type Error = InvalidMac;
    fn try_from(text: String) -> Result<Self, InvalidMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

/// FNV-1a, 64 bits, with a final mix. Never change it: neighbours' caches stay true only while a reused address
/// keeps its MAC over versions.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// FNV's high bytes hardly move with the last input byte; the mix (MurmurHash3's finaliser) spreads it.
    fn finish(self) -> [u8; 8] {
        let mut h = self.0;
        h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        (h ^ (h >> 33)).to_be_bytes()
    }
}

#[cfg(test)]
mod tests;
