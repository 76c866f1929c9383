//! What stands where a veth is to be: ports of Open vSwitch and devices of the node that are somebody else's.

use serde_json::{Value, json};
use tests::cni::Call;
use tests::lab::Lab;
use tests::netns::Netns;
use tests::ovn::{INTEGRATION, Node, Ovn};
use tests::skip::{Requirement, needs_all};
use tests::{ledger, objects, traffic, witness};

/// A lab with one Subnet of a Vpc; `None`, and a word about it, on a machine that cannot do it.
fn lab() -> Option<Lab> {
    needs_all(&[Requirement::Root, Requirement::Ovn]).then(|| {
        let lab = Lab::new();
        lab.write_object("v1.yaml", &objects::vpc("v1", &json!({})));
        let spec = json!({"vpc": "v1", "cidrBlock": "10.0.1.0/24"});
        lab.write_object("net1.yaml", &objects::subnet("net1", &spec));
        lab
    })
}

/// The ADD of `eth0` of a pod, whose host's end is called [`END`].
fn add(node: &Node<'_>, netns: &Netns) -> Call {
    Call::add(&node.conf()).container("84449a466cca0f5e").ifname("eth0").netns(netns.path()).pod("ns1", "p1")
}

const END: &str = "84449a466cca_h";

/// Asserts that the ADD is refused for what has its name, that the DEL succeeds, and that both leave nothing.
#[track_caller]
fn assert_refused(lab: &Lab, node: &Node<'_>, pod: &Netns) {
    let add = add(node, pod);
    let error = add.run(lab).error();
    assert_eq!(error["code"], 108, "{error}");
    assert!(error.to_string().contains(END), "{error}");
    let deleted = add.verb("DEL").run(lab).done;
    assert!(deleted.success() && deleted.stderr.is_empty(), "nothing is left for later: {deleted:?}");
    assert_eq!(witness::link_names(pod), Vec::<String>::new());
    assert_eq!(ledger::held(lab), Vec::<String>::new());
    ledger::assert_sound(lab);
}

#[test]
fn a_strangers_port_of_the_name_is_refused_and_left_alone() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = lab.pod("p1");
    // One whose device is not there, and one that Open vSwitch makes itself.
    for kind in ["system", "internal"] {
        let of_kind = format!("type={}", if kind == "system" { "\"\"" } else { kind });
        // A port whose device is missing makes ovs-vsctl complain, and is there all the same.
        let made = node.try_vsctl(&["add-port", INTEGRATION, END, "--", "set", "Interface", END, &of_kind]);
        let foreign = |columns: &str| node.vsctl(&["--bare", columns, "list", "Interface", END]);
        let before = foreign("--columns=_uuid,external_ids,type");
        assert!(!before.is_empty(), "{made:?}");

        assert_refused(&lab, &node, &pod);

        assert_eq!(node.ports(), [END], "{kind}");
        assert_eq!(foreign("--columns=_uuid,external_ids,type"), before, "{kind}");
        node.vsctl(&["del-port", INTEGRATION, END]);
        add(&node, &pod).run(&lab).ok();
        traffic::assert_ping(&pod, "10.0.1.1");
        add(&node, &pod).verb("DEL").run(&lab).ok();
        node.assert_empty();
    }
}

#[test]
fn a_device_of_the_name_that_is_no_veth_is_refused_and_left_alone() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = lab.pod("p1");
    lab.node.must(&format!("ip tuntap add {END} mode tap"));
    let device = witness::link(&lab.node, END);

    assert_refused(&lab, &node, &pod);

    assert_eq!(witness::link(&lab.node, END), device);
    assert_eq!(node.ports(), Vec::<String>::new());
    lab.node.must(&format!("ip link del {END}"));
    add(&node, &pod).run(&lab).ok();
    traffic::assert_ping(&pod, "10.0.1.1");
}

#[test]
fn an_interface_of_the_name_in_the_sandbox_is_refused_and_left_alone() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = lab.pod("p1");
    for maker in ["ip tuntap add eth0 mode tap", "ip link add eth0 type veth peer name other"] {
        pod.must(maker);
        let before = witness::links(&pod);

        let error = add(&node, &pod).run(&lab).error();

        assert_eq!(error["code"], 108, "{error}");
        assert_eq!(add(&node, &pod).verb("DEL").run(&lab).ok(), Value::Null);
        assert_eq!(witness::links(&pod), before, "{maker}");
        node.assert_empty();
        pod.must("ip link del eth0");
    }
}

#[test]
fn a_container_id_that_another_pods_veth_has_is_refused() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let (one, two) = (lab.pod("p1"), lab.pod("p2"));
    add(&node, &one).run(&lab).ok();

    let error = add(&node, &two).pod("ns1", "p2").run(&lab).error();

    assert_eq!(error["code"], 108, "{error}");
    assert_eq!(witness::link_names(&two), Vec::<String>::new());
    traffic::assert_ping(&one, "10.0.1.1");
    assert_eq!(node.ports(), [END]);
    ledger::assert_sound(&lab);
}
