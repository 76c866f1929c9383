//! Objects that cannot be meant say what and why; their neighbours and what is right about them goes on.

use serde_json::json;
use tests::lab::Lab;
use tests::{traffic, witness};

use crate::can;
use crate::cloud::{Cloud, condition, subnet, try_pod, vpc};

/// A subnet's name and spec, and what its condition `Ready` tells: reason and words of its message.
const SUBNETS: [(&str, &str, &str, &str); 7] = [
    ("overlaps", "vpc: good, cidrBlock: 10.0.1.64/26", "CidrOverlap", "10.0.1.0/24 of Subnet net1"),
    ("nowhere", "vpc: ghost, cidrBlock: 10.0.5.0/24", "UnknownVpc", "no Vpc ghost"),
    ("strange", "vpc: good, cidrBlock: 10.0.6.0/24, namespaces: [ns9]", "NamespaceNotAdmitted", "ns9"),
    ("gateway", "vpc: good, cidrBlock: 10.0.7.0/24, gateway: 10.0.8.1", "InvalidGateway", "10.0.8.1"),
    ("garbled", "vpc: good, cidrBlock: 10.0.7.0/33", "InvalidCidr", "10.0.7.0/33"),
    ("good", "vpc: good, cidrBlock: 10.0.9.0/24", "NameTaken", "Vpc good"),
    ("b", "vpc: good-a, cidrBlock: 10.0.3.0/24", "PortNameTaken", "good-a-b"),
];

/// A VPC's name and spec, and what its condition `Error` tells.
const VPCS: [(&str, &str, &str, &str); 4] = [
    ("hop", "staticRoutes: [{cidr: 0.0.0.0/0, nextHopIP: 192.0.2.1}]", "NextHopNotConnected", "192.0.2.1"),
    (
        "match",
        "policyRoutes: [{priority: 5, match: ip4.src = 1 &&, action: drop}]",
        "InvalidMatch",
        "ip4.src = 1",
    ),
    ("action", "policyRoutes: [{priority: 5, match: ip4, action: jump}]", "InvalidPolicy", "jump"),
    ("peer", "vpcPeerings: [{remoteVpc: ghost}]", "InvalidPeering", "localConnectIP"),
];

#[track_caller]
fn write(lab: &Lab, kind: &str, name: &str, spec: &str) {
    let yaml =
        format!("apiVersion: kubeovn.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n");
    lab.write_object(&format!("{kind}-{name}.yaml"), &yaml);
}

/// What `vpcctl` tells of an object that was refused, whole or in part.
#[track_caller]
fn told(lab: &Lab, kind: &str, name: &str, wanted: &str, [reason, words]: [&str; 2]) {
    let found = condition(lab, kind, name, wanted);
    assert_eq!(found["reason"], reason, "{kind} {name}: {found}");
    assert!(found["message"].as_str().unwrap().contains(words), "{kind} {name}: {found}");
    let yaml = witness::vpcctl(lab, &format!("get {kind} {name} -o yaml")).expect_success().text();
    assert!(yaml.contains(reason), "{yaml}");
}

#[test]
fn what_cannot_be_meant_says_so_and_the_good_ones_go_on() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "good", json!({"namespaces": ["ns"]}));
    for number in [1, 2] {
        subnet(
            &lab,
            &format!("net{number}"),
            json!({"vpc": "good", "cidrBlock": format!("10.0.{number}.0/24")}),
        );
    }
    // Names that put together are one and the same: good + a-b, good-a + b.
    subnet(&lab, "a-b", json!({"vpc": "good", "cidrBlock": "10.0.3.0/24"}));
    vpc(&lab, "good-a", json!({}));
    let mut cloud = Cloud::start(&lab);
    let [a, b] = [1, 2].map(|number| cloud.pod(&format!("ns/p{number}"), &format!("net{number}"), ""));
    traffic::await_ping(&a, &b.ip(4));
    let good = cloud.ovn.rows();

    SUBNETS.iter().for_each(|(name, spec, ..)| write(&lab, "Subnet", name, spec));
    VPCS.iter().for_each(|(name, spec, ..)| write(&lab, "Vpc", name, spec));
    write(&lab, "Vpc", "odd", "enableBfd: true, tomorrow: 1");
    let acl = "{direction: to-lport, priority: 5, match: tcp.port == 80, action: drop}";
    write(&lab, "Subnet", "acls", &format!("vpc: good, cidrBlock: 10.0.10.0/24, acls: [{acl}]"));
    lab.write_object("broken.yaml", "kind: Subnet\napiVersion: kubeovn.io/v1\nmetadata: {name: [");
    for (name, _, reason, words) in SUBNETS {
        told(&lab, "subnet", name, "Ready", [reason, words]);
    }
    for (name, _, reason, words) in VPCS {
        told(&lab, "vpc", name, "Error", [reason, words]);
    }
    told(&lab, "vpc", "odd", "Warning", ["FieldWithoutEffect", "spec.tomorrow"]);
    told(&lab, "subnet", "acls", "Error", ["InvalidMatch", "tcp.port"]);
    traffic::assert_ping(&a, &b.ip(4));
    for (subnet, code) in [
        ("overlaps", 101),
        ("nowhere", 107),
        ("strange", 107),
        ("gateway", 101),
        ("good", 101),
        ("ghost", 101),
    ] {
        let error = try_pod(&cloud.node, "ns/x", subnet).error();
        assert_eq!(error["code"], code, "{error}");
        assert!(error.to_string().contains(subnet), "{error}");
    }
    cloud.daemon.restart();
    traffic::assert_ping(&a, &b.ip(4));
    traffic::assert_ping(&b, &a.ip(4));
    let after = cloud.ovn.rows();
    assert!(good.all_uuids().is_subset(&after.all_uuids()), "{:#?}", after.dump());
}
