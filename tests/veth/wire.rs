//! The recorded exchanges of Kube-OVN v1.17.0 about pods of OVN, played at our daemon byte for byte.
//!
//! As in `tests/wire.rs`, and the answers are compared but for the MAC, which v1.17.0 draws at random. It keeps a pod's
//! address over a DEL, we give the one that was free longest: so every act has Subnets with just the addresses it is about.

use serde_json::{Value, json};
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::netns::Netns;
use tests::ovn::{Node, Ovn};
use tests::raw::{self, Answer};
use tests::recorded::{self, Recorded};
use tests::skip::{Requirement, needs};
use tests::{ledger, own_run, witness};

use crate::pod::external_ids;
use crate::{lab_with, write_subnet};

/// The sandboxes of the recordings.
const PODS: [&str; 5] = ["ku-veth1", "ku-two1", "ku-dup1", "ku-dual1", "ku-six1"];

/// Where we answer differently on purpose: number, our status, why.
const DIFFERENT: [(&str, u16, &str); 1] =
    [("02", 200, "v1.17.0 destroys the interface of a sandbox whose ADD is repeated")];

/// Recordings that follow each other, and the Subnets of their time.
struct Act {
    numbers: std::ops::RangeInclusive<u8>,
    subnets: Vec<(&'static str, Value)>,
}

/// All but 25 and 26, whose answer needs annotations that are not in the request.
fn acts() -> [Act; 4] {
    let ns1 = json!(["ns1"]);
    let net1 = |excluded: &[&str]| {
        let spec = json!({"cidrBlock": "10.0.1.0/24", "namespaces": ns1, "excludeIps": excluded});
        ("net1", spec)
    };
    let att1 = ("net9", json!({"cidrBlock": "10.0.9.0/24", "provider": "att1.ns1.ovn"}));
    let dual = json!({
        "cidrBlock": "10.0.30.0/24,fd00:30::/64", "namespaces": ["ns2"],
        "excludeIps": ["10.0.30.3..10.0.30.254", "fd00:30::3..fd00:30::ffff:ffff:ffff:ffff"]
    });
    let six = json!({
        "cidrBlock": "fd00:31::/64", "protocol": "IPv6", "namespaces": ["ns2"],
        "excludeIps": ["fd00:31::3..fd00:31::ffff:ffff:ffff:ffff"]
    });
    [
        Act { numbers: 1..=19, subnets: vec![net1(&["10.0.1.2", "10.0.1.4..10.0.1.254"])] },
        Act { numbers: 27..=34, subnets: vec![net1(&["10.0.1.2..10.0.1.3"]), att1] },
        Act { numbers: 66..=71, subnets: vec![("dual", dual)] },
        Act { numbers: 76..=77, subnets: vec![("six", six)] },
    ]
}

#[test]
fn recorded_requests_about_pods_of_ovn_get_the_recorded_answers() {
    let Some(lab) = needs(Requirement::Program("gzip")).then(|| lab_with(&[])).flatten() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let pods = PODS.map(|name| (name, lab.pod(name)));
    let all = recorded::all();
    for act in acts() {
        play(&lab, &node, &pods, &act, &all);
    }
}

/// Plays one act on a daemon of its own.
fn play(lab: &Lab, node: &Node<'_>, pods: &[(&str, Netns); 5], act: &Act, all: &[Recorded]) {
    for (name, spec) in &act.subnets {
        write_subnet(lab, name, spec);
    }
    let names = pods.each_ref().map(|(name, pod)| (*name, pod));
    let flags = node.flags();
    let _daemon = Daemon::start_in(lab, own_run::wrapper(lab, &names), &flags.each_ref().map(String::as_str));
    let is_played = |recorded: &&Recorded| recorded.number().parse().is_ok_and(|n| act.numbers.contains(&n));
    let played: Vec<_> = all.iter().filter(is_played).collect();
    assert_eq!(played.len(), act.numbers.clone().count(), "a recording of {:?} is missing", act.numbers);
    for recorded in played {
        let answer = raw::exchange(&lab.socket(), &recorded.request);
        let answer = answer.unwrap_or_else(|| panic!("{}: no answer", recorded.name));
        match DIFFERENT.iter().find(|(number, ..)| *number == recorded.number()) {
            Some((_, status, why)) => {
                assert_eq!(answer.code(), *status, "{} ({why}): {answer:?}", recorded.name);
            }
            None => recorded.assert_like(&answer, without_mac),
        }
        if recorded.number() == "32" {
            assert_recorded_ports(node);
        }
        assert_told_mac(&answer, pods);
    }
    node.assert_empty();
    for (_, pod) in pods {
        assert_eq!(witness::link_names(pod), Vec::<String>::new());
    }
    for (name, _) in &act.subnets {
        lab.remove_object(&format!("{name}.yaml"));
    }
    ledger::assert_empty(lab);
}

fn without_mac(body: String) -> String {
    let lines = body.lines().filter(|line| !line.trim_start().starts_with("\"mac_address\": \""));
    lines.collect::<Vec<_>>().join("\n")
}

/// The MAC that an answer tells is the one of its interface in one of the sandboxes.
#[track_caller]
fn assert_told_mac(answer: &Answer, pods: &[(&str, Netns); 5]) {
    let Ok(reply) = serde_json::from_slice::<Value>(&answer.body) else { return };
    let name = reply["nicname"].as_str().unwrap();
    let links = pods.iter().filter_map(|(_, pod)| witness::link(pod, name));
    let macs: Vec<_> = links.map(|link| link["address"].clone()).collect();
    assert!(macs.contains(&reply["mac_address"]), "{reply} {macs:?}");
}

/// `iface-id` and `ip` of a pod that has one network twice.
#[track_caller]
fn assert_recorded_ports(node: &Node<'_>) {
    let told = ["39ee9456_net1_h", "39ee9456_net2_h"].map(|end| {
        let ids = external_ids(node, end);
        (ids["iface-id"].clone(), ids["ip"].clone())
    });
    let wanted = [
        // v1.17.0 reads from the pod's annotations that there will be two; the request does not say so.
        ("dup1.ns1.att1.ns1.ovn".to_owned(), "10.0.9.3".to_owned()),
        ("dup1.ns1.att1.ns1.ovn.net2".to_owned(), "10.0.9.4".to_owned()),
    ];
    assert_eq!(told, wanted);
}
