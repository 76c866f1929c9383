//! Parts of OVN that are down or do not answer: an ADD ends in time with a reason and leaves nothing, a DEL succeeds.

use std::thread;

use serde_json::{Value, json};
use tests::lab::Lab;
use tests::ovn::{Node, Ovn};
use tests::{ledger, raw, traffic, wait, witness};

use crate::pod::{Pod, switch_ports};
use crate::{PATIENCE, lab};

/// How long the caller of an ADD waits.
const DEADLINE_MS: u32 = 1500;

/// What is wrong, and with which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    NorthboundDown,
    NorthboundFrozen,
    LocalDown,
    LocalFrozen,
    SwitchFrozen,
    ControllerDown,
}

impl Outage {
    fn begin(self, ovn: &mut Ovn, node: &mut Node<'_>) {
        match self {
            Self::NorthboundDown => ovn.nb.kill9(),
            Self::NorthboundFrozen => ovn.nb.process().service().freeze(),
            Self::LocalDown => node.db.kill9(),
            Self::LocalFrozen => node.db.process().service().freeze(),
            Self::SwitchFrozen => node.vswitchd.service().freeze(),
            Self::ControllerDown => node.controller.kill9(),
        }
    }

    #[track_caller]
    fn end(self, ovn: &mut Ovn, node: &mut Node<'_>) {
        match self {
            Self::NorthboundDown => ovn.nb.start(),
            Self::NorthboundFrozen => ovn.nb.process().service().thaw(),
            Self::LocalDown => node.db.start(),
            Self::LocalFrozen => node.db.process().service().thaw(),
            Self::SwitchFrozen => node.vswitchd.service().thaw(),
            Self::ControllerDown => node.controller.start(),
        }
    }

    /// What an ADD says meanwhile.
    fn complaint(self) -> &'static str {
        match self {
            Self::NorthboundDown => "OVN's northbound database at unix:",
            Self::NorthboundFrozen => "northbound",
            Self::LocalDown => "the node's Open vSwitch does not answer at unix:",
            Self::LocalFrozen => "plug ",
            Self::SwitchFrozen => "ovs-vswitchd",
            Self::ControllerDown => "OVN has not installed its flows",
        }
    }
}

#[test]
fn without_the_northbound_database_an_add_ends_in_time_and_leaves_nothing() {
    for outage in [Outage::NorthboundDown, Outage::NorthboundFrozen] {
        survive(outage);
    }
}

#[test]
fn without_the_nodes_database_an_add_ends_in_time_and_leaves_nothing() {
    survive(Outage::LocalDown);
}

#[test]
fn while_the_nodes_database_is_silent_an_add_ends_in_time_and_leaves_nothing() {
    survive(Outage::LocalFrozen);
}

#[test]
fn without_the_nodes_switch_an_add_ends_in_time_and_leaves_nothing() {
    for outage in [Outage::SwitchFrozen, Outage::ControllerDown] {
        survive(outage);
    }
}

/// During the outage one pod is deleted and another one refused; a third one comes after it.
fn survive(outage: Outage) {
    let Some(lab) = lab() else { return };
    let mut ovn = Ovn::start(&lab);
    let mut node = ovn.node(&lab);
    let _daemon = node.daemon(&["--sweep-interval=0.2"]);
    let (leaving, refused) = (Pod::new(&node, "a").plugged(), Pod::new(&node, "b"));
    outage.begin(&mut ovn, &mut node);

    let told = add_in_time(&lab, &refused);

    assert!(told.contains(outage.complaint()), "{outage:?}: {told}");
    refused.assert_bare();
    assert_eq!(witness::link(&lab.node, &refused.host_end()), None, "{outage:?}");
    let dels = [leaving.del(), refused.del()];
    thread::scope(|scope| dels.iter().for_each(|del| drop(scope.spawn(|| del.run(&lab).ok()))));
    assert_eq!(ledger::held(&lab), Vec::<String>::new());
    leaving.assert_bare();
    assert_eq!(witness::link(&lab.node, &leaving.host_end()), None, "{outage:?}");
    outage.end(&mut ovn, &mut node);
    let coming = Pod::new(&node, "c");
    wait::until("an ADD to succeed", PATIENCE, || coming.add.run(&lab).done.success().then_some(()));
    traffic::assert_ping(&coming.netns, "10.0.1.1");
    // What a database does late that did not answer in time, the sweep takes back once the sandbox is gone.
    drop((leaving, refused));
    let is_alone = || (node.ports() == [coming.host_end()] && switch_ports(&ovn) == ["c.ns1"]).then_some(());
    wait::until("the other ports to go", PATIENCE, is_alone);
    coming.deleted();
    node.assert_empty();
}

/// The text of an ADD that has to fail, of a caller that waits for [`DEADLINE_MS`].
#[track_caller]
fn add_in_time(lab: &Lab, pod: &Pod<'_>) -> String {
    let call = json!({"network": "kube-ovn", "pod_uid": "uid-ns1-b", "deadline_ms": DEADLINE_MS});
    let body = json!({
        "cni_type": "kube-ovn", "container_id": format!("{:0<64}", "b"), "if_name": "eth0",
        "net_ns": pod.netns.path(), "pod_name": "b", "pod_namespace": "ns1", "provider": "ovn"
    })
    .to_string();
    let request = format!(
        "POST /api/v1/add HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nkube-ovn-call: {call}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = raw::exchange(&lab.socket(), request.as_bytes()).unwrap();
    assert_ne!(answer.code(), 200, "{answer:?}");
    let reply: Value = serde_json::from_slice(&answer.body).unwrap();
    reply["error"].as_str().unwrap().to_owned()
}
