//! What every version of the specification gets, in both families.

use serde_json::{Value, json};
use tests::cni::Call;
use tests::ovn::Ovn;
use tests::witness;

use crate::pod::Pod;
use crate::{lab, lab_with, merged};

const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

#[test]
fn a_veth_is_added_repeated_checked_and_deleted_twice_in_every_version() {
    let Some(lab) = lab_with(&[("net1", json!({"cidrBlock": "10.0.1.0/24,fd00:1::/64"}))]) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    for version in VERSIONS {
        let name = format!("v{}", version.replace('.', ""));
        let pod = Pod::of(&node, &name, &merged(node.conf(), &json!({"cniVersion": version})));

        let result = pod.added();

        assert_form(version, &result, &witness::addresses(&pod.netns, "eth0"));
        assert_eq!(pod.added(), result, "{version}: asked again");
        let checked = pod.checked(&result);
        match version {
            "0.1.0" | "0.2.0" | "0.3.0" | "0.3.1" => assert_eq!(checked.code(), 1, "{version}"),
            _ => assert_eq!(checked.ok(), Value::Null, "{version}"),
        }
        for _ in 0..2 {
            pod.deleted();
            pod.assert_bare();
        }
        node.assert_empty();
    }
}

/// The form of a result that `version` asks for, with these addresses of the kernel.
#[track_caller]
fn assert_form(version: &str, result: &Value, kernel: &[String]) {
    assert_eq!(result["cniVersion"], version);
    let [v4, v6] = kernel else { panic!("{version}: {kernel:?}") };
    if version < "0.3.0" {
        assert_eq!((&result["ip4"]["ip"], &result["ip6"]["ip"]), (&json!(v4), &json!(v6)), "{result}");
        assert_eq!(result["ip4"]["gateway"], "10.0.1.1", "{result}");
        assert!(result.get("ips").is_none() && result.get("interfaces").is_none(), "{result}");
        return;
    }
    for (place, (address, family)) in [(v4, "4"), (v6, "6")].into_iter().enumerate() {
        let ip = &result["ips"][place];
        assert_eq!((&ip["address"], &ip["interface"]), (&json!(address), &json!(0)), "{result}");
        assert_eq!(ip.get("version").and_then(Value::as_str), (version < "1.0.0").then_some(family));
    }
    let interfaces = result["interfaces"].as_array().unwrap();
    assert_eq!(interfaces.len(), 1, "upstream tells the pod's end only");
    assert_eq!(interfaces[0].get("mtu").is_some(), version >= "1.0.0", "{result}");
}

#[test]
fn status_of_an_ovn_network_is_good_while_open_vswitch_answers() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let mut node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let status = Call::status(&merged(node.conf(), &json!({"cniVersion": "1.1.0"})));

    assert_eq!(status.run(&lab).ok(), Value::Null);
    node.db.kill9();
    let error = status.run(&lab).error();
    assert_eq!(error["code"], 50, "{error}");
    assert!(error.to_string().contains("Open vSwitch"), "{error}");
    node.db.start();
    tests::wait::until("STATUS to be good again", crate::PATIENCE, || {
        status.run(&lab).done.success().then_some(())
    });
}

#[test]
fn gc_takes_the_veths_of_containers_that_are_not_listed() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let conf = merged(node.conf(), &json!({"cniVersion": "1.1.0"}));
    let (a, b) = (Pod::of(&node, "a", &conf).plugged(), Pod::of(&node, "b", &conf).plugged());
    let living = format!("{:0<64}", "a");

    Call::gc(&conf, &[(&living, "eth0")]).run(&lab).ok();

    b.assert_bare();
    assert_eq!(node.ports(), [a.host_end()]);
    assert_eq!(tests::ledger::held(&lab), [a.ip()]);
    tests::traffic::assert_ping(&a.netns, "10.0.1.1");
}

#[test]
fn check_names_what_is_missing_of_a_veth() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = Pod::new(&node, "a");
    let result = pod.added();
    let end = pod.host_end();
    let missed = |what: &str| {
        let error = pod.checked(&result).error();
        assert_eq!(error["code"], 109, "{error}");
        assert!(error.to_string().contains(what), "{what}: {error}");
    };

    assert_eq!(pod.checked(&result).ok(), Value::Null);
    pod.netns.must("ip link set eth0 down");
    missed("is down");
    pod.netns.must("ip link set eth0 up");
    pod.netns.must("ip route replace default via 10.0.1.1");
    pod.netns.must("ip addr del 10.0.1.2/24 dev eth0");
    missed("address 10.0.1.2 is missing");
    pod.netns.must("ip addr add 10.0.1.2/24 dev eth0");
    pod.netns.must("ip route replace default via 10.0.1.1");
    assert_eq!(pod.checked(&result).ok(), Value::Null);
    node.vsctl(&["set", "Interface", &end, "external_ids:iface-id=somebody"]);
    missed("not as port a.ns1");
    node.vsctl(&["del-port", &end]);
    missed("is not plugged into bridge br-int");
    // What CHECK missed, the next ADD makes good.
    assert_eq!(pod.added(), result);
    assert_eq!(pod.checked(&result).ok(), Value::Null);
    tests::traffic::assert_ping(&pod.netns, "10.0.1.1");
}
