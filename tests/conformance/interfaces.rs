//! Checklist 3, 17, 18: the interface inside the sandbox.

use std::time::Duration;

use serde_json::json;
use tests::daemon::Daemon;
use tests::lab::UPLINK;
use tests::service::Service;
use tests::{cni, ledger, wait, witness};

use crate::{add, annotated, del, guide, own, with_subnet};

/// Long enough for a machine that does much else. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_dual_stack_pod_talks_in_both_families() {
    let spec = json!({
        "protocol": "Dual", "cidrBlock": "192.168.0.0/24,fd00:192:168::/64",
        "gateway": "192.168.0.1,fd00:192:168::1", "excludeIps": ["192.168.0.1..192.168.0.10"]
    });
    let Some(lab) = with_subnet(spec) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let (first, second) = (lab.pod("p1"), lab.pod("p2"));
    let conf = own(&lab, json!({}));

    let result = add(&conf, &first, "p1").ifname("eth0").run(&lab).ok();

    let addresses = cni::addresses(&result);
    assert_eq!(addresses.len(), 2);
    assert_eq!(witness::addresses(&first, "eth0"), addresses);
    assert_eq!(witness::default_gateway(&first, 4).as_deref(), Some("192.168.0.1"));
    assert_eq!(witness::default_gateway(&first, 6).as_deref(), Some("fd00:192:168::1"));
    for address in ["192.168.0.1", "fd00:192:168::1"] {
        assert!(witness::ping(&first, address), "{address}");
    }
    // Through the reference plugin, on the same wire.
    let nad = cni::guide_nad(&lab.socket());
    let delegated = add(&nad, &second, "p2").run(&lab).ok();
    assert_eq!(witness::addresses(&second, "net1"), cni::addresses(&delegated));
    for address in &addresses {
        let bare = address.split('/').next().unwrap();
        assert!(witness::ping(&lab.outside, bare), "{address}");
        // The kernel may still be looking for duplicates of the address that macvlan added.
        wait::until("an answer to the neighbour", PATIENCE, || witness::ping(&second, bare).then_some(()));
    }
    ledger::assert_sound(&lab);
    del(&add(&conf, &first, "p1").ifname("eth0")).run(&lab).ok();
    del(&add(&nad, &second, "p2")).run(&lab).ok();
    ledger::assert_empty(&lab);
}

#[test]
fn a_pod_with_ipv6_only_works() {
    let spec = json!({
        "protocol": "IPv6", "cidrBlock": "fd00:192:168::/64", "gateway": "fd00:192:168::1",
        "excludeIps": ["fd00:192:168::1..fd00:192:168::f"]
    });
    let Some(lab) = with_subnet(spec) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));

    let result = add(&conf, &pod, "p1").ifname("eth0").run(&lab).ok();

    assert_eq!(cni::addresses(&result), ["fd00:192:168::10/64"]);
    assert_eq!(witness::addresses(&pod, "eth0"), ["fd00:192:168::10/64"]);
    assert!(witness::ping(&pod, "fd00:192:168::1") && witness::ping(&lab.outside, "fd00:192:168::10"));
    let mac = witness::link(&pod, "eth0").unwrap()["address"].as_str().map(str::to_owned);
    assert_eq!(witness::ndisc(&lab.outside, lab.outside.interface(), "fd00:192:168::10"), mac);
}

#[test]
fn the_mtu_is_the_configurations_else_the_subnets_else_the_masters() {
    let spec = json!({"cidrBlock": "192.168.0.0/24", "gateway": "192.168.0.1"});
    let Some(lab) = with_subnet(spec.clone()) else { return };
    lab.node.must(&format!("ip link set {UPLINK} mtu 1450"));
    let mut daemon = Daemon::start(&lab, &[]);
    let mtu = |name: &str, keys| {
        let pod = lab.pod(name);
        let conf = own(&lab, keys);
        let result = add(&conf, &pod, name).run(&lab).ok();
        assert_eq!(result["interfaces"][0]["mtu"], witness::link(&pod, "net1").unwrap()["mtu"]);
        result["interfaces"][0]["mtu"].as_u64().unwrap()
    };

    assert_eq!(mtu("p1", json!({"cniVersion": "1.1.0"})), 1450);
    assert_eq!(mtu("p2", json!({"cniVersion": "1.1.0", "mtu": 1400})), 1400);
    daemon.stop();
    lab.write_object("net.yaml", &crate::subnet("net", crate::merged(spec, json!({"mtu": 1420}))));
    daemon.restart();
    assert_eq!(mtu("p3", json!({"cniVersion": "1.1.0"})), 1420);
    assert_eq!(mtu("p4", json!({"cniVersion": "1.1.0", "mtu": 1400})), 1400);
    let (pod, conf) = (lab.pod("p5"), own(&lab, json!({"mtu": 1500})));
    assert_eq!(add(&conf, &pod, "p5").run(&lab).code(), 7, "more than the master carries");
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
}

