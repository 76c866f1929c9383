//! Routes of a pod: the subnet's gateway, the configuration's, the annotation's, and who has the default one.

use serde_json::{Value, json};
use tests::cni;
use tests::netns::Netns;
use tests::ovn::Ovn;
use tests::{ledger, witness};

use crate::pod::Pod;
use crate::{lab_with, merged};

/// A dual-stack Subnet.
fn dual() -> [(&'static str, Value); 1] {
    [("net1", json!({"cidrBlock": "10.0.1.0/24,fd00:1::/64"}))]
}

/// The routes with a next hop, as `DESTINATION NEXT-HOP` with the kernel's flags behind them, sorted.
#[track_caller]
fn next_hops(netns: &Netns) -> Vec<String> {
    let routes = witness::routes(netns);
    let hops = routes.iter().filter(|route| route.get("gateway").is_some());
    let mut told: Vec<_> = hops
        .map(|route| {
            assert_eq!(route["dev"], "eth0");
            let flags = route["flags"].as_array().unwrap().iter().map(|flag| format!(" {flag}"));
            let text = |key: &str| route[key].as_str().unwrap().to_owned();
            format!("{} {}{}", text("dst"), text("gateway"), flags.collect::<String>().replace('"', ""))
        })
        .collect();
    told.sort();
    told
}

#[test]
fn routes_come_from_the_configuration_and_the_annotation() {
    let Some(lab) = lab_with(&dual()) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let annotated = r#"[{"dst":"198.51.100.0/24","gw":"10.0.1.5"},{"dst":"2001:db8::/32","gw":"fd00:1::5"}]"#;
    let conf = cni::annotated(&node.conf(), &json!({"ovn.kubernetes.io/routes": annotated}));
    let conf = merged(conf, &json!({"routes": [{"dst": "203.0.113.0/24", "gw": "10.0.1.9"}]}));
    let pod = Pod::of(&node, "a", &conf);

    let result = pod.added();

    let wanted = [
        "198.51.100.0/24 10.0.1.5",
        "2001:db8::/32 fd00:1::5",
        "203.0.113.0/24 10.0.1.9",
        "default 10.0.1.1",
        "default fd00:1::1",
    ];
    assert_eq!(next_hops(&pod.netns), wanted);
    let told = json!([
        {"dst": "0.0.0.0/0", "gw": "10.0.1.1"},
        {"dst": "10.0.1.0/24"},
        {"dst": "198.51.100.0/24", "gw": "10.0.1.5"},
        {"dst": "203.0.113.0/24", "gw": "10.0.1.9"},
        {"dst": "2001:db8::/32", "gw": "fd00:1::5"},
        {"dst": "fd00:1::/64"},
        {"dst": "::/0", "gw": "fd00:1::1"},
    ]);
    assert_eq!(result["routes"], told);
    assert_eq!(pod.checked(&result).ok(), Value::Null);
    pod.netns.must("ip route del 198.51.100.0/24");
    assert_eq!(pod.checked(&result).code(), 109, "a route that is gone is missed");
}

#[test]
fn a_gateway_outside_the_subnet_is_a_neighbour_on_the_link() {
    let Some(lab) = lab_with(&dual()) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let routes = r#"[{"dst":"198.51.100.0/24","gw":"10.9.9.9"},{"dst":"2001:db8::/32","gw":"fe80::9"}]"#;
    let pod = Pod::wishing(&node, "a", &json!({"ovn.kubernetes.io/routes": routes}));

    pod.added();

    let hops = next_hops(&pod.netns);
    assert!(hops.contains(&"198.51.100.0/24 10.9.9.9 onlink".to_owned()), "{hops:?}");
    assert!(hops.iter().any(|hop| hop.starts_with("2001:db8::/32 fe80::9")), "{hops:?}");
}

#[test]
fn kube_ovn_1_17_0_a_route_without_a_destination_replaces_one_familys_default_and_says_so() {
    let Some(lab) = lab_with(&dual()) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = Pod::of(&node, "a", &merged(node.conf(), &json!({"routes": [{"gw": "10.0.1.8"}]})));

    let result = pod.added();

    assert_eq!(next_hops(&pod.netns), ["default 10.0.1.8", "default fd00:1::1"]);
    let told = json!([
        {"dst": "0.0.0.0/0", "gw": "10.0.1.8"}, {"dst": "10.0.1.0/24"},
        {"dst": "fd00:1::/64"}, {"dst": "::/0", "gw": "fd00:1::1"},
    ]);
    assert_eq!(result["routes"], told);
}

#[test]
fn eth0_has_the_default_route_unless_an_annotation_says_otherwise() {
    let Some(lab) = lab_with(&[("net1", json!({"cidrBlock": "10.0.1.0/24"}))]) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    for (name, value, gateway) in
        [("a", "false", None), ("b", "true", Some("10.0.1.1")), ("c", "", Some("10.0.1.1"))]
    {
        let pod = Pod::wishing(&node, name, &json!({"ovn.kubernetes.io/default_route": value}));

        let result = pod.added();

        assert_eq!(witness::default_gateway(&pod.netns, 4).as_deref(), gateway, "{value}");
        assert_eq!(result["ips"][0]["gateway"].as_str(), gateway, "{value}");
    }
}

#[test]
fn routes_that_mean_nothing_are_refused_and_leave_nothing() {
    let Some(lab) = lab_with(&dual()) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let table = [
        ("not json", 106),
        (r#"[{"dst":"198.51.100.0/24","gw":"nowhere"}]"#, 7),
        (r#"[{"dst":"198.51.100.0/24","gw":"fd00:1::5"}]"#, 7),
        (r#"[{}]"#, 7),
    ];
    let pods = ["a", "b", "c", "d"];
    for (name, (routes, code)) in pods.into_iter().zip(table) {
        let pod = Pod::wishing(&node, name, &json!({"ovn.kubernetes.io/routes": routes}));

        assert_eq!(pod.refused()["code"], code, "{routes}");

        pod.assert_bare();
        node.assert_empty();
    }
    ledger::assert_empty(&lab);
}
