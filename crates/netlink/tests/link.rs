//! Links are born where they are for, and seen as `ip` sees them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use lab::{Space, needs_root};
use netlink::{Errno, Error, Macvlan, MacvlanMode, Veth};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 5];

fn macvlan(name: &str, parent_index: u32) -> Macvlan<'_> {
    Macvlan { name, parent_index, mode: MacvlanMode::Bridge, mac: MAC, mtu: Some(1400) }
}

#[test]
fn macvlan_is_born_in_the_pod_with_everything_set() {
    if !needs_root() {
        return;
    }
    let ((host, _peer), pod) = (Space::pair(), Space::new());

    host.handle().add_macvlan(&macvlan("net1", host.index("p0")), &pod.netns).unwrap();

    let seen = &pod.show(&["link", "show", "net1"])[0];
    assert_eq!(seen["address"], "02:00:00:00:00:05");
    assert_eq!(seen["mtu"], 1400);
    assert_eq!(seen["linkinfo"]["info_kind"], "macvlan");
    assert_eq!(seen["linkinfo"]["info_data"]["mode"], "bridge");
    assert_eq!(seen["operstate"], "DOWN");
    assert_eq!(host.handle().link("net1").unwrap(), None);
}

#[test]
fn macvlan_modes_reach_the_kernel() {
    if !needs_root() {
        return;
    }
    let modes =
        [(MacvlanMode::Private, "private"), (MacvlanMode::Vepa, "vepa"), (MacvlanMode::Passthru, "passthru")];
    for (mode, name) in modes {
        let ((host, _peer), pod) = (Space::pair(), Space::new());

        let wanted = Macvlan { mode, mtu: None, ..macvlan("net1", host.index("p0")) };
        host.handle().add_macvlan(&wanted, &pod.netns).unwrap();

        let seen = &pod.show(&["link", "show", "net1"])[0];
        assert_eq!(seen["linkinfo"]["info_data"]["mode"], name);
        assert_eq!(seen["mtu"], 1500);
    }
}

#[test]
fn macvlan_may_have_a_name_that_the_host_uses() {
    if !needs_root() {
        return;
    }
    let ((host, _peer), pod) = (Space::pair(), Space::new());

    host.handle().add_macvlan(&macvlan("p0", host.index("p0")), &pod.netns).unwrap();

    assert_eq!(pod.show(&["link", "show", "p0"])[0]["linkinfo"]["info_kind"], "macvlan");
}

#[test]
fn taken_name_in_the_pod_is_refused_and_what_has_it_left_alone() {
    if !needs_root() {
        return;
    }
    let ((host, _peer), pod) = (Space::pair(), Space::new());
    let first = macvlan("net1", host.index("p0"));
    host.handle().add_macvlan(&first, &pod.netns).unwrap();

    let again = Macvlan { mac: [2, 0, 0, 0, 0, 6], ..first };
    let refusal = host.handle().add_macvlan(&again, &pod.netns).unwrap_err();

    assert_eq!(refusal.errno(), Some(Errno::Exists));
    assert_eq!(pod.handle().link("net1").unwrap().unwrap().mac, MAC);
    assert_eq!(pod.handle().links().unwrap().len(), 2);
}

fn veth(host_name: &str) -> Veth<'_> {
    Veth { host_name, pod_name: "eth0", pod_mac: MAC, mtu: Some(1400), is_host_promiscuous: false }
}

#[test]
fn refusal_carries_what_was_tried_and_leaves_nothing() {
    if !needs_root() {
        return;
    }
    let (host, pod) = (Space::new(), Space::new());
    host.ip(&["link", "add", "p0", "type", "veth", "peer", "name", "p1"]);

    let no_parent = host.handle().add_macvlan(&macvlan("net1", 4711), &pod.netns).unwrap_err();
    let wide = Veth { mtu: Some(1 << 20), ..veth("h") };
    let too_wide = host.handle().add_veth(&wide, &pod.netns).unwrap_err();
    let bad_name = host.handle().link("../eth0").unwrap_err();

    assert!(no_parent.is_not_found());
    assert!(no_parent.to_string().starts_with("create macvlan net1 on link 4711 in /run/netns/"));
    assert_eq!(too_wide.errno(), Some(Errno::Invalid));
    assert!(matches!(bad_name, Error::BadName { .. }));
    assert_eq!(host.handle().link("h").unwrap(), None);
}

#[test]
fn veth_has_its_far_end_in_the_pod_and_its_near_end_up() {
    if !needs_root() {
        return;
    }
    let (host, pod) = (Space::new(), Space::new());

    let wanted = veth("abcdefghijkl_h");
    host.handle().add_veth(&wanted, &pod.netns).unwrap();

    let near = host.handle().link("abcdefghijkl_h").unwrap().unwrap();
    let far = &pod.show(&["link", "show", "eth0"])[0];
    assert_eq!((near.is_up, near.mtu, near.kind.as_deref()), (true, 1400, Some("veth")));
    assert_eq!(far["address"], "02:00:00:00:00:05");
    assert_eq!(far["mtu"], 1400);
    assert_eq!(near.parent_index.map(u64::from), far["ifindex"].as_u64());
    assert_eq!(host.handle().link("eth0").unwrap(), None);
    assert!(host.handle().add_veth(&wanted, &pod.netns).unwrap_err().is_exists());
}

