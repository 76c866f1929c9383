//! What a change costs with 100,000 ports: `cargo test --release -p ovn --test cost -- --ignored --nocapture`.
#![expect(clippy::unwrap_used, reason = "a measurement may panic anywhere")]

use std::collections::BTreeMap;
use std::time::Instant;

use ovn::address::{Mac, PortAddress, Station};
use ovn::cell::Cell;
use ovn::diff::{Scope, diff, diff_owner};
use ovn::nb::{LogicalSwitch, LogicalSwitchPort, PortKind};
use ovn::owner::{Owner, OwnerKind};
use ovn::snapshot::Snapshot;
use ovn::wanted::{Key, Row, Wanted};
use ovsdb::value::{Atom, Uuid, Value};

const SWITCHES: u32 = 100;
const PORTS: u32 = 100_000;

fn port(number: u32) -> LogicalSwitchPort {
    let [_, a, b, c] = number.to_be_bytes();
    let station = Station { mac: Mac::new([2, 0, 0, a, b, c]), ips: vec![[10, a, b, c].into()] };
    LogicalSwitchPort {
        name: format!("pod-{number}.ns"),
        switch: format!("net{}", number % SWITCHES),
        kind: PortKind::Station,
        addresses: vec![PortAddress::Station(station.clone())],
        port_security: vec![station],
        dhcpv4: None,
        dhcpv6: None,
        pod: Some(("ns".into(), format!("pod-{number}"))),
    }
}

fn world() -> Wanted {
    let mut wanted = Wanted::new();
    for number in 0..SWITCHES {
        let name = format!("net{number}");
        wanted
            .want(&Owner::subnet(&name), &LogicalSwitch { name: name.clone(), load_balancers: [].into() })
            .unwrap();
    }
    for number in 0..PORTS {
        wanted.want(&Owner::pod("ns", &format!("pod-{number}")), &port(number)).unwrap();
    }
    wanted
}

/// The rows as a database would hold them.
fn stored(wanted: &Wanted) -> Snapshot {
    let uuid = |number: usize| Uuid((number as u128).to_be_bytes());
    let rows: Vec<&Row> = wanted.rows().collect();
    let mut held: BTreeMap<&Key, Vec<Atom>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        if let Some(place) = &row.place {
            held.entry(&place.parent).or_default().push(Atom::Uuid(uuid(number)));
        }
    }
    let mut snapshot = Snapshot::new();
    for (number, row) in rows.iter().enumerate() {
        let ports = Value::set(held.remove(&row.key).unwrap_or_default());
        let cells = row.columns.iter().filter_map(|(column, cell)| {
            let value = match cell {
                Cell::Whole(value) => value.clone(),
                Cell::Keys(keys) => {
                    Value::map(keys.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?))))
                }
                Cell::WhereKnown(_) | Cell::Refs(_) | Cell::SharedRefs(_) => return None,
            };
            Some(((*column).to_owned(), value))
        });
        let ports = row.key.table.is_root().then(|| ("ports".to_owned(), ports));
        snapshot.put(row.key.table, uuid(number), cells.chain(ports).collect());
    }
    snapshot
}

#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_ports() {
    let timed = |what: &str, start: Instant| println!("{what}: {:?}", start.elapsed());
    let all = Scope::Kinds(OwnerKind::ALL.into());
    let start = Instant::now();
    let wanted = world();
    timed("rows wanted", start);
    let start = Instant::now();
    let change = diff(&wanted, &Snapshot::new(), &all);
    timed("all from nothing", start);
    assert_eq!(change.inserted, wanted.len());
    let start = Instant::now();
    let mut found = stored(&wanted);
    timed("rows made and taken in", start);
    let start = Instant::now();
    assert!(diff(&wanted, &found, &all).is_empty());
    timed("all, nothing to do", start);
    let owner = Owner::pod("ns", "new");
    let mut one = Wanted::new();
    one.want(&owner, &LogicalSwitchPort { name: "new.ns".into(), ..port(7) }).unwrap();
    let start = Instant::now();
    let change = diff_owner(&owner, &one, &found);
    timed("one port", start);
    assert_eq!(change.inserted, 1);
    let (uuid, row) = found.rows().next().map(|(uuid, row)| (uuid, row.clone())).unwrap();
    let start = Instant::now();
    found.put(row.table(), uuid, row.read().0.clone());
    timed("one switch of 1,000 ports taken in again", start);
}
