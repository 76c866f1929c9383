//! What others do to our rows, and to theirs; servers that go and come back.

use std::time::Duration;

use daemon::northbound::Published;
use daemon_api::{FaultKind, PodRef};

use crate::ground::{GUIDE, Node, PATIENCE, Server, is_equipped, until};

#[tokio::test(flavor = "multi_thread")]
async fn damage_heals_in_every_table_and_foreign_rows_stay() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    node.add("ns1/a", "net1", "10.0.1.5").await.unwrap();
    server.nb(&["lr-add", "theirs", "--", "ls-add", "theirs-too"]);
    server.nb(&["lr-route-add", "test-vpc-1", "1.2.3.0/24", "10.0.1.9"]);
    server.nb(&[
        "lsp-add",
        "net1",
        "by-hand",
        "--",
        "lsp-set-addresses",
        "by-hand",
        "02:00:00:00:00:01 10.0.1.77",
    ]);
    let before = server.dump();

    for damage in [
        &["lr-del", "test-vpc-2"][..],
        &["set", "Logical_Router", "test-vpc-1", "options:dynamic_neigh_routers=false"],
        &["set", "Logical_Router_Port", "test-vpc-1-net1", "networks=10.9.9.1/24"],
        &["lrp-del", "test-vpc-2-net2"],
        &["lsp-del", "net2-test-vpc-2"],
        &["lsp-del", "a.ns1"],
        &["lsp-set-addresses", "a.ns1", "unknown"],
        &["lr-route-del", "test-vpc-1", "0.0.0.0/0"],
        &["lr-policy-del", "test-vpc-1", "31000"],
        &["acl-del", "net1"],
        &["--all", "destroy", "DHCP_Options"],
        &["ls-del", "net2"],
        &["remove", "Logical_Switch_Port", "a.ns1", "external_ids", "ls"],
    ] {
        server.nb(damage);
        until(&format!("{damage:?} is put right"), || server.dump() == before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_row_in_the_way_is_named_and_once_it_is_gone_ours_is_made() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    server.nb(&["ls-add", "net2"]);
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;

    let fault = node.add("ns2/a", "net2", "10.0.1.5").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotSupportedHere);
    assert!(fault.message.contains("a.ns2") && fault.message.contains("net2"), "{fault}");
    assert_eq!(node.add("ns1/b", "net1", "10.0.1.5").await, Ok(Published::Done));
    assert!(server.nb(&["get", "Logical_Switch", "net2", "external_ids"]).contains("{}"));

    server.nb(&["ls-del", "net2"]);
    until("the port is made", || server.nb(&["list", "Logical_Switch_Port"]).contains("a.ns2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_wiped_or_restarted_is_as_before() {
    if !is_equipped() {
        return;
    }
    let mut server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    node.add("ns1/a", "net1", "10.0.1.5").await.unwrap();
    let (before, versions) = (server.dump(), server.versions());

    server.restart();
    node.add("ns1/b", "net1", "10.0.1.6").await.unwrap();
    let b = node.claim("ns1/b", "net1", "10.0.1.6").await;
    node.release(&b).await;
    until("the second pod is gone", || server.dump() == before);
    let ports = |versions: &[String]| versions.len();
    assert_eq!(ports(&server.versions()), ports(&versions));

    server.wipe();
    until("all is made again", || server.dump() == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_out_of_reach_is_a_fault_within_its_time_that_names_the_place() {
    if !is_equipped() {
        return;
    }
    let mut server = Server::northbound();
    server.stop();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    node.claim("ns1/a", "net1", "10.0.1.5").await;

    let pod = PodRef::new("ns1", "a").unwrap();
    let fault = node.northbound().publish(&pod, "a.ns1", Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Busy);
    assert!(fault.message.contains(&server.endpoint()), "{fault}");

    server.restart();
    assert_eq!(node.northbound().publish(&pod, "a.ns1", PATIENCE).await, Ok(Published::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_fights_us_does_not_keep_us_busy() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), GUIDE).await;
    node.add("ns2/a", "net2", "10.0.1.5").await.unwrap();
    let is_there = || server.nb(&["list", "Logical_Switch_Port"]).contains("a.ns2");
    let mut rounds = 0;
    let end = std::time::Instant::now() + Duration::from_secs(3);
    while std::time::Instant::now() < end {
        if is_there() {
            server.nb(&["lsp-del", "a.ns2"]);
            rounds += 1;
        }
        std::thread::yield_now();
    }
    assert!((10..=17).contains(&rounds), "{rounds} rounds: ten at once, then 0.1 s, 0.2 s, …");
    assert_eq!(node.add("ns2/b", "net2", "10.0.1.6").await, Ok(Published::Done), "others do not wait");
}