#[test]
fn host_end_of_a_veth_speaks_for_nobody_and_is_promiscuous_when_asked_for() {
    if !needs_root() {
        return;
    }
    let (host, pod, other) = (Space::new(), Space::new(), Space::new());

    host.handle().add_veth(&veth("quiet_h"), &pod.netns).unwrap();
    host.handle().add_veth(&Veth { is_host_promiscuous: true, ..veth("open_h") }, &other.netns).unwrap();
    pod.ip(&["link", "set", "eth0", "up"]);
    other.ip(&["link", "set", "eth0", "up"]);

    let is = |name: &str, wanted: &str| {
        let link = host.show(&["link", "show", name])[0].clone();
        link["flags"].as_array().unwrap().iter().any(|flag| flag == wanted)
    };
    assert_eq!((is("quiet_h", "PROMISC"), is("open_h", "PROMISC")), (false, true));
    assert!(is("quiet_h", "NOARP") && is("open_h", "NOARP"));
    let narrow = Veth { mtu: Some(1000), pod_name: "eth1", ..veth("narrow_h") };
    host.handle().add_veth(&narrow, &pod.netns).unwrap();
    for name in ["quiet_h", "open_h", "narrow_h"] {
        let addresses = host.show(&["address", "show", name])[0]["addr_info"].clone();
        assert_eq!(addresses.as_array().unwrap().len(), 0, "{name}: {addresses}");
    }
}

#[test]
fn somebody_elses_link_of_the_host_ends_name_is_left_as_it_is() {
    if !needs_root() {
        return;
    }
    let (host, pod) = (Space::new(), Space::new());
    host.ip(&["link", "add", "taken_h", "type", "bridge"]);
    let before = host.show(&["link", "show", "taken_h"]);

    let refusal = host
        .handle()
        .add_veth(&Veth { is_host_promiscuous: true, ..veth("taken_h") }, &pod.netns)
        .unwrap_err();

    assert!(refusal.is_exists());
    assert_eq!(host.show(&["link", "show", "taken_h"]), before);
}

#[test]
fn links_are_listed_as_ip_lists_them() {
    if !needs_root() {
        return;
    }
    let (host, _peer) = Space::pair();
    host.ip(&["link", "add", "br0", "type", "bridge"]);

    let ours = host.handle().links().unwrap();

    let theirs = host.show(&["link", "show"]);
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (link, seen) in ours.iter().zip(theirs) {
        assert_eq!(u64::from(link.index), seen["ifindex"].as_u64().unwrap());
        assert_eq!(link.name, seen["ifname"].as_str().unwrap());
        assert_eq!(u64::from(link.mtu), seen["mtu"].as_u64().unwrap());
        let mac = link.mac.map(|byte| format!("{byte:02x}")).join(":");
        assert_eq!(mac, seen["address"].as_str().unwrap());
        assert_eq!(link.kind.as_deref(), seen["linkinfo"]["info_kind"].as_str());
        let is_up = seen["flags"].as_array().unwrap().iter().any(|flag| flag == "UP");
        assert_eq!(link.is_up, is_up);
    }
}

#[test]
fn link_is_raised_and_removed_once() {
    if !needs_root() {
        return;
    }
    let host = Space::new();
    host.ip(&["link", "add", "br0", "type", "bridge"]);
    let (handle, index) = (host.handle(), host.index("br0"));

    handle.set_up(index).unwrap();

    assert!(handle.link_by_index(index).unwrap().unwrap().is_up);
    assert!(handle.delete_link(index).unwrap());
    assert!(!handle.delete_link(index).unwrap());
    assert_eq!(handle.link_by_index(index).unwrap(), None);
    assert!(handle.set_up(index).unwrap_err().is_not_found());
}

#[test]
fn second_macvlan_of_a_mac_on_one_parent_is_busy_when_raised_until_the_first_is_removed() {
    if !needs_root() {
        return;
    }
    let ((host, _peer), first, second) = (Space::pair(), Space::new(), Space::new());
    let wanted = macvlan("net1", host.index("p0"));
    for pod in [&first, &second] {
        host.handle().add_macvlan(&wanted, &pod.netns).unwrap();
    }
    first.handle().set_up(first.index("net1")).unwrap();

    let refusal = second.handle().set_up(second.index("net1")).unwrap_err();
    first.handle().delete_link(first.index("net1")).unwrap();

    assert_eq!(refusal.errno(), Some(Errno::Busy));
    second.handle().set_up(second.index("net1")).unwrap();
}
