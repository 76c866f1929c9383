//! Pods come and go: what is carried is what is there.

use std::thread;

use serde_json::Value;
use tests::lab::Lab;
use tests::wait;

use crate::kubelet::{Verdict, assert_probe, assert_shut};
use crate::lab;
use crate::stage::{CLOSED, PATIENCE, Pod, Stage};

const PODS: usize = 30;

/// How many elements all sets and maps of nftables have, and how many chains are a pod's.
#[track_caller]
fn held(lab: &Lab) -> (usize, usize) {
    let told: Value = serde_json::from_str(&lab.node.must("nft -j list ruleset")).unwrap();
    let all = told["nftables"].as_array().unwrap();
    let elements = |kind: &str| -> usize {
        let sets = all.iter().filter_map(|item| item[kind]["elem"].as_array());
        sets.map(Vec::len).sum()
    };
    let chains = all.iter().filter_map(|item| item["chain"]["name"].as_str());
    (elements("set") + elements("map"), chains.filter(|name| name.starts_with("pod-")).count())
}

#[test]
fn thirty_pods_that_come_and_go_at_once_are_probed_and_leave_nothing() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let empty = held(&lab);
    let add = |number: usize| stage.pod(&format!("p{number}"), ["net-a", "net-b"][number % 2]);

    let pods: Vec<Pod<'_>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..PODS).map(|number| scope.spawn(move || add(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(held(&lab).1, PODS);
    pods.iter().for_each(|pod| assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused));

    thread::scope(|scope| {
        pods.iter().for_each(|pod| drop(scope.spawn(|| pod.delete())));
    });
    assert_eq!(held(&lab), empty);
    assert_shut(&lab.node, &pods[0].at(CLOSED));
}

#[test]
fn the_first_probe_after_an_add_is_right_in_both_families() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);

    for number in 0..PODS {
        let pod = stage.pod(&format!("p{number}"), "net-a");
        assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);
        pod.delete();
    }
}

#[test]
fn pods_deleted_while_the_daemon_is_dead_leave_nothing_behind() {
    let Some(lab) = lab() else { return };
    let mut stage = Stage::with(&lab, &["--enable-tproxy", "--sweep-interval=1"]);
    let empty = held(&lab);
    let pods = ["stays", "deleted", "lost"].map(|name| stage.pod(name, "net-a"));
    let one = held(&lab).0 / 3;

    stage.daemon.kill9();
    let [stays, deleted, lost] = pods;
    deleted.delete();
    // Its sandbox goes without a word, as after a crash of the machine's runtime.
    drop(lost);
    stage.daemon.restart();
    wait::until("the claims of both to be gone", PATIENCE, || (held(&lab) == (one, 1)).then_some(()));
    assert_probe(&lab.node, &stays.at(CLOSED), Verdict::Refused);
    // Whoever gets the address next is asked himself.
    stays.delete();
    assert_eq!(held(&lab), empty);
}
