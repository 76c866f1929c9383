//! What cannot be meant is said on its object, with a reason; the rest works.

use serde_json::json;
use tests::lab::Lab;
use tests::ovn::Ovn;
use tests::{traffic, witness};

use crate::{await_condition, can, sandbox, subnet, vpc};

#[test]
fn each_thing_that_cannot_be_meant_is_said_on_its_object_and_the_rest_works() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let routes = json!([
        {"cidr": "0.0.0.0/0", "nextHopIP": "10.9.9.9", "policy": "policyDst"},
        {"cidr": "10.8.0.0/16", "nextHopIP": "10.0.1.254", "policy": "policyDst"},
    ]);
    let policies = json!([
        {"priority": 11, "action": "drop", "match": "ip4.src=10.0.1.0/24"},
        {"priority": 12, "action": "drop", "match": "ip4.dst == 8.8.8.8"},
    ]);
    vpc(&lab, "v", &json!({"namespaces": ["ns1"], "staticRoutes": routes, "policyRoutes": policies}));
    subnet(
        &lab,
        "net1",
        &json!({"vpc": "v", "cidrBlock": "10.0.1.0/24", "acls": [
            {"direction": "to-lport", "priority": 1001, "match": "ip4 &&", "action": "drop"},
        ]}),
    );
    subnet(&lab, "overlaps", &json!({"vpc": "v", "cidrBlock": "10.0.1.128/25"}));
    subnet(&lab, "outside", &json!({"vpc": "v", "cidrBlock": "10.0.2.0/24", "gateway": "10.0.3.1"}));
    subnet(&lab, "lost", &json!({"vpc": "nobody", "cidrBlock": "10.0.4.0/24"}));
    subnet(&lab, "strange", &json!({"vpc": "v", "cidrBlock": "10.0.5.0/24", "namespaces": ["ns9"]}));
    vpc(&lab, "same", &json!({}));
    subnet(&lab, "same", &json!({"vpc": "v", "cidrBlock": "10.0.6.0/24"}));
    // Both pairs would have a router port `a-b-c`.
    vpc(&lab, "a", &json!({}));
    vpc(&lab, "a-b", &json!({}));
    subnet(&lab, "b-c", &json!({"vpc": "a", "cidrBlock": "10.0.7.0/24"}));
    subnet(&lab, "c", &json!({"vpc": "a-b", "cidrBlock": "10.0.7.0/24"}));
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);

    for (name, reason, words) in [
        ("overlaps", "CidrOverlap", "net1"),
        ("outside", "InvalidGateway", "10.0.3.1"),
        ("lost", "UnknownVpc", "nobody"),
        ("strange", "NamespaceNotAdmitted", "ns9"),
        ("same", "NameTaken", "same"),
        ("c", "PortNameTaken", "a-b-c"),
    ] {
        let ready = await_condition(&lab, "subnet", name, "Ready", false);
        assert_eq!(ready["reason"], reason, "{ready}");
        assert!(ready["message"].as_str().unwrap().contains(words), "{ready}");
        assert!(!ovn.nb(&["ls-list"]).contains(&format!("({name})")), "{name} has a switch");
    }
    for (kind, name, words) in
        [("vpc", "v", "10.9.9.9"), ("vpc", "v", "ip4.src=10.0.1.0/24"), ("subnet", "net1", "ip4 &&")]
    {
        let error = await_condition(&lab, kind, name, "Error", true);
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert_eq!(await_condition(&lab, kind, name, "Ready", true)["status"], "True");
    }
    assert!(ovn.nb(&["lr-route-list", "v"]).contains("10.8.0.0/16"));
    assert!(ovn.nb(&["lr-policy-list", "v"]).contains("8.8.8.8"));
    let yaml = witness::vpcctl(&lab, "get subnet outside -o yaml").expect_success().text();
    assert!(yaml.contains("InvalidGateway") && yaml.contains("type: Ready"), "{yaml}");

    let (pod, add) = sandbox(&node, "ns1/a", "net1");
    add.run(&lab).ok();
    traffic::await_ping(&pod, "10.0.1.1");
}

#[test]
fn a_broken_edit_of_a_subnet_is_said_and_its_pods_go_on() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "v", &json!({}));
    subnet(&lab, "net1", &json!({"vpc": "v", "cidrBlock": "10.0.1.0/24"}));
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let mut daemon = node.daemon(&[]);
    let (pod, add) = sandbox(&node, "ns1/a", "net1");
    add.run(&lab).ok();
    traffic::await_ping(&pod, "10.0.1.1");
    let before = ovn.rows();

    subnet(&lab, "net1", &json!({"vpc": "v", "cidrBlock": "10.0.1.0/24", "gateway": "10.0.2.1"}));
    let error = await_condition(&lab, "subnet", "net1", "Error", true);
    assert_eq!(error["reason"], "NewestVersionRefused", "{error}");
    assert!(error["message"].as_str().unwrap().contains("10.0.2.1"), "{error}");
    daemon.restart();
    await_condition(&lab, "subnet", "net1", "Ready", false);
    traffic::assert_ping(&pod, "10.0.1.1");
    assert_eq!(ovn.rows().dump().lines(), before.dump().lines());
}
