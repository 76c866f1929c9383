//! Nothing of ours or of OVN's has to run for probes to be right.

use std::collections::BTreeSet;

use crate::kubelet::{Verdict, assert_probe};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, Pod, Stage};

/// Everything of nftables with handles, without what was counted.
#[track_caller]
pub(crate) fn ruleset(stage: &Stage<'_>) -> String {
    stage.node.lab().node.must("nft -a -s list ruleset")
}

#[track_caller]
fn assert_right(stage: &Stage<'_>, pod: &Pod<'_>) {
    let node = &stage.node.lab().node;
    for _ in 0..20 {
        assert_probe(node, &pod.at(OPEN), Verdict::Open);
        assert_probe(node, &pod.at(CLOSED), Verdict::Refused);
    }
}

#[test]
fn probes_are_right_with_the_daemon_killed_and_without_a_switch_or_a_gateway() {
    let Some(lab) = lab() else { return };
    let mut stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let server = Server::web(&pod, "p", OPEN);
    assert_right(&stage, &pod);

    stage.daemon.kill9();
    assert_right(&stage, &pod);
    // The VPC's gateway answers nobody any more.
    let port = stage.ovn.nb(&["--bare", "--columns=name", "find", "Logical_Router_Port"]);
    port.split_whitespace().for_each(|port| drop(stage.ovn.nb(&["lrp-del", port])));
    stage.ovn.sync();
    pod.must("ip neigh flush dev eth0");
    assert_right(&stage, &pod);

    stage.node.vswitchd.kill9();
    assert_right(&stage, &pod);
    drop(server);
    assert_probe(&lab.node, &pod.at(OPEN), Verdict::Refused);
    let _server = Server::web(&pod, "p", OPEN);
    stage.node.vswitchd.start();
    stage.node.ports().iter().for_each(|port| stage.node.await_installed(port));
    assert_right(&stage, &pod);
}

#[test]
fn a_restarted_daemon_changes_no_rule_and_counts_on() {
    let Some(lab) = lab() else { return };
    let mut stage = Stage::start(&lab);
    let pods: Vec<_> = ["p", "q", "r"].into_iter().map(|name| stage.pod(name, "net-a")).collect();
    let _server = Server::web(&pods[0], "p", OPEN);
    assert_right(&stage, &pods[0]);
    let (rules, links) = (ruleset(&stage), tests::witness::links(&lab.node));
    let carried = r#"probe_packets{kind="carried"}"#;
    let before = stage.daemon.metric(carried).unwrap();
    let known: BTreeSet<_> = links.iter().map(|link| link["ifindex"].to_string()).collect();

    stage.daemon.kill9();
    stage.daemon.restart();
    stage.daemon.restart();

    assert_same(&rules, &ruleset(&stage));
    assert_eq!(stage.daemon.metric(carried), Some(before));
    let links = tests::witness::links(&lab.node);
    assert_eq!(known, links.iter().map(|link| link["ifindex"].to_string()).collect());
    assert_right(&stage, &pods[0]);
}

#[track_caller]
fn assert_same(before: &str, after: &str) {
    let differing = before.lines().zip(after.lines()).find(|(before, after)| before != after);
    assert!(before == after, "{differing:?}");
}
