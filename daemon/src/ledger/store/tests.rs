use daemon_api::{ContainerId, IfName, NetnsPath, PodRef, Provider};
use ipam::{SubnetSpec, Workload};

use super::*;
use crate::ledger::{ClaimId, Link, Owner, PortTraits, Sandbox};

fn claim(id: u64, address: &str) -> Claim {
    Claim {
        id: ClaimId(id),
        owner: Owner {
            pod: PodRef::new("ns", "p").unwrap(),
            uid: "u".into(),
            provider: Provider::new("x.ns").unwrap(),
            interface: IfName::new("eth0").unwrap(),
        },
        workload: Workload::StatefulSet { ordinal: 3 },
        sandbox: Some(Sandbox {
            container: ContainerId::new("c").unwrap(),
            netns: NetnsPath::new("/run/netns/c").unwrap(),
            netns_id: (4, 5),
        }),
        network: "net".into(),
        subnet: "s".into(),
        segment: Segment("provider/x.ns".into()),
        addresses: vec![address.parse().unwrap(), "fd00::5".parse().unwrap()],
        mac: Some("02:00:00:00:00:01".parse().unwrap()),
        link: Link::Macvlan,
        port: PortTraits::default(),
        revision: 9,
        since: 7,
    }
}

fn open(folder: &tempfile::TempDir) -> Opened {
    Store::open(&folder.path().join("ledger.redb")).unwrap()
}

#[test]
fn claims_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let written = claim(1, "10.0.0.5");
    open(&folder).store.write(&[Change::Put(written.clone())]).unwrap();

    let opened = open(&folder);

    assert_eq!(opened.store.claims().unwrap(), [written]);
    assert_eq!(opened.set_aside, None);
}

#[test]
fn a_second_owner_of_an_address_cannot_be_written_and_nothing_of_its_batch_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).store;
    store.write(&[Change::Put(claim(1, "10.0.0.5"))]).unwrap();
    let mut other = claim(2, "10.0.0.9");
    other.addresses.truncate(1);
    let mut thief = claim(3, "10.0.0.5");
    thief.addresses.truncate(1);

    let refused = store.write(&[Change::Put(other), Change::Put(thief)]);

    assert!(matches!(refused, Err(LedgerError::Double { held_by: 1, .. })), "{refused:?}");
    assert_eq!(store.claims().unwrap(), [claim(1, "10.0.0.5")]);
}

#[test]
fn freed_addresses_are_given_last_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).store;
    for (id, address) in [(1, "10.0.0.2"), (2, "10.0.0.3")] {
        let mut once = claim(id, address);
        once.addresses.truncate(1);
        store.write(&[Change::Put(once.clone())]).unwrap();
        store.write(&[Change::Remove(once)]).unwrap();
    }
    drop(store);

    let spec = SubnetSpec::parse("s", "10.0.0.0/29", "", &[]).unwrap();
    let book = open(&folder)
        .store
        .book(vec![Served { spec: spec.clone(), segment: Segment("provider/x.ns".into()) }])
        .unwrap();

    let pick = book.subnet("s").unwrap().pick(&ipam::Request::any_for(&spec)).unwrap();
    assert_eq!(pick.addresses().to_string(), "10.0.0.4");
}

#[test]
fn a_damaged_file_is_kept_aside_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.redb");
    std::fs::write(&path, vec![0x5a; 4096]).unwrap();

    let opened = Store::open(&path).unwrap();

    let aside = opened.set_aside.unwrap();
    assert_eq!(std::fs::read(aside).unwrap(), vec![0x5a; 4096]);
    assert_eq!(opened.store.claims().unwrap(), []);
}

#[test]
fn a_file_that_is_opened_again_says_what_was_written_and_one_that_vanished_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder).store;
    store.write(&[Change::Put(claim(1, "10.0.0.5"))]).unwrap();

    store.reopen().unwrap();
    assert_eq!(store.claims().unwrap(), [claim(1, "10.0.0.5")]);

    std::fs::remove_file(folder.path().join("ledger.redb")).unwrap();
    assert!(matches!(store.reopen(), Err(LedgerError::Store { .. })));
    assert!(matches!(store.write(&[Change::Put(claim(2, "10.0.0.6"))]), Err(LedgerError::Store { .. })));
    assert!(matches!(store.touch(), Err(LedgerError::Store { .. })));
}

#[test]
fn a_second_process_is_refused_without_harm() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&folder).store;

    let second = Store::open(&folder.path().join("ledger.redb"));

    assert!(matches!(second, Err(LedgerError::Store { .. })));
    first.write(&[Change::Put(claim(1, "10.0.0.5"))]).unwrap();
}
