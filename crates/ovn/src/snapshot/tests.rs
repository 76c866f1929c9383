use ovsdb::value::Value;

use super::*;

fn uuid(number: u8) -> Uuid {
    Uuid([number; 16])
}

fn switch(ports: &[u8]) -> FoundColumns {
    let ports = Value::set(ports.iter().map(|number| uuid(*number)));
    FoundColumns::from([("name".to_owned(), "net1".into()), ("ports".to_owned(), ports)])
}

fn port(name: &str, addresses: &[&str], chassis: &str) -> FoundColumns {
    let ids =
        Value::map([("vendor", "kube-ovn"), (crate::owner::OWNER_KEY, "pod/ns/a"), (CHASSIS_KEY, chassis)]);
    FoundColumns::from([
        ("name".to_owned(), name.into()),
        ("addresses".to_owned(), Value::set(addresses.iter().copied())),
        ("external_ids".to_owned(), ids),
    ])
}

#[test]
fn an_address_leads_to_the_ports_of_its_switch_that_have_it() {
    let mut snapshot = Snapshot::new();
    let ip: IpAddr = "10.0.1.5".parse().unwrap();
    let found = |snapshot: &Snapshot| snapshot.addressed(uuid(1), ip).collect::<Vec<_>>();
    snapshot.put(Table::LogicalSwitchPort, uuid(2), port("a", &["02:00:00:00:00:02 10.0.1.5 fd00::5"], "n1"));
    snapshot.put(Table::LogicalSwitchPort, uuid(3), port("b", &["unknown", "dynamic 10.0.1.5"], "n2"));
    assert_eq!(found(&snapshot), []);

    snapshot.put(Table::LogicalSwitch, uuid(1), switch(&[2, 3]));
    assert_eq!(found(&snapshot), [uuid(2), uuid(3)]);
    snapshot.put(Table::LogicalSwitchPort, uuid(2), port("a", &["02:00:00:00:00:02 10.0.1.6"], "n1"));
    assert_eq!(found(&snapshot), [uuid(3)]);
    snapshot.put(Table::LogicalSwitch, uuid(1), switch(&[2]));
    assert_eq!(found(&snapshot), []);
    snapshot.remove(uuid(2));
    assert!(snapshot.addressed.is_empty());
}

#[test]
fn what_another_node_keeps_is_foreign_to_a_node_and_owned_to_whoever_sees_all() {
    let standing = |mut snapshot: Snapshot| {
        snapshot.put(Table::LogicalSwitchPort, uuid(2), port("a", &[], "n1"));
        snapshot.row(uuid(2)).unwrap().standing().clone()
    };

    assert_eq!(standing(Snapshot::on("n1")), Standing::Owned(Owner::pod("ns", "a")));
    assert_eq!(standing(Snapshot::on("n2")), Standing::Foreign);
    assert_eq!(standing(Snapshot::new()), Standing::Owned(Owner::pod("ns", "a")));
}
