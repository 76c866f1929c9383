//! containerd and podman as callers: what they pass, and that what we answer serves them.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::collections::BTreeSet;

use serde_json::Value;
use tests::cni;
use tests::daemon::Daemon;
use tests::lab::{Lab, UPLINK};
use tests::runtime::{Containerd, Pod, Podman};
use tests::skip::{Requirement, needs_all};
use tests::witness;

#[test]
fn harness_runs_a_sandbox_with_reference_plugins() {
    if !can_run(Requirement::Containerd) {
        return;
    }
    let lab = Lab::new();
    containerd_runs_a_sandbox(&lab, &cni::conflist(&cni::reference_macvlan(&lab)), "192.168.0.100");
}

#[test]
fn harness_runs_a_podman_container_with_reference_plugins() {
    if !can_run(Requirement::Podman) {
        return;
    }
    let lab = Lab::new();
    podman_runs_a_container(&lab, &cni::conflist(&cni::reference_macvlan(&lab)), "192.168.0.100");
}

#[test]
fn harness_runs_many_sandboxes_at_once_with_reference_plugins() {
    if !can_run(Requirement::Containerd) {
        return;
    }
    let lab = Lab::new();
    containerd_runs_many_sandboxes_at_once(&lab, &cni::conflist(&cni::reference_macvlan(&lab)), 8);
}

#[test]
fn harness_hands_on_what_a_failing_plugin_says() {
    if !can_run(Requirement::Containerd) {
        return;
    }
    let lab = Lab::new();
    let mut broken = cni::reference_macvlan(&lab);
    broken["master"] = "no-such-link".into();
    let containerd = Containerd::start(
        &lab,
        &[("good", cni::conflist(&cni::reference_macvlan(&lab))), ("broken", cni::conflist(&broken))],
    );

    let refused = containerd.run(&Pod::new("p1").handler("broken")).unwrap_err();

    assert!(refused.message.contains("Link not found"), "{refused:?}");
    assert!(containerd.run(&Pod::new("p1")).is_ok(), "the other network still works");
}

#[test]
fn containerd_runs_our_own_macvlan() {
    if !can_run(Requirement::Containerd) {
        return;
    }
    let (lab, list) = ours(cni::own_macvlan);
    let _daemon = Daemon::start(&lab, &[]);

    containerd_runs_a_sandbox(&lab, &list, FIRST);

    assert_eq!(held(&lab), Vec::<String>::new());
}

#[test]
fn containerd_runs_the_reference_macvlan_with_our_addresses() {
    if !can_run(Requirement::Containerd) {
        return;
    }
    let (lab, list) = ours(cni::guide_nad);
    let _daemon = Daemon::start(&lab, &[]);

    containerd_runs_a_sandbox(&lab, &list, FIRST);

    assert_eq!(held(&lab), Vec::<String>::new());
}

#[test]
fn containerd_runs_twenty_sandboxes_at_once() {
    if !can_run(Requirement::Containerd) {
        return;
    }
    let (lab, list) = ours(cni::own_macvlan);
    let _daemon = Daemon::start(&lab, &[]);

    containerd_runs_many_sandboxes_at_once(&lab, &list, 20);

    assert_eq!(held(&lab), Vec::<String>::new());
}

#[test]
fn pod_annotations_reach_us_through_containerd_without_an_api_server() {
    if !can_run(Requirement::Containerd) {
        return;
    }
    let (lab, list) = ours(cni::own_macvlan);
    let _daemon = Daemon::start(&lab, &[]);
    let containerd = Containerd::start(&lab, &[("net", list)]);
    let pod = Pod::new("fixed")
        .annotation("ovn.kubernetes.io/ip_address", "192.168.0.77")
        .annotation("ovn.kubernetes.io/mac_address", "02:00:00:00:00:77");

    let sandbox = containerd.run(&pod).unwrap();
    let refused =
        containerd.run(&Pod::new("thief").annotation("ovn.kubernetes.io/ip_address", "192.168.0.77"));

    assert_eq!(sandbox.ips, ["192.168.0.77"]);
    assert!(witness::ping(&lab.outside, "192.168.0.77"));
    let message = refused.unwrap_err().message;
    assert!(message.contains("is held by pod default/fixed"), "{message}");
    assert_eq!(held(&lab), ["192.168.0.77"]);
    containerd.remove(&sandbox.id).unwrap();
    assert_eq!(held(&lab), Vec::<String>::new());
}

