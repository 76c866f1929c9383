//! Nodes that are not like others.

use tests::lab::UPLINK;

use crate::kubelet::{Verdict, assert_probe, probe};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, Stage};

#[test]
fn a_default_route_of_the_node_makes_no_difference_whatever_its_reverse_path_check_is() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _server = Server::web(&pod, "p", OPEN);

    for has_default in [false, true] {
        if has_default {
            lab.node.must("ip route add default via 172.18.0.1");
            lab.node.must("ip route add default via fd18::1");
        }
        for check in ["0", "1", "2"] {
            lab.node.sysctl("net.ipv4.conf.all.rp_filter", check);
            assert_probe(&lab.node, &pod.at(OPEN), Verdict::Open);
            assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);
        }
    }
}

#[test]
fn a_node_without_ipv6_carries_ipv4() {
    let Some(lab) = lab() else { return };
    for which in ["all", "default"] {
        lab.node.sysctl(&format!("net.ipv6.conf.{which}.disable_ipv6"), "1");
    }
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _server = Server::web(&pod, "p", OPEN);

    let [v4, v6] = pod.at(OPEN)[..] else { panic!() };
    assert_probe(&lab.node, &[v4], Verdict::Open);
    assert_ne!(probe(&lab.node, &[v6]), [Verdict::Open]);
    assert_probe(&lab.node, &pod.at(CLOSED)[..1], Verdict::Refused);
    assert!(tests::witness::addresses(&lab.node, UPLINK).iter().all(|ip| !ip.contains(':')));
}
