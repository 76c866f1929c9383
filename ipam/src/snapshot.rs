//! The state of a subnet as text, to print and to compare.

use std::fmt;
use std::net::IpAddr;

use crate::family::{DualStack, Family};
use crate::interval_set::IntervalSet;
use crate::mac::Mac;
use crate::pool::Pool;

/// Everything that decides what the subnet will answer. `O(fragments)` to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The subnet's name.
    pub subnet: String,
    /// The families that are served or in which something is known.
    pub pools: DualStack<PoolSnapshot>,
    /// The MACs of the held addresses.
    pub macs: Vec<(IpAddr, Mac)>,
}

/// One family. Ranges are written `a-b,c`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolSnapshot {
    /// Free for dynamic claims, in whatever order.
    pub available: String,
    /// Excluded from dynamic claims, the gateway among them.
    pub excluded: String,
    /// Held.
    pub held: String,
    /// Set aside.
    pub set_aside: String,
    /// Released long ago; reused before `recent`.
    pub released_long_ago: String,
    /// Released lately, oldest release first.
    pub recent: Vec<IpAddr>,
}

impl PoolSnapshot {
    /// The state of `pool`; nothing for a family nobody has used or serves.
    pub(crate) fn of(family: Family, pool: &Pool) -> Option<Self> {
        let text = |set: &IntervalSet| set.display(family).to_string();
        let snapshot = Self {
            available: text(&pool.available()),
            excluded: pool.spec().map(|spec| text(spec.excluded())).unwrap_or_default(),
            held: text(pool.held()),
            set_aside: text(pool.aside()),
            released_long_ago: text(pool.released_long_ago()),
            recent: pool.recent().map(|n| family.address(n)).collect(),
        };
        (pool.spec().is_some() || snapshot != Self::default()).then_some(snapshot)
    }
}

/// One line for each thing that is not empty.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "subnet {}", self.subnet)?;
        for (family, pool) in self.pools.iter() {
            let recent = pool.recent.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",");
            let lines = [
                ("available", &pool.available),
                ("excluded", &pool.excluded),
                ("held", &pool.held),
                ("set aside", &pool.set_aside),
                ("released long ago", &pool.released_long_ago),
                ("released lately", &recent),
            ];
            for (what, ranges) in lines.into_iter().filter(|(_, ranges)| !ranges.is_empty()) {
                writeln!(f, "{family} {what}: {ranges}")?;
            }
        }
        self.macs.iter().try_for_each(|(ip, mac)| writeln!(f, "{ip} has {mac}"))
    }
}
