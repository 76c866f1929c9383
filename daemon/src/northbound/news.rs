//! Changed rows → whose they are. Pure: the only place that takes rows into the snapshot.
//!
//! A row that merely came to hold another one (a switch that got a port) concerns the owner of what it holds, not its own:
//! so our own transactions, when the database tells of them, cost as much as what they changed.

use std::collections::{BTreeMap, BTreeSet};

use ovn::cell::{Found, FoundColumns};
use ovn::nb::Table;
use ovn::owner::{Owner, Standing};
use ovn::snapshot::{FoundRow, Snapshot};
use ovsdb::monitor::Change;
use ovsdb::value::Uuid;

/// What changed rows mean.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// The owners whose rows changed, each with one of those rows in words.
    pub(super) owners: BTreeMap<Owner, String>,
    /// A row that stood in our way changed or went.
    pub(super) has_moved: bool,
}

/// Takes rows in. `in_the_way` are rows of others that keep ours from being made.
pub(super) fn take_in(found: &mut Snapshot, changes: Vec<Change>, in_the_way: &BTreeSet<Uuid>) -> Touched {
    let mut touched = Touched::default();
    let mut changed = Vec::new();
    for change in changes {
        let Some(table) = Table::of_name(&change.table) else { continue };
        touched.has_moved |= in_the_way.contains(&change.uuid);
        let before = found.row(change.uuid);
        let now = change.row.as_deref();
        let parts: Vec<Uuid> = difference(table, before, now);
        let is_itself = is_other_than_parts(table, before, now);
        if is_itself {
            touched.add(before);
        }
        for part in &parts {
            touched.add_part(before, found.row(*part));
        }
        changed.push((change.uuid, is_itself, parts));
        match change.row {
            Some(row) => found.put(table, change.uuid, FoundColumns::clone(&row)),
            None => found.remove(change.uuid),
        }
    }
    for (uuid, is_itself, parts) in changed {
        let row = found.row(uuid);
        if is_itself {
            touched.add(row);
        }
        for part in parts {
            touched.add_part(row, found.row(part));
        }
    }
    touched
}

impl Touched {
    fn add(&mut self, row: Option<&FoundRow>) {
        if let Some(row) = row
            && let Standing::Owned(owner) = row.standing()
        {
            let name = row.name().unwrap_or_default();
            self.owners.entry(owner.clone()).or_insert_with(|| format!("{} {name}", row.table()));
        }
    }

    /// Upstream's routes, policies and rules in a router or switch of ours are ours with it.
    fn add_part(&mut self, holder: Option<&FoundRow>, part: Option<&FoundRow>) {
        match part.map(FoundRow::standing) {
            Some(Standing::Owned(_)) => self.add(part),
            Some(Standing::Unclaimed) => self.add(holder),
            Some(Standing::Foreign) | None => {}
        }
    }
}

fn parts(table: Table, row: Found<'_>) -> BTreeSet<Uuid> {
    table.holds().iter().flat_map(|(column, _)| row.references(column)).collect()
}

/// The rows that one of the two holds and the other does not.
fn difference(table: Table, before: Option<&FoundRow>, now: Option<&FoundColumns>) -> Vec<Uuid> {
    if table.holds().is_empty() {
        return Vec::new();
    }
    let before = before.map(|row| parts(table, row.read())).unwrap_or_default();
    let now = now.map(|row| parts(table, Found(row))).unwrap_or_default();
    before.symmetric_difference(&now).copied().collect()
}

fn is_other_than_parts(table: Table, before: Option<&FoundRow>, now: Option<&FoundColumns>) -> bool {
    let (Some(before), Some(now)) = (before, now) else { return true };
    let is_of_parts = |name: &String| table.holds().iter().any(|(column, _)| column == name);
    let before = before.read().0.iter().filter(|(name, _)| !is_of_parts(name));
    !before.eq(now.iter().filter(|(name, _)| !is_of_parts(name)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ovsdb::value::Value;

    use super::*;

    fn uuid(number: u8) -> Uuid {
        Uuid([number; 16])
    }

    fn tag(owner: &str) -> Value {
        Value::map([("vendor", "kube-ovn"), ("kube-ovn-owner", owner)])
    }

    fn switch(ports: &[u8]) -> FoundColumns {
        let ports = Value::set(ports.iter().map(|number| uuid(*number)));
        let columns = [("name", "net1".into()), ("ports", ports), ("external_ids", tag("vpc/v"))];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn port(name: &str, owner: &str) -> FoundColumns {
        let columns = [("name", name.into()), ("external_ids", tag(owner))];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn change(table: Table, number: u8, row: Option<FoundColumns>) -> Change {
        Change { table: table.name().into(), uuid: uuid(number), row: row.map(Arc::new) }
    }

    fn owners(touched: &Touched) -> Vec<String> {
        touched.owners.keys().map(ToString::to_string).collect()
    }

    fn world() -> Snapshot {
        let mut found = Snapshot::new();
        let rows = vec![
            change(Table::LogicalSwitch, 1, Some(switch(&[2]))),
            change(Table::LogicalSwitchPort, 2, Some(port("a.ns", "pod/ns/a"))),
        ];
        let touched = take_in(&mut found, rows, &BTreeSet::new());
        assert_eq!(owners(&touched), ["vpc/v", "pod/ns/a"]);
        found
    }

    #[test]
    fn a_switch_that_gets_a_port_concerns_the_pod_only() {
        let mut found = world();
        let rows = vec![
            change(Table::LogicalSwitch, 1, Some(switch(&[2, 3]))),
            change(Table::LogicalSwitchPort, 3, Some(port("b.ns", "pod/ns/b"))),
        ];
        let touched = take_in(&mut found, rows, &BTreeSet::new());

        assert_eq!(owners(&touched), ["pod/ns/b"]);
        assert_eq!(touched.owners[&Owner::pod("ns", "b")], "Logical_Switch_Port b.ns");
    }

    #[test]
    fn a_row_that_goes_or_moves_concerns_whose_it_was() {
        let mut found = world();
        let gone = take_in(&mut found, vec![change(Table::LogicalSwitch, 1, None)], &BTreeSet::new());
        assert_eq!(owners(&gone), ["vpc/v", "pod/ns/a"]);

        let mut found = world();
        let rows = vec![change(Table::LogicalSwitch, 1, Some(switch(&[])))];
        assert_eq!(owners(&take_in(&mut found, rows, &BTreeSet::new())), ["pod/ns/a"]);
    }

    #[test]
    fn foreign_rows_concern_nobody_unless_they_stood_in_the_way() {
        let mut found = world();
        let theirs = || vec![change(Table::LogicalSwitch, 9, Some(FoundColumns::new()))];

        assert_eq!(take_in(&mut found, theirs(), &BTreeSet::new()), Touched::default());
        assert!(take_in(&mut found, theirs(), &BTreeSet::from([uuid(9)])).has_moved);
    }
}
