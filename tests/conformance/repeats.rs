//! Checklist 21, 24, 25, 37: an ADD that is repeated, many at once, and the sandboxes of one pod after each other.

use std::collections::BTreeSet;
use std::thread;

use serde_json::json;
use tests::daemon::Daemon;
use tests::{cni, ledger, witness};

use crate::{add, del, guide, own};

#[test]
fn kube_ovn_1_17_0_a_second_add_of_a_running_sandbox_leaves_its_network_alone() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let add = add(&own(&lab, json!({})), &pod, "p1").ifname("eth0");
    let first = add.run(&lab).ok();
    let before = witness::links(&pod);

    assert_eq!(add.run(&lab).ok(), first);

    assert_eq!(witness::links(&pod), before, "the same device, not a new one");
    assert!(witness::ping(&pod, "192.168.0.1"));
    ledger::assert_sound(&lab);
}

#[test]
fn kube_ovn_1_17_0_two_adds_of_one_sandbox_at_once_agree() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let add = add(&own(&lab, json!({})), &pod, "p1");

    let results: Vec<_> = thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| add.run(&lab).ok())).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });

    assert!(results.iter().all(|r| *r == results[0]), "{results:?}");
    assert_eq!(witness::addresses(&pod, "net1"), cni::addresses(&results[0]));
    assert_eq!(ledger::held(&lab).len(), 1);
    ledger::assert_sound(&lab);
}

#[test]
fn kube_ovn_1_17_0_a_short_container_id_and_a_long_interface_name_are_as_good_as_any() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    for (container, ifname) in
        [("abc", "net1"), ("a", "a23456789012345"), (&*"f".repeat(64), "a23456789012345")]
    {
        let add = add(&own(&lab, json!({})), &pod, "p1").container(container).ifname(ifname);
        let result = add.run(&lab).ok();
        assert_eq!(witness::addresses(&pod, ifname), cni::addresses(&result), "{container} {ifname}");

        assert_eq!(del(&add).run(&lab).ok(), serde_json::Value::Null, "{container} {ifname}");

        assert_eq!(witness::link_names(&pod), Vec::<String>::new());
        ledger::assert_empty(&lab);
    }
}

#[test]
fn many_sandboxes_at_once_get_addresses_of_their_own() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pods: Vec<_> = (0..8).map(|i| lab.pod(&format!("p{i}"))).collect();
    let adds: Vec<_> = pods
        .iter()
        .enumerate()
        .map(|(i, pod)| match i % 2 {
            0 => add(&own(&lab, json!({})), pod, &format!("p{i}")),
            _ => add(&cni::guide_nad(&lab.socket()), pod, &format!("p{i}")),
        })
        .collect();

    let given: BTreeSet<_> = thread::scope(|scope| {
        let calls: Vec<_> = adds.iter().map(|add| scope.spawn(|| add.run(&lab).addresses())).collect();
        calls.into_iter().flat_map(|call| call.join().unwrap()).collect()
    });

    assert_eq!(given.len(), pods.len(), "{given:?}");
    for pod in &pods {
        assert!(given.contains(&witness::addresses(pod, "net1")[0]));
    }
    ledger::assert_sound(&lab);
    thread::scope(|scope| adds.iter().for_each(|add| drop(scope.spawn(|| del(add).run(&lab).ok()))));
    ledger::assert_empty(&lab);
}

#[test]
fn k6420_w75_a_new_sandbox_of_a_pod_takes_its_address_over_and_the_old_ones_del_is_late() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    for (conf, name, keeps) in
        [(own(&lab, json!({})), "p1", false), (cni::guide_nad(&lab.socket()), "p2", true)]
    {
        let (old, new) = (lab.pod(&format!("{name}-old")), lab.pod(&format!("{name}-new")));
        let of_old = add(&conf, &old, name).container("sandbox-1");
        // The kubelet tries again with a new container id and the same pod.
        let of_new = add(&conf, &new, name).container("sandbox-2");
        let given = of_old.run(&lab).addresses();
        let held = ledger::held(&lab);

        assert_eq!(of_new.run(&lab).addresses(), given, "{name}");

        assert_eq!(witness::link(&old, "net1").is_some(), keeps, "what we made there is gone");
        del(&of_old).run(&lab).ok();
        assert_eq!(ledger::held(&lab), held, "{name}: the late DEL frees nothing");
        assert_eq!(witness::addresses(&new, "net1"), given, "{name}");
        assert!(witness::ping(&lab.outside, &held[held.len() - 1]), "{name}");
        del(&of_new).run(&lab).ok();
        ledger::assert_empty(&lab);
    }
}

#[test]
fn one_pod_may_have_the_network_twice() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));
    let calls = ["net1", "net2"].map(|ifname| add(&conf, &pod, "p1").ifname(ifname));

    let given = calls.each_ref().map(|call| call.run(&lab).addresses());

    assert_ne!(given[0], given[1]);
    assert_eq!([witness::addresses(&pod, "net1"), witness::addresses(&pod, "net2")], given);
    del(&calls[0]).run(&lab).ok();
    assert_eq!(witness::link_names(&pod), ["net2"], "a DEL is for one interface");
    ledger::assert_sound(&lab);
}
