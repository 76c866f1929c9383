//! One family of one subnet: which numbers are free, and in what order they are handed out.

use crate::family::number;
use crate::interval::Interval;
use crate::interval_set::IntervalSet;
use crate::recent::{RECENT, Recent};
use crate::spec::FamilySpec;
use crate::usage::Counts;

/// The state of one family.
///
/// *Facts* survive a change of the spec: what is held, set aside, released. The two *views* follow from
/// facts and spec and make a pick cheap. Memory follows fragmentation, not size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    spec: Option<FamilySpec>,
    held: IntervalSet,
    set_aside: IntervalSet,
    released_long_ago: IntervalSet,
    recent: Recent,
    /// View: dynamic numbers that were never used.
    fresh: IntervalSet,
    /// View: dynamic numbers of `released_long_ago`.
    reusable: IntervalSet,
}

/// What a number's past is: where it stands in the order of handing out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Never held since this pool was made.
    NeverUsed,
    /// Released before the last [`RECENT`] releases.
    ReleasedLongAgo,
    /// Released lately; the ticket orders the releases.
    ReleasedLately(u64),
}

/// Where a number lies in the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// For everybody.
    Dynamic,
    /// In `excludeIps`: for static requests.
    Excluded,
    /// The gateway.
    Gateway,
    /// The first or the last of the CIDR.
    NetworkOrBroadcast,
    /// Not in the CIDR.
    OutsideSubnet,
    /// The subnet has no CIDR of this family.
    FamilyNotServed,
}

impl Pool {
    /// A pool nobody has used; without a spec it serves nothing but can hold.
    pub fn new(spec: Option<FamilySpec>) -> Self {
        Self::remembering(spec, RECENT)
    }

    /// The same with another limit in place of [`RECENT`].
    fn remembering(spec: Option<FamilySpec>, limit: usize) -> Self {
        let mut pool = Self {
            spec: None,
            held: IntervalSet::new(),
            set_aside: IntervalSet::new(),
            released_long_ago: IntervalSet::new(),
            recent: Recent::new(limit),
            fresh: IntervalSet::new(),
            reusable: IntervalSet::new(),
        };
        pool.respec(spec);
        pool
    }

    /// The best number for a dynamic claim: the lowest never used, else the lowest released long ago, else the
    /// one whose release is the oldest. `avoid` is passed over.
    pub fn best(&self, avoid: &IntervalSet) -> Option<u128> {
        let lately = || self.recent.iter().find(|&n| self.is_dynamic(n) && !avoid.contains(n));
        self.fresh.first_outside(avoid).or_else(|| self.reusable.first_outside(avoid)).or_else(lately)
    }

    /// The lowest number of `listed` that a static request could have.
    pub fn first_of(&self, listed: Interval) -> Option<u128> {
        let spec = self.spec.as_ref()?;
        let gateway = Interval::of(spec.gateway());
        let window = listed.intersection(spec.usable())?;
        let mut n = window.first();
        loop {
            let taken = self.held.run_of(n).or_else(|| self.set_aside.run_of(n));
            let Some(taken) = taken.or_else(|| gateway.contains(n).then_some(gateway)) else {
                return Some(n);
            };
            if taken.last() >= window.last() {
                return None;
            }
            n = taken.last() + 1;
        }
    }

    /// Where `n` lies in the spec.
    pub fn place(&self, n: u128) -> Place {
        let Some(spec) = &self.spec else {
            return Place::FamilyNotServed;
        };
        if n == number(spec.gateway()) {
            Place::Gateway
        } else if spec.usable().contains(n) {
            if spec.excluded().contains(n) { Place::Excluded } else { Place::Dynamic }
        } else if spec.whole().contains(n) {
            Place::NetworkOrBroadcast
        } else {
            Place::OutsideSubnet
        }
    }

    /// Whether somebody holds `n`.
    pub fn is_held(&self, n: u128) -> bool {
        self.held.contains(n)
    }

    /// Whether `n` is set aside.
    pub fn is_set_aside(&self, n: u128) -> bool {
        self.set_aside.contains(n)
    }

    /// The past of `n`; a held number has lost it.
    pub fn origin(&self, n: u128) -> Origin {
        match self.recent.ticket(n) {
            Some(ticket) => Origin::ReleasedLately(ticket),
            None if self.released_long_ago.contains(n) => Origin::ReleasedLongAgo,
            None => Origin::NeverUsed,
        }
    }

