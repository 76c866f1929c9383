//! The subnets of one VPC: routed, admitted, overlapping, and deleted in whatever order.

use serde_json::json;
use tests::lab::Lab;
use tests::traffic::{self, Server};

use crate::can;
use crate::cloud::{Cloud, condition, has_row, subnet, try_pod, vpc};

#[test]
fn subnets_of_one_vpc_reach_each_other_through_gateways_that_answer() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "v", json!({}));
    subnet(&lab, "net1", json!({"vpc": "v", "cidrBlock": "10.0.1.0/24,fd00:10:1::/64"}));
    let gateways = "10.0.2.254,fd00:10:2::fe";
    subnet(&lab, "net2", json!({"vpc": "v", "cidrBlock": "10.0.2.0/24,fd00:10:2::/64", "gateway": gateways}));
    subnet(&lab, "net3", json!({"vpc": "v", "cidrBlock": "10.0.3.0/24"}));
    let cloud = Cloud::start(&lab);
    let (a, b) = (cloud.pod("ns/a", "net1", ""), cloud.pod("ns/b", "net2", ""));
    let c = cloud.pod("ns/c", "net3", "");
    let _servers = [(&a, "a"), (&b, "b"), (&c, "c")].map(|(pod, name)| Server::tcp(pod, name, 8080));

    for gateway in ["10.0.1.1", "fd00:10:1::1", "10.0.2.254", "fd00:10:2::fe", "10.0.3.1"] {
        traffic::await_ping(&a, gateway);
        traffic::assert_ping(&b, gateway);
    }
    for (family, server) in [(4, format!("{}:8080", b.ip(4))), (6, format!("[{}]:8080", b.ip(6)))] {
        assert_eq!(traffic::ask_tcp(&a, &server).unwrap(), format!("b {}", a.ip(family)));
        assert_eq!(traffic::carries(&a, &server, 1_000_001).unwrap(), 1_000_001);
    }
    assert_eq!(traffic::ask_tcp(&b, &format!("{}:8080", c.ip(4))).unwrap(), format!("c {}", b.ip(4)));
    traffic::assert_ping(&c, &a.ip(4));
}

#[test]
fn who_is_not_admitted_is_refused_by_name() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "closed", json!({"namespaces": ["ns1", "ns2"]}));
    subnet(&lab, "net1", json!({"vpc": "closed", "cidrBlock": "10.0.1.0/24", "namespaces": ["ns1"]}));
    subnet(&lab, "open", json!({"vpc": "closed", "cidrBlock": "10.0.2.0/24"}));
    subnet(&lab, "strange", json!({"vpc": "closed", "cidrBlock": "10.0.3.0/24", "namespaces": ["ns3"]}));
    let cloud = Cloud::start(&lab);
    let (a, b) = (cloud.pod("ns1/a", "net1", ""), cloud.pod("ns2/b", "open", ""));
    traffic::await_ping(&a, &b.ip(4));

    for (pod, network, named) in
        [("ns2/x", "net1", "net1"), ("ns3/x", "open", "open"), ("ns3/x", "strange", "strange")]
    {
        let error = try_pod(&cloud.node, pod, network).error();
        assert_eq!(error["code"], 107, "{error}");
        let text = error.to_string();
        let (namespace, _) = pod.split_once('/').unwrap();
        assert!(text.contains(&format!("namespace {namespace}")) && text.contains(named), "{error}");
    }
    let ready = condition(&lab, "subnet", "strange", "Ready");
    assert_eq!(ready["reason"], "NamespaceNotAdmitted", "{ready}");
    assert!(ready["message"].as_str().unwrap().contains("does not admit namespace ns3"), "{ready}");
    assert!(!has_row(&cloud.ovn, &["Logical_Switch {", "strange"]));
    traffic::assert_ping(&a, &b.ip(4));
}

