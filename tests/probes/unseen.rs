//! A probe is seen by the pod that it asks and by nobody else.

use serde_json::json;
use tests::lab::{Lab, UPLINK};
use tests::netns::Netns;
use tests::objects;
use tests::traffic;

use crate::capture::Capture;
use crate::kubelet::{Verdict, connect, get};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, PROBE_ADDRESSES, Pod, Stage};

const PROBES: usize = 200;
/// A host outside, behind the VPC's gateway.
const OUTSIDE: &str = "203.0.113.9";

/// A gateway pod that forwards all it gets to a host, which answers to whatever it does not know with a reset.
struct Exit<'a> {
    gateway: Pod<'a>,
    host: Netns,
}

#[track_caller]
fn open<'a>(lab: &'a Lab, stage: &Stage<'a>) -> Exit<'a> {
    let wishes = [("logical_switch", "net-a"), ("ip_address", "10.0.1.254,fd00:1::fe")];
    let gateway = stage.wishing("gw", &wishes);
    let host = lab.pod("host");
    gateway.must(&format!("ip link add out type veth peer name in netns {}", host.name()));
    for (netns, link, own, other) in [(&*gateway, "out", 1, 2), (&host, "in", 2, 1)] {
        netns.must(&format!("ip link set {link} up"));
        netns.must(&format!("ip addr add 198.18.0.{own}/30 dev {link}"));
        netns.must(&format!("ip addr add fd00:198::{own}/126 dev {link} nodad"));
        netns.must(&format!("ip -4 route replace default via 198.18.0.{other}"));
        netns.must(&format!("ip -6 route replace default via fd00:198::{other}"));
    }
    host.must(&format!("ip addr add {OUTSIDE}/32 dev lo"));
    gateway.sysctl("net.ipv4.ip_forward", "1");
    gateway.sysctl("net.ipv6.conf.all.forwarding", "1");
    Exit { gateway, host }
}

#[test]
fn no_packet_of_a_probe_is_seen_at_the_gateway_in_another_pod_or_outside() {
    let Some(lab) = lab() else { return };
    let routes = [("0.0.0.0/0", "10.0.1.254"), ("::/0", "fd00:1::fe")];
    let routes = routes.map(|(cidr, hop)| json!({"cidr": cidr, "nextHopIP": hop}));
    lab.write_object("a.yaml", &objects::vpc("a", &json!({"staticRoutes": routes})));
    let stage = Stage::start(&lab);
    let exit = open(&lab, &stage);
    let (pod, neighbour) = (stage.pod("p", "net-a"), stage.pod("n", "net-a"));
    let other = stage.probed("o", "net-b", "9090");
    let _server = Server::web(&pod, "p", OPEN);
    traffic::await_ping(&pod, OUTSIDE);
    for net in ["net-a", "net-b"] {
        let acls = stage.ovn.nb(&["acl-list", net]);
        let is_drop = |line: &str| {
            line.contains("from-lport")
                && PROBE_ADDRESSES.iter().all(|ip| line.contains(ip))
                && line.contains("drop")
        };
        assert!(acls.lines().any(is_drop), "{net}: {acls}");
    }

    let [probe4, probe6] = PROBE_ADDRESSES;
    let filter = format!("tcp or host {probe4} or host {probe6}");
    let places: [(&Netns, &str); 5] = [
        (&exit.gateway, "eth0"),
        (&exit.host, "in"),
        (&neighbour, "eth0"),
        (&other, "eth0"),
        (&lab.node, UPLINK),
    ];
    let captures = places.map(|(netns, interface)| Capture::start(netns, interface, &filter));
    lab.node.inside(|| {
        for number in 0..PROBES {
            let family = number % 2;
            assert_eq!(get(pod.at(OPEN)[family]).unwrap(), format!("p {}", PROBE_ADDRESSES[family]));
            assert_eq!(connect(pod.at(CLOSED)[family]), Verdict::Refused);
        }
    });

    let markers: [(&Netns, &str); 5] = [
        (&pod, &exit.gateway.ips[0]),
        (&exit.gateway, "198.18.0.2"),
        (&pod, &neighbour.ips[0]),
        (&other, "10.0.1.1"),
        (&lab.node, "172.18.0.1"),
    ];
    for ((capture, (from, to)), (place, interface)) in captures.into_iter().zip(markers).zip(places) {
        let seen = capture.until_marked(from, to);
        assert!(seen.is_empty(), "{} at {interface}: {} {:?}", place.name(), seen.len(), seen.first());
    }
}
