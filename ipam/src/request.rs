//! What a caller asks of a subnet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::family::{DualStack, Family};
use crate::interval::Interval;
use crate::mac::Mac;
use crate::spec::SubnetSpec;

/// What is wanted of one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wish {
    /// No address of this family.
    #[default]
    None,
    /// Whichever the pool likes best.
    Any,
    /// This one and no other. It may lie in `excludeIps`: that is what they are kept for.
    Exactly(IpAddr),
    /// The first free one in the order written. They may lie in `excludeIps`.
    OneOf(Vec<Interval>),
}

/// One request: all of it is given or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// What is wanted of IPv4.
    pub v4: Wish,
    /// What is wanted of IPv6.
    pub v6: Wish,
    /// The MAC wanted; without one it is derived from subnet and address.
    pub mac: Option<Mac>,
    /// Addresses that [`Wish::Any`] passes over this time, although they are free.
    pub avoid: BTreeSet<IpAddr>,
}

impl Request {
    /// Any address of each family that `spec` serves.
    pub fn any_for(spec: &SubnetSpec) -> Self {
        let mut request = Self::default();
        for (family, _) in spec.families().iter() {
            request.set(family, Wish::Any);
        }
        request
    }

    /// Exactly `fixed`, and any address of the other families that `spec` serves.
    pub fn fixed_for(spec: &SubnetSpec, fixed: &DualStack<IpAddr>) -> Self {
        let mut request = Self::any_for(spec);
        for (family, &ip) in fixed.iter() {
            request.set(family, Wish::Exactly(ip));
        }
        request
    }

    /// The same with this MAC.
    #[must_use]
    pub fn with_mac(mut self, mac: Option<Mac>) -> Self {
        self.mac = mac;
        self
    }

    /// What is wanted of `family`.
    pub fn wish(&self, family: Family) -> &Wish {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    /// Changes what is wanted of `family`.
    pub fn set(&mut self, family: Family, wish: Wish) {
        match family {
            Family::V4 => self.v4 = wish,
            Family::V6 => self.v6 = wish,
        }
    }
}
