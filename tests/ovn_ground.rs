//! The OVN of the test ground, proven by hand: pods plugged in with the tools of OVN and Open vSwitch alone.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::fs;
use std::path::Path;

use tests::lab::Lab;
use tests::netns::{self, Netns};
use tests::ovn::{Node, Ovn, Plug, Wire};
use tests::skip::{Requirement, needs_all};
use tests::traffic::{self, Server};

/// Two pods of one switch.
const A: Plug<'_> =
    Plug { port: "a", mac: "0a:00:00:00:01:0b", address: "10.0.1.11/24", gateway: "10.0.1.1" };
const B: Plug<'_> =
    Plug { port: "b", mac: "0a:00:00:00:01:0c", address: "10.0.1.12/24", gateway: "10.0.1.1" };

fn can() -> bool {
    needs_all(&[Requirement::Root, Requirement::Ovn])
}

/// A switch with its router, and one port for each pod.
fn topology(ovn: &Ovn) {
    let wanted = "lr-add vpc -- ls-add net -- lrp-add vpc vpc-net 0a:00:00:00:01:01 10.0.1.1/24 \
        -- lsp-add net net-vpc -- lsp-set-type net-vpc router -- lsp-set-addresses net-vpc router \
        -- lsp-set-options net-vpc router-port=vpc-net -- lr-route-add vpc 0.0.0.0/0 10.0.1.254";
    ovn.nb(&wanted.split_whitespace().collect::<Vec<_>>());
    for Plug { port, mac, address, .. } in [A, B] {
        let addresses = format!("{mac} {}", address.split('/').next().unwrap());
        ovn.nb(&["lsp-add", "net", port, "--", "lsp-set-addresses", port, &addresses]);
    }
}

fn plugged(lab: &Lab, node: &Node<'_>, plug: &Plug<'_>) -> Netns {
    let pod = lab.pod(plug.port);
    node.plug(&pod, plug);
    pod
}

#[test]
fn two_pods_of_one_node_talk() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    topology(&ovn);

    let (a, b) = (plugged(&lab, &node, &A), plugged(&lab, &node, &B));
    ovn.sync();

    traffic::assert_ping(&a, "10.0.1.12");
    traffic::assert_ping(&a, "10.0.1.1");
    traffic::assert_no_ping(&a, "10.0.1.13");
    let _servers = (Server::tcp(&b, "b", 8080), Server::udp(&b, "b", 8080));
    assert_eq!(traffic::ask_tcp(&a, "10.0.1.12:8080").unwrap(), "b 10.0.1.11");
    assert_eq!(traffic::ask_udp(&a, "10.0.1.12:8080").unwrap(), "b 10.0.1.11");
    assert_eq!(traffic::carries(&a, "10.0.1.12:8080", 1_000_001).unwrap(), 1_000_001);
    assert!(traffic::ask_tcp(&a, "10.0.1.12:8081").is_err());
    assert_eq!(node.ports(), ["h_a", "h_b"]);
    node.unplug(&B);
    traffic::assert_no_ping(&a, "10.0.1.12");
}

#[test]
fn our_daemon_starts_on_a_node_of_ovn_and_does_nothing_unasked() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let before = ovn.rows();

    let mut daemon = node.daemon(&[]);

    node.assert_empty();
    assert!(daemon.stop().success());
    assert_eq!(ovn.rows(), before);
}

#[test]
fn two_pods_of_two_nodes_talk_while_the_wire_is_whole() {
    if !can() {
        return;
    }
    let (one, two) = (Lab::new(), Lab::new());
    let ovn = Ovn::start(&one);
    let (first, mut second) = (ovn.node(&one), ovn.node(&two));
    let wire = Wire::between(&first, &second);
    topology(&ovn);

    let (a, b) = (plugged(&one, &first, &A), plugged(&two, &second, &B));
    ovn.sync();

    traffic::await_ping(&a, "10.0.1.12");
    let _server = Server::tcp(&b, "b", 8080);
    assert_eq!(traffic::carries(&a, "10.0.1.12:8080", 1_000_001).unwrap(), 1_000_001);
    wire.cut();
    traffic::assert_no_ping(&a, "10.0.1.12");
    wire.heal();
    traffic::await_ping(&a, "10.0.1.12");
    second.vswitchd.kill9();
    second.vswitchd.start();
    traffic::await_ping(&a, "10.0.1.12");
}

#[test]
fn traffic_is_back_when_any_killed_process_is() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let mut ovn = Ovn::start(&lab);
    let mut node = ovn.node(&lab);
    topology(&ovn);
    let (a, _b) = (plugged(&lab, &node, &A), plugged(&lab, &node, &B));

    node.vswitchd.kill9();
    traffic::assert_no_ping(&a, "10.0.1.12");
    node.vswitchd.start();
    traffic::await_ping(&a, "10.0.1.12");

    node.controller.kill9();
    node.db.kill9();
    node.db.start();
    node.controller.start();
    ovn.northd.kill9();
    ovn.nb.kill9();
    ovn.sb.kill9();
    ovn.sb.start();
    ovn.nb.start();
    ovn.northd.start();
    ovn.sync();
    traffic::await_ping(&a, "10.0.1.12");
}

#[test]
fn a_wiped_database_filled_in_the_same_way_has_the_same_content_in_other_rows() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let mut ovn = Ovn::start(&lab);
    let _node = ovn.node(&lab);
    topology(&ovn);
    let (before, rows) = (ovn.dump(), ovn.rows());
    assert_eq!(rows.uuids("Logical_Switch_Port").len(), 3);
    let router = before.lines().iter().find(|line| line.starts_with("Logical_Router {")).unwrap();
    assert_eq!(
        router,
        r#"Logical_Router {"name":"vpc","ports":"vpc-net","static_routes":{"ip_prefix":"0.0.0.0/0","nexthop":"10.0.1.254","route_table":""}}"#
    );

    ovn.nb.wipe();

    assert!(ovn.dump().lines().is_empty());
    topology(&ovn);
    ovn.sync();
    ovn.dump().assert_same(&before);
    assert!(ovn.rows().all_uuids().is_disjoint(&rows.all_uuids()));
    ovn.nb.restart();
    assert_eq!(ovn.rows().uuids("Logical_Router").len(), 1);
}

#[test]
fn nothing_is_left_after_a_panic() {
    if !can() {
        return;
    }
    let (tell, told) = std::sync::mpsc::channel();

    let ended = std::thread::spawn(move || {
        let lab = Lab::new();
        let mut ovn = Ovn::start(&lab);
        let mut node = ovn.node(&lab);
        let processes = [&mut ovn.northd, ovn.nb.process(), ovn.sb.process(), &mut node.vswitchd];
        let pids: Vec<_> = processes.map(|p| p.service().pid()).into();
        tell.send((lab.tag().to_owned(), lab.dir().to_owned(), pids)).unwrap();
        panic!("as a failed test does");
    });
    assert!(ended.join().is_err());

    let (tag, folder, pids) = told.recv().unwrap();
    assert!(pids.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()), "{pids:?}");
    assert!(!Path::new(netns::FOLDER).join(format!("{tag}-node")).exists());
    // A failed test keeps its folder for who looks into it; the next run would remove it.
    fs::remove_dir_all(folder).unwrap();
}
