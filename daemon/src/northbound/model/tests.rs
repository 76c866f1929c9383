#![expect(clippy::wildcard_enum_match_arm, reason = "the tests need few of OVSDB's many kinds")]

use std::time::Duration;

use daemon_api::PodRef;
use ovn::address::Mac;
use ovn::cell::FoundColumns;
use ovn::nb::Table;
use ovsdb::monitor;
use ovsdb::op::Operation;
use ovsdb::value::{Uuid, Value};
use ovsdb::view::{Batch, Standing};

use super::*;
use crate::northbound::Published;
use crate::resources::Index;
use crate::resources::files::parse_file;

const YAML: &str = "\
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: {name: v}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net1}
spec: {vpc: v, cidrBlock: 10.0.1.0/24}
";

fn index(yaml: &str) -> Index {
    let mut index = Index::default();
    parse_file("a.yaml", yaml).objects.into_iter().for_each(|object| index.feed(object).unwrap());
    index
}

fn pod(name: &str) -> PodRef {
    PodRef::new("ns", name).unwrap()
}

fn port(name: &str, address: &str) -> PortFact {
    PortFact {
        namespace: "ns".into(),
        pod: name.into(),
        provider: "ovn".into(),
        interface: None,
        subnet: "net1".into(),
        addresses: vec![address.parse().unwrap()],
        mac: Mac::new([2, 0, 0, 0, 0, 5]),
        out_of_pod: None,
        port_security: true,
        is_ours: false,
    }
}

/// A model that knows the objects and this node, over an empty database.
fn ready() -> Model {
    let mut model = Model::new(Settings::default());
    model.set_objects(&index(YAML), "now");
    model.set_ports(std::iter::empty());
    model.set_chassis(Some("n1".into()));
    model.take_rows(Batch { changes: Vec::new(), standing: Standing::Current });
    model
}

/// Does what the model says, as a database would.
fn settle(model: &mut Model) -> usize {
    let mut changed = 0;
    while let Some(work) = model.next(Instant::now()) {
        changed += work.change.inserted + work.change.updated + work.change.removed;
        model.done(&work, Instant::now());
        let before = changed;
        apply(model, &work.change.operations);
        assert!(changed < 1000 && before <= changed);
    }
    changed
}

/// Inserts, updates, and references put into and taken out of columns; what nobody holds goes. Enough for switches and ports.
fn apply(model: &mut Model, operations: &[Operation]) {
    let mut rows: Rows =
        model.found.rows().map(|(uuid, row)| (uuid, (row.table(), row.read().0.clone()))).collect();
    let before: Vec<(Uuid, Table)> = rows.iter().map(|(uuid, (table, _))| (*uuid, *table)).collect();
    let names = names(operations, rows.len());
    operations.iter().for_each(|operation| carry_out(operation, &mut rows, &names));
    let held: BTreeSet<Uuid> = rows.values().flat_map(|(table, columns)| parts(*table, columns)).collect();
    rows.retain(|uuid, (table, _)| table.is_root() || held.contains(uuid));
    let gone = before.into_iter().filter(|(uuid, _)| !rows.contains_key(uuid));
    let mut changes: Vec<(Table, Uuid, Option<std::sync::Arc<FoundColumns>>)> =
        gone.map(|(uuid, table)| (table, uuid, None)).collect();
    changes
        .extend(rows.into_iter().map(|(uuid, (table, row))| (table, uuid, Some(std::sync::Arc::new(row)))));
    let change =
        |(table, uuid, row): (Table, _, _)| monitor::Change { table: table.name().into(), uuid, row };
    let changes = changes.into_iter().map(change).collect();
    model.take_rows(Batch { changes, standing: Standing::Current });
}

type Rows = BTreeMap<Uuid, (Table, FoundColumns)>;

fn parts(table: Table, columns: &FoundColumns) -> Vec<Uuid> {
    table.holds().iter().flat_map(|(column, _)| ovn::cell::Found(columns).references(column)).collect()
}

/// UUIDs for the new rows.
fn names(operations: &[Operation], salt: usize) -> BTreeMap<String, Uuid> {
    let mut names = BTreeMap::new();
    for (number, operation) in operations.iter().enumerate() {
        if let Operation::Insert { uuid_name: Some(name), .. } = operation {
            names.insert(name.clone(), Uuid((salt as u128 * 1000 + number as u128 + 1).to_be_bytes()));
        }
    }
    names
}