#[test]
fn podman_runs_our_own_macvlan_at_an_address_of_its_choice() {
    if !can_run(Requirement::Podman) {
        return;
    }
    let (lab, list) = ours(cni::own_macvlan);
    let _daemon = Daemon::start(&lab, &[]);
    let podman = Podman::new(&lab, std::slice::from_ref(&list));
    let network = list["name"].as_str().unwrap();

    let run = podman.run("c1", network, &["--ip", "192.168.0.55"]);

    assert!(run.status.success(), "{}", run.stderr);
    assert_eq!(held(&lab), ["192.168.0.55"]);
    assert!(witness::ping(&lab.outside, "192.168.0.55"));
    let reload = podman.command(&["network", "reload", "c1"]);
    assert!(reload.status.success(), "{}", reload.stderr);
    assert_eq!(held(&lab), ["192.168.0.55"], "DEL and ADD in the same namespace");
    assert!(witness::ping(&lab.outside, "192.168.0.55"));
    assert!(podman.remove("c1").status.success());
    assert_eq!(held(&lab), Vec::<String>::new());
}

#[test]
fn podman_runs_the_reference_macvlan_with_our_addresses() {
    if !can_run(Requirement::Podman) {
        return;
    }
    let (lab, list) = ours(cni::guide_nad);
    let _daemon = Daemon::start(&lab, &[]);

    podman_runs_a_container(&lab, &list, FIRST);

    assert_eq!(held(&lab), Vec::<String>::new());
}

/// The first address of the guide's external network.
const FIRST: &str = "192.168.0.11";

const GUIDE_SUBNET: &str = include_str!("../manifests/examples/external-network.yaml");

/// A lab with the guide's Subnet, and one of our networks as a list that takes pod annotations and asked addresses.
fn ours(conf: fn(&std::path::Path) -> Value) -> (Lab, Value) {
    let lab = Lab::new();
    lab.write_object("guide.yaml", GUIDE_SUBNET);
    let mut plugin = conf(&lab.socket());
    // containerd and podman of Debian 12 speak up to 1.0.0.
    plugin["cniVersion"] = "1.0.0".into();
    plugin["capabilities"] = serde_json::json!({"ips": true, "io.kubernetes.cri.pod-annotations": true});
    (lab, cni::conflist(&plugin))
}

/// The addresses that the ledger has.
fn held(lab: &Lab) -> Vec<String> {
    let list = witness::vpcctl_json(lab, "get ip");
    let addresses =
        list["items"].as_array().unwrap().iter().map(|i| i["spec"]["ipAddress"].as_str().unwrap());
    addresses.map(str::to_owned).collect()
}

fn can_run(runtime: Requirement) -> bool {
    needs_all(&[Requirement::Root, Requirement::ReferencePlugins, Requirement::Macvlan, runtime])
}

/// A sandbox gets `address`, is reached from the outside, and leaves nothing behind.
fn containerd_runs_a_sandbox(lab: &Lab, conflist: &Value, address: &str) {
    let containerd = Containerd::start(lab, &[("net", conflist.clone())]);

    let sandbox = containerd.run(&Pod::new("p1")).unwrap();

    assert_eq!((sandbox.ready, sandbox.ips.as_slice()), (true, [address.to_owned()].as_slice()));
    assert!(witness::ping(&lab.outside, address));
    containerd.cri().stop(&sandbox.id).unwrap();
    // The kubelet asks again: a DEL without CNI_NETNS of something that is gone.
    containerd.remove(&sandbox.id).unwrap();
    assert_eq!(containerd.cri().list().unwrap(), Vec::<String>::new());
    assert_eq!(witness::link_names(&lab.node), [UPLINK]);
    assert!(!std::path::Path::new(sandbox.netns().unwrap()).exists());
}

/// Every sandbox gets an address of its own, and nothing is left behind.
fn containerd_runs_many_sandboxes_at_once(lab: &Lab, conflist: &Value, count: usize) {
    let containerd = Containerd::start(lab, &[("net", conflist.clone())]);

    let sandboxes: Vec<_> = std::thread::scope(|scope| {
        let run = |i| containerd.run(&Pod::new(&format!("p{i}"))).unwrap();
        let threads: Vec<_> = (0..count).map(|i| scope.spawn(move || run(i))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });

    let addresses: BTreeSet<_> = sandboxes.iter().flat_map(|s| &s.ips).collect();
    assert_eq!(addresses.len(), count, "{addresses:?}");
    std::thread::scope(|scope| {
        for sandbox in &sandboxes {
            scope.spawn(|| containerd.remove(&sandbox.id).unwrap());
        }
    });
    assert_eq!(witness::link_names(&lab.node), [UPLINK]);
}

/// A container gets `address`, is reached from the outside, and leaves nothing behind.
fn podman_runs_a_container(lab: &Lab, conflist: &Value, address: &str) {
    let network = conflist["name"].as_str().unwrap();
    let podman = Podman::new(lab, std::slice::from_ref(conflist));

    let run = podman.run("c1", network, &[]);

    assert!(run.status.success(), "{}", run.stderr);
    let settings = podman.inspect("c1");
    assert_eq!(settings["NetworkSettings"]["Networks"][network]["IPAddress"], address);
    assert!(witness::ping(&lab.outside, address));
    let removed = podman.remove("c1");
    assert!(removed.status.success(), "{}", removed.stderr);
    assert_eq!(witness::link_names(&lab.node), [UPLINK]);
}
