//! What the planner of the northbound database costs: everything from nothing, and one changed pod. In this process,
//! without a database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::northbound::Model;
use daemon::resources::Index;
use daemon::resources::files::parse_file;
use daemon_api::PodRef;
use ovn::address::Mac;
use ovn::cell::{Cell, FoundColumns};
use ovn::wanted::{Key, Row, Wanted};
use ovsdb::monitor::Change;
use ovsdb::value::{Atom, Uuid, Value};
use ovsdb::view::{Batch, Standing};
use vpc::{Facts, PortFact, Settings, plan};

use crate::compare::lasting;
use crate::samples::Samples;
use crate::table::{AtMost, Table};

const VPCS: usize = 100;
const SUBNETS: usize = 10;
/// This node, in the database.
const CHASSIS: &str = "bench";
const TIME: &str = "2026-01-01T00:00:00Z";
/// Changed pods that are measured.
const CHANGES: usize = 100;

struct Size {
    ports: usize,
    cold: (&'static str, Option<AtMost>),
    one: (&'static str, Option<AtMost>),
    rounds: usize,
}

const SIZES: [Size; 3] = [
    Size {
        ports: 1_000,
        cold: ("1,000 ports, from nothing", None),
        one: ("1,000 ports, one new pod", Some(AtMost(1.0))),
        rounds: 5,
    },
    Size {
        ports: 10_000,
        cold: ("10,000 ports, from nothing", Some(AtMost(1_000.0))),
        one: ("10,000 ports, one new pod", Some(AtMost(1.0))),
        rounds: 3,
    },
    Size {
        ports: 100_000,
        cold: ("100,000 ports, from nothing", Some(AtMost(10_000.0))),
        one: ("100,000 ports, one new pod", Some(AtMost(1.0))),
        rounds: 1,
    },
];

/// Measures and makes the table.
pub(crate) fn table() -> Table {
    let mut samples = Samples::default();
    let index = index();
    for size in &SIZES {
        for _ in 0..size.rounds {
            samples.add(size.cold.0, from_nothing(&index, size.ports));
        }
        changes(&index, size.ports).into_iter().for_each(|took| samples.add(size.one.0, took));
    }
    let title = format!(
        "planning and the smallest change, {VPCS} VPCs with {SUBNETS} subnets each (in memory, one thread)"
    );
    let lines: Vec<_> = SIZES.iter().flat_map(|size| [size.cold, size.one]).collect();
    lasting(&samples, title, &lines)
}

fn from_nothing(index: &Index, ports: usize) -> Duration {
    let ports: Vec<_> = (0..ports).map(port).collect();
    let mut model = model();
    let begin = Instant::now();
    model.set_objects(index, TIME);
    model.set_ports(ports.into_iter());
    model.take_rows(Batch { changes: Vec::new(), standing: Standing::Current });
    let work = model.next(Instant::now());
    let took = begin.elapsed();
    assert!(work.is_some_and(|work| work.change.inserted > VPCS), "nothing was planned");
    took
}

/// New pods, one after the other, in a database that has all the others.
fn changes(index: &Index, ports: usize) -> Vec<Duration> {
    let mut model = model();
    model.set_objects(index, TIME);
    model.set_ports((0..ports).map(port));
    model.take_rows(Batch { changes: stored(&wanted(index, ports)), standing: Standing::Current });
    let nothing = model.next(Instant::now());
    assert!(nothing.is_none_or(|work| work.change.is_empty()), "the stored rows are not the planned ones");
    let one = |number: usize| {
        let (new, pod) = (port(number), PodRef::new("ns", &format!("pod-{number}")));
        let pod = pod.unwrap_or_else(|e| panic!("name a pod: {e}"));
        let begin = Instant::now();
        model.set_pod(&pod, vec![new]);
        let work = model.next(Instant::now());
        let took = begin.elapsed();
        assert_eq!(work.map_or(0, |work| work.change.inserted), 1, "rows for one new pod");
        took
    };
    (ports..ports + CHANGES).map(one).collect()
}

fn model() -> Model {
    let mut model = Model::new(Settings::default());
    model.set_chassis(Some(CHASSIS.to_owned()));
    model
}

fn index() -> Index {
    let mut text = String::new();
    for vpc in 0..VPCS {
        text += &format!("---\napiVersion: kubeovn.io/v1\nkind: Vpc\nmetadata: {{name: vpc-{vpc}}}\n");
        for net in 0..SUBNETS {
            text += &format!(
                "---\napiVersion: kubeovn.io/v1\nkind: Subnet\nmetadata: {{name: net-{vpc}-{net}}}\n\
                 spec: {{vpc: vpc-{vpc}, cidrBlock: 10.{net}.0.0/16, enableDHCP: true}}\n"
            );
        }
    }
    let mut index = Index::default();
    for object in parse_file("bench.yaml", &text).objects {
        index.feed(object).unwrap_or_else(|problem| panic!("{problem:?}"));
    }
    index
}

fn port(number: usize) -> PortFact {
    let (vpc, net, host) = (number % VPCS, number / VPCS % SUBNETS, number / (VPCS * SUBNETS) + 2);
    let [.., a, b, c] = number.to_be_bytes();
    PortFact {
        namespace: "ns".into(),
        pod: format!("pod-{number}"),
        provider: "ovn".into(),
        interface: None,
        subnet: format!("net-{vpc}-{net}"),
        addresses: vec![[10, net.to_be_bytes()[7], host.to_be_bytes()[6], host.to_be_bytes()[7]].into()],
        mac: Mac::new([2, 0, 0, a, b, c]),
        out_of_pod: None,
        port_security: true,
        is_ours: false,
    }
}

/// The same rows as the daemon's own planner wants them.
fn wanted(index: &Index, ports: usize) -> Wanted {
    let mut facts = Facts {
        vpcs: index.vpcs().map(|vpc| (vpc.name().to_owned(), Arc::clone(vpc))).collect(),
        subnets: index.subnets().map(|subnet| (subnet.name().to_owned(), Arc::clone(subnet))).collect(),
        ..Facts::default()
    };
    facts.settings.chassis = Some(CHASSIS.to_owned());
    (0..ports).map(port).for_each(|port| {
        facts.ports.insert(port);
    });
    plan(&facts).wanted
}

/// The rows as a database would tell them.
fn stored(wanted: &Wanted) -> Vec<Change> {
    let uuid = |number: usize| Uuid((number as u128).to_be_bytes());
    let rows: Vec<&Row> = wanted.rows().collect();
    let numbers: BTreeMap<&Key, usize> = rows.iter().enumerate().map(|(n, row)| (&row.key, n)).collect();
    let mut held: BTreeMap<(&Key, &str), Vec<Atom>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        if let Some(place) = &row.place {
            held.entry((&place.parent, place.column)).or_default().push(Atom::Uuid(uuid(number)));
        }
    }
    let references = |keys: &std::collections::BTreeSet<Key>| {
        Value::set(keys.iter().filter_map(|key| numbers.get(key)).map(|n| Atom::Uuid(uuid(*n))))
    };
    let mut changes = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let mut columns = FoundColumns::new();
        for (column, cell) in &row.columns {
            let value = match cell {
                Cell::Whole(value) => value.clone(),
                Cell::Keys(keys) => {
                    Value::map(keys.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?))))
                }
                Cell::Refs(keys) | Cell::SharedRefs(keys) => references(keys),
                Cell::WhereKnown(_) => continue,
            };
            columns.insert((*column).to_owned(), value);
        }
        let of_row = held.range((&row.key, "")..).take_while(|((key, _), _)| *key == &row.key);
        columns.extend(of_row.map(|((_, column), atoms)| ((*column).to_owned(), Value::set(atoms.clone()))));
        let table = Arc::from(row.key.table.name());
        changes.push(Change { table, uuid: uuid(number), row: Some(Arc::new(columns)) });
    }
    changes
}
