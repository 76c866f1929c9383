//! A subnet: both families and the MACs together, all or nothing.

use std::net::IpAddr;

use crate::error::PickError;
use crate::family::{DualStack, Family, number};
use crate::held_macs::HeldMacs;
use crate::mac::Mac;
use crate::pool::{Place, Pool};
use crate::snapshot::{PoolSnapshot, Snapshot};
use crate::spec::SubnetSpec;
use crate::usage::{Counts, Usage};

mod pick;

pub use pick::Pick;

/// What is free and held in one subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    spec: SubnetSpec,
    v4: Pool,
    v6: Pool,
    macs: HeldMacs,
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

#[cfg(test)]
mod tests;
