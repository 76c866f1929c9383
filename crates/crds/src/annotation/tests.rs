use super::*;

fn annotations(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn an_interface_reads_its_own_providers_keys() {
    let all = annotations(&[
        ("ovn.kubernetes.io/ip_address", "10.0.1.4"),
        ("att1.ns1.ovn.kubernetes.io/ip_address", "10.0.9.2"),
        ("mac1.ns1.kubernetes.io/ip_address", "192.168.77.2"),
    ]);
    let ip = |provider: &str, ifname: &str| {
        PodAnnotations::new(&all, provider, ifname).get(Key::IpAddress).map(str::to_owned)
    };

    assert_eq!(ip("", "eth0").as_deref(), Some("10.0.1.4"));
    assert_eq!(ip("ovn", "eth0").as_deref(), Some("10.0.1.4"));
    assert_eq!(ip("att1.ns1.ovn", "net1").as_deref(), Some("10.0.9.2"));
    assert_eq!(ip("mac1.ns1", "net2").as_deref(), Some("192.168.77.2"));
    assert_eq!(ip("other.ns1", "net3"), None);
}

#[test]
fn the_same_network_twice_is_told_apart_by_interface() {
    let all = annotations(&[
        ("att1.ns1.ovn.net1.kubernetes.io/ip_address", "10.0.9.3"),
        ("att1.ns1.ovn.net1.kubernetes.io/mac_address", "0e:62:ca:96:55:02"),
        ("att1.ns1.ovn.net2.kubernetes.io/ip_address", ""),
        ("att1.ns1.ovn.kubernetes.io/ip_address", "10.0.9.99"),
        ("att1.ns1.ovn.kubernetes.io/mac_address", "0e:62:ca:96:55:99"),
        ("att1.ns1.ovn.kubernetes.io/logical_switch", "net1att"),
        ("att1.ns1.ovn.kubernetes.io/default_route", "true"),
    ]);
    let get = |ifname, key| PodAnnotations::new(&all, "att1.ns1.ovn", ifname).get(key);

    assert_eq!(get("net1", Key::IpAddress), Some("10.0.9.3"));
    assert_eq!(get("net1", Key::MacAddress), Some("0e:62:ca:96:55:02"));
    assert_eq!(get("net2", Key::IpAddress), None, "present and empty still chooses the per-interface form");
    assert_eq!(get("net2", Key::MacAddress), None);
    assert_eq!(get("net2", Key::LogicalSwitch), Some("net1att"));
    assert_eq!(get("net1", Key::DefaultRoute), Some("true"));
    assert_eq!(get("net3", Key::IpAddress), Some("10.0.9.99"));
}

#[test]
fn a_pin_of_the_interface_wins_over_the_networks_address() {
    let all = annotations(&[
        ("att1.ns1.kubernetes.io/ip_address.net2", "10.0.9.7"),
        ("att1.ns1.ovn.kubernetes.io/ip_address", "10.0.9.8"),
    ]);

    let pinned = PodAnnotations::new(&all, "att1.ns1.ovn", "net2").found(Key::IpAddress).unwrap();

    assert_eq!((pinned.key, pinned.value), ("att1.ns1.kubernetes.io/ip_address.net2", "10.0.9.7"));
    assert_eq!(PodAnnotations::new(&all, "att1.ns1.ovn", "net1").get(Key::IpAddress), Some("10.0.9.8"));
}

#[test]
fn a_single_macvlan_network_understands_the_default_networks_keys() {
    let plain = annotations(&[("ovn.kubernetes.io/ip_address", "192.168.0.5")]);
    let both = annotations(&[
        ("ovn.kubernetes.io/ip_address", "10.0.1.5"),
        ("ext.kube-system.kubernetes.io/logical_switch", "ext"),
    ]);
    let ip = |all, ifname| {
        PodAnnotations::new(all, "ext.kube-system", ifname).get(Key::IpAddress).map(str::to_owned)
    };

    assert_eq!(ip(&plain, "eth0").as_deref(), Some("192.168.0.5"));
    assert_eq!(ip(&plain, "net1"), None, "a second interface is not the default network");
    assert_eq!(ip(&both, "eth0"), None, "the author knows the provider's keys");
}

#[test]
fn values_are_trimmed_and_empty_ones_are_absent() {
    let all = annotations(&[
        ("ovn.kubernetes.io/logical_switch", " net1\n"),
        ("ovn.kubernetes.io/mac_address", "  "),
    ]);
    let pod = PodAnnotations::new(&all, "ovn", "eth0");

    assert_eq!(pod.get(Key::LogicalSwitch), Some("net1"));
    assert_eq!(pod.get(Key::MacAddress), None);
    assert_eq!(pod.name(Key::IpPool), "ovn.kubernetes.io/ip_pool");
}

#[test]
fn every_key_has_its_own_text() {
    let mut texts: Vec<&str> = Key::ALL.iter().map(|key| key.text()).collect();
    texts.sort_unstable();
    texts.dedup();

    assert_eq!(texts.len(), Key::ALL.len());
}