fn carry_out(operation: &Operation, rows: &mut Rows, names: &BTreeMap<String, Uuid>) {
    let columns = |row: &FoundColumns| -> FoundColumns {
        row.iter().map(|(column, value)| (column.clone(), resolve(value, names))).collect()
    };
    match operation {
        Operation::Insert { table, uuid_name: Some(name), row } => {
            rows.insert(names[name], (Table::of_name(table).unwrap(), columns(row)));
        }
        Operation::Update { conditions, row, .. } => {
            rows.get_mut(&conditions[0].value.as_uuid().unwrap()).unwrap().1.extend(columns(row));
        }
        Operation::Mutate { conditions, mutations, .. } => {
            let row = rows.get_mut(&conditions[0].value.as_uuid().unwrap()).unwrap();
            for mutation in mutations {
                let column = row.1.entry(mutation.column.clone()).or_insert_with(Value::empty);
                let change: BTreeSet<_> = resolve(&mutation.value, names).elements().cloned().collect();
                let held: BTreeSet<_> = column.elements().cloned().collect();
                let is_insert = mutation.mutator == ovsdb::op::Mutator::Insert;
                *column = Value::Set(if is_insert { &held | &change } else { &held - &change }).canonical();
            }
        }
        other => assert!(matches!(other, Operation::Wait { .. }), "{other:?} is not played here"),
    }
}

fn resolve(value: &Value, names: &BTreeMap<String, Uuid>) -> Value {
    use ovsdb::value::Atom;
    let atom = |atom: &Atom| match atom {
        Atom::NamedUuid(name) => Atom::Uuid(names[name]),
        other => other.clone(),
    };
    match value {
        Value::Map(_) => value.clone(),
        Value::Atom(_) | Value::Set(_) => Value::Set(value.elements().map(atom).collect()).canonical(),
    }
}

#[test]
fn nothing_is_planned_before_objects_claims_and_rows_are_known() {
    let mut model = Model::new(Settings::default());
    model.take_rows(Batch { changes: Vec::new(), standing: Standing::Current });
    assert!(model.next(Instant::now()).is_none());
    model.set_objects(&index(YAML), "now");
    assert!(model.next(Instant::now()).is_none(), "all ports would go");
    model.set_ports(std::iter::empty());
    model.take_rows(Batch { changes: Vec::new(), standing: Standing::Stale });
    assert!(model.next(Instant::now()).is_none());
    model.take_rows(Batch { changes: Vec::new(), standing: Standing::Current });
    assert!(model.next(Instant::now()).is_some());
}

#[test]
fn ports_wait_for_the_name_of_the_node_and_vpcs_do_not() {
    let mut model = ready();
    model.set_chassis(None);
    model.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    settle(&mut model);

    assert!(model.has_router("v"));
    assert_eq!(model.answer(&pod("a"), "a.ns"), None);
    model.set_chassis(Some("n1".into()));
    settle(&mut model);
    assert_eq!(model.answer(&pod("a"), "a.ns"), Some(Ok(Published::Done)));
}

#[test]
fn a_port_from_before_is_not_taken_for_a_rival_while_the_node_has_no_name() {
    let mut model = ready();
    model.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    settle(&mut model);
    model.set_chassis(None);
    model.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    assert_eq!(settle(&mut model), 0);
    model.set_chassis(Some("n1".into()));

    assert_eq!(settle(&mut model), 0, "it stays as it is");
    assert_eq!(model.answer(&pod("a"), "a.ns"), Some(Ok(Published::Done)));
}

#[test]
fn what_we_did_ourselves_is_looked_at_and_changes_nothing() {
    let mut model = ready();
    model.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    assert!(settle(&mut model) > 3);
    assert!(model.is_idle());
    model.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    assert_eq!(settle(&mut model), 0);
}

#[test]
fn a_released_claim_takes_its_port_away() {
    let mut model = ready();
    model.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    settle(&mut model);
    model.set_pod(&pod("a"), Vec::new());

    assert_eq!(settle(&mut model), 1);
    let fault = model.answer(&pod("a"), "a.ns").unwrap().unwrap_err();
    assert!(fault.message.contains("released meanwhile"), "{fault}");
}

