//! Two nodes with one northbound database and one folder: VPCs across Geneve, and one address for one pod.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::ovn::{Node, Ovn, Wire};
use tests::traffic::{self, Server};
use tests::{objects, wait};

use crate::can;
use crate::cloud::{PATIENCE, Pod, pod};

const DUAL: &str = "10.0.1.0/24,fd00:10:1::/64";

/// Puts the same objects into both folders.
#[track_caller]
fn in_both(labs: [&Lab; 2], objects: &[(&str, &str, Value)]) {
    for (kind, name, spec) in objects {
        let yaml = match *kind {
            "Vpc" => objects::vpc(name, spec),
            _ => objects::subnet(name, spec),
        };
        labs.iter().for_each(|lab| lab.write_object(&format!("{kind}-{name}.yaml"), &yaml));
    }
}

/// Two nodes of one OVN, each with its daemon, and the wire between them.
struct Nodes<'a> {
    daemons: [Daemon<'a>; 2],
    _wire: Wire<'a>,
    nodes: [Node<'a>; 2],
    ovn: Ovn,
}

#[track_caller]
fn nodes<'a>(labs: [&'a Lab; 2]) -> Nodes<'a> {
    let ovn = Ovn::start(labs[0]);
    let nodes = labs.map(|lab| ovn.node(lab));
    let wire = Wire::between(&nodes[0], &nodes[1]);
    let daemons = [nodes[0].daemon(&[]), nodes[1].daemon(&[])];
    Nodes { daemons, _wire: wire, nodes, ovn }
}

#[test]
fn two_vpcs_with_one_cidr_span_two_nodes_each_for_itself() {
    if !can() {
        return;
    }
    let (one, two) = (Lab::new(), Lab::new());
    for (vpc, net) in [("v1", "net1"), ("v2", "net2")] {
        let subnet = json!({"vpc": vpc, "cidrBlock": DUAL});
        in_both([&one, &two], &[("Vpc", vpc, json!({})), ("Subnet", net, subnet)]);
    }
    let far = json!({"vpc": "v1", "cidrBlock": "10.0.9.0/24,fd00:10:9::/64"});
    in_both([&one, &two], &[("Subnet", "far", far)]);
    let mut world = nodes([&one, &two]);
    let [here, there] = &world.nodes;
    let [ten, eleven] = ["10.0.1.10,fd00:10:1::10", "10.0.1.11,fd00:10:1::11"];
    // The same addresses on opposite nodes.
    let (a1, b1) = (pod(here, "ns/a1", "net1", ten), pod(there, "ns/b1", "net1", eleven));
    let (a2, b2) = (pod(there, "ns/a2", "net2", ten), pod(here, "ns/b2", "net2", eleven));
    let routed = pod(there, "ns/routed", "far", "10.0.9.10,fd00:10:9::10");
    let lonely = pod(there, "ns/lonely", "net2", "10.0.1.12,fd00:10:1::12");
    let _servers =
        [(&b1, "one"), (&b2, "two"), (&routed, "routed")].map(|(pod, name)| Server::tcp(pod, name, 8080));

    for family in [4, 6] {
        let server = |pod: &Pod<'_>| {
            if family == 6 { format!("[{}]:8080", pod.ip(6)) } else { format!("{}:8080", pod.ip(4)) }
        };
        for (asking, asked, name) in [(&a1, &b1, "one"), (&a2, &b2, "two"), (&a1, &routed, "routed")] {
            traffic::await_ping(asking, &asked.ip(family));
            let answer = format!("{name} {}", asking.ip(family));
            assert_eq!(traffic::ask_tcp(asking, &server(asked)).unwrap(), answer);
            assert_eq!(traffic::carries(asking, &server(asked), 1_000_001).unwrap(), 1_000_001);
        }
        traffic::await_ping(&a2, &lonely.ip(family));
        traffic::assert_no_ping(&a1, &lonely.ip(family));
    }
    moves_and_restarts(&mut world, a1, b1);
}

/// A pod goes on with the other node, and what each daemon left alone stays so when they start anew.
fn moves_and_restarts(world: &mut Nodes<'_>, a: Pod<'_>, b: Pod<'_>) {
    let rows = world.ovn.rows();
    world.daemons.iter_mut().for_each(Daemon::restart);
    assert_eq!(world.ovn.rows(), rows);
    traffic::assert_ping(&b, &a.ip(4));

    a.delete();
    traffic::await_silence(&b, "10.0.1.10");
    let a = pod(&world.nodes[1], "ns/a1", "net1", "10.0.1.10,fd00:10:1::10");
    traffic::await_ping(&b, &a.ip(4));
    traffic::await_ping(&b, &a.ip(6));
    traffic::await_ping(&a, "10.0.9.10");
}

#[test]
fn nodes_that_choose_from_one_subnet_never_choose_the_same_address() {
    if !can() {
        return;
    }
    let (one, two) = (Lab::new(), Lab::new());
    let subnet = json!({"vpc": "v", "cidrBlock": "10.0.1.0/24"});
    in_both([&one, &two], &[("Vpc", "v", json!({})), ("Subnet", "net1", subnet)]);
    let world = nodes([&one, &two]);
    let added = std::thread::scope(|scope| {
        let per_node = [0, 1].map(|node| {
            let node = &world.nodes[node];
            scope.spawn(move || {
                let name = |number: u8| format!("ns/p{number}-{}", node.chassis());
                (0..5).map(|number| pod(node, &name(number), "net1", "")).collect::<Vec<_>>()
            })
        });
        per_node.map(|pods| pods.join().unwrap())
    });

    let pods: Vec<&Pod<'_>> = added.iter().flatten().collect();
    let addresses: BTreeSet<String> = pods.iter().map(|pod| pod.ip(4)).collect();
    assert_eq!(addresses.len(), 10, "{addresses:?}");
    for pod in &pods {
        traffic::await_ping(pods[0], &pod.ip(4));
        traffic::await_ping(pods[9], &pod.ip(4));
    }
    let ports = || world.ovn.rows().uuids("Logical_Switch_Port").len();
    assert_eq!(ports(), 11);
    added.into_iter().flatten().for_each(Pod::delete);
    wait::until("the ports of deleted pods to go", PATIENCE, || (ports() == 1).then_some(()));
}
