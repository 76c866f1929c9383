//! For tests: a database in memory that applies transactions as ovsdb-server does, as far as we use them.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::condition::{Condition, Function};
use ovsdb::op::{Mutation, Mutator, Operation};
use ovsdb::value::{Atom, Uuid, Value};

use crate::cell::{FoundColumns, empty, is_empty, references, same, set};
use crate::nb::Table;
use crate::nb::tests::uuid;
use crate::snapshot::Snapshot;

/// Rows by UUID, and the number of the next one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Database {
    pub(crate) rows: BTreeMap<Uuid, (Table, FoundColumns)>,
    next: u8,
}

impl Database {
    /// Applies one transaction, or nothing of it.
    pub(crate) fn apply(&mut self, operations: &[Operation]) -> Result<(), String> {
        let mut after = self.clone();
        let mut names = BTreeMap::new();
        for operation in operations {
            after.operate(operation, &mut names)?;
        }
        after.resolve(&names)?;
        after.collect_garbage();
        after.check()?;
        *self = after;
        Ok(())
    }

    /// Puts a row in without any transaction.
    pub(crate) fn insert(&mut self, table: Table, columns: FoundColumns) -> Uuid {
        self.next = self.next.checked_add(1).expect("tests make fewer than 255 rows");
        // Not in ascending order, so that the order of UUIDs is not the order of insertion.
        let uuid = uuid(self.next.wrapping_mul(181));
        self.rows.insert(uuid, (table, columns));
        uuid
    }

    /// All rows, given to a snapshot in their order or the other way round.
    pub(crate) fn snapshot(&self, reversed: bool) -> Snapshot {
        let mut snapshot = Snapshot::new();
        let mut rows: Vec<_> = self.rows.iter().collect();
        if reversed {
            rows.reverse();
        }
        for (uuid, (table, columns)) in rows {
            snapshot.put(*table, *uuid, columns.clone());
        }
        snapshot
    }

    fn operate(&mut self, operation: &Operation, names: &mut BTreeMap<String, Uuid>) -> Result<(), String> {
        match operation {
            Operation::Insert { table, uuid_name, row } => {
                let uuid = self.insert(Table::of_name(table).unwrap(), row.clone());
                names.extend(uuid_name.iter().map(|name| (name.clone(), uuid)));
            }
            Operation::Update { table, conditions, row } => {
                for columns in self.matching(table, conditions) {
                    columns.extend(row.clone());
                }
            }
            Operation::Mutate { table, conditions, mutations } => {
                for columns in self.matching(table, conditions) {
                    mutations.iter().for_each(|mutation| mutate(columns, mutation));
                }
            }
            Operation::Delete { table, conditions } => {
                let gone: Vec<Uuid> = self.select(table, conditions).collect();
                gone.iter().for_each(|uuid| drop(self.rows.remove(uuid)));
            }
            Operation::Wait { table, conditions, columns, rows, .. } => {
                let found: Vec<Uuid> = self.select(table, conditions).collect();
                let equal = found.len() == rows.len()
                    && found.iter().zip(rows).all(|(uuid, row)| {
                        columns.iter().all(|column| same(&self.value(*uuid, column), &row[column]))
                    });
                if !equal {
                    return Err(format!("timed out: {operation:?}"));
                }
            }
            Operation::Select { .. }
            | Operation::CommitDurably
            | Operation::Abort
            | Operation::Comment { .. }
            | Operation::Assert { .. } => return Err(format!("unexpected: {operation:?}")),
        }
        Ok(())
    }

    fn value(&self, uuid: Uuid, column: &str) -> Value {
        self.rows[&uuid].1.get(column).cloned().unwrap_or_else(empty)
    }

    fn select<'a>(&'a self, table: &str, conditions: &'a [Condition]) -> impl Iterator<Item = Uuid> + 'a {
        let table = Table::of_name(table).unwrap();
        let rows = self.rows.iter().filter(move |(_, (of, _))| *of == table);
        rows.filter(|(uuid, (_, columns))| conditions.iter().all(|c| meets(**uuid, columns, c)))
            .map(|(u, _)| *u)
    }