#[test]
fn the_second_of_two_pods_of_one_port_name_gets_it_when_the_first_is_gone() {
    let mut model = ready();
    let twin = PortFact {
        pod: "a.ns".into(),
        namespace: "x".into(),
        provider: "p.q.ovn".into(),
        ..port("", "10.0.1.6")
    };
    let other = PortFact {
        pod: "a".into(),
        namespace: "ns".into(),
        provider: "x.p.q.ovn".into(),
        ..port("", "10.0.1.5")
    };
    assert_eq!(twin.name(), other.name());
    let name = twin.name();
    model.set_pod(&pod("a"), vec![other]);
    model.set_pod(&PodRef::new("x", "a.ns").unwrap(), vec![twin]);
    settle(&mut model);
    let second = PodRef::new("x", "a.ns").unwrap();
    assert_eq!(model.answer(&pod("a"), &name), Some(Ok(Published::Done)));
    assert!(model.answer(&second, &name).unwrap().unwrap_err().message.contains("would be called"));

    model.set_pod(&pod("a"), Vec::new());
    settle(&mut model);
    assert_eq!(model.answer(&second, &name), Some(Ok(Published::Done)));
}

#[test]
fn what_the_database_refuses_together_is_tried_one_by_one() {
    let mut model = ready();
    settle(&mut model);
    model.set_pod(&pod("bad"), vec![port("bad", "10.0.1.5")]);
    model.set_pod(&pod("good"), vec![port("good", "10.0.1.6")]);
    let together = model.next(Instant::now()).unwrap();
    assert_eq!(together.change.inserted, 2);
    model.refused(together, "no");
    let alone = model.next(Instant::now()).unwrap();
    model.refused(alone, "constraint violation");
    settle(&mut model);

    let fault = model.answer(&pod("bad"), "bad.ns").unwrap().unwrap_err();
    assert!(fault.message.contains("constraint violation"), "{fault}");
    assert_eq!(model.answer(&pod("good"), "good.ns"), Some(Ok(Published::Done)));
    model.set_pod(&pod("bad"), vec![port("bad", "10.0.1.7")]);
    settle(&mut model);
    assert_eq!(model.answer(&pod("bad"), "bad.ns"), Some(Ok(Published::Done)), "a change is a new chance");
}

#[test]
fn an_owner_that_is_fought_about_waits_and_the_others_do_not() {
    let mut model = ready();
    model.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    settle(&mut model);
    let now = Instant::now();
    let mut rounds = 0;
    while model.wake().is_none() {
        let uuid = model.found.named(Table::LogicalSwitchPort, "a.ns").next().unwrap();
        let change = monitor::Change { table: "Logical_Switch_Port".into(), uuid, row: None };
        model.take_rows(Batch { changes: vec![change], standing: Standing::Current });
        rounds += 1;
        while let Some(work) = model.next(now) {
            model.done(&work, now);
            apply(&mut model, &work.change.operations);
        }
    }
    assert_eq!(rounds, 11);
    assert!(model.wake().unwrap() > now);
    let later = now + Duration::from_secs(1);
    assert!(model.next(later).is_some_and(|work| work.change.inserted == 1));
}

#[test]
fn who_is_in_the_database_stays_over_a_restart_when_an_earlier_name_wants_its_addresses() {
    let mut before = ready();
    before.set_pod(&pod("a"), vec![port("a", "10.0.1.5")]);
    settle(&mut before);

    let rival = "---\napiVersion: kubeovn.io/v1\nkind: Subnet\nmetadata: {name: a}\nspec: {vpc: v, cidrBlock: 10.0.0.0/16}\n";
    let mut model = Model::new(Settings::default());
    model.set_objects(&index(&format!("{YAML}{rival}")), "now");
    let in_a = PortFact { subnet: "a".into(), ..port("b", "10.0.2.5") };
    model.set_ports([port("a", "10.0.1.5"), in_a].into_iter());
    model.set_chassis(Some("n1".into()));
    model.found = before.found.clone();
    model.is_current = true;

    assert_eq!(settle(&mut model), 0);
    assert_eq!(model.survey.home.keys().collect::<Vec<_>>(), ["net1"]);
}
