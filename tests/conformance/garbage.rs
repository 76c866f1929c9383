//! Checklist 49 to 53: GC frees what the runtime does not list, and nothing else.

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::{ledger, witness};

use crate::{add, guide, merged, own};

fn network(lab: &Lab, name: &str) -> Value {
    own(lab, json!({"cniVersion": "1.1.0", "name": name}))
}

#[test]
fn gc_frees_what_is_not_listed_of_this_network_only() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let (ours, other) = (network(&lab, "ours"), network(&lab, "other"));
    let pods = [lab.pod("p1"), lab.pod("p2"), lab.pod("p3")];
    for (conf, pod, name) in [(&ours, &pods[0], "p1"), (&ours, &pods[1], "p2"), (&other, &pods[2], "p3")] {
        add(conf, pod, name).run(&lab).ok();
    }
    // Two interfaces of one container: a list names container and interface.
    add(&ours, &pods[0], "p1").ifname("net2").run(&lab).ok();

    assert_eq!(Call::gc(&ours, &[("p1", "net1")]).run(&lab).ok(), Value::Null);

    assert_eq!(ledger::held(&lab), ["192.168.0.11", "192.168.0.13"]);
    assert_eq!(witness::link_names(&pods[0]), ["net1"]);
    assert_eq!(witness::link_names(&pods[1]), Vec::<String>::new());
    assert_eq!(witness::link_names(&pods[2]), ["net1"]);
    ledger::assert_sound(&lab);
    Call::gc(&ours, &[("p1", "net1")]).run(&lab).ok();
    assert_eq!(ledger::held(&lab).len(), 2, "twice is once");
}

#[test]
fn gc_with_an_empty_list_frees_only_what_no_living_sandbox_holds() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let conf = network(&lab, "ours");
    let (living, gone) = (lab.pod("p1"), lab.pod("p2"));
    add(&conf, &living, "p1").run(&lab).ok();
    add(&conf, &gone, "p2").run(&lab).ok();
    drop(gone);

    Call::gc(&conf, &[]).run(&lab).ok();

    assert_eq!(ledger::held(&lab), ["192.168.0.11"]);
    assert_eq!(witness::link_names(&living), ["net1"]);
    ledger::assert_sound(&lab);
}

#[test]
fn gc_without_its_list_is_refused() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let conf = network(&lab, "ours");
    let pod = lab.pod("p1");
    add(&conf, &pod, "p1").run(&lab).ok();

    for keys in [json!({}), json!({"cni.dev/valid-attachments": null})] {
        let error = Call::new("GC", &merged(conf.clone(), keys)).container("").ifname("").run(&lab).error();
        assert_eq!(error["code"], 7);
        assert!(error["details"].as_str().unwrap().contains("cni.dev/valid-attachments"), "{error}");
    }
    assert_eq!(ledger::held(&lab).len(), 1);
}

#[test]
fn gc_of_the_guides_network_frees_addresses_that_its_plugin_forgot() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let nad = merged(cni::guide_nad(&lab.socket()), json!({"cniVersion": "1.1.0"}));
    let old = cni::guide_nad(&lab.socket());
    let pods = [lab.pod("p1"), lab.pod("p2")];
    add(&old, &pods[0], "p1").run(&lab).ok();
    add(&old, &pods[1], "p2").run(&lab).ok();

    // As macvlan forwards it to its address plugin.
    Call::gc(&nad, &[("p1", "net1")]).plugin("kube-ovn").run(&lab).ok();

    assert_eq!(ledger::held(&lab), ["192.168.0.11"]);
}

#[test]
fn w207_gc_that_races_with_adds_leaves_no_half_of_one() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let conf = network(&lab, "ours");
    let pods: Vec<_> = (0..6).map(|i| lab.pod(&format!("p{i}"))).collect();
    add(&conf, &pods[0], "p0").run(&lab).ok();
    let list = [("p0", "net1")];

    // The list was taken before these. The specification forbids it; a pod may then lose all, never a part.
    std::thread::scope(|scope| {
        let adds: Vec<_> = (1..6)
            .map(|i| {
                let (lab, conf, pod) = (&lab, &conf, &pods[i]);
                scope.spawn(move || add(conf, pod, &format!("p{i}")).run(lab).addresses())
            })
            .collect();
        for _ in 0..4 {
            Call::gc(&conf, &list).run(&lab).ok();
        }
        adds.into_iter().for_each(|a| assert_eq!(a.join().unwrap().len(), 1));
    });

    assert_eq!(witness::link_names(&pods[0]), ["net1"]);
    // Whole or not at all: an address in the ledger is on an interface, and no interface is without one.
    ledger::assert_sound(&lab);
    let held: usize = ledger::held(&lab).len();
    let linked = pods.iter().filter(|pod| witness::link(pod, "net1").is_some()).count();
    assert_eq!(held, linked);
}
