//! A subnet: both families and the MACs together, all or nothing.

use std::net::IpAddr;

use crate::error::{PickError, cut};
use crate::family::{DualStack, Family, number};
use crate::held_macs::HeldMacs;
use crate::interval::Interval;
use crate::interval_set::IntervalSet;
use crate::mac::Mac;
use crate::pool::{Origin, Place, Pool};
use crate::request::{Request, Wish};
use crate::snapshot::{PoolSnapshot, Snapshot};
use crate::spec::SubnetSpec;
use crate::usage::{Counts, Usage};

/// How many MACs are derived before a pick gives up. One is enough but for a chance of 2^-46, or a static MAC
/// that was chosen to hit.
const MAC_ATTEMPTS: u32 = 64;

/// What is free and held in one subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    spec: SubnetSpec,
    v4: Pool,
    v6: Pool,
    macs: HeldMacs,
}

/// An answer of [`Subnet::pick`]: addresses and MAC, not yet marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    chosen: DualStack<(IpAddr, Origin)>,
    mac: Mac,
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

/// What [`Subnet::hold`] found about a stored claim. Anything odd is for an auditor; the claim is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whether the address was held before.
    pub already: bool,
    /// Where the address lies in today's spec.
    pub place: Place,
    /// Whether the address was set aside; it still is.
    pub set_aside: bool,
    /// Other held addresses of the same family with the same MAC.
    pub same_mac: Vec<IpAddr>,
}

impl Subnet {
    /// A subnet nobody has used.
    pub fn new(spec: SubnetSpec) -> Self {
        let pool = |family| Pool::new(spec.family(family).cloned());
        Self { v4: pool(Family::V4), v6: pool(Family::V6), macs: HeldMacs::default(), spec }
    }

    /// The spec it serves.
    pub fn spec(&self) -> &SubnetSpec {
        &self.spec
    }

    /// One family of it.
    pub fn pool(&self, family: Family) -> &Pool {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

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

    /// Marks a pick held. Refused, with nothing changed, when somebody took one of it since.
    pub fn take(&mut self, pick: &Pick) -> Result<(), PickError> {
        for (family, &(ip, origin)) in pick.chosen.iter() {
            let pool = self.pool(family);
            if pool.is_held(number(ip)) {
                return Err(PickError::Held { ip, subnet: self.name() });
            }
            if pool.is_set_aside(number(ip)) {
                return Err(PickError::SetAside { ip, subnet: self.name() });
            }
            if pool.origin(number(ip)) != origin {
                return Err(PickError::Stale { ip, subnet: self.name() });
            }
        }
        self.check_mac(pick.mac)?;
        for (family, &(ip, _)) in pick.chosen.iter() {
            self.pool_mut(family).hold(number(ip));
            self.macs.put(ip, pick.mac);
        }
        Ok(())
    }

    /// Undoes [`Subnet::take`]: the claim could not be stored. The state is exactly the one before.
    pub fn give_back(&mut self, pick: &Pick) {
        for (family, &(ip, origin)) in pick.chosen.iter() {
            if self.pool_mut(family).give_back(number(ip), origin) {
                self.macs.forget(ip);
            }
        }
    }

    /// Loads a stored claim. A claim is a fact: it is held wherever it lies, and the answer says what is odd.
    pub fn hold(&mut self, ip: IpAddr, mac: Option<Mac>) -> Held {
        let family = Family::of(ip);
        let n = number(ip);
        if let Some(mac) = mac {
            self.macs.put(ip, mac);
        }
        let twins = mac.into_iter().flat_map(|mac| self.macs.holders(mac));
        let same_mac = twins.filter(|&twin| twin != ip && Family::of(twin) == family).collect();
        let pool = self.pool_mut(family);
        let (place, set_aside) = (pool.place(n), pool.is_set_aside(n));
        Held { already: !pool.hold(n), place, set_aside, same_mac }
    }

    /// Ends a claim; its address is reused last. Nothing happens when it is not held.
    pub fn release(&mut self, ip: IpAddr) {
        if self.pool_mut(Family::of(ip)).release(number(ip)) {
            self.macs.forget(ip);
        }
    }

    /// Keeps `ip` from new claims: somebody outside answers for it. Who holds it goes on holding it.
    pub fn set_aside(&mut self, ip: IpAddr) {
        self.pool_mut(Family::of(ip)).set_aside(number(ip));
    }

    /// Ends [`Subnet::set_aside`].
    pub fn readmit(&mut self, ip: IpAddr) {
        self.pool_mut(Family::of(ip)).readmit(number(ip));
    }

    /// Goes on under another spec. What is held, released and set aside stays so, also outside the new CIDRs.
    pub fn respec(&mut self, spec: SubnetSpec) {
        for family in Family::ALL {
            self.pool_mut(family).respec(spec.family(family).cloned());
        }
        self.spec = spec;
    }

    /// Whether somebody holds `ip`.
    pub fn is_held(&self, ip: IpAddr) -> bool {
        self.pool(Family::of(ip)).is_held(number(ip))
    }

    /// The numbers of the subnet's status, for each family that is served or held.
    pub fn counts(&self) -> DualStack<Counts> {
        DualStack::from_fn(|family| Some(self.shown(family)?.counts()))
    }

    /// The numbers and ranges of the subnet's status, for each family that is served or held.
    pub fn usage(&self) -> DualStack<Usage> {
        DualStack::from_fn(|family| {
            let pool = self.shown(family)?;
            let free = pool.available();
            Some(Usage {
                available: free.count(),
                using: pool.held().count(),
                available_ranges: free.display(family).to_string(),
                using_ranges: pool.held().display(family).to_string(),
            })
        })
    }

    /// The whole state as text.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            subnet: self.name(),
            pools: DualStack::from_fn(|family| PoolSnapshot::of(family, self.pool(family))),
            macs: self.macs.iter().collect(),
        }
    }

    fn choose(&self, family: Family, request: &Request) -> Result<Option<IpAddr>, PickError> {
        let wish = request.wish(family);
        let pool = self.pool(family);
        if *wish != Wish::None && pool.spec().is_none() {
            return Err(PickError::FamilyNotServed { subnet: self.name(), family });
        }
        match wish {
            Wish::None => Ok(None),
            Wish::Any => {
                let avoid = request.avoid.iter().filter(|&&ip| Family::of(ip) == family);
                let avoid = avoid.map(|&ip| Interval::of(ip)).collect::<IntervalSet>();
                let exhausted = || PickError::Exhausted { subnet: self.name(), family };
                pool.best(&avoid).ok_or_else(exhausted).map(|n| Some(family.address(n)))
            }
            Wish::Exactly(ip) => self.check_address(family, *ip).map(Some),
            Wish::OneOf(listed) => {
                let found = listed.iter().find_map(|&interval| pool.first_of(interval));
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

    fn check_mac(&self, mac: Mac) -> Result<Mac, PickError> {
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

    fn shown(&self, family: Family) -> Option<&Pool> {
        let pool = self.pool(family);
        (pool.spec().is_some() || !pool.held().is_empty()).then_some(pool)
    }

    fn pool_mut(&mut self, family: Family) -> &mut Pool {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    fn name(&self) -> String {
        self.spec.name().to_owned()
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

#[cfg(test)]
mod tests;
