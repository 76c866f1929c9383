//! Further interfaces of a pod: networks of their own provider, and one network several times.

use serde_json::{Value, json};
use tests::cni;
use tests::lab::Lab;
use tests::ovn::{Node, Ovn};
use tests::{traffic, witness};

use crate::lab_with;
use crate::pod::{Pod, external_ids, switch_ports};

/// The provider of the attachment network.
const ATTACHED: &str = "att1.ns1.ovn";

/// A lab with the default network's Subnet and the attachment network's.
fn lab() -> Option<Lab> {
    lab_with(&[
        ("net1", json!({"cidrBlock": "10.0.1.0/24"})),
        ("net9", json!({"cidrBlock": "10.0.9.0/24", "provider": ATTACHED})),
    ])
}

/// The attachment network with these annotations of the pod.
fn attached(node: &Node<'_>, annotations: &Value) -> Value {
    let mut conf = cni::annotated(&node.conf(), annotations);
    conf["provider"] = ATTACHED.into();
    conf
}

#[test]
fn a_second_interface_has_a_port_and_annotations_of_its_own() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = Pod::new(&node, "84449a466cca").plugged();
    let wish = json!({
        format!("{ATTACHED}.kubernetes.io/ip_address"): "10.0.9.77",
        format!("{ATTACHED}.kubernetes.io/mac_address"): "02:00:00:00:09:77",
        "ovn.kubernetes.io/ip_address": "10.0.1.99",
    });
    let add = pod.add.clone().ifname("net1").stdin(attached(&node, &wish).to_string());

    let result = add.run(&lab).ok();

    assert_eq!(cni::addresses(&result), ["10.0.9.77/24"]);
    assert_eq!(witness::link(&pod.netns, "net1").unwrap()["address"], "02:00:00:00:09:77");
    assert_eq!(result["ips"][0].get("gateway"), None, "the pod has its default route");
    assert_eq!(result["routes"], json!([{"dst": "10.0.9.0/24"}]));
    assert_eq!(witness::default_gateway(&pod.netns, 4).as_deref(), Some("10.0.1.1"));
    let ids = external_ids(&node, "84449a46_net1_h");
    assert_eq!((&*ids["iface-id"], &*ids["ip"]), ("84449a466cca.ns1.att1.ns1.ovn", "10.0.9.77"));
    traffic::assert_ping(&pod.netns, "10.0.9.1");
    traffic::assert_ping(&pod.netns, "10.0.1.1");

    add.verb("DEL").run(&lab).ok();

    assert_eq!(witness::link_names(&pod.netns), ["eth0"], "a DEL is for one interface");
    assert_eq!(node.ports(), [pod.host_end()]);
    assert_eq!(switch_ports(&ovn), ["84449a466cca.ns1"]);
    traffic::assert_ping(&pod.netns, "10.0.1.1");
    pod.deleted();
    node.assert_empty();
}

#[test]
fn the_default_route_may_be_the_second_interfaces() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let wish = json!({
        "ovn.kubernetes.io/default_route": "false",
        format!("{ATTACHED}.kubernetes.io/default_route"): "true",
    });
    let pod = Pod::wishing(&node, "a", &wish).plugged();

    let add = pod.add.clone().ifname("net1").stdin(attached(&node, &wish).to_string());
    let result = add.run(&lab).ok();

    assert_eq!(result["ips"][0]["gateway"], "10.0.9.1");
    assert_eq!(witness::default_gateway(&pod.netns, 4).as_deref(), Some("10.0.9.1"));
}

#[test]
fn a_network_used_twice_has_a_port_for_each_interface() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    // Upstream's form names the interface in the annotations, and in both ports then; without them the second port has it.
    let pinned = json!({
        format!("{ATTACHED}.net1.kubernetes.io/ip_address"): "10.0.9.31",
        format!("{ATTACHED}.net2.kubernetes.io/ip_address"): "10.0.9.32",
    });
    let table = [
        ("a", pinned, ["a.ns1.att1.ns1.ovn.net1", "a.ns1.att1.ns1.ovn.net2"]),
        ("b", json!({}), ["b.ns1.att1.ns1.ovn", "b.ns1.att1.ns1.ovn.net2"]),
    ];
    for (name, annotations, ports) in table {
        let pod = Pod::of(&node, name, &attached(&node, &annotations));
        let adds = ["net1", "net2"].map(|ifname| pod.add.clone().ifname(ifname));

        let given = adds.each_ref().map(|add| add.run(&lab).addresses());

        assert_eq!(["net1", "net2"].map(|ifname| witness::addresses(&pod.netns, ifname)), given);
        assert_ne!(given[0], given[1]);
        if name == "a" {
            assert_eq!(given.concat(), ["10.0.9.31/24", "10.0.9.32/24"]);
        }
        assert_eq!(switch_ports(&ovn), ports);
        let ends = ["net1", "net2"].map(|ifname| format!("{name}0000000_{ifname}_h"));
        assert_eq!(node.ports(), ends);
        assert_eq!(ends.map(|end| external_ids(&node, &end)["iface-id"].clone()), ports);
        assert_eq!(adds[1].run(&lab).addresses(), given[1], "an ADD that is repeated changes nothing");
        assert_eq!(switch_ports(&ovn), ports);
        for (add, left) in adds.iter().zip([&ports[1..], &[]]) {
            add.clone().verb("DEL").run(&lab).ok();
            assert_eq!(switch_ports(&ovn), left);
        }
        pod.assert_bare();
        node.assert_empty();
    }
}
