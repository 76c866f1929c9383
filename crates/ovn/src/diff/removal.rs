//! Which found rows go.

use std::collections::BTreeSet;

use ovsdb::value::Uuid;

use super::matching::{Matching, Target};
use super::{Refusal, Scope};
use crate::owner::Standing;
use crate::snapshot::{FoundRow, Snapshot};

/// The rows that go, and where those that stay are taken away from.
#[derive(Debug, Default)]
pub(super) struct Removal {
    /// Rows that stand by themselves and are deleted.
    pub(super) deleted: BTreeSet<Uuid>,
    /// Rows that vanish once the row that holds them lets go.
    pub(super) released: BTreeSet<Uuid>,
    /// Rows of which a row that stays lets go because it moved.
    pub(super) moved: BTreeSet<Uuid>,
}

impl Removal {
    /// Collects the rows that are wanted no more and checks that nobody else loses anything.
    pub(super) fn new(found: &Snapshot, scope: &Scope, matching: &mut Matching<'_>) -> Self {
        let unwanted = unwanted(found, scope, matching);
        let mut removal = Removal { moved: moved(found, matching), ..Removal::default() };
        for (uuid, row) in unwanted.iter().filter_map(|uuid| found.row(*uuid).map(|row| (*uuid, row))) {
            if row.table.is_root() {
                match other_held(found, scope, matching, row) {
                    Some(held) => matching.refusals.push(Refusal::HoldsOthers { row: uuid, held }),
                    None => {
                        removal.deleted.insert(uuid);
                    }
                }
                continue;
            }
            let Some(parent) = found.parent(uuid) else { continue };
            match found.row(parent).map(|row| &row.standing) {
                Some(Standing::Foreign) | None => {
                    matching.refusals.push(Refusal::HeldByForeign { row: uuid, parent });
                }
                Some(Standing::Unclaimed | Standing::Owned(_)) => {
                    removal.released.insert(uuid);
                }
            }
        }
        removal
    }

    /// How many found rows go that are ours to count.
    pub(super) fn count(&self) -> usize {
        self.deleted.len() + self.released.len()
    }
}

fn unwanted(found: &Snapshot, scope: &Scope, matching: &Matching<'_>) -> BTreeSet<Uuid> {
    let mut unwanted = matching.duplicates.clone();
    let stays = |uuid: &Uuid| matching.wanted.contains_key(uuid) || matching.spared.contains(uuid);
    match scope {
        Scope::Owners(owners) => {
            unwanted.extend(owners.iter().flat_map(|owner| found.owned(owner)).filter(|uuid| !stays(uuid)));
        }
        Scope::Kinds(_) => {
            let owners = found.owners().filter(|owner| scope.covers(owner));
            unwanted.extend(owners.flat_map(|owner| found.owned(owner)).filter(|uuid| !stays(uuid)));
        }
    }
    let holders = matching.wanted.keys().filter_map(|uuid| found.row(*uuid));
    unwanted.extend(holders.flat_map(|row| unclaimed_parts(found, row)).filter(|uuid| !stays(uuid)));
    unwanted
}

/// The nameless rows that a row of ours holds and that upstream made: they are ours with it.
fn unclaimed_parts<'a>(found: &'a Snapshot, row: &'a FoundRow) -> impl Iterator<Item = Uuid> + 'a {
    let columns = row.table.holds().iter().filter(|(_, held)| held.is_nameless());
    let held = columns.flat_map(|(column, _)| row.read().references(column));
    held.filter(|uuid| found.row(*uuid).is_some_and(|row| row.standing == Standing::Unclaimed))
}

/// A row held by `row` that may not go with it.
fn other_held(found: &Snapshot, scope: &Scope, matching: &Matching<'_>, row: &FoundRow) -> Option<Uuid> {
    let held = row.table.holds().iter().flat_map(|(column, _)| row.read().references(column));
    held.filter(|uuid| !matching.wanted.contains_key(uuid)).find(|uuid| {
        found.row(*uuid).is_some_and(|held| match &held.standing {
            Standing::Foreign => true,
            Standing::Unclaimed | Standing::Owned(_) if matching.spared.contains(uuid) => true,
            Standing::Unclaimed => false,
            Standing::Owned(owner) => !scope.covers(owner),
        })
    })
}

/// The found rows that hang elsewhere than where they are wanted.
fn moved(found: &Snapshot, matching: &Matching<'_>) -> BTreeSet<Uuid> {
    let children = matching.moves.iter().filter_map(|moving| match moving.child {
        Target::Found(uuid) => Some(uuid),
        Target::New(_) => None,
    });
    children.filter(|uuid| found.parent(*uuid).is_some()).collect()
}
