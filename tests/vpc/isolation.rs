//! The guide's "create custom VPCs": two VPCs with one and the same CIDR and the same addresses, each a world of its own.

use serde_json::json;
use tests::cni;
use tests::lab::Lab;
use tests::traffic::{self, Server};

use crate::cloud::{Cloud, Pod, subnet, vpc};
use crate::{can, guide};

/// One of the address families of a subnet: everything before the host's part, and the prefix length.
type Range = (&'static str, u8);

const V4: Range = ("10.0.1.", 24);
const V6: Range = ("fd00:10:1::", 64);

/// The address of a host in each range.
fn hosts(ranges: &[Range], host: u8) -> Vec<String> {
    ranges.iter().map(|(prefix, _)| format!("{prefix}{host}")).collect()
}

fn with_port(address: &str) -> String {
    if address.contains(':') { format!("[{address}]:8080") } else { format!("{address}:8080") }
}

#[test]
fn the_guides_two_vpcs_with_one_cidr_are_worlds_apart() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    guide::two_vpcs(&lab);
    worlds_apart(&lab, &[V4]);
}

#[test]
fn two_vpcs_with_one_ipv6_cidr_are_worlds_apart() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    like_the_guide(&lab, "fd00:10:1::/64", "IPv6");
    worlds_apart(&lab, &[V6]);
}

#[test]
fn two_dual_stack_vpcs_with_the_same_cidrs_are_worlds_apart() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    like_the_guide(&lab, "10.0.1.0/24,fd00:10:1::/64", "Dual");
    worlds_apart(&lab, &[V4, V6]);
}

/// The guide's objects with other ranges.
fn like_the_guide(lab: &Lab, cidr: &str, protocol: &str) {
    for number in ["1", "2"] {
        let (name, namespace) = (format!("test-vpc-{number}"), format!("ns{number}"));
        vpc(lab, &name, json!({"namespaces": [namespace]}));
        let spec = json!({"vpc": name, "cidrBlock": cidr, "protocol": protocol, "namespaces": [namespace]});
        subnet(lab, &format!("net{number}"), spec);
    }
}

fn worlds_apart(lab: &Lab, ranges: &[Range]) {
    lab.node.must("ip addr add 192.168.0.2/24 dev eth1");
    lab.node.must("ip addr add fd00:192:168::2/64 dev eth1 nodad");
    let cloud = Cloud::start(lab);
    let ip = |host| hosts(ranges, host).join(",");
    let [a, b] = ["1", "2"].map(|n| cloud.pod(&format!("ns{n}/vpc{n}-pod"), &format!("net{n}"), ""));
    let [one, two] = ["1", "2"].map(|n| cloud.pod(&format!("ns{n}/peer"), &format!("net{n}"), &ip(11)));
    let _lonely = cloud.pod("ns2/lonely", "net2", &ip(12));
    assert_eq!(cni::addresses(&a.result), cni::addresses(&b.result));
    let _servers = [("one", &one), ("two", &two)]
        .map(|(name, pod)| (Server::tcp(pod, name, 8080), Server::udp(pod, name, 8080)));
    for (prefix, _) in ranges {
        let family = if prefix.contains(':') { 6 } else { 4 };
        let own = a.ip(family);
        for (pod, kind) in [(&a, "one"), (&b, "two")] {
            own_kind_answers(pod, kind, &format!("{prefix}1"), &own, &format!("{prefix}11"));
        }
        let lonely = format!("{prefix}12");
        traffic::await_ping(&b, &lonely);
        traffic::assert_no_ping(&a, &lonely);
        traffic::assert_no_ping(&lab.node, &own);
        traffic::assert_no_ping(&lab.outside, &own);
        let nodes_own = if family == 6 { "fd00:192:168::2" } else { "192.168.0.2" };
        traffic::assert_ping(&lab.outside, nodes_own);
        traffic::assert_no_ping(&a, nodes_own);
    }
}

/// A pod talks to its own kind, whoever else has the same addresses.
fn own_kind_answers(pod: &Pod<'_>, kind: &str, gateway: &str, own: &str, peer: &str) {
    traffic::await_ping(pod, peer);
    traffic::assert_ping(pod, gateway);
    let server = with_port(peer);
    let answer = format!("{kind} {own}");
    assert_eq!(traffic::ask_tcp(pod, &server).unwrap(), answer);
    assert_eq!(traffic::ask_udp(pod, &server).unwrap(), answer);
    assert_eq!(traffic::carries(pod, &server, 1_000_001).unwrap(), 1_000_001);
}
