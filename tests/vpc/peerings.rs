//! Two VPCs that are linked reach each other, and nobody beyond.

use serde_json::json;
use tests::lab::Lab;
use tests::traffic::{self, Server};

use crate::can;
use crate::cloud::{Cloud, condition, subnet, vpc};

/// One side of the link, in both families.
fn side(remote: &str, own: u8, their_nets: u8) -> serde_json::Value {
    let their = 3 - own;
    json!({
        "vpcPeerings": [{"remoteVpc": remote, "localConnectIP": format!("169.254.7.{own}/30,fd00:7::{own}/126")}],
        "staticRoutes": [
            {"cidr": format!("10.0.{their_nets}.0/24"), "nextHopIP": format!("169.254.7.{their}"), "policy": "policyDst"},
            {"cidr": format!("fd00:10:{their_nets}::/64"), "nextHopIP": format!("fd00:7::{their}"), "policy": "policyDst"},
        ],
    })
}

#[test]
fn a_peering_carries_both_ways_and_not_beyond() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    for (name, number) in [("v1", 1), ("v2", 2), ("v3", 3)] {
        vpc(&lab, name, json!({}));
        let cidr = format!("10.0.{number}.0/24,fd00:10:{number}::/64");
        subnet(&lab, &format!("net{number}"), json!({"vpc": name, "cidrBlock": cidr}));
    }
    let cloud = Cloud::start(&lab);
    let [a, b, c] = [1, 2, 3].map(|n| cloud.pod(&format!("ns/p{n}"), &format!("net{n}"), ""));
    traffic::await_ping(&a, "10.0.1.1");
    traffic::assert_no_ping(&a, &b.ip(4));

    vpc(&lab, "v1", side("v2", 1, 2));
    let warning = condition(&lab, "vpc", "v1", "Warning");
    assert_eq!(warning["reason"], "PeeringOneSided", "{warning}");
    traffic::assert_no_ping(&a, &b.ip(4));
    vpc(&lab, "v2", side("v1", 2, 1));
    let _server = Server::tcp(&b, "b", 8080);
    for family in [4, 6] {
        traffic::await_ping(&a, &b.ip(family));
        traffic::await_ping(&b, &a.ip(family));
        traffic::assert_no_ping(&c, &b.ip(family));
        traffic::assert_no_ping(&a, &c.ip(family));
    }
    assert_eq!(traffic::ask_tcp(&a, &format!("{}:8080", b.ip(4))).unwrap(), format!("b {}", a.ip(4)));
    let peerings = tests::witness::vpcctl_json(&lab, "get vpc v1");
    assert_eq!(peerings["status"]["vpcPeerings"], json!(["v2"]));

    vpc(&lab, "v2", json!({}));
    traffic::await_silence(&a, &b.ip(4));
    lab.remove_object("vpc-v1.yaml");
    lab.remove_object("subnet-net1.yaml");
    drop(a);
}
