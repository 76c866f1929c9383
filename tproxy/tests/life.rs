//! The path over time: pods come and go, devices are made anew, tables are replaced under probes.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod ground;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ground::{CLOSED, Node, OPEN, Verdict, at, needs_root, probe_here};
use tproxy::{Error, HostSide, Pod, pod_routes};

#[test]
fn a_pod_is_probed_from_its_add_to_its_removal() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let (one, other) = (node.pod("p1", "a", 11, &[OPEN]), node.pod("p2", "a", 12, &[OPEN]));
    let (_one, _other) = (one.space.listen(OPEN), other.space.listen(OPEN));
    let carrier = node.carrier(&[&one]);

    assert!(carrier.add(other.pod.clone()).unwrap().is_empty());
    assert_eq!(node.probe(12, OPEN), [Verdict::Open; 2]);
    assert_eq!(carrier.counts(), (2, 4));

    assert!(carrier.remove(&other.pod.key).unwrap());
    assert!(!carrier.remove(&other.pod.key).unwrap());
    assert_eq!(node.probe(12, OPEN), [Verdict::TimedOut; 2]);
    assert_eq!(node.probe(11, OPEN), [Verdict::Open; 2]);
    assert_eq!(carrier.resync().unwrap().changes, 0, "the kernel holds what the changes made of it");
}

#[test]
fn a_pod_whose_ports_change_is_probed_at_the_new_ones() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let carrier = node.carrier(&[&pod]);

    carrier.add(Pod { ports: [CLOSED].into(), ..pod.pod.clone() }).unwrap();

    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
    assert_eq!(node.probe(11, OPEN), [Verdict::TimedOut; 2]);
    assert_eq!(carrier.resync().unwrap().changes, 0);
}

#[test]
fn a_port_that_asked_too_early_gets_in_once_the_pod_is_carried() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let (one, other) = (node.pod("p1", "a", 11, &[OPEN]), node.pod("p2", "a", 12, &[OPEN]));
    let _listener = other.space.listen(OPEN);
    let carrier = node.carrier(&[&one]);
    let ask = || at(12, OPEN).map(|to| node.space.netns.run(|| ground::connects_from(to, 40_002)).unwrap());
    assert_eq!(ask(), [false; 2]);

    carrier.add(other.pod.clone()).unwrap();
    assert_eq!(ask(), [false; 2]);
    assert_eq!(carrier.sweep().unwrap(), 2);

    assert_eq!(ask(), [true; 2]);
    assert_eq!(carrier.sweep().unwrap(), 0);
}

#[test]
fn a_pod_without_a_device_is_an_error_and_the_others_stay() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    let carrier = node.carrier(&[&pod]);
    let lost = Pod {
        key: tproxy::PodKey::new("default", "lost"),
        host_side: HostSide::new("h-lost", 4711).unwrap(),
        addresses: ground::addresses(13),
        ..pod.pod.clone()
    };

    let error = carrier.add(lost.clone()).unwrap_err();

    assert!(matches!(error, Error::NoDevice { .. }), "{error}");
    assert_eq!(error.to_string(), "carry probes of pod default/lost: there is no device h-lost");
    assert_eq!(carrier.resync().unwrap().absent, [lost.key]);
    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
}

#[test]
fn a_device_that_was_made_anew_is_found_at_the_next_resync() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    let carrier = node.carrier(&[&pod]);
    let mac = node.space.show("link show h-p1");
    node.space.ip("link del h-p1");
    node.space.ip(&format!("link add h-p1 type veth peer name eth0 netns {}", pod.space.name));
    node.space.ip("link set h-p1 master br-a up");
    let text: Vec<_> = pod.pod.mac.iter().map(|byte| format!("{byte:02x}")).collect();
    pod.space.ip(&format!("link set eth0 address {} up", text.join(":")));
    pod.space.ip("addr add 10.20.0.11/24 dev eth0");
    pod.space.ip("addr add fd20::11/64 dev eth0 nodad");
    pod.space.ip("route add default via 10.20.0.1");
    pod.space.ip("route add default via fd20::1");
    assert_ne!(mac, node.space.show("link show h-p1"));

    assert!(carrier.resync().unwrap().changes > 0);

    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
    assert_eq!(carrier.resync().unwrap().changes, 0);
}

#[test]
fn a_pod_without_default_route_and_with_a_dead_gateway_is_probed() {
    if !needs_root() {
        return;
    }
    let mut node = Node::new();
    let pod = node.pod("p1", "a", 11, &[CLOSED]);
    let carrier = node.carrier(&[&pod]);
    node.gateways.clear();
    pod.space.ip("route del default");
    pod.space.ip("-6 route del default");
    assert_eq!(node.probe(11, CLOSED), [Verdict::TimedOut; 2]);

    let inside = pod.space.handle();
    let eth0 = inside.link("eth0").unwrap().unwrap().index;
    for needs in pod_routes(&carrier.probe_addresses(), &pod.pod.addresses) {
        inside.replace_route(eth0, &needs.route).unwrap();
        inside.set_neighbour(eth0, needs.neighbour, needs.mac).unwrap();
    }

    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
    assert_eq!(node.leaked(), 0);
}

#[test]
fn whole_tables_are_replaced_under_probes_without_a_wrong_verdict() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN, CLOSED]);
    let listener = pod.space.listen(OPEN);
    listener.set_nonblocking(true).unwrap();
    let carrier = node.carrier(&[&pod]);
    let (is_over, probes) = (AtomicBool::new(false), AtomicU64::new(0));
    let ask = || {
        while !is_over.load(Ordering::Relaxed) {
            for (port, verdict) in [(OPEN, Verdict::Open), (CLOSED, Verdict::Refused)] {
                at(11, port).iter().for_each(|to| assert_eq!(probe_here(*to), verdict, "{to}"));
                // So that the queue never fills, which would be a true timeout.
                while listener.accept().is_ok() {}
                probes.fetch_add(2, Ordering::Relaxed);
            }
        }
    };
    let netns = &node.space.netns;
    std::thread::scope(|scope| {
        let kubelet = scope.spawn(move || netns.run(ask).unwrap());
        for round in 0..30 {
            // Everything by one batch each time: an element of ours in a foreign table would be replaced as well.
            node.space.exec("nft add chain inet kube-ovn-probes foreign");
            node.space.exec("nft add chain netdev kube-ovn-probes foreign");
            let rule = "nft insert rule netdev kube-ovn-probes to-pods counter";
            node.space.exec(rule);
            assert!(carrier.resync().unwrap().changes > 0, "{round}");
        }
        is_over.store(true, Ordering::Relaxed);
        kubelet.join().unwrap();
    });
    assert!(probes.load(Ordering::Relaxed) > 100, "{probes:?}");
    assert_eq!(carrier.resync().unwrap().changes, 0);
}
