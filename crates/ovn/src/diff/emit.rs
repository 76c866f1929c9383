//! The operations in their order: guards, new rows, changed rows, moved references, deletions.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::condition::Condition;
use ovsdb::op::{Mutation, Operation};
use ovsdb::value::{Atom, Uuid, Value};

use super::column::{ColumnChange, Resolver};
use super::matching::{Matching, Target, name_of};
use super::removal::Removal;
use super::{Change, Refusal};
use crate::cell::{empty, set};
use crate::nb::Table;
use crate::operation::{
    Values, delete, guard, has_external_id, has_text, insert, is, mutate, put_in, take_out, update,
};
use crate::snapshot::Snapshot;
use crate::wanted::{Row, Wanted};

/// What changes in a found row.
#[derive(Default)]
struct RowChange {
    update: Values,
    mutations: Vec<Mutation>,
    /// Rows that a column lets go of, and rows that it takes.
    held: BTreeMap<&'static str, (BTreeSet<Atom>, BTreeSet<Atom>)>,
    deleted: bool,
    /// The columns that must still be as they were found.
    guarded: BTreeSet<String>,
}

/// Everything that is to be done, by row, before it is put in order.
struct Plan<'a> {
    found: &'a Snapshot,
    new: Vec<(&'a Row, Values)>,
    changes: BTreeMap<(Table, Uuid), RowChange>,
    updated: usize,
}

pub(super) fn emit(wanted: &Wanted, found: &Snapshot, matching: Matching<'_>, removal: Removal) -> Change {
    let mut plan = Plan { found, new: Vec::new(), changes: BTreeMap::new(), updated: 0 };
    let missing = plan.rows(wanted, &matching);
    plan.moves(&matching);
    plan.removals(&removal);
    let mut refusals: Vec<Refusal> = matching.refusals;
    refusals.extend(missing);
    refusals.sort();
    Change {
        refusals,
        inserted: plan.new.len(),
        updated: plan.updated,
        removed: removal.count(),
        operations: plan.operations(),
    }
}

impl<'a> Plan<'a> {
    /// The columns of the wanted rows.
    fn rows(&mut self, wanted: &'a Wanted, matching: &Matching<'_>) -> Vec<Refusal> {
        let mut resolver = Resolver { matching, found: self.found, missing: Vec::new() };
        for row in wanted.rows() {
            match matching.targets.get(&row.key) {
                Some(Target::New(_)) => {
                    let cells = row.columns.iter();
                    let values = cells.filter_map(|(column, cell)| {
                        Some(((*column).to_owned(), resolver.for_insert(&row.key, cell)?))
                    });
                    self.new.push((row, values.collect()));
                }
                Some(Target::Found(uuid)) => self.columns(row, *uuid, &mut resolver),
                None => {}
            }
        }
        resolver.missing
    }

    fn columns(&mut self, row: &Row, uuid: Uuid, resolver: &mut Resolver<'_>) {
        let Some(found) = self.found.row(uuid) else { return };
        let mut changed = false;
        for (column, cell) in &row.columns {
            let Some(change) = resolver.for_found(&row.key, column, cell, found.columns.get(*column)) else {
                continue;
            };
            changed = true;
            let of_row = self.changes.entry((found.table, uuid)).or_default();
            match change {
                ColumnChange::Update(value) => {
                    of_row.guarded.insert((*column).to_owned());
                    of_row.update.insert((*column).to_owned(), value);
                }
                ColumnChange::Mutate(mutations) => of_row.mutations.extend(mutations),
            }
        }
        self.updated += usize::from(changed);
    }

    /// Puts rows where they are wanted.
    fn moves(&mut self, matching: &Matching<'_>) {
        let mut into_new: BTreeMap<(usize, &str), Vec<Atom>> = BTreeMap::new();
        for moving in &matching.moves {
            let atom = moving.child.atom();
            match moving.to {
                Target::New(number) => into_new.entry((number, moving.column)).or_default().push(atom),
                Target::Found(parent) => {
                    self.hold(parent, moving.column, |(_, taken)| taken.insert(atom), moving.child);
                }
            }
        }
        for ((number, column), atoms) in into_new {
            // New rows are numbered in the order in which they were collected.
            if let Some((_, values)) = self.new.get_mut(number) {
                values.insert(column.to_owned(), set(atoms));
            }
        }
    }

