//! From what is found to what is wanted in the fewest operations: one transaction that changes nothing of others.
//!
//! - Rows are matched by natural key. A found row without our tag is never changed: a wanted row of the same key is
//!   refused, and what hangs on it with it. Everything else is planned.
//! - Rows of owners in the [`Scope`] that are wanted no more go; of several rows of ours with one key, the one with the
//!   lowest UUID stays.
//! - Guards (`wait` with timeout 0) stand first. They repeat what was found of every row that is changed, so that a
//!   plan made from an outdated snapshot fails as a whole, and the caller plans again from a newer one.
//! - The same input gives the same operations in the same order; no difference gives none at all.

mod column;
mod emit;
mod matching;
mod removal;

use std::collections::BTreeSet;
use std::fmt;

use ovsdb::op::Operation;
use ovsdb::value::Uuid;

use crate::owner::{Owner, OwnerKind};
use crate::snapshot::Snapshot;
use crate::wanted::{Key, Wanted};

/// For whom a set of wanted rows speaks: rows of these owners that are not in it are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// For all owners of these kinds.
    Kinds(BTreeSet<OwnerKind>),
    /// For these owners only.
    Owners(BTreeSet<Owner>),
}

impl Scope {
    /// Whether it speaks for this owner.
    pub fn covers(&self, owner: &Owner) -> bool {
        match self {
            Scope::Kinds(kinds) => kinds.contains(&owner.kind()),
            Scope::Owners(owners) => owners.contains(owner),
        }
    }
}

/// Why a wanted row was not planned, or an unwanted one not removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// A row with the wanted row's key is somebody else's.
    Foreign {
        /// The wanted row.
        key: Key,
        /// The row in the way.
        by: Uuid,
    },
    /// A row with the wanted row's key belongs to an owner outside of the scope.
    OwnedBy {
        /// The wanted row.
        key: Key,
        /// That owner.
        owner: Owner,
    },
    /// The row that would hold the wanted row is neither wanted nor found.
    NoParent {
        /// The wanted row.
        key: Key,
        /// The row that would hold it.
        parent: Key,
    },
    /// The row that would hold the wanted row, or that holds it now, was refused or is somebody else's.
    ParentRefused {
        /// The wanted row.
        key: Key,
        /// The row that would have to change.
        parent: Key,
    },
    /// A row that the wanted row refers to is neither wanted nor found. The row is planned without the reference.
    NoReference {
        /// The wanted row.
        key: Key,
        /// The row that it should refer to.
        to: Key,
    },
    /// A row is wanted no more, and holds rows of others or of owners outside of the scope.
    HoldsOthers {
        /// The row that stays.
        row: Uuid,
        /// One of those rows.
        held: Uuid,
    },
    /// A row of ours is wanted no more, and hangs on a row of somebody else's.
    HeldByForeign {
        /// The row that stays.
        row: Uuid,
        /// The row that holds it.
        parent: Uuid,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Foreign { key, by } => {
                write!(f, "{key} is not made: row {by} of the same name was made by somebody else")
            }
            Refusal::OwnedBy { key, owner } => write!(f, "{key} is not made: it belongs to {owner}"),
            Refusal::NoParent { key, parent } => write!(f, "{key} is not made: there is no {parent}"),
            Refusal::ParentRefused { key, parent } => {
                write!(f, "{key} is not made: {parent} is not ours to change")
            }
            Refusal::NoReference { key, to } => write!(f, "{key} does not refer to {to}: there is none"),
            Refusal::HoldsOthers { row, held } => {
                write!(f, "row {row} is not removed: it holds row {held}, which is not ours to remove")
            }
            Refusal::HeldByForeign { row, parent } => {
                write!(f, "row {row} is not removed: it hangs on row {parent}, which somebody else made")
            }
        }
    }
}

/// What to do, and what could not be planned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// The operations of one transaction; empty when nothing differs.
    pub operations: Vec<Operation>,
    /// What could not be planned, in order. It needs a person, or facts that are still to come.
    pub refusals: Vec<Refusal>,
    /// How many rows are inserted.
    pub inserted: usize,
    /// How many found rows change a column of their own.
    pub updated: usize,
    /// How many found rows go.
    pub removed: usize,
}

impl Change {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}

/// The smallest change that makes what is found into what is wanted.
pub fn diff(wanted: &Wanted, found: &Snapshot, scope: &Scope) -> Change {
    let mut matching = matching::Matching::new(wanted, found, scope);
    let removal = removal::Removal::new(found, scope, &mut matching);
    emit::emit(wanted, found, matching, removal)
}

/// The smallest change for one owner. It costs time for the rows of that owner and of no other.
pub fn diff_owner(owner: &Owner, wanted: &Wanted, found: &Snapshot) -> Change {
    diff(wanted, found, &Scope::Owners(BTreeSet::from([owner.clone()])))
}

#[cfg(test)]
mod database;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
