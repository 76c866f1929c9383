//! What is in the kernel: made once, found again, mended, taken over and removed without a trace.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod ground;

use ground::{CLOSED, Node, Verdict, needs_root};
use netlink::Family;
use tproxy::{Carrier, Error, TargetTable};

#[test]
fn a_second_carrier_finds_everything_in_place() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    let first = node.carrier(&[&pod]);
    assert_eq!(first.probe_addresses(), node.settings().probe);
    drop(first);
    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2], "no process of ours is in the path");

    let second = Carrier::start(node.settings(), node.netns()).unwrap();
    let report = second.replace_all(ground::table(&[&pod])).unwrap();

    assert_eq!(report.changes, 0);
    assert_eq!(report.families, Family::BOTH);
}

#[test]
fn removal_leaves_nothing_and_nothing_to_remove_is_no_error() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    assert_eq!(Carrier::remove_all(node.netns()).unwrap(), 0);
    drop(node.carrier(&[&pod]));
    assert!(!node.left().is_empty());

    assert!(Carrier::remove_all(node.netns()).unwrap() > 0);

    assert_eq!(node.left(), Vec::<String>::new());
    assert_eq!(Carrier::remove_all(node.netns()).unwrap(), 0);
}

#[test]
fn a_table_of_an_older_version_and_upstreams_routing_are_taken_over() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    node.space.nft(
        "table inet kube-ovn-probes {
           chain relic {
             meta cgroup 7 drop
           }
           map targets4 {
             type ipv4_addr : verdict
             elements = { 10.0.0.1 : jump relic }
           }
           chain output {
             type filter hook output priority 0
             ip daddr vmap @targets4
             tcp dport { 1, 2 } drop
           }
         }
         table netdev kube-ovn-probes {
           chain relic {
             drop
           }
         }",
    );
    node.space.ip("rule add pref 1000 fwmark 0x90003/0x90003 table 10001");
    node.space.ip("route add local default dev lo table 10001");

    let carrier = node.carrier(&[&pod]);

    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
    assert_eq!(node.space.show("rule show table 10001").as_array().unwrap().len(), 2);
    assert_eq!(node.space.show("route show table 10001").as_array().unwrap().len(), 1);
    assert!(!node.space.exec("nft list ruleset").contains("relic"));
    assert_eq!(carrier.resync().unwrap().changes, 0);
}

#[test]
fn whatever_is_taken_away_comes_back() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    let carrier = node.carrier(&[&pod]);
    let harms = [
        "nft flush ruleset",
        "nft flush chain inet kube-ovn-probes output",
        "nft flush set inet kube-ovn-probes targets6",
        "ip link del prb0",
        "ip link set prb1 down",
        "ip link set prb0 arp on",
        "ip rule del pref 90",
        "ip -6 rule del pref 90",
        "ip route flush table 10001",
        "sysctl -qw net.ipv4.conf.prb0.src_valid_mark=0",
    ];
    for harm in harms {
        node.space.exec(harm);
        assert!(carrier.resync().unwrap().changes > 0, "{harm}");
        assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2], "{harm}");
        assert_eq!(carrier.resync().unwrap().changes, 0, "{harm}");
    }
}

#[test]
fn a_pod_comes_even_when_the_tables_were_flushed_meanwhile() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let (one, other) = (node.pod("p1", "a", 11, &[CLOSED]), node.pod("p2", "a", 12, &[CLOSED]));
    let carrier = node.carrier(&[&one]);
    node.space.exec("nft flush ruleset");

    carrier.add(other.pod.clone()).unwrap();

    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
    assert_eq!(node.probe(12, CLOSED), [Verdict::Refused; 2]);
}

#[test]
fn links_of_somebody_elses_are_an_error_and_stay() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    node.space.ip("link add prb0 type bridge");
    let carrier = Carrier::start(node.settings(), node.netns()).unwrap();

    let error = carrier.replace_all(TargetTable::default()).unwrap_err();

    assert!(matches!(error, Error::Taken { name: "prb0" }), "{error}");
    Carrier::remove_all(node.netns()).unwrap();
    assert_eq!(node.space.show("link show prb0")[0]["linkinfo"]["info_kind"], "bridge");
}

#[test]
fn a_node_without_default_route_probes_and_reaches_nothing_else() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    node.space.ip("route del default");
    node.space.ip("-6 route del default");
    let unreachable = |[v4, v6]: [Verdict; 2]| {
        assert_eq!(v4, Verdict::Other(std::io::ErrorKind::NetworkUnreachable));
        assert_ne!(v6, Verdict::Open);
    };
    unreachable(node.probe(11, CLOSED));

    let _carrier = node.carrier(&[&pod]);

    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
    unreachable(node.probe(99, CLOSED));
    assert_eq!(node.leaked(), 0);
}

#[test]
fn any_reverse_path_check_lets_answers_in() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    let _carrier = node.carrier(&[&pod]);
    for all in ["0", "1", "2"] {
        for probe in ["0", "1"] {
            node.space.set("ipv4/conf/all/rp_filter", all);
            node.space.set("ipv4/conf/prb0/rp_filter", probe);
            assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2], "{all} {probe}");
        }
    }
}

#[test]
fn a_node_without_ipv6_carries_ipv4() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    let mut settings = node.settings();
    settings.probe.v6 = None;
    let carrier = Carrier::start(settings, node.netns()).unwrap();

    let report = carrier.replace_all(ground::table(&[&pod])).unwrap();

    assert_eq!(report.families, [Family::V4]);
    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused, Verdict::TimedOut]);
    assert!(node.space.show("-6 rule show table 10001").as_array().unwrap().is_empty());
}
