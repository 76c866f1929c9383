//! What is to be looked at. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ovn::owner::Owner;

/// What is to be looked at, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dirty {
    /// Everything: the objects changed, or nothing has been planned yet.
    pub(super) all: bool,
    /// Pods whose claims changed.
    pub(super) facts: BTreeSet<Owner>,
    /// Owners whose rows changed, each with one of them in words: by us, or by somebody else.
    pub(super) rows: BTreeMap<Owner, String>,
}

impl Dirty {
    /// Whether there is nothing to do.
    pub(super) fn is_clean(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this owner is yet to be looked at.
    pub(super) fn covers(&self, owner: &Owner) -> bool {
        self.all || self.facts.contains(owner) || self.rows.contains_key(owner)
    }

    /// Adds what is left of an attempt that came to nothing.
    pub(super) fn join(&mut self, other: Self) {
        self.all |= other.all;
        self.facts.extend(other.facts);
        self.rows.extend(other.rows);
    }

    /// The owners of all kinds.
    pub(super) fn owners(&self) -> BTreeSet<Owner> {
        self.facts.iter().chain(self.rows.keys()).cloned().collect()
    }

    /// How much there is to look at; everything is more than any number.
    pub(super) fn size(&self) -> usize {
        if self.all { usize::MAX } else { self.facts.len() + self.rows.len() }
    }
}