    fn matching<'a>(
        &'a mut self,
        table: &str,
        conditions: &'a [Condition],
    ) -> impl Iterator<Item = &'a mut FoundColumns> + 'a {
        let table = Table::of_name(table).unwrap();
        let rows = self.rows.iter_mut().filter(move |(_, (of, _))| *of == table);
        rows.filter(|(uuid, (_, columns))| conditions.iter().all(|c| meets(**uuid, columns, c)))
            .map(|(_, (_, columns))| columns)
    }

    fn resolve(&mut self, names: &BTreeMap<String, Uuid>) -> Result<(), String> {
        for value in self.rows.values_mut().flat_map(|(_, columns)| columns.values_mut()) {
            let atoms: Vec<Atom> = match value {
                Value::Set(atoms) => atoms.iter().cloned().collect(),
                Value::Atom(atom) => vec![atom.clone()],
                Value::Map(_) => continue,
            };
            let mut resolved = Vec::new();
            for atom in atoms {
                let named = if let Atom::NamedUuid(name) = &atom { Some(name) } else { None };
                let made = named.map(|name| names.get(name).ok_or(format!("no {name}"))).transpose()?;
                resolved.push(made.map_or(atom, |uuid| Atom::Uuid(*uuid)));
            }
            *value = set(resolved);
        }
        Ok(())
    }

    fn held(&self) -> BTreeSet<Uuid> {
        let holding = self
            .rows
            .values()
            .flat_map(|(table, columns)| table.holds().iter().filter_map(|(column, _)| columns.get(*column)));
        holding.flat_map(references).collect()
    }

    fn collect_garbage(&mut self) {
        let held = self.held();
        self.rows.retain(|uuid, (table, _)| table.is_root() || held.contains(uuid));
        let left: BTreeSet<Uuid> = self.rows.keys().copied().collect();
        for (table, columns) in self.rows.values_mut() {
            let weak = |column: &str| table.holds().iter().all(|(holding, _)| *holding != column);
            for (_, value) in columns.iter_mut().filter(|(column, _)| weak(column)) {
                if references(value).iter().any(|uuid| !left.contains(uuid)) {
                    let kept = references(value).into_iter().filter(|uuid| left.contains(uuid));
                    *value = set(kept.map(Atom::Uuid));
                }
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        if let Some(gone) = self.held().into_iter().find(|uuid| !self.rows.contains_key(uuid)) {
            return Err(format!("referential integrity violation: {gone:?}"));
        }
        let mut names = BTreeSet::new();
        for (table, columns) in self.rows.values().filter(|(table, _)| table.has_name_index()) {
            if !names.insert((*table, format!("{:?}", columns.get("name")))) {
                return Err(format!("constraint violation: two {table} {:?}", columns.get("name")));
            }
        }
        Ok(())
    }
}

fn meets(uuid: Uuid, columns: &FoundColumns, condition: &Condition) -> bool {
    let own = Value::Atom(Atom::Uuid(uuid));
    let found = if condition.column == "_uuid" { Some(&own) } else { columns.get(&condition.column) };
    match (condition.function, found, &condition.value) {
        (Function::Equal, found, value) => found.is_some_and(|found| same(found, value)),
        (Function::Includes, Some(Value::Map(found)), Value::Map(some)) => {
            some.iter().all(|(key, value)| found.get(key) == Some(value))
        }
        (Function::Includes, _, value) => is_empty(value),
        other => unreachable!("{other:?}"),
    }
}

fn mutate(columns: &mut FoundColumns, mutation: &Mutation) {
    let atoms = |value: &Value| match value {
        Value::Atom(atom) => BTreeSet::from([atom.clone()]),
        Value::Set(atoms) => atoms.clone(),
        Value::Map(_) => unreachable!("we put no entries into maps"),
    };
    let column = columns.entry(mutation.column.clone()).or_insert_with(empty);
    let (before, some) = (atoms(column), atoms(&mutation.value));
    *column = if mutation.mutator == Mutator::Insert {
        set(before.union(&some).cloned())
    } else {
        assert_eq!(mutation.mutator, Mutator::Delete, "we calculate nothing");
        set(before.difference(&some).cloned())
    };
}
