//! Only the node's root gets in, and only at probe ports; a pod gets out nowhere.

use std::net::SocketAddr;

use serde_json::json;
use tests::lab::Lab;

use crate::capture::Capture;
use crate::kubelet::{Verdict, assert_probe, assert_shut};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, PROBE_ADDRESSES, Stage, at, subnet};

/// A port of the node's own, such as the kubelet's.
const KUBELET: u16 = 10250;
/// A port that pods serve and that nobody probes.
const OTHER: u16 = 9999;

/// Whether a program on the node gets a page, after these words of a shell.
#[track_caller]
pub(crate) fn gets(lab: &Lab, before: &str, user: u32, to: SocketAddr) -> bool {
    let enter = format!("nsenter --net={}", lab.node.path().display());
    let who = format!("setpriv --reuid={user} --regid={user} --clear-groups");
    let script = format!("{before} exec {enter} {who} curl -gsf -o /dev/null --max-time 1 http://{to}/");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]);
    let done = tests::command::run(command, b"");
    match done.status.code() {
        Some(0) => true,
        // Refused or no route; time is over.
        Some(7 | 28) => false,
        _ => panic!("{done:?}"),
    }
}

#[test]
fn root_of_the_node_gets_in_at_probe_ports_only_and_other_users_at_none() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _servers = [OPEN, OTHER].map(|port| Server::web(&pod, "p", port));

    for has_default in [false, true] {
        if has_default {
            // Without one the others have no way to begin with.
            lab.node.must("ip route add default via 172.18.0.1");
            lab.node.must("ip route add default via fd18::1");
        }
        for to in pod.at(OPEN) {
            assert!(!gets(&lab, "", 65534, to), "nobody at {to}");
            assert!(gets(&lab, "", 0, to), "root at {to}");
        }
        assert_shut(&lab.node, &pod.at(OTHER));
    }
    // By its own network the pod serves both.
    let neighbour = stage.pod("n", "net-a");
    for port in [OPEN, OTHER] {
        assert_probe(&neighbour, &pod.at(port), Verdict::Open);
    }
}

#[test]
fn pods_of_the_same_the_other_and_the_default_vpc_find_no_way_through_the_path() {
    let Some(lab) = lab() else { return };
    subnet(&lab, "net-d", json!({"cidrBlock": "10.9.0.0/24,fd00:9::/64"}));
    let stage = Stage::start(&lab);
    let probed = stage.pod("p", "net-a");
    let _server = Server::web(&probed, "p", OPEN);
    let _kubelet = [KUBELET, OPEN].map(|port| Server::web(&lab.node, "kubelet", port));
    let others = [("same", "net-a"), ("other", "net-b"), ("default", "net-d")];
    let others = others.map(|(name, net)| stage.pod(name, net));
    assert_probe(&lab.node, &probed.at(OPEN), Verdict::Open);
    assert_probe(&others[0], &probed.at(OPEN), Verdict::Open);

    for pod in others.iter().chain([&probed]) {
        let node = at(&["172.18.0.2", "fd18::2"], KUBELET);
        assert_shut(pod, &[at(&PROBE_ADDRESSES, KUBELET), at(&PROBE_ADDRESSES, OPEN), node].concat());
    }
    for pod in &others[1..] {
        assert_shut(pod, &probed.at(OPEN));
    }
}

#[test]
fn what_the_node_forwards_finds_no_way_with_and_without_a_default_route() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _server = Server::web(&pod, "p", OPEN);
    for key in ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"] {
        lab.node.sysctl(key, "1");
    }
    // A pod of the node's own network, as a bridge plugin makes it.
    let local = lab.pod("local");
    local.must(&format!("ip link add eth0 type veth peer name local netns {}", lab.node.name()));
    for (netns, link, own) in [(&local, "eth0", 2), (&lab.node, "local", 1)] {
        netns.must(&format!("ip link set {link} up"));
        netns.must(&format!("ip addr add 10.244.0.{own}/24 dev {link}"));
        netns.must(&format!("ip addr add fd44::{own}/64 dev {link} nodad"));
    }
    for gateway in ["10.244.0.1", "fd44::1"] {
        local.must(&format!("ip route add default via {gateway}"));
    }
    for (range, gateway) in [("10.0.1.0/24", "172.18.0.2"), ("fd00:1::/64", "fd18::2")] {
        lab.outside.must(&format!("ip route add {range} via {gateway}"));
    }

    for has_default in [false, true] {
        if has_default {
            lab.node.must("ip route add default via 172.18.0.1");
            lab.node.must("ip route add default via fd18::1");
        }
        // SYNs only: the last words of an earlier probe are no beginning.
        let begins = format!("tcp dst port {OPEN} and (tcp[13] & 2 != 0 or ip6[53] & 2 != 0)");
        let capture = Capture::start(&pod, "eth0", &format!("({begins}) or (tcp and src port {CLOSED})"));
        assert_shut(&lab.outside, &pod.at(OPEN));
        assert_shut(&local, &pod.at(OPEN));
        // Not even their first packets come to the pod.
        let ask = || assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);
        assert_eq!(capture.until(&format!(".{CLOSED} > "), ask), Vec::<String>::new());
        assert_probe(&lab.node, &pod.at(OPEN), Verdict::Open);
    }
}
