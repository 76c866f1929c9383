//! Which found row each wanted row is, and which are new.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::value::{Atom, Uuid};

use super::{Refusal, Scope};
use crate::owner::Standing;
use crate::snapshot::Snapshot;
use crate::wanted::{Key, Place, Row, Wanted};

/// The row that a wanted row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// It is found.
    Found(Uuid),
    /// It is inserted, under this number.
    New(usize),
}

impl Target {
    /// The reference to it within the transaction.
    pub(super) fn atom(self) -> Atom {
        match self {
            Target::Found(uuid) => Atom::Uuid(uuid),
            Target::New(number) => Atom::NamedUuid(name_of(number)),
        }
    }
}

/// The name of a new row within the transaction.
pub(super) fn name_of(number: usize) -> String {
    format!("row{number}")
}

/// A row that is put somewhere and perhaps taken away from somewhere else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move<'a> {
    pub(super) child: Target,
    pub(super) to: Target,
    pub(super) column: &'a str,
}

/// Which found row each wanted row is.
pub(super) struct Matching<'a> {
    found: &'a Snapshot,
    scope: &'a Scope,
    /// The wanted rows that are planned.
    pub(super) targets: BTreeMap<&'a Key, Target>,
    /// The wanted rows of the found rows.
    pub(super) wanted: BTreeMap<Uuid, &'a Row>,
    /// Rows that must be put into a column of another row.
    pub(super) moves: Vec<Move<'a>>,
    /// Found rows that are wanted but cannot be had as they are wanted; they stay as they are.
    pub(super) spared: BTreeSet<Uuid>,
    /// Rows of ours besides the one that stays.
    pub(super) duplicates: BTreeSet<Uuid>,
    pub(super) refusals: Vec<Refusal>,
    refused: BTreeSet<&'a Key>,
    new: usize,
}

impl<'a> Matching<'a> {
    /// Matches all rows, those that hold others first: the tables are in that order.
    pub(super) fn new(wanted: &'a Wanted, found: &'a Snapshot, scope: &'a Scope) -> Self {
        let mut matching = Self {
            found,
            scope,
            targets: BTreeMap::new(),
            wanted: BTreeMap::new(),
            moves: Vec::new(),
            spared: BTreeSet::new(),
            duplicates: BTreeSet::new(),
            refusals: Vec::new(),
            refused: BTreeSet::new(),
            new: 0,
        };
        for row in wanted.rows() {
            if let Err(refusal) = matching.place(row) {
                matching.refusals.push(*refusal);
                matching.spared.extend(found.candidates(&row.key, None));
                matching.refused.insert(&row.key);
            }
        }
        matching
    }

    fn place(&mut self, row: &'a Row) -> Result<(), Box<Refusal>> {
        let parent = row.place.as_ref().map(|place| self.parent(row, place)).transpose()?;
        let ours = self.ours(row, parent)?;
        let target = ours.first().map_or(Target::New(self.new), |uuid| Target::Found(*uuid));
        if let (Some(to), Some(place)) = (parent, &row.place) {
            self.hang(row, target, to, place.column)?;
        }
        self.duplicates.extend(ours.iter().skip(1));
        match target {
            Target::Found(uuid) => {
                self.wanted.insert(uuid, row);
            }
            Target::New(_) => self.new += 1,
        }
        self.targets.insert(&row.key, target);
        Ok(())
    }

    /// The row that is to hold `row`.
    fn parent(&self, row: &Row, place: &Place) -> Result<Target, Box<Refusal>> {
        let (key, parent) = (row.key.clone(), place.parent.clone());
        if let Some(target) = self.targets.get(&parent) {
            return Ok(*target);
        }
        if self.refused.contains(&parent) {
            return Err(Box::new(Refusal::ParentRefused { key, parent }));
        }
        let mut candidates = self.found.candidates(&parent, None);
        candidates.retain(|uuid| !self.is_unwanted(*uuid));
        let ours = candidates.iter().find(|uuid| !self.is_foreign(**uuid));
        match (ours, candidates.is_empty()) {
            (Some(uuid), _) => Ok(Target::Found(*uuid)),
            (None, false) => Err(Box::new(Refusal::ParentRefused { key, parent })),
            (None, true) => Err(Box::new(Refusal::NoParent { key, parent })),
        }
    }

    /// The found rows that `row` may be, the one that stays first.
    fn ours(&self, row: &Row, parent: Option<Target>) -> Result<Vec<Uuid>, Box<Refusal>> {
        let holder = match parent {
            Some(Target::Found(uuid)) => Some(uuid),
            Some(Target::New(_)) | None => None,
        };
        let mut in_the_way = None;
        let mut ours = Vec::new();
        for uuid in self.found.candidates(&row.key, holder) {
            let key = || row.key.clone();
            match self.found.row(uuid).map(|found| &found.standing) {
                Some(Standing::Owned(owner)) if *owner != row.owner && !self.scope.covers(owner) => {
                    in_the_way.get_or_insert(Refusal::OwnedBy { key: key(), owner: owner.clone() });
                }
                Some(Standing::Owned(_) | Standing::Unclaimed) => ours.push(uuid),
                Some(Standing::Foreign) => {
                    in_the_way.get_or_insert(Refusal::Foreign { key: key(), by: uuid });
                }
                None => {}
            }
        }
        match in_the_way {
            Some(refusal) if ours.is_empty() => Err(Box::new(refusal)),
            _ => Ok(ours),
        }
    }

    /// Notes that the row must be put where it is wanted, unless it is there.
    fn hang(&mut self, row: &'a Row, child: Target, to: Target, column: &'a str) -> Result<(), Box<Refusal>> {
        if let Target::Found(uuid) = child {
            let from = self.found.parent(uuid);
            if from.map(Target::Found) == Some(to) {
                return Ok(());
            }
            if let (Some(from), Some(place)) = (from.filter(|from| self.is_foreign(*from)), &row.place) {
                debug_assert!(self.found.row(from).is_some(), "a parent is known by its columns");
                let (key, parent) = (row.key.clone(), place.parent.clone());
                return Err(Box::new(Refusal::ParentRefused { key, parent }));
            }
        }
        self.moves.push(Move { child, to, column });
        Ok(())
    }

    /// Whether the row belongs to somebody for whom the wanted rows speak, and is not among them.
    pub(super) fn is_unwanted(&self, uuid: Uuid) -> bool {
        let owner = self.found.row(uuid).and_then(|row| match &row.standing {
            Standing::Owned(owner) => Some(owner),
            Standing::Foreign | Standing::Unclaimed => None,
        });
        owner.is_some_and(|owner| self.scope.covers(owner)) && !self.wanted.contains_key(&uuid)
    }

    fn is_foreign(&self, uuid: Uuid) -> bool {
        self.found.row(uuid).is_none_or(|row| row.standing == Standing::Foreign)
    }
}
