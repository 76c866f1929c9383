//! The pure look-up: what a request would get.

use std::net::IpAddr;

use super::Subnet;
use crate::error::{PickError, cut};
use crate::family::{DualStack, Family, number};
use crate::interval::Interval;
use crate::interval_set::IntervalSet;
use crate::mac::Mac;
use crate::pool::{Origin, Place};
use crate::request::{Request, Wish};

/// How many MACs are derived before a pick gives up. One is enough but for a chance of 2^-46, or a static MAC
/// that was chosen to hit.
const MAC_ATTEMPTS: u32 = 64;

/// An answer of [`Subnet::pick`]: addresses and MAC, not yet marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    pub(super) chosen: DualStack<(IpAddr, Origin)>,
    pub(super) mac: Mac,
}

impl Pick {
    /// The addresses, one for each family asked for.
    pub fn addresses(&self) -> DualStack<IpAddr> {
        self.chosen.map(|_, &(ip, _)| ip)
    }

    /// The MAC: the one asked for, or derived from the IPv4 address, else from the IPv6 one.
    pub fn mac(&self) -> Mac {
        self.mac
    }
}

impl Subnet {
    /// Looks up what `request` would get: all of it or a reason. Changes nothing.
    pub fn pick(&self, request: &Request) -> Result<Pick, PickError> {
        let mut chosen = DualStack::default();
        for family in Family::ALL {
            if let Some(ip) = self.choose(family, request)? {
                chosen.set(family, (ip, self.pool(family).origin(number(ip))));
            }
        }
        let addresses = chosen.map(|_, &(ip, _)| ip);
        let first = addresses.addresses().next();
        let ip = first.ok_or_else(|| PickError::NothingAsked { subnet: self.name() })?;
        let mac = match request.mac {
            Some(mac) => self.check_mac(mac)?,
            None => self.derive_mac(ip)?,
        };
        Ok(Pick { chosen, mac })
    }

    /// The first of `requests` that can be had whole; what [`crate::wishes_from_pool`] makes is meant for it.
    ///
    /// When none can: the reason if there was one request, else that the whole list is exhausted.
    pub fn pick_first(&self, requests: &[Request]) -> Result<Pick, PickError> {
        let mut failed = Err(PickError::NothingAsked { subnet: self.name() });
        for request in requests {
            failed = self.pick(request);
            if failed.is_ok() {
                return failed;
            }
        }
        if requests.len() > 1 {
            let listed = requests.iter().flat_map(listed).collect::<Vec<_>>().join(",");
            return Err(PickError::PoolExhausted { subnet: self.name(), listed: cut(&listed) });
        }
        failed
    }

    fn choose(&self, family: Family, request: &Request) -> Result<Option<IpAddr>, PickError> {
        let wish = request.wish(family);
        let pool = self.pool(family);
        if *wish != Wish::None && pool.spec().is_none() {
            return Err(PickError::FamilyNotServed { subnet: self.name(), family });
        }
        let avoid = || {
            let avoid = request.avoid.iter().filter(|&&ip| Family::of(ip) == family);
            avoid.map(|&ip| Interval::of(ip)).collect::<IntervalSet>()
        };
        match wish {
            Wish::None => Ok(None),
            Wish::Any => {
                let exhausted = || PickError::Exhausted { subnet: self.name(), family };
                pool.best(&avoid()).ok_or_else(exhausted).map(|n| Some(family.address(n)))
            }
            Wish::Exactly(ip) => self.check_address(family, *ip).map(Some),
            Wish::OneOf(listed) => {
                let avoid = avoid();
                let pieces =
                    listed.iter().map(|&one| [one].into_iter().collect::<IntervalSet>().subtract(&avoid));
                let found =
                    pieces.flat_map(|set| set.iter().collect::<Vec<_>>()).find_map(|one| pool.first_of(one));
                let exhausted = || self.pool_exhausted(family, listed);
                found.ok_or_else(exhausted).map(|n| Some(family.address(n)))
            }
        }
    }

    fn check_address(&self, family: Family, ip: IpAddr) -> Result<IpAddr, PickError> {
        let subnet = self.name();
        let pool = self.pool(family);
        let n = number(ip);
        let place = if Family::of(ip) == family { pool.place(n) } else { Place::OutsideSubnet };
        match place {
            Place::FamilyNotServed => Err(PickError::FamilyNotServed { subnet, family }),
            Place::OutsideSubnet => {
                let cidr = self.spec.cidrs().to_string();
                Err(PickError::OutsideSubnet { ip, subnet, cidr })
            }
            Place::Gateway => Err(PickError::IsGateway { ip, subnet }),
            Place::NetworkOrBroadcast => Err(PickError::IsNetworkOrBroadcast { ip, subnet }),
            Place::Dynamic | Place::Excluded if pool.is_held(n) => Err(PickError::Held { ip, subnet }),
            Place::Dynamic | Place::Excluded if pool.is_set_aside(n) => {
                Err(PickError::SetAside { ip, subnet })
            }
            Place::Dynamic | Place::Excluded => Ok(ip),
        }
    }

    pub(super) fn check_mac(&self, mac: Mac) -> Result<Mac, PickError> {
        if !mac.is_unicast() {
            return Err(PickError::MacNotUnicast { mac });
        }
        if self.macs.has(mac) {
            return Err(PickError::MacHeld { mac, subnet: self.name() });
        }
        Ok(mac)
    }

    fn derive_mac(&self, ip: IpAddr) -> Result<Mac, PickError> {
        let mut derived = (0..MAC_ATTEMPTS).map(|attempt| Mac::derived_again(self.spec.name(), ip, attempt));
        let held = || PickError::MacHeld { mac: Mac::derived(self.spec.name(), ip), subnet: self.name() };
        derived.find(|&mac| !self.macs.has(mac)).ok_or_else(held)
    }

    fn pool_exhausted(&self, family: Family, listed: &[Interval]) -> PickError {
        let cidr = self.spec.family(family).map(|spec| spec.whole());
        let inside = |interval: &Interval| cidr.and_then(|cidr| interval.intersection(cidr)).is_some();
        match listed.first() {
            Some(first) if !listed.iter().any(inside) => PickError::OutsideSubnet {
                ip: family.address(first.first()),
                subnet: self.name(),
                cidr: self.spec.cidrs().to_string(),
            },
            _ => PickError::PoolExhausted { subnet: self.name(), listed: cut(&list(family, listed)) },
        }
    }
}

fn list(family: Family, listed: &[Interval]) -> String {
    let shown = listed.iter().take(8).map(|interval| interval.display(family).to_string());
    shown.collect::<Vec<_>>().join(",")
}

fn listed(request: &Request) -> impl Iterator<Item = String> {
    Family::ALL.into_iter().filter_map(|family| match request.wish(family) {
        Wish::OneOf(listed) => Some(list(family, listed)),
        Wish::Exactly(ip) => Some(ip.to_string()),
        Wish::None | Wish::Any => None,
    })
}
