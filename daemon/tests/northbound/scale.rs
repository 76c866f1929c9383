//! Many pods: `cargo test --release -p daemon --test northbound scale -- --ignored --nocapture`.

use std::time::Instant;

use daemon::northbound::Published;

use crate::ground::{Node, Server, is_equipped, until};

const SUBNETS: usize = 50;

fn objects() -> String {
    let object = |kind: &str, name: String, spec: String| {
        format!(
            "---\napiVersion: kubeovn.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
        )
    };
    let vpcs = (0..SUBNETS).map(|n| object("Vpc", format!("v{n}"), String::new()));
    let subnets =
        (0..SUBNETS).map(|n| object("Subnet", format!("s{n}"), format!("vpc: v{n}, cidrBlock: 10.0.0.0/16")));
    vpcs.chain(subnets).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn one_pod_among_ten_thousand() {
    if !is_equipped() {
        return;
    }
    let server = Server::northbound();
    let node = Node::start("n1", &server.endpoint(), &objects()).await;
    let start = Instant::now();
    let mut claims = Vec::new();
    for number in 0..10_000 {
        let (pod, subnet) = (format!("ns/p{number}"), format!("s{}", number % SUBNETS));
        let host = number / SUBNETS + 2;
        claims.push(node.claim(&pod, &subnet, &format!("10.0.{}.{}", host / 256, host % 256)).await);
    }
    println!("10,000 claims one by one: {:?}", start.elapsed());
    let start = Instant::now();
    node.publish("ns/p9999").await.unwrap();
    until("all are in", || {
        server.nb(&["--bare", "--columns=name", "list", "Logical_Switch_Port"]).matches(".ns").count()
            == 10_000
    });
    println!("and published: {:?}", start.elapsed());
    let mut times = Vec::new();
    for number in 0..200 {
        let (pod, address) = (format!("ns/q{number}"), format!("10.0.200.{}", number + 1));
        let claim = node.claim(&pod, "s7", &address).await;
        let start = Instant::now();
        assert_eq!(node.publish(&pod).await, Ok(Published::Done));
        times.push(start.elapsed());
        node.release(&claim).await;
    }
    times.sort();
    println!("one more pod: median {:?}, worst {:?}", times[100], times[199]);
    let start = Instant::now();
    let node = node.restart().await;
    node.publish("ns/p1").await.unwrap();
    println!("a restart with 10,000 in place: {:?}", start.elapsed());
}
