//! One column: what to write into a new row, and what to change in a found one.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::op::Mutation;
use ovsdb::value::{Atom, Uuid, Value};

use super::Refusal;
use super::matching::Matching;
use crate::cell::{Cell, empty, is_empty, references, same, set};
use crate::operation::{put_in, take_out};
use crate::owner::Standing;
use crate::snapshot::Snapshot;
use crate::wanted::Key;

/// How a column of a found row changes.
pub(super) enum ColumnChange {
    /// The whole column gets this value.
    Update(Value),
    /// Elements are put in and taken out; what others do to the column meanwhile does not matter.
    Mutate(Vec<Mutation>),
}

/// Turns cells into values: knows what references lead to.
pub(super) struct Resolver<'a> {
    pub(super) matching: &'a Matching<'a>,
    pub(super) found: &'a Snapshot,
    pub(super) missing: Vec<Refusal>,
}

impl Resolver<'_> {
    /// The value of a column of a new row; `None` leaves the schema's default.
    pub(super) fn for_insert(&mut self, key: &Key, cell: &Cell) -> Option<Value> {
        let value = match cell {
            Cell::Whole(value) => value.clone(),
            Cell::WhereKnown(_) => return None,
            Cell::Keys(keys) => merged(&BTreeMap::new(), keys),
            Cell::Refs(keys) | Cell::SharedRefs(keys) => set(self.resolve(key, keys)),
        };
        (!is_empty(&value)).then_some(value)
    }

    /// How a column of a found row must change; `None` when it is as wanted.
    pub(super) fn for_found(
        &mut self,
        key: &Key,
        column: &str,
        cell: &Cell,
        value: Option<&Value>,
    ) -> Option<ColumnChange> {
        let nothing = empty();
        let old = value.unwrap_or(&nothing);
        let new = match cell {
            Cell::Whole(wanted) => wanted.clone(),
            Cell::WhereKnown(wanted) if value.is_some() => wanted.clone(),
            Cell::WhereKnown(_) => return None,
            Cell::Keys(keys) => match old {
                Value::Map(entries) => merged(entries, keys),
                Value::Atom(_) | Value::Set(_) => merged(&BTreeMap::new(), keys),
            },
            Cell::Refs(keys) => set(self.resolve(key, keys)),
            Cell::SharedRefs(keys) => return self.shared(key, column, keys, old),
        };
        (!same(old, &new)).then_some(ColumnChange::Update(new))
    }

    fn shared(&mut self, key: &Key, column: &str, keys: &BTreeSet<Key>, old: &Value) -> Option<ColumnChange> {
        let wanted: BTreeSet<Atom> = self.resolve(key, keys).into_iter().collect();
        let held: BTreeSet<Atom> = references(old).into_iter().map(Atom::Uuid).collect();
        // What is taken over in this transaction is ours as well.
        let ours = |uuid: &Uuid| {
            self.matching.wanted.contains_key(uuid)
                || self.found.row(*uuid).is_some_and(|row| matches!(row.standing, Standing::Owned(_)))
        };
        let owned = references(old).into_iter().filter(ours).map(Atom::Uuid);
        let out: BTreeSet<Atom> = owned.filter(|atom| !wanted.contains(atom)).collect();
        let put: BTreeSet<Atom> = wanted.difference(&held).cloned().collect();
        let out = (!out.is_empty()).then(|| take_out(column, set(out)));
        let put = (!put.is_empty()).then(|| put_in(column, set(put)));
        let mutations: Vec<Mutation> = out.into_iter().chain(put).collect();
        (!mutations.is_empty()).then_some(ColumnChange::Mutate(mutations))
    }

    fn resolve(&mut self, of: &Key, keys: &BTreeSet<Key>) -> Vec<Atom> {
        let mut atoms = Vec::with_capacity(keys.len());
        for to in keys {
            let target = self.matching.targets.get(to).map(|target| target.atom());
            let found = || self.found_reference(to).map(Atom::Uuid);
            match target.or_else(found) {
                Some(atom) => atoms.push(atom),
                None => self.missing.push(Refusal::NoReference { key: of.clone(), to: to.clone() }),
            }
        }
        atoms
    }

    /// A row that is not wanted here but found will do, when it is ours.
    fn found_reference(&self, to: &Key) -> Option<Uuid> {
        let ours = |uuid: &Uuid| self.found.row(*uuid).is_some_and(|row| row.standing != Standing::Foreign);
        let stays = |uuid: &Uuid| !self.matching.is_unwanted(*uuid);
        self.found.candidates(to, None).into_iter().filter(stays).find(ours)
    }
}

/// The entries with ours set and unset.
fn merged(entries: &BTreeMap<Atom, Atom>, keys: &BTreeMap<String, Option<String>>) -> Value {
    let mut merged = entries.clone();
    for (key, value) in keys {
        let key = Atom::String(key.clone());
        match value {
            Some(value) => merged.insert(key, Atom::String(value.clone())),
            None => merged.remove(&key),
        };
    }
    Value::Map(merged)
}
