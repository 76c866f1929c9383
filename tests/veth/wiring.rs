//! The veth itself: what is made in the sandbox, on the node and in Open vSwitch, and that packets pass.

use serde_json::json;
use tests::ovn::{INTEGRATION, Ovn};
use tests::traffic::{self, Server};
use tests::{cni, ledger, witness};

use crate::pod::{Pod, external_ids, switch_ports};
use crate::{lab, lab_with, write_subnet};

#[test]
fn two_dual_stack_pods_of_ovn_talk_in_both_families() {
    let Some(lab) = lab_with(&[("net1", json!({"cidrBlock": "10.0.1.0/24,fd00:1::/64"}))]) else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let (a, b) = (Pod::new(&node, "a"), Pod::new(&node, "b"));

    let result = a.added();
    b.added();

    assert_eq!(cni::addresses(&result), ["10.0.1.2/24", "fd00:1::2/64"]);
    assert_eq!(witness::addresses(&a.netns, "eth0"), cni::addresses(&result));
    assert_eq!(witness::default_gateway(&a.netns, 4).as_deref(), Some("10.0.1.1"));
    assert_eq!(witness::default_gateway(&a.netns, 6).as_deref(), Some("fd00:1::1"));
    // Nothing is waited for: an ADD that has answered has a pod that can be reached.
    for peer in b.ips().iter().map(String::as_str).chain(["10.0.1.1", "fd00:1::1"]) {
        traffic::assert_ping(&a.netns, peer);
    }
    let _servers = (Server::tcp(&b.netns, "b", 80), Server::udp(&b.netns, "b", 80));
    assert_eq!(traffic::ask_udp(&a.netns, "10.0.1.3:80").unwrap(), "b 10.0.1.2");
    for server in ["10.0.1.3:80", "[fd00:1::3]:80"] {
        assert_eq!(traffic::carries(&a.netns, server, 1_000_001).unwrap(), 1_000_001, "{server}");
    }
    [a, b].iter().for_each(Pod::deleted);
    node.assert_empty();
    assert_eq!(switch_ports(&ovn), Vec::<String>::new());
}

#[test]
fn the_pair_is_named_addressed_and_tagged_as_upstreams() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = Pod::new(&node, "84449a466cca");

    let result = pod.added();

    let (inside, outside) = (pod.link(), witness::link(&lab.node, "84449a466cca_h").unwrap());
    let made = json!({"name": "eth0", "mac": inside["address"], "mtu": 1400, "sandbox": pod.netns.path()});
    assert_eq!(result["interfaces"], json!([made]));
    for end in [&inside, &outside] {
        assert_eq!((&end["linkinfo"]["info_kind"], &end["mtu"]), (&json!("veth"), &json!(1400)), "{end:#}");
        assert!(end["flags"].as_array().unwrap().contains(&json!("UP")), "{end:#}");
    }
    assert_eq!(witness::addresses(&lab.node, "84449a466cca_h"), Vec::<String>::new());
    assert_eq!(node.vsctl(&["port-to-br", "84449a466cca_h"]).trim(), INTEGRATION);
    let netns = pod.netns.path();
    let wanted = [
        ("iface-id", "84449a466cca.ns1"),
        ("ip", "10.0.1.2"),
        ("pod_name", "84449a466cca"),
        ("pod_namespace", "ns1"),
        ("pod_netns", netns.to_str().unwrap()),
        ("vendor", "kube-ovn"),
    ];
    let wanted = wanted.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(external_ids(&node, "84449a466cca_h"), wanted.into());
    let told = ovn.nb(&["lsp-get-addresses", "84449a466cca.ns1"]);
    assert_eq!(told.trim(), format!("{} 10.0.1.2", inside["address"].as_str().unwrap()));
    ledger::assert_sound(&lab);
}

#[test]
fn a_pod_computes_its_checksums_where_the_datapath_is_in_user_space() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);

    let pod = Pod::new(&node, "a").plugged();

    let told = pod.netns.must("ethtool -k eth0");
    assert!(told.contains("tx-checksumming: off") && told.contains("rx-checksumming: on"), "{told}");
}

#[test]
fn an_ipv6_pod_needs_no_ipv4() {
    let Some(lab) = lab_with(&[("net1", json!({"protocol": "IPv6", "cidrBlock": "fd00:1::/64"}))]) else {
        return;
    };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    // Runtimes make sandboxes in which the family is switched off.
    let (a, b) = (Pod::new(&node, "a"), Pod::new(&node, "b").plugged());
    a.netns.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
    a.netns.sysctl("net.ipv6.conf.default.disable_ipv6", "1");

    let result = a.added();

    assert_eq!(cni::addresses(&result), ["fd00:1::3/64"]);
    assert_eq!(witness::addresses(&a.netns, "eth0"), ["fd00:1::3/64"]);
    traffic::assert_ping(&a.netns, &b.ip());
    traffic::assert_ping(&a.netns, "fd00:1::1");
    assert_eq!(a.checked(&result).ok(), serde_json::Value::Null);
}

#[test]
fn the_mtu_is_the_subnets_else_what_fits_into_the_nodes_tunnels() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let tunnels = |kind: &str, address: &str| {
        let (kind, ip) =
            (format!("external_ids:ovn-encap-type={kind}"), format!("external_ids:ovn-encap-ip={address}"));
        node.vsctl(&["set", "Open_vSwitch", ".", &kind, &ip]);
    };
    let mtu = |name: &str| {
        let pod = Pod::new(&node, name);
        let result = pod.added();
        let told = pod.link()["mtu"].as_u64().unwrap();
        assert_eq!(result["interfaces"][0]["mtu"], told);
        assert_eq!(witness::link(&lab.node, &pod.host_end()).unwrap()["mtu"], told);
        pod.deleted();
        told
    };

    assert_eq!(mtu("a"), 1400, "of 1500, as long as no interface has the tunnels' address");
    lab.node.must("ip link set eth1 mtu 1450");
    lab.node.must(&format!("ip addr add {}/24 dev eth1", node.encapsulation()));
    assert_eq!(mtu("b"), 1350);
    tunnels("vxlan", node.encapsulation());
    assert_eq!(mtu("c"), 1400);
    lab.node.must("ip addr add fd00:77::1/64 dev eth1 nodad");
    tunnels("geneve", "fd00:77::1");
    assert_eq!(mtu("d"), 1330);
    write_subnet(&lab, "net1", &json!({"cidrBlock": "10.0.1.0/24", "mtu": 1300}));
    tests::wait::until("the Subnet's MTU", crate::PATIENCE, || (mtu("e") == 1300).then_some(()));
    node.assert_empty();
}

/// On the datapath in user space the node's own stack sees the frames of a pod as well.
#[test]
fn the_node_answers_no_pod_for_its_own_addresses() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    lab.node.must("ip address add 172.18.0.2/16 dev eth1");
    let pod = Pod::new(&node, "84449a466cca");
    pod.added();

    pod.netns.must("ip route add 172.18.0.2/32 dev eth0");

    assert!(!witness::arping(&pod.netns, "eth0", "172.18.0.2"));
    assert_eq!(traffic::pings(&pod.netns, "172.18.0.2", 2), 0);
    assert!(witness::arping(&pod.netns, "eth0", "10.0.1.1"), "the router does");
    lab.node.must("ip link set dev 84449a466cca_h arp on");
    assert!(witness::arping(&pod.netns, "eth0", "172.18.0.2"), "it would");
}
