//! An address of the subnet that a machine outside already uses.

use serde_json::json;
use tests::cni;
use tests::daemon::Daemon;
use tests::{ledger, witness};

use crate::{add, del, guide, own, with_subnet};

#[test]
fn an_address_that_the_outside_uses_is_set_aside_and_the_next_one_given() {
    let Some(lab) = guide() else { return };
    lab.outside.add_address("192.168.0.11/24");
    let daemon = Daemon::start(&lab, &[]);
    let (own_pod, delegated_pod) = (lab.pod("p1"), lab.pod("p2"));

    let result = add(&own(&lab, json!({})), &own_pod, "p1").run(&lab).ok();

    assert_eq!(cni::addresses(&result), ["192.168.0.12/24"]);
    assert_eq!(witness::addresses(&own_pod, "net1"), ["192.168.0.12/24"]);
    let findings = ledger::findings(&lab);
    assert!(findings.len() == 1 && findings[0].contains("192.168.0.11"), "{findings:?}");
    assert_eq!(daemon.metric("address_conflicts_total"), Some(1.0));
    lab.outside.add_address("192.168.0.13/24");
    let nad = cni::guide_nad(&lab.socket());
    assert_eq!(add(&nad, &delegated_pod, "p2").run(&lab).addresses(), ["192.168.0.14/24"]);
    assert_eq!(daemon.metric("address_conflicts_total"), Some(2.0));
    assert_eq!(ledger::held(&lab), ["192.168.0.12", "192.168.0.14"]);
}

#[test]
fn an_ipv6_address_that_the_outside_uses_is_set_aside_too() {
    let spec = json!({
        "protocol": "IPv6", "cidrBlock": "fd00:192:168::/64", "gateway": "fd00:192:168::1",
        "excludeIps": ["fd00:192:168::1..fd00:192:168::f"]
    });
    let Some(lab) = with_subnet(spec) else { return };
    lab.outside.add_address("fd00:192:168::10/64");
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    assert_eq!(add(&own(&lab, json!({})), &pod, "p1").run(&lab).addresses(), ["fd00:192:168::11/64"]);

    let findings = ledger::findings(&lab);
    assert!(findings.len() == 1 && findings[0].contains("fd00:192:168::10"), "{findings:?}");
}

#[test]
fn an_address_asked_for_that_the_outside_uses_is_refused_with_its_mac() {
    let Some(lab) = guide() else { return };
    lab.outside.add_address("192.168.0.20/24");
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let outside = witness::link(&lab.outside, lab.outside.interface()).unwrap();
    let asked = json!({"runtimeConfig": {"ips": ["192.168.0.20/24"]}});
    let add = add(&own(&lab, asked), &pod, "p1");

    let error = add.run(&lab).error();

    assert_eq!(error["code"], 105);
    assert!(error["msg"].as_str().unwrap().contains(outside["address"].as_str().unwrap()), "{error}");
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    assert_eq!(ledger::held(&lab), Vec::<String>::new());
    del(&add).run(&lab).ok();
}

#[test]
fn nobody_is_asked_when_the_probe_is_switched_off() {
    let Some(lab) = guide() else { return };
    lab.outside.add_address("192.168.0.11/24");
    let daemon = Daemon::start(&lab, &["--enable-arp-detect-ip-conflict=false"]);
    let pod = lab.pod("p1");

    assert_eq!(add(&own(&lab, json!({})), &pod, "p1").run(&lab).addresses(), ["192.168.0.11/24"]);

    assert_eq!(daemon.metric("address_conflicts_total"), Some(0.0));
    ledger::assert_sound(&lab);
}

#[test]
fn a_subnet_whose_addresses_are_all_used_outside_is_told_from_an_unlucky_one() {
    let Some(lab) = guide() else { return };
    for last in 11..=18 {
        lab.outside.add_address(&format!("192.168.0.{last}/24"));
    }
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    let error = add(&own(&lab, json!({})), &pod, "p1").run(&lab).error();

    assert_eq!(error["code"], 102, "{error}");
    assert_eq!(ledger::held(&lab), Vec::<String>::new());
    assert_eq!(ledger::findings(&lab).len(), 8);
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
}
