//! Several nodes with a ledger each over one northbound database.

use daemon::northbound::Published;

use crate::ground::{GUIDE, Node, Server, is_equipped, until};

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_keep_the_same_vpcs_and_each_its_own_pods() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let one = Node::start("n1", &server.endpoint(), GUIDE).await;
    let two = Node::start("n2", &server.endpoint(), GUIDE).await;
    one.add("ns1/a", "net1", "10.0.1.5").await.unwrap();
    two.add("ns1/b", "net1", "10.0.1.6").await.unwrap();
    assert_eq!(server.nb(&["lr-list"]).lines().count(), 2);
    let before = server.versions();

    let one = one.restart().await;
    one.publish("ns1/a").await.unwrap();
    assert_eq!(server.versions(), before, "a restarted node leaves the other's pods alone");
    let c = one.claim("ns1/c", "net1", "10.0.1.7").await;
    one.publish("ns1/c").await.unwrap();
    one.release(&c).await;
    until("its own pod is gone", || !server.nb(&["lsp-list", "net1"]).contains("c.ns1"));
    assert!(server.nb(&["lsp-list", "net1"]).contains("b.ns1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_node_or_of_a_person_is_taken_and_the_port_gives_way() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let one = Node::start("n1", &server.endpoint(), GUIDE).await;
    let two = Node::start("n2", &server.endpoint(), GUIDE).await;
    one.add("ns1/a", "net1", "10.0.1.5").await.unwrap();
    let taken =
        |by: &str| Ok(Published::AddressTaken { address: "10.0.1.5".parse().unwrap(), by: by.into() });

    assert_eq!(two.add("ns1/b", "net1", "10.0.1.5").await, taken("a.ns1"));
    assert!(!server.nb(&["lsp-list", "net1"]).contains("b.ns1"));
    let b = two.claim("ns1/b", "net1", "10.0.1.5").await;
    two.release(&b).await;
    assert_eq!(two.add("ns1/b", "net1", "10.0.1.6").await, Ok(Published::Done));
    // The same address in another VPC is another address.
    assert_eq!(two.add("ns2/c", "net2", "10.0.1.5").await, Ok(Published::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_choose_one_address_at_once_one_wins_at_most() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let one = Node::start("n1", &server.endpoint(), GUIDE).await;
    let two = Node::start("n2", &server.endpoint(), GUIDE).await;
    for host in 10..30 {
        let address = format!("10.0.1.{host}");
        let (a, b) = (format!("ns1/a{host}"), format!("ns1/b{host}"));
        let (a, b) = tokio::join!(one.add(&a, "net1", &address), two.add(&b, "net1", &address));
        let won = [&a, &b].into_iter().filter(|answer| **answer == Ok(Published::Done)).count();
        assert!(won <= 1, "{a:?} {b:?}");
        until("losers are out", || {
            server.nb(&["list", "Logical_Switch_Port"]).matches(&format!("{address}\"")).count() / 2 <= won
        });
    }
}
