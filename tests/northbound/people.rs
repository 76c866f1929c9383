//! What `vpcctl` shows of VPCs on OVN.

use serde_json::{Value, json};
use tests::lab::Lab;
use tests::ovn::Ovn;
use tests::witness;

use crate::{await_condition, await_object, can, sandbox, subnet, vpc};

#[test]
fn a_vpc_stands_by_once_its_router_is_there_and_its_routes_tell_where_they_come_from() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let routes = json!([
        {"cidr": "0.0.0.0/0", "nextHopIP": "10.0.1.254", "policy": "policyDst"},
        {"cidr": "10.0.1.0/24", "nextHopIP": "10.0.1.253", "policy": "policySrc", "routeTable": "rtb1"},
    ]);
    let policies = json!([{"priority": 11, "action": "reroute", "match": "ip4.dst == 9.9.9.9", "nextHopIP": "10.0.1.7,10.0.1.8"}]);
    vpc(&lab, "test-vpc-1", &json!({"staticRoutes": routes, "policyRoutes": policies}));
    subnet(
        &lab,
        "net1",
        &json!({"vpc": "test-vpc-1", "cidrBlock": "10.0.1.0/24,fd00:1::/64", "enableDHCP": true}),
    );
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);

    await_object(&lab, "vpc", "test-vpc-1", |object| (object["status"]["standby"] == true).then_some(()));
    assert!(ovn.nb(&["lr-list"]).contains("test-vpc-1"));
    let table = witness::vpcctl(&lab, "get vpc").expect_success().text();
    let line = table.lines().find(|line| line.starts_with("test-vpc-1")).unwrap();
    assert!(line.contains("true") && line.contains("[\"net1\"]"), "{table}");
    let dhcp = await_object(&lab, "subnet", "net1", |object| {
        object["status"]["dhcpV4OptionsUUID"].as_str().filter(|uuid| !uuid.is_empty()).map(str::to_owned)
    });
    assert!(ovn.nb(&["dhcp-options-list"]).contains(&dhcp));

    let text = witness::vpcctl(&lab, "routes test-vpc-1 -o wide").expect_success().text();
    let has = |words: &[&str]| text.lines().any(|line| line.split_whitespace().eq(words.iter().copied()));
    assert!(has(&["main", "dst-ip", "10.0.1.0/24", "-", "connected", "test-vpc-1-net1"]), "{text}");
    assert!(has(&["main", "dst-ip", "0.0.0.0/0", "10.0.1.254", "static"]), "{text}");
    assert!(has(&["rtb1", "src-ip", "10.0.1.0/24", "10.0.1.253", "static"]), "{text}");
    assert!(text.contains("31000") && text.contains("subnet net1"), "{text}");
    let json: Value = witness::vpcctl_json(&lab, "routes test-vpc-1");
    assert_eq!(json["policies"][2]["nextHops"], json!(["10.0.1.7", "10.0.1.8"]), "{json}");
    assert!(
        witness::vpcctl(&lab, "routes test-vpc-1 -o yaml").expect_success().text().contains("origin: static")
    );
    let unknown = witness::vpcctl(&lab, "routes nobody");
    assert!(
        !unknown.success() && unknown.stderr.contains("vpcs.kubeovn.io \"nobody\" not found"),
        "{unknown:?}"
    );
}

#[test]
fn the_story_of_a_pod_tells_of_its_switch_port_and_of_what_stands_in_its_way() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "v", &json!({}));
    subnet(&lab, "net1", &json!({"vpc": "v", "cidrBlock": "10.0.1.0/24"}));
    subnet(&lab, "net2", &json!({"vpc": "v", "cidrBlock": "10.0.2.0/24"}));
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    ovn.nb(&["ls-add", "net2"]);
    let _daemon = node.daemon(&[]);
    let (_pod, add) = sandbox(&node, "ns1/a", "net1");
    add.run(&lab).ok();

    let story = witness::vpcctl(&lab, "explain pod ns1/a").expect_success().text();
    assert!(story.contains("a.ns1 is in the northbound database: 10.0.1."), "{story}");
    let (_other, add) = sandbox(&node, "ns1/b", "net2");
    let error = add.run(&lab).error();
    assert!(error.to_string().contains("Logical_Switch net2"), "{error}");
    let refused = await_condition(&lab, "vpc", "v", "Error", true);
    assert_eq!(refused["reason"], "RowsRefused", "{refused}");
    ovn.nb(&["ls-del", "net2"]);
    await_object(&lab, "vpc", "v", |object| crate::condition(object, "Error").is_none().then_some(()));
    let (_third, add) = sandbox(&node, "ns1/c", "net2");
    add.run(&lab).ok();
}
