//! One address in two VPCs on one node: exact by port, avoided where it can be, refused where it cannot be told apart.

use crate::kubelet::{Verdict, assert_probe, get};
use crate::lab;
use crate::server::Server;
use crate::stage::{OPEN, Stage};

#[test]
fn one_address_with_different_ports_reaches_the_right_pod() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let [a, b] = [("a", "net-a", "8080,8081"), ("b", "net-b", "9090,9091")].map(|(name, net, ports)| {
        let wishes = [("logical_switch", net), ("ip_address", "10.0.1.9,fd00:1::9"), ("probe_ports", ports)];
        stage.wishing(name, &wishes)
    });
    assert_eq!(a.ips, b.ips);
    let _servers = [(&a, "a", 8080), (&b, "b", 9090)].map(|(pod, name, port)| Server::web(pod, name, port));
    // What the other one serves on a port that is not its own is nobody's business.
    let _others =
        [(&a, "wrong", 9091), (&b, "wrong", 8081)].map(|(p, name, port)| Server::web(p, name, port));

    for family in [0, 1] {
        lab.node.inside(|| {
            assert!(get(a.at(8080)[family]).unwrap().starts_with("a "));
            assert!(get(b.at(9090)[family]).unwrap().starts_with("b "));
        });
    }
    assert_probe(&lab.node, &a.at(8081), Verdict::Refused);
    assert_probe(&lab.node, &b.at(9091), Verdict::Refused);
}

#[test]
fn addresses_that_nobody_chose_do_not_clash() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);

    let a = stage.pod("a", "net-a");
    let b = stage.pod("b", "net-b");
    let other_port = stage.probed("c", "net-b", "9090");

    assert!(a.ips.iter().all(|ip| !b.ips.contains(ip)), "{:?} {:?}", a.ips, b.ips);
    assert_eq!(a.ips, other_port.ips);
    let _servers = [(&a, "a"), (&b, "b")].map(|(pod, name)| Server::web(pod, name, OPEN));
    assert!(lab.node.inside(|| get(a.at(OPEN)[0])).unwrap().starts_with("a "));
    assert!(lab.node.inside(|| get(b.at(OPEN)[0])).unwrap().starts_with("b "));
}

#[test]
fn a_chosen_address_that_clashes_is_refused_by_both_names_until_the_first_pod_is_gone() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let wishes = |net| [("logical_switch", net), ("ip_address", "10.0.1.9"), ("probe_ports", "8080")];
    let first = stage.wishing("first", &wishes("net-a"));
    let server = Server::web(&first, "first", OPEN);
    let (netns, call) = stage.sandbox("second", &wishes("net-b"));

    let error = call.run(&lab).error();

    assert_eq!(error["code"], 104, "{error}");
    let text = error.to_string();
    assert!(["ns/first", "10.0.1.9", "ns/second"].iter().all(|word| text.contains(word)), "{error}");
    assert_probe(&lab.node, &first.at(OPEN), Verdict::Open);

    first.delete();
    drop(server);
    let second = stage.added(netns, call);
    let _server = Server::web(&second, "second", OPEN);
    assert!(lab.node.inside(|| get(second.at(OPEN)[0])).unwrap().starts_with("second "));
}
