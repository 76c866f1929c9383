//! Chains, DNS and delegated results. Plain results are compared with recorded bytes in `tests/exchange/recorded.rs`.

use serde_json::json;

use super::*;
use crate::result::Interface;

fn made(has_interface: bool) -> Made {
    let prefix = |ip: &str, length| Prefix { ip: ip.parse().unwrap(), length };
    Made {
        interface: has_interface.then(|| Interface {
            name: "net1".into(),
            mac: "02:00:00:00:00:01".into(),
            mtu: 1400,
            sandbox: "/run/netns/x".into(),
        }),
        ips: vec![
            Ip { address: prefix("10.0.0.2", 24), gateway: Some("10.0.0.1".parse().unwrap()) },
            Ip { address: prefix("fd00::2", 64), gateway: None },
        ],
        routes: vec![Hop { dst: prefix("0.0.0.0", 0), gw: Some("10.0.0.1".parse().unwrap()) }],
        dns: Dns::default(),
    }
}

fn render(version: SpecVersion, made: Made, earlier: Option<&Value>) -> Value {
    let earlier = earlier.map(|e| e.as_object().unwrap());
    serde_json::from_str(&result(version, made, earlier)).unwrap()
}

#[test]
fn a_chain_keeps_what_came_before_and_renumbers_us() {
    let earlier = json!({
        "cniVersion": "1.1.0",
        "interfaces": [{"name": "br0"}, {"name": "eth0", "sandbox": "/run/netns/x", "pciID": "0000:01:00.0"}],
        "ips": [{"address": "192.0.2.2/24", "interface": 1}],
        "routes": [{"dst": "192.0.2.0/24", "table": 7}],
        "dns": {"search": ["lab"]},
    });

    let result = render(SpecVersion::V1_1_0, made(true), Some(&earlier));

    let wanted = json!({
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": "br0"},
            {"name": "eth0", "sandbox": "/run/netns/x", "pciID": "0000:01:00.0"},
            {"name": "net1", "mac": "02:00:00:00:00:01", "mtu": 1400, "sandbox": "/run/netns/x"},
        ],
        "ips": [
            {"address": "192.0.2.2/24", "interface": 1},
            {"address": "10.0.0.2/24", "gateway": "10.0.0.1", "interface": 2},
            {"address": "fd00::2/64", "interface": 2},
        ],
        "routes": [{"dst": "192.0.2.0/24", "table": 7}, {"dst": "0.0.0.0/0", "gw": "10.0.0.1"}],
        "dns": {"search": ["lab"]},
    });
    assert_eq!(result, wanted);
}

#[test]
fn a_chains_addresses_fit_the_version_asked_for() {
    let new = json!({"ips": [{"address": "192.0.2.2/24"}, {"address": "fd09::2/64"}]});
    let old = json!({"ips": [{"version": "4", "address": "192.0.2.2/24"}]});

    let down = render(SpecVersion::V0_4_0, made(true), Some(&new));
    let up = render(SpecVersion::V1_0_0, made(true), Some(&old));

    assert_eq!(down["ips"][0]["version"], "4");
    assert_eq!(down["ips"][1]["version"], "6");
    assert_eq!(up["ips"][0], json!({"address": "192.0.2.2/24"}));
}

#[test]
fn a_broken_chain_does_not_break_us() {
    let broken = json!({"interfaces": {}, "ips": [5], "dns": "x"});

    let result = render(SpecVersion::V1_0_0, made(true), Some(&broken));

    assert_eq!(result["interfaces"][0]["name"], "net1");
    assert_eq!(result["ips"][0], 5);
}

#[test]
fn an_ipam_result_has_neither_interfaces_nor_the_chain() {
    let earlier = json!({"interfaces": [{"name": "eth0"}], "ips": [{"address": "192.0.2.2/24"}]});

    for version in SpecVersion::ALL.into_iter().filter(|v| *v >= SpecVersion::V0_3_0) {
        let result = render(version, made(false), Some(&earlier));
        assert!(result.get("interfaces").is_none(), "{version:?}");
        assert_eq!(result["ips"].as_array().unwrap().len(), 2, "{version:?}");
        assert!(result["ips"][0].get("interface").is_none(), "{version:?}");
    }
    let old = render(SpecVersion::V0_2_0, made(false), Some(&earlier));
    assert_eq!(old["ip4"]["ip"], "10.0.0.2/24");
    assert_eq!(old["ip6"], json!({"ip": "fd00::2/64"}));
}

#[test]
fn dns_is_printed_in_every_version() {
    let mut with_dns = made(true);
    with_dns.dns = Dns {
        nameservers: vec!["10.96.0.10".into()],
        domain: "d.lab".into(),
        search: vec!["a.lab".into()],
        options: vec!["ndots:5".into()],
    };
    for version in SpecVersion::ALL {
        let text = result(version, with_dns.clone(), None);
        let printed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(printed["cniVersion"], version.as_str());
        assert_eq!(printed["dns"], serde_json::to_value(&with_dns.dns).unwrap(), "{version:?}");
    }
    assert_eq!(render(SpecVersion::V1_0_0, made(true), None).get("dns"), None);
    assert_eq!(render(SpecVersion::V0_3_1, made(true), None)["dns"], json!({}));
}
