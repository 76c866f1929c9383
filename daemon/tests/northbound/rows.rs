//! The rows of the guide's objects, and what becomes of them when objects and pods come and go.

use daemon::ledger::{Limit, PortTraits};
use daemon::northbound::Published;
use daemon_api::FaultKind;

use crate::ground::{GUIDE, Node, Server, is_equipped, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_objects_and_pods_become_rows_under_upstreams_names() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;

    assert_eq!(node.add("ns1/vpc1-pod", "net1", "10.0.1.5").await, Ok(Published::Done));
    assert_eq!(node.add("ns2/vpc2-pod", "net2", "10.0.1.5").await, Ok(Published::Done));

    let names = |list: &str| server.nb(&["--bare", "--columns=name", "list", list]);
    assert!(names("Logical_Router").contains("test-vpc-1") && names("Logical_Router").contains("test-vpc-2"));
    assert!(names("Logical_Router_Port").contains("test-vpc-1-net1"));
    assert!(server.nb(&["lsp-list", "net1"]).contains("(net1-test-vpc-1)"));
    assert!(server.nb(&["lsp-list", "net1"]).contains("(vpc1-pod.ns1)"));
    assert!(server.nb(&["lsp-get-addresses", "vpc2-pod.ns2"]).ends_with(" 10.0.1.5"));
    assert!(
        server
            .nb(&["get", "Logical_Router", "test-vpc-1", "options"])
            .contains("mac_binding_age_threshold=\"300\"")
    );
    assert!(server.nb(&["lr-route-list", "test-vpc-1"]).contains("10.0.1.254 dst-ip"));
    let policies = server.nb(&["lr-policy-list", "test-vpc-1"]);
    assert!(
        policies.contains("31000")
            && policies.contains("ip4.dst == 10.0.1.0/24")
            && policies.contains("drop")
    );
    assert!(server.nb(&["acl-list", "net1"]).contains("1000 (ip) drop"));
    assert!(server.nb(&["get", "Logical_Switch_Port", "vpc1-pod.ns1", "dhcpv4_options"]).len() > 30);
    assert!(
        server
            .nb(&["get", "Logical_Switch_Port", "vpc1-pod.ns1", "external_ids"])
            .contains("kube-ovn-chassis=n1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_everything_in_place_writes_nothing() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    node.add("ns1/a", "net1", "10.0.1.5").await.unwrap();
    let before = server.versions();

    let node = node.restart().await;
    assert_eq!(node.publish("ns1/a").await, Ok(Published::Done));
    assert_eq!(server.versions(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_pods_go_in_any_order() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    node.add("ns1/a", "net1", "10.0.1.5").await.unwrap();
    let b = node.claim("ns2/b", "net2", "10.0.1.6").await;
    node.publish("ns2/b").await.unwrap();
    let a = node.claim("ns1/a", "net1", "10.0.1.5").await;

    // The files go first: what is in use stays.
    node.set_objects("").await;
    node.release(&b).await;
    until("the second VPC is gone", || !server.nb(&["lr-list"]).contains("test-vpc-2"));
    assert!(server.nb(&["lr-list"]).contains("test-vpc-1"));
    assert!(server.nb(&["lsp-list", "net1"]).contains("a.ns1"));
    let is_kept = node.northbound().look(|model| model.unwrap().facts().subnets.contains_key("net1"));
    assert!(is_kept);

    node.release(&a).await;
    until("nothing is left", || server.dump().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_cannot_be_is_a_fault_that_says_why_and_others_are_made() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let yaml = GUIDE.to_owned()
        + "\
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net3}
spec: {vpc: test-vpc-1, cidrBlock: 10.0.1.128/25}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net4}
spec: {vpc: nobody, cidrBlock: 10.4.0.0/24}
";
    let node = Node::start("n1", &server.endpoint(), &yaml).await;

    let fault = node.add("elsewhere/a", "net1", "10.0.1.5").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAdmitted);
    assert!(fault.message.contains("does not admit namespace elsewhere"), "{fault}");
    let fault = node.add("ns1/b", "net4", "10.4.0.5").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownSubnet);
    assert!(fault.message.contains("UnknownVpc") && fault.message.contains("nobody"), "{fault}");
    let fault = node.add("ns1/c", "net3", "10.0.1.200").await.unwrap_err();
    assert!(fault.message.contains("CidrOverlap"), "{fault}");
    assert_eq!(node.add("ns1/d", "net1", "10.0.1.6").await, Ok(Published::Done));
    assert!(!server.nb(&["ls-list"]).contains("net3") && !server.nb(&["ls-list"]).contains("net4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pod_may_send_is_a_meter_that_goes_with_its_port() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    let limit = Some(Limit { rate: 50, burst: None });
    let traits = PortTraits { out_of_pod: limit, ..PortTraits::default() };
    let claim = node.claim_with("ns2/a", "net2", "10.0.1.5", traits).await;
    node.publish("ns2/a").await.unwrap();
    let meters = server.nb(&["qos-list", "net2"]);
    assert!(meters.contains("from-lport") && meters.contains("rate=50000") && meters.contains("burst=40000"));

    node.release(&claim).await;
    until("port and meter are gone", || {
        server.nb(&["qos-list", "net2"]).is_empty() && !server.nb(&["lsp-list", "net2"]).contains("a.ns2")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_whose_file_is_gone_when_the_daemon_starts_are_not_cut_off() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    let a = node.claim("ns1/a", "net1", "10.0.1.5").await;
    node.publish("ns1/a").await.unwrap();
    node.add("ns2/b", "net2", "10.0.1.6").await.unwrap();
    let before = server.versions();
    let of_one = |text: &str| {
        GUIDE.split("---\n").filter(|part| !part.contains(text)).collect::<Vec<_>>().join("---\n")
    };

    node.set_objects(&of_one("name: net1")).await;
    let node = node.restart().await;
    node.publish("ns2/b").await.unwrap();
    assert_eq!(node.publish("ns1/a").await, Ok(Published::Done));
    assert_eq!(server.versions().len(), before.len(), "nothing is gone");

    node.set_objects(GUIDE).await;
    node.publish("ns1/a").await.unwrap();
    assert_eq!(server.versions().len(), before.len());
    node.set_objects(&of_one("test-vpc-1")).await;
    let node = node.restart().await;
    node.publish("ns2/b").await.unwrap();
    assert!(server.nb(&["lsp-list", "net1"]).contains("a.ns1"));

    node.release(&a).await;
    until("VPC and subnet are gone with the last pod", || !server.nb(&["ls-list"]).contains("net1"));
    assert!(!server.nb(&["lr-list"]).contains("test-vpc-1"));
}