#[test]
fn only_eth0_gets_the_gateway_unless_an_annotation_says_otherwise() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let key = format!("{}.kubernetes.io/default_route", cni::GUIDE_PROVIDER);
    let table = [
        ("p1", "eth0", json!({}), true),
        ("p2", "net1", json!({}), false),
        ("p3", "net1", annotated(json!({&key: "true"})), true),
        ("p4", "eth0", annotated(json!({&key: "false"})), false),
    ];
    for (name, ifname, keys, wanted) in table {
        let pod = lab.pod(name);
        let result = add(&own(&lab, keys), &pod, name).ifname(ifname).run(&lab).ok();
        let gateway = wanted.then_some("192.168.0.1");
        assert_eq!(witness::default_gateway(&pod, 4).as_deref(), gateway, "{name}");
        assert_eq!(result["ips"][0]["gateway"].as_str(), gateway, "{name}");
    }
}

#[test]
fn a_name_that_is_taken_in_the_sandbox_is_refused_and_left_alone() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let conf = own(&lab, json!({}));
    let makers = [
        ("p1", "ip link add net1 netns POD type veth peer name other netns POD"),
        ("p2", "ip link add net1 netns POD link eth1 type macvlan mode bridge"),
    ];
    for (name, maker) in makers {
        let pod = lab.pod(name);
        lab.node.must(&maker.replace("POD", pod.name()));
        let before = witness::links(&pod);

        assert_eq!(add(&conf, &pod, name).run(&lab).code(), 108, "{maker}");

        assert_eq!(witness::links(&pod), before, "{maker}");
        ledger::assert_empty(&lab);
        // The runtime sends a DEL after a failed ADD.
        del(&add(&conf, &pod, name)).run(&lab).ok();
        assert_eq!(witness::links(&pod), before, "{maker}");
    }
}

#[test]
fn the_outside_hears_who_has_the_addresses_now() {
    let spec = json!({
        "protocol": "Dual", "cidrBlock": "192.168.0.0/24,fd00:192:168::/64",
        "gateway": "192.168.0.1,fd00:192:168::1", "excludeIps": ["192.168.0.1..192.168.0.10"]
    });
    let Some(lab) = with_subnet(spec) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let mut tcpdump = lab.outside.command("/usr/bin/tcpdump");
    tcpdump.args(["-l", "-n", "-i", lab.outside.interface(), "arp or icmp6"]);
    let mut tcpdump = Service::start("tcpdump", tcpdump, &lab.dir().join("tcpdump.log"));
    tcpdump.wait_until(PATIENCE, || {
        let log = std::fs::read_to_string(lab.dir().join("tcpdump.log")).ok()?;
        log.contains("listening on").then_some(())
    });
    let pod = lab.pod("p1");

    let result = add(&own(&lab, json!({})), &pod, "p1").run(&lab).ok();

    let [v4, v6] = [0, 1].map(|i| cni::addresses(&result)[i].split('/').next().unwrap().to_owned());
    let told = [
        // RFC 5227 section 2.3: sender and target are both the address.
        (format!("who-has {v4} (ff:ff:ff:ff:ff:ff) tell {v4}"), format!("who-has {v4} tell {v4}")),
        (format!("> ff02::1: ICMP6, neighbor advertisement, tgt is {v6}"), format!("{v4} is-at")),
    ];
    wait::until("the announcements", PATIENCE, || {
        let log = tcpdump.log();
        told.iter().all(|(one, other)| log.contains(one) || log.contains(other)).then_some(())
    });
}

#[test]
fn a_pod_does_not_listen_to_router_advertisements() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    add(&own(&lab, json!({})), &pod, "p1").run(&lab).ok();

    assert_eq!(pod.must("sysctl -n net.ipv6.conf.net1.accept_ra").trim(), "0");
}

#[test]
fn the_node_keeps_its_own_interfaces_addresses_and_routes() {
    let Some(lab) = guide() else { return };
    lab.node.must("ip addr add 192.168.0.2/24 dev eth1");
    let _daemon = Daemon::start(&lab, &[]);
    let look = || {
        (witness::link_names(&lab.node), witness::addresses(&lab.node, UPLINK), witness::routes(&lab.node))
    };
    let before = look();
    let pod = lab.pod("p1");
    let add = add(&own(&lab, json!({})), &pod, "p1").ifname("eth0");

    add.run(&lab).ok();
    assert_eq!(look(), before);
    del(&add).run(&lab).ok();
    assert_eq!(look(), before);
}

#[test]
fn without_a_master_the_own_form_says_that_this_node_has_no_ovn() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    for (master, code) in [("", 110), ("no-such-link", 110), ("a-name-of-16-byt", 7)] {
        let error = add(&own(&lab, json!({"master": master})), &pod, "p1").run(&lab).error();
        assert_eq!(error["code"], code, "{master}: {error}");
    }
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    ledger::assert_empty(&lab);
}