#[test]
fn of_two_subnets_that_overlap_the_one_in_use_stays() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "v", json!({}));
    subnet(&lab, "net2", json!({"vpc": "v", "cidrBlock": "10.0.1.0/24"}));
    let cloud = Cloud::start(&lab);
    let (a, b) = (cloud.pod("ns/a", "net2", ""), cloud.pod("ns/b", "net2", ""));
    traffic::await_ping(&a, &b.ip(4));

    subnet(&lab, "net1", json!({"vpc": "v", "cidrBlock": "10.0.1.128/25"}));
    let ready = condition(&lab, "subnet", "net1", "Ready");
    assert_eq!(ready["reason"], "CidrOverlap", "{ready}");
    assert!(ready["message"].as_str().unwrap().contains("Subnet net2"), "{ready}");
    let error = try_pod(&cloud.node, "ns/c", "net1").error();
    assert!(error["msg"].as_str().unwrap().contains("CidrOverlap"), "{error}");
    traffic::assert_ping(&a, &b.ip(4));
    assert!(!has_row(&cloud.ovn, &["Logical_Switch {", "net1"]));

    // Now net1 has a place and a pod of its own, and grows out of it.
    subnet(&lab, "net1", json!({"vpc": "v", "cidrBlock": "10.0.2.0/24"}));
    let c = cloud.pod("ns/c", "net1", "");
    traffic::await_ping(&a, &c.ip(4));
    subnet(&lab, "net1", json!({"vpc": "v", "cidrBlock": "10.0.0.0/16"}));
    let ready = condition(&lab, "subnet", "net1", "Ready");
    assert_eq!(ready["reason"], "CidrOverlap", "{ready}");
    traffic::assert_ping(&a, &b.ip(4));
}

#[test]
fn a_deleted_subnet_serves_its_pods_and_goes_with_the_last_one() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "v", json!({}));
    for (name, number) in [("net1", 1), ("net2", 2)] {
        subnet(&lab, name, json!({"vpc": "v", "cidrBlock": format!("10.0.{number}.0/24")}));
    }
    let mut cloud = Cloud::start(&lab);
    let [a, b] = [("ns/a", "net1"), ("ns/b", "net2")].map(|(name, net)| cloud.pod(name, net, ""));
    traffic::await_ping(&a, &b.ip(4));

    lab.remove_object("subnet-net1.yaml");
    let waiting = condition(&lab, "subnet", "net1", "Warning");
    assert_eq!(waiting["reason"], "InUse", "{waiting}");
    traffic::assert_ping(&a, &b.ip(4));
    assert_eq!(try_pod(&cloud.node, "ns/c", "net1").code(), 101);
    lab.remove_object("vpc-v.yaml");
    let waiting = condition(&lab, "vpc", "v", "Warning");
    assert_eq!(waiting["reason"], "InUse", "{waiting}");

    // A daemon that starts anew has never seen the two.
    cloud.daemon.restart();
    vpc(&lab, "w", json!({}));
    cloud.await_row(true, &["Logical_Router {", r#""name":"w""#]);
    traffic::assert_ping(&a, &b.ip(4));
    lab.remove_object("vpc-w.yaml");
    a.delete();
    cloud.await_row(false, &["a.ns"]);
    traffic::assert_ping(&b, "10.0.2.1");
    b.delete();
    lab.remove_object("subnet-net2.yaml");
    cloud.await_row(false, &["kube-ovn"]);
}

#[test]
fn deletion_in_any_order_leaves_no_row_of_ours() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let cloud = Cloud::start(&lab);
    for order in ["psv", "pvs", "spv", "svp", "vps", "vsp"] {
        vpc(&lab, "v", json!({"staticRoutes": [{"cidr": "0.0.0.0/0", "nextHopIP": "10.0.1.254"}]}));
        let spec = json!({"vpc": "v", "cidrBlock": "10.0.1.0/24", "private": true, "enableDHCP": true});
        subnet(&lab, "net1", spec);
        cloud.await_row(true, &["Logical_Switch {", "net1"]);
        let mut pod = Some(cloud.pod("ns/a", "net1", ""));
        traffic::await_ping(pod.as_ref().unwrap(), "10.0.1.1");
        for what in order.chars() {
            match what {
                'p' => pod.take().into_iter().for_each(|pod| pod.delete()),
                's' => lab.remove_object("subnet-net1.yaml"),
                _ => lab.remove_object("vpc-v.yaml"),
            }
        }
        cloud.await_row(false, &["kube-ovn"]);
        assert_eq!(cloud.ovn.dump().lines(), Vec::<String>::new(), "{order}");
        cloud.node.assert_empty();
    }
}
