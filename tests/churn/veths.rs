//! Veths of OVN that come and go at the same time.

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::ovn::Ovn;
use tests::skip::{Requirement, needs_all};
use tests::{ledger, objects, traffic, wait, witness};

use crate::{PATIENCE, add, at_once, del};

/// The gateway of the Subnet, which a router of OVN answers for.
const GATEWAY: &str = "10.0.1.1";

/// A lab with one Subnet of a Vpc, 10.0.1.0; `None`, and a word about it, on a machine that cannot do it.
pub(crate) fn lab_with(prefix_length: u8) -> Option<Lab> {
    if !needs_all(&[Requirement::Root, Requirement::Ovn]) {
        return None;
    }
    let lab = Lab::new();
    let spec = json!({"vpc": "v1", "cidrBlock": format!("10.0.1.0/{prefix_length}"), "gateway": GATEWAY});
    lab.write_object("v1.yaml", &objects::vpc("v1", &json!({})));
    lab.write_object("net1.yaml", &objects::subnet("net1", &spec));
    Some(lab)
}

/// Asserts that every one of these sandboxes reaches its gateway.
#[track_caller]
pub(crate) fn assert_reached(sandboxes: &[&Netns]) {
    thread::scope(|scope| {
        for sandbox in sandboxes {
            scope.spawn(|| assert!(witness::ping(sandbox, GATEWAY), "{}", sandbox.name()));
        }
    });
}

/// How many switch ports of pods the northbound database has.
#[track_caller]
pub(crate) fn switch_ports(ovn: &Ovn) -> usize {
    let names = ovn.nb(&["--bare", "--columns=name", "find", "Logical_Switch_Port", "type=\"\""]);
    names.split_whitespace().count()
}

#[test]
fn twenty_veths_at_once_have_an_address_and_a_port_each() {
    let Some(lab) = lab_with(24) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let names: Vec<_> = (0..20).map(|number| format!("p{number}")).collect();
    let pods: Vec<_> = names.iter().map(|name| lab.pod(name)).collect();
    let adds: Vec<_> = pods.iter().zip(&names).map(|(pod, name)| add(&node.conf(), pod, name)).collect();

    let given: Vec<_> = at_once(&lab, &adds).into_iter().flat_map(|answer| answer.addresses()).collect();

    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 20, "{given:?}");
    for (pod, address) in pods.iter().zip(&given) {
        assert_eq!(witness::addresses(pod, "net1"), [address.as_str()]);
    }
    assert_reached(&pods.iter().collect::<Vec<_>>());
    traffic::assert_ping(&pods[0], given[19].trim_end_matches("/24"));
    assert_eq!((node.ports().len(), switch_ports(&ovn), ledger::held(&lab).len()), (20, 20, 20));
    ledger::assert_sound(&lab);

    let dels: Vec<_> = adds.iter().map(del).collect();
    at_once(&lab, &dels).into_iter().for_each(|answer| drop(answer.ok()));

    assert!(pods.iter().all(|pod| witness::link_names(pod).is_empty()));
    node.assert_empty();
    wait::until("the switch ports to go", PATIENCE, || (switch_ports(&ovn) == 0).then_some(()));
}

#[test]
fn calls_about_a_veth_that_overlap_leave_all_of_it_or_nothing() {
    let Some(lab) = lab_with(24) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pods: Vec<_> = (0..6).map(|number| lab.pod(&format!("p{number}"))).collect();
    let adds: Vec<_> = (0..6).map(|i| add(&node.conf(), &pods[i], &format!("p{i}"))).collect();
    let calls: Vec<_> = adds.iter().flat_map(|add| [add.clone(), del(add)]).collect();
    for _ in 0..3 {
        for answer in at_once(&lab, &calls) {
            let is_overtaken = answer.done.text().contains("a DEL of this interface came after this ADD");
            assert!(answer.done.success() || is_overtaken, "{:?}", answer.done);
        }

        let linked: Vec<_> = pods.iter().filter(|pod| witness::link(pod, "net1").is_some()).collect();
        assert_eq!((node.ports().len(), ledger::held(&lab).len()), (linked.len(), linked.len()));
        assert_reached(&linked);
        ledger::assert_sound(&lab);
    }
    let again: Vec<_> = adds.iter().flat_map(|add| vec![del(add); 3]).collect();
    at_once(&lab, &again).into_iter().for_each(|answer| assert_eq!(answer.ok(), Value::Null));
    assert!(pods.iter().all(|pod| witness::link_names(pod).is_empty()));
    node.assert_empty();
}

#[test]
fn an_exactly_full_subnet_of_ovn_gives_the_address_that_was_freed() {
    let Some(lab) = lab_with(29) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let names = ["p0", "p1", "p2", "p3", "p4", "late"];
    let pods = names.map(|name| lab.pod(name));
    let adds: Vec<_> = (0..6).map(|i| add(&node.conf(), &pods[i], names[i])).collect();
    at_once(&lab, &adds[..5]).into_iter().for_each(|answer| drop(answer.ok()));

    let refused = adds[5].run(&lab).error();

    assert_eq!(refused["code"], 102, "{refused}");
    assert_eq!(witness::link_names(&pods[5]), Vec::<String>::new());
    assert_eq!((node.ports().len(), switch_ports(&ovn)), (5, 5));
    let freed = witness::addresses(&pods[2], "net1");
    del(&adds[2]).run(&lab).ok();
    assert_eq!(adds[5].run(&lab).addresses(), freed);
    traffic::assert_ping(&pods[5], GATEWAY);
    assert_eq!((node.ports().len(), ledger::held(&lab).len()), (5, 5));
    at_once(&lab, &adds.iter().map(del).collect::<Vec<_>>()).into_iter().for_each(|a| drop(a.ok()));
    node.assert_empty();
}