    /// Marks `n` held, wherever it lies; says whether it was not before.
    pub fn hold(&mut self, n: u128) -> bool {
        let new = !self.held.contains(n);
        self.held.insert_one(n);
        self.recent.remove(n);
        self.released_long_ago.remove_one(n);
        self.refile(n);
        new
    }

    /// Ends the holding of `n`, which will be reused last; says whether it was held.
    pub fn release(&mut self, n: u128) -> bool {
        let was_held = self.held.remove_one(n);
        if was_held {
            let oldest = self.recent.push(n);
            self.refile(n);
            self.age(oldest);
        }
        was_held
    }

    /// Ends the holding of `n` as if it had never begun; says whether it was held.
    pub fn give_back(&mut self, n: u128, origin: Origin) -> bool {
        if !self.held.remove_one(n) {
            return false;
        }
        match origin {
            Origin::NeverUsed => {}
            Origin::ReleasedLongAgo => self.released_long_ago.insert_one(n),
            Origin::ReleasedLately(ticket) => {
                let oldest = self.recent.put_back(n, ticket);
                self.age(oldest);
            }
        }
        self.refile(n);
        true
    }

    /// Keeps `n` from new claims.
    pub fn set_aside(&mut self, n: u128) {
        self.set_aside.insert_one(n);
        self.refile(n);
    }

    /// Ends [`Pool::set_aside`]; `n` stands where it stood before.
    pub fn readmit(&mut self, n: u128) {
        self.set_aside.remove_one(n);
        self.refile(n);
    }

    /// Goes on under another spec with the same facts. `O(fragments)`.
    pub fn respec(&mut self, spec: Option<FamilySpec>) {
        self.spec = spec;
        let mut dynamic = self.dynamic();
        self.recent.iter().for_each(|n| _ = dynamic.remove_one(n));
        self.fresh = dynamic.subtract(&self.released_long_ago);
        self.reusable = dynamic.subtract(&self.fresh);
    }

    /// How many are free for dynamic claims and how many are held. Costs at most [`RECENT`] look-ups.
    pub fn counts(&self) -> Counts {
        let lately = self.recent.iter().filter(|&n| self.is_dynamic(n)).count() as u128;
        let available = self.fresh.count().saturating_add(self.reusable.count()).saturating_add(lately);
        Counts { available, using: self.held.count() }
    }

    /// Everything free for dynamic claims. `O(fragments)`.
    pub fn available(&self) -> IntervalSet {
        self.dynamic()
    }

    /// Everything held, also outside the spec.
    pub fn held(&self) -> &IntervalSet {
        &self.held
    }

    /// Everything set aside.
    pub fn aside(&self) -> &IntervalSet {
        &self.set_aside
    }

    /// The numbers released lately, oldest release first.
    pub fn recent(&self) -> impl Iterator<Item = u128> {
        self.recent.iter()
    }

    /// The numbers released before those, whatever the spec says of them.
    pub fn released_long_ago(&self) -> &IntervalSet {
        &self.released_long_ago
    }

    /// The spec it serves.
    pub fn spec(&self) -> Option<&FamilySpec> {
        self.spec.as_ref()
    }

    fn dynamic(&self) -> IntervalSet {
        let usable = self.spec.iter().map(FamilySpec::usable).collect::<IntervalSet>();
        let excluded = self.spec.iter().flat_map(|spec| spec.excluded().iter());
        let mut left = usable;
        let taken = excluded.chain(self.held.iter()).chain(self.set_aside.iter());
        taken.for_each(|run| left.remove(run));
        left
    }

    fn is_dynamic(&self, n: u128) -> bool {
        self.place(n) == Place::Dynamic && !self.is_held(n) && !self.is_set_aside(n)
    }

    fn age(&mut self, oldest: Option<u128>) {
        if let Some(n) = oldest {
            self.released_long_ago.insert_one(n);
            self.refile(n);
        }
    }

    /// Puts `n` into the view it belongs to after a fact about it changed.
    fn refile(&mut self, n: u128) {
        self.fresh.remove_one(n);
        self.reusable.remove_one(n);
        if !self.is_dynamic(n) {
            return;
        }
        match self.origin(n) {
            Origin::NeverUsed => self.fresh.insert_one(n),
            Origin::ReleasedLongAgo => self.reusable.insert_one(n),
            Origin::ReleasedLately(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