    fn removals(&mut self, removal: &Removal) {
        for uuid in &removal.deleted {
            if let Some(row) = self.found.row(*uuid) {
                let change = self.changes.entry((row.table, *uuid)).or_default();
                change.deleted = true;
                change.guarded.insert("external_ids".to_owned());
            }
        }
        for uuid in removal.released.iter().chain(&removal.moved) {
            let (Some(row), Some(parent)) = (self.found.row(*uuid), self.found.parent(*uuid)) else {
                continue;
            };
            if removal.released.contains(uuid) {
                let change = self.changes.entry((row.table, *uuid)).or_default();
                change.guarded.insert("external_ids".to_owned());
            }
            if removal.deleted.contains(&parent) {
                continue;
            }
            let Some(holder) = self.found.row(parent) else { continue };
            let columns = holder.table.holds().iter().filter(|(_, held)| *held == row.table);
            for (column, _) in columns.filter(|(column, _)| holder.read().references(column).contains(uuid)) {
                let atom = Atom::Uuid(*uuid);
                self.hold(
                    parent,
                    column,
                    |(released, _)| released.insert(atom.clone()),
                    Target::Found(*uuid),
                );
            }
        }
    }

    fn hold(
        &mut self,
        parent: Uuid,
        column: &str,
        note: impl FnOnce(&mut (BTreeSet<Atom>, BTreeSet<Atom>)) -> bool,
        child: Target,
    ) {
        let Some(row) = self.found.row(parent) else { return };
        let Some((column, held)) = row.table.holds().iter().find(|(name, _)| *name == column) else { return };
        let change = self.changes.entry((row.table, parent)).or_default();
        note(change.held.entry(column).or_default());
        change.guarded.insert("name".to_owned());
        // A twin of a new row without a name could be made meanwhile, and nothing else would tell.
        if held.is_nameless() && matches!(child, Target::New(_)) {
            change.guarded.insert((*column).to_owned());
        }
    }

    fn operations(self) -> Vec<Operation> {
        let found = self.found;
        let mut operations = Vec::new();
        operations.extend(self.new.iter().filter_map(|(row, values)| absence(row, values)));
        operations.extend(self.changes.iter().filter_map(|(place, change)| presence(found, *place, change)));
        for (number, (row, values)) in self.new.into_iter().enumerate() {
            operations.push(insert(row.key.table.name(), name_of(number), values));
        }
        let mut deletions = Vec::new();
        for ((table, uuid), change) in self.changes {
            if change.deleted {
                deletions.push(delete(table.name(), is(uuid)));
                continue;
            }
            if !change.update.is_empty() {
                operations.push(update(table.name(), is(uuid), change.update));
            }
            let mut mutations = change.mutations;
            for (column, (released, taken)) in change.held {
                mutations.extend((!released.is_empty()).then(|| take_out(column, set(released))));
                mutations.extend((!taken.is_empty()).then(|| put_in(column, set(taken))));
            }
            if !mutations.is_empty() {
                operations.push(mutate(table.name(), is(uuid), mutations));
            }
        }
        operations.extend(deletions);
        operations
    }
}

/// Fails the transaction when a row of the same name came up meanwhile in a table that allows two.
fn absence(row: &Row, values: &Values) -> Option<Operation> {
    let table = row.key.table;
    if !table.is_root() || table.has_name_index() {
        return None;
    }
    let name = values.get("name").map(|_| vec![has_text("name", &row.key.name)]);
    let conditions = name.unwrap_or_else(|| identifying_ids(values));
    Some(guard(table.name(), conditions, vec!["external_ids".to_owned()], Vec::new()))
}

/// Conditions on the entries of `external_ids` that stand for a name.
fn identifying_ids(values: &Values) -> Vec<Condition> {
    let Some(Value::Map(ids)) = values.get("external_ids") else { return Vec::new() };
    let entries = ids.iter().filter_map(|(key, value)| match (key, value) {
        (Atom::String(key), Atom::String(value)) => Some(has_external_id(key, value)),
        _ => None,
    });
    entries.collect()
}

/// Fails the transaction when a row that is changed is gone or no longer as it was found.
fn presence(found: &Snapshot, (table, uuid): (Table, Uuid), change: &RowChange) -> Option<Operation> {
    let row = found.row(uuid)?;
    let mut columns = change.guarded.clone();
    // Only a row that is still ours may be changed.
    columns.insert("external_ids".to_owned());
    let values = columns.iter().map(|column| {
        let value = row.columns.get(column).cloned().unwrap_or_else(empty);
        (column.clone(), value)
    });
    let rows = vec![values.collect()];
    Some(guard(table.name(), is(uuid), columns.into_iter().collect(), rows))
}
