//! A naive model of one family, for tests: plain sets of single numbers, every answer by looking at all.

use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::family::{Family, number};
use crate::pool::Place;

/// How many numbers the model knows of, from [`base`] on: more than the widest CIDR it makes.
pub(crate) const WIDTH: u8 = 36;

/// The first number of the model's world.
pub(crate) fn base(family: Family) -> u128 {
    number(match family {
        Family::V4 => "10.0.0.0".parse::<IpAddr>().unwrap(),
        Family::V6 => "fd00::".parse().unwrap(),
    })
}

/// A small CIDR with gateway and excluded ranges, as offsets from [`base`].
#[derive(Debug, Clone)]
pub(crate) struct ModelSpec {
    first: u128,
    last: u128,
    gateway: u128,
    excluded: BTreeSet<u128>,
    host_bits: u8,
    ranges: Vec<(u8, u8)>,
}

impl ModelSpec {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let excluded = vec((0..WIDTH, 0..4_u8).prop_map(|(from, more)| (from, from + more)), 0..3);
        (0..=4_u8, any::<bool>(), 0..16_u8, excluded).prop_map(|(host_bits, second, gateway, ranges)| {
            let first = if second { 16 } else { 0 };
            let last = first + (1 << host_bits) - 1;
            let gateway = first + u128::from(gateway) % (1 << host_bits);
            let excluded = ranges.iter().flat_map(|&(a, b)| u128::from(a)..=u128::from(b)).collect();
            Self { first, last, gateway, excluded, host_bits, ranges }
        })
    }

    /// `cidrBlock`, `gateway` and `excludeIps` as text.
    pub(crate) fn text(&self, family: Family) -> (String, String, Vec<String>) {
        let ip = |offset: u128| family.address(base(family) + offset).to_string();
        let bits = if family == Family::V4 { 32 } else { 128 };
        let cidr = format!("{}/{}", ip(self.first), bits - self.host_bits);
        let range = |&(a, b): &(u8, u8)| format!("{}..{}", ip(a.into()), ip(b.into()));
        (cidr, ip(self.gateway), self.ranges.iter().map(range).collect())
    }
}

/// The naive pool. Numbers are offsets.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) spec: Option<ModelSpec>,
    pub(crate) held: BTreeSet<u128>,
    pub(crate) aside: BTreeSet<u128>,
    pub(crate) long_ago: BTreeSet<u128>,
    pub(crate) recent: Vec<u128>,
    pub(crate) limit: usize,
}

impl Model {
    pub(crate) fn new(spec: Option<ModelSpec>, limit: usize) -> Self {
        let empty = BTreeSet::new;
        Self { spec, held: empty(), aside: empty(), long_ago: empty(), recent: Vec::new(), limit }
    }

    pub(crate) fn place(&self, n: u128) -> Place {
        let Some(spec) = &self.spec else { return Place::FamilyNotServed };
        let edge = spec.host_bits > 1 && (n == spec.first || n == spec.last);
        if n < spec.first || n > spec.last {
            Place::OutsideSubnet
        } else if n == spec.gateway {
            Place::Gateway
        } else if edge {
            Place::NetworkOrBroadcast
        } else if spec.excluded.contains(&n) {
            Place::Excluded
        } else {
            Place::Dynamic
        }
    }

    pub(crate) fn is_free(&self, n: u128) -> bool {
        !self.held.contains(&n) && !self.aside.contains(&n)
    }

    pub(crate) fn available(&self) -> BTreeSet<u128> {
        (0..WIDTH.into()).filter(|&n| self.place(n) == Place::Dynamic && self.is_free(n)).collect()
    }

    pub(crate) fn best(&self, avoid: &BTreeSet<u128>) -> Option<u128> {
        let free = self.available().difference(avoid).copied().collect::<Vec<_>>();
        let fresh = |n: &&u128| !self.long_ago.contains(n) && !self.recent.contains(n);
        let fresh = free.iter().find(fresh);
        let old = || free.iter().find(|n| self.long_ago.contains(n));
        let lately = || self.recent.iter().find(|n| free.contains(n));
        fresh.or_else(old).or_else(lately).copied()
    }

    pub(crate) fn first_of(&self, first: u128, last: u128) -> Option<u128> {
        let fits = |n: &u128| matches!(self.place(*n), Place::Dynamic | Place::Excluded) && self.is_free(*n);
        (first..=last).find(fits)
    }

    pub(crate) fn hold(&mut self, n: u128) {
        self.held.insert(n);
        self.long_ago.remove(&n);
        self.recent.retain(|&m| m != n);
    }

    pub(crate) fn release(&mut self, n: u128) {
        if self.held.remove(&n) {
            self.recent.push(n);
            if self.recent.len() > self.limit {
                self.long_ago.insert(self.recent.remove(0));
            }
        }
    }
}
