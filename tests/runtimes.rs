//! containerd and podman as callers: what they pass, and that what we answer serves them.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::collections::BTreeSet;

use serde_json::Value;
use tests::cni;
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
