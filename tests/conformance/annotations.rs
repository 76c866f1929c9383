//! Pod annotations that the runtime hands over (`io.kubernetes.cri.pod-annotations`).

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::netns::Netns;
use tests::{ledger, witness};

use crate::{add, annotated, bare, del, own, subnet};

/// Two Subnets of the guide's provider. Without an annotation it is `a`, the first by name.
fn two_subnets() -> Option<Lab> {
    let lab = bare()?;
    for (name, range) in [("a", "192.168.0.0/25"), ("b", "192.168.0.128/25")] {
        lab.write_object(&format!("{name}.yaml"), &subnet(name, json!({"cidrBlock": range})));
    }
    Some(lab)
}

/// The annotation `key` of the guide's provider.
fn key(key: &str) -> String {
    format!("{}.kubernetes.io/{key}", cni::GUIDE_PROVIDER)
}

/// The addresses that a pod with these annotations gets on the interface; deleted again.
#[track_caller]
fn given(lab: &Lab, pod: &Netns, ifname: &str, annotations: &Value) -> Vec<String> {
    let call = call(lab, pod, ifname, annotations);
    let addresses = call.run(lab).addresses();
    assert_eq!(witness::addresses(pod, ifname), addresses);
    del(&call).run(lab).ok();
    addresses
}

fn call(lab: &Lab, pod: &Netns, ifname: &str, annotations: &Value) -> Call {
    add(&own(lab, annotated(annotations.clone())), pod, "p1").ifname(ifname)
}

#[test]
fn the_subnet_and_the_address_may_be_annotated() {
    let Some(lab) = two_subnets() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let given = |annotations: Value| given(&lab, &pod, "net1", &annotations).concat();

    assert_eq!(
        given(json!({key("logical_switch"): "a", key("ip_address"): "192.168.0.99"})),
        "192.168.0.99/25"
    );
    assert!(given(json!({key("logical_switch"): "b"})).starts_with("192.168.0.1"), "of the upper half");
    let pinned = json!({key("logical_switch"): "b", key("ip_address"): "192.168.0.200"});
    assert_eq!(given(pinned), "192.168.0.200/25");
    let pool = json!({key("logical_switch"): "b", key("ip_pool"): "192.168.0.210;192.168.0.211"});
    assert_eq!(given(pool), "192.168.0.210/25");
    assert_eq!(given(json!({key("ip_pool"): "192.168.0.60..192.168.0.61"})), "192.168.0.60/25");
    ledger::assert_empty(&lab);
}

#[test]
fn a_pool_gives_its_next_address_and_says_when_it_is_empty() {
    let Some(lab) = two_subnets() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let conf = own(&lab, annotated(json!({key("ip_pool"): "192.168.0.60,192.168.0.61"})));
    let pods = [lab.pod("p1"), lab.pod("p2"), lab.pod("p3")];

    let first = add(&conf, &pods[0], "p1");
    assert_eq!(first.run(&lab).addresses(), ["192.168.0.60/25"]);
    assert_eq!(add(&conf, &pods[1], "p2").run(&lab).addresses(), ["192.168.0.61/25"]);
    assert_eq!(add(&conf, &pods[2], "p3").run(&lab).code(), 102);
    del(&first).run(&lab).ok();
    assert_eq!(add(&conf, &pods[2], "p3").run(&lab).addresses(), ["192.168.0.60/25"]);
    ledger::assert_sound(&lab);
}

#[test]
fn the_mac_the_routes_and_the_default_route_may_be_annotated() {
    let Some(lab) = two_subnets() else { return };
    lab.write_object(
        "a.yaml",
        &subnet("a", json!({"cidrBlock": "192.168.0.0/25", "gateway": "192.168.0.1"})),
    );
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let routes = r#"[{"dst":"203.0.113.0/24","gw":"192.168.0.1"}]"#;
    let annotations =
        json!({key("mac_address"): "02:00:00:00:00:0a", key("routes"): routes, key("default_route"): "true"});

    let result = call(&lab, &pod, "net1", &annotations).run(&lab).ok();

    assert_eq!(witness::link(&pod, "net1").unwrap()["address"], "02:00:00:00:00:0a");
    assert_eq!(witness::default_gateway(&pod, 4).as_deref(), Some("192.168.0.1"));
    let route = witness::routes(&pod).into_iter().find(|r| r["dst"] == "203.0.113.0/24").unwrap();
    assert_eq!((&route["gateway"], &route["dev"]), (&json!("192.168.0.1"), &json!("net1")));
    let listed = result["routes"].as_array().unwrap();
    assert!(listed.contains(&json!({"dst": "203.0.113.0/24", "gw": "192.168.0.1"})), "{result}");
    assert!(listed.contains(&json!({"dst": "0.0.0.0/0", "gw": "192.168.0.1"})), "{result}");
}

#[test]
fn eth0_of_a_pod_with_one_network_reads_the_guides_keys() {
    let Some(lab) = two_subnets() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let guide = json!({
        "ovn.kubernetes.io/logical_switch": "b", "ovn.kubernetes.io/ip_address": "192.168.0.200"
    });

    assert_eq!(given(&lab, &pod, "eth0", &guide), ["192.168.0.200/25"]);
    assert!(given(&lab, &pod, "net1", &guide)[0].ends_with("/25"), "net1 is not the pod's first network");
    assert_ne!(given(&lab, &pod, "net1", &guide), ["192.168.0.200/25"]);
    // A key of the provider's own means that its author knows the difference.
    let mixed = crate::merged(guide, json!({key("ip_address"): "192.168.0.70"}));
    assert_eq!(given(&lab, &pod, "eth0", &mixed), ["192.168.0.70/25"]);
    ledger::assert_empty(&lab);
}

#[test]
fn the_reference_plugin_hands_the_annotations_on() {
    let Some(lab) = two_subnets() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let annotations = annotated(json!({key("logical_switch"): "b", key("ip_address"): "192.168.0.200"}));
    let conf = crate::merged(cni::guide_nad(&lab.socket()), annotations);

    add(&conf, &pod, "p1").run(&lab).ok();

    assert_eq!(witness::addresses(&pod, "net1"), ["192.168.0.200/25"]);
}

#[test]
fn kube_ovn_1_17_0_an_impossible_address_is_refused_not_ignored() {
    let Some(lab) = two_subnets() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let table = [
        (json!({key("ip_address"): "10.0.1.300"}), 106),
        (json!({key("ip_address"): "10.0.1.30"}), 103),
        (json!({key("ip_pool"): "no-such-pool"}), 106),
        (json!({key("mac_address"): "zz"}), 106),
        (json!({key("routes"): "not json"}), 106),
        (json!({key("logical_switch"): "nowhere"}), 101),
        (json!({key("logical_switch"): "b", key("ip_address"): "192.168.0.20"}), 103),
    ];
    for (annotations, code) in table {
        let call = call(&lab, &pod, "net1", &annotations);
        assert_eq!(call.run(&lab).code(), code, "{annotations}");
        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{annotations}");
        del(&call).run(&lab).ok();
    }
    ledger::assert_empty(&lab);
}
