//! Which MAC belongs to which held address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::mac::Mac;

/// The MACs of a subnet. Both addresses of a dual claim carry the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeldMacs {
    of: BTreeMap<IpAddr, Mac>,
    by_mac: BTreeSet<(Mac, IpAddr)>,
}

impl HeldMacs {
    /// The addresses that carry `mac`.
    pub(crate) fn holders(&self, mac: Mac) -> impl Iterator<Item = IpAddr> {
        let first = (mac, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let last = (mac, IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)));
        self.by_mac.range(first..=last).map(|&(_, ip)| ip)
    }

    /// Whether any address carries `mac`.
    pub(crate) fn has(&self, mac: Mac) -> bool {
        self.holders(mac).next().is_some()
    }

    /// Every address with its MAC.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (IpAddr, Mac)> {
        self.of.iter().map(|(&ip, &mac)| (ip, mac))
    }

    /// From now on `ip` carries `mac`.
    pub(crate) fn put(&mut self, ip: IpAddr, mac: Mac) {
        self.forget(ip);
        self.of.insert(ip, mac);
        self.by_mac.insert((mac, ip));
    }

    /// `ip` carries none any more.
    pub(crate) fn forget(&mut self, ip: IpAddr) {
        if let Some(mac) = self.of.remove(&ip) {
            self.by_mac.remove(&(mac, ip));
        }
    }
}
