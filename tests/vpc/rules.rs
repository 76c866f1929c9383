//! Who may reach the pods of a subnet: `private`, `allowSubnets` and `acls`.

use serde_json::{Value, json};
use tests::lab::Lab;
use tests::traffic::{self, Server};

use crate::can;
use crate::cloud::{Cloud, Pod, subnet, vpc};

/// The VPC `v` with the dual-stack subnets net1 to net3, and a pod in each and a second one in net1.
fn neighbours(lab: &Lab) -> (Cloud<'_>, [Pod<'_>; 4]) {
    vpc(lab, "v", json!({}));
    for number in 1..=3 {
        net(lab, number, json!({}));
    }
    let cloud = Cloud::start(lab);
    let pods = [("ns/a", "net1"), ("ns/a2", "net1"), ("ns/b", "net2"), ("ns/c", "net3")]
        .map(|(name, network)| cloud.pod(name, network, ""));
    (cloud, pods)
}

/// Writes one of the subnets with further fields.
fn net(lab: &Lab, number: u8, mut spec: Value) {
    spec["vpc"] = "v".into();
    spec["cidrBlock"] = format!("10.0.{number}.0/24,fd00:10:{number}::/64").into();
    subnet(lab, &format!("net{number}"), spec);
}

#[test]
fn a_private_subnet_is_reached_by_itself_and_by_whom_it_allows() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let (_cloud, [a, a2, b, c]) = neighbours(&lab);
    for family in [4, 6] {
        traffic::await_ping(&b, &a.ip(family));
        traffic::await_ping(&c, &a.ip(family));
    }

    net(&lab, 1, json!({"private": true, "allowSubnets": ["10.0.3.0/24", "fd00:10:3::/64"]}));
    for family in [4, 6] {
        traffic::await_silence(&b, &a.ip(family));
        traffic::assert_ping(&c, &a.ip(family));
        traffic::assert_ping(&a2, &a.ip(family));
        // What a private subnet's pods ask, they are answered where they may be asked.
        traffic::assert_ping(&a, &c.ip(family));
        traffic::assert_ping(&a, if family == 4 { "10.0.1.1" } else { "fd00:10:1::1" });
    }
    let server = Server::tcp(&a, "a", 8080);
    assert!(traffic::ask_tcp(&b, &format!("{}:8080", a.ip(4))).is_err());
    assert_eq!(traffic::ask_tcp(&c, &format!("{}:8080", a.ip(4))).unwrap(), format!("a {}", c.ip(4)));
    drop(server);

    net(&lab, 1, json!({}));
    traffic::await_ping(&b, &a.ip(4));
    traffic::await_ping(&b, &a.ip(6));
}

#[test]
fn a_pod_sends_from_its_own_addresses_only() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let (_cloud, [a, a2, b, _]) = neighbours(&lab);
    let from =
        |source: &str, to: &str| a.exec(&format!("ping -n -q -c 3 -i 0.2 -W 1 -I {source} {to}")).success();
    for (family, forged) in [(4, "10.0.1.99"), (6, "fd00:10:1::99")] {
        for other in [&a2, &b] {
            traffic::await_ping(&a, &other.ip(family));
        }
        a.must(&format!("ip addr add {forged} dev eth0 {}", if family == 6 { "nodad" } else { "" }));
        for other in [&a2, &b] {
            assert!(from(&a.ip(family), &other.ip(family)));
            assert!(!from(forged, &other.ip(family)), "{forged}");
        }
    }
}

#[test]
fn the_highest_of_a_subnets_acls_decides_and_traffic_inside_it_may_be_spared() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let (cloud, [a, a2, b, c]) = neighbours(&lab);
    let _servers = [8080, 8081].map(|port| Server::tcp(&a, "a", port));
    let ask = |from: &Pod<'_>, port: u16| traffic::ask_tcp(from, &format!("{}:{port}", a.ip(4)));
    for pod in [&a2, &b, &c] {
        assert_eq!(ask(pod, 8081).unwrap(), format!("a {}", pod.ip(4)));
    }

    let acl = |direction: &str, priority: u16, expression: String, action: &str| json!({"direction": direction, "priority": priority, "match": expression, "action": action});
    let acls = json!([
        acl("to-lport", 1010, "tcp.dst == 8081".into(), "drop"),
        acl("to-lport", 1020, format!("ip4.src == {} && tcp.dst == 8081", b.ip(4)), "allow-related"),
        acl("from-lport", 1010, format!("ip4.dst == {}", c.ip(4)), "drop"),
    ]);
    net(&lab, 1, json!({"acls": acls}));
    cloud.await_row(true, &["ACL {", "1020"]);
    cloud.ovn.sync();
    assert!(ask(&c, 8081).is_err());
    assert!(ask(&a2, 8081).is_err());
    assert_eq!(ask(&b, 8081).unwrap(), format!("a {}", b.ip(4)));
    assert_eq!(ask(&b, 8080).unwrap(), format!("a {}", b.ip(4)));
    traffic::assert_no_ping(&a, &c.ip(4));
    traffic::assert_ping(&a, &b.ip(4));

    net(&lab, 1, json!({"acls": acls, "allowEWTraffic": true}));
    cloud.await_row(true, &["ACL {", "1900"]);
    cloud.ovn.sync();
    assert_eq!(ask(&a2, 8081).unwrap(), format!("a {}", a2.ip(4)));
    assert!(ask(&c, 8081).is_err());

    net(&lab, 1, json!({}));
    cloud.await_row(false, &["ACL {"]);
    cloud.ovn.sync();
    assert_eq!(ask(&c, 8081).unwrap(), format!("a {}", c.ip(4)));
}
