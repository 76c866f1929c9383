//! What Kube-OVN v1.17.0 does wrong with a veth, and containers whose ids and names are unusual.

use std::thread;

use serde_json::{Value, json};
use tests::command::{self, LIMIT, Running};
use tests::netns::Netns;
use tests::ovn::Ovn;
use tests::{cni, ledger, traffic, wait, witness};

use crate::pod::{Pod, external_ids, switch_ports};
use crate::{PATIENCE, lab};

/// 40 echo requests in 2 s.
fn stream(from: &Netns, address: &str) -> Running {
    let mut ping = from.command("ping");
    ping.args(["-n", "-q", "-c", "40", "-i", "0.05", "-W", "2", address]);
    command::start(ping, b"")
}

#[test]
fn kube_ovn_1_17_0_a_second_add_of_a_running_veth_interrupts_nothing() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let (a, b) = (Pod::new(&node, "a"), Pod::new(&node, "b").plugged());
    let first = a.added();
    let (device, local, northbound) = (a.device(), node.rows(), ovn.rows());
    let running = stream(&a.netns, &b.ip());

    for _ in 0..4 {
        assert_eq!(a.added(), first);
    }

    let told = running.wait(LIMIT).expect_success().text();
    assert!(told.contains(" 40 received"), "{told}");
    assert_eq!(a.device(), device, "the same device, not a new one");
    assert_eq!(node.rows().all_uuids(), local.all_uuids());
    assert_eq!(ovn.rows(), northbound);
    ledger::assert_sound(&lab);
}

#[test]
fn kube_ovn_1_17_0_adds_of_one_sandbox_at_once_agree_on_one_veth() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    for name in ["a", "b", "c"] {
        let pod = Pod::new(&node, name);

        let results: Vec<_> = thread::scope(|scope| {
            let calls: Vec<_> = (0..3).map(|_| scope.spawn(|| pod.added())).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });

        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        assert_eq!(witness::link_names(&pod.netns), ["eth0"]);
        assert_eq!(node.ports(), [pod.host_end()]);
        assert_eq!(ledger::held(&lab), [pod.ip()]);
        traffic::assert_ping(&pod.netns, "10.0.1.1");
        pod.deleted();
        node.assert_empty();
    }
}

#[test]
fn kube_ovn_1_17_0_packets_pass_a_container_that_is_deleted_and_added_again_at_once() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = Pod::new(&node, "a").plugged();
    // v1.17.0's third ADD waits 200 s: ovs-vswitchd goes on with the device that had the name before.
    for _ in 0..4 {
        pod.deleted();
        pod.added();
        traffic::assert_ping(&pod.netns, "10.0.1.1");
    }
    // The device goes without a word, and comes again with the ADD.
    lab.node.must(&format!("ip link del {}", pod.host_end()));
    pod.added();
    traffic::assert_ping(&pod.netns, "10.0.1.1");
    assert_eq!(node.ports(), [pod.host_end()]);
}

#[test]
fn kube_ovn_1_17_0_an_impossible_address_of_ovn_is_refused_not_ignored() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let holder = Pod::new(&node, "holder").plugged();
    let (ports, rows) = (node.ports(), ovn.rows());
    let table = [
        ("ip_address", "10.0.1.300", 106),
        ("ip_address", "10.0.2.30", 103),
        ("ip_address", "10.0.1.1", 103),
        ("ip_address", "10.0.1.2", 104),
        ("mac_address", "zz", 106),
        ("logical_switch", "nowhere", 101),
    ];
    for (number, (key, value, code)) in table.into_iter().enumerate() {
        let wish = json!({format!("ovn.kubernetes.io/{key}"): value});
        let pod = Pod::wishing(&node, &format!("p{number}"), &wish);

        assert_eq!(pod.refused()["code"], code, "{wish}");

        pod.assert_bare();
        pod.deleted();
        assert_eq!((node.ports(), ovn.rows()), (ports.clone(), rows.clone()), "{wish}");
    }
    assert_eq!(ledger::held(&lab), [holder.ip()]);
}

#[test]
fn kube_ovn_1_17_0_del_with_an_empty_netns_takes_the_port_out_at_once() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&["--sweep-interval=3600"]);
    let (a, b) = (Pod::new(&node, "a").plugged(), Pod::new(&node, "b").plugged());
    let (gone, del) = (b.netns.path(), b.del());
    drop(b);
    assert!(!gone.exists());

    assert_eq!(a.del().netns("").run(&lab).ok(), Value::Null);
    assert_eq!(del.run(&lab).ok(), Value::Null, "its namespace is gone");

    a.assert_bare();
    node.assert_empty();
    wait::until("the switch ports to go", PATIENCE, || switch_ports(&ovn).is_empty().then_some(()));
}

#[test]
fn kube_ovn_1_17_0_unusual_container_ids_and_interface_names_have_veths_like_any() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let long = "f".repeat(64);
    let table = [("abc", "eth0"), ("a", "a23456789012345"), (&*long, "a23456789012345"), (&*long, "net1")];
    for (number, (container, ifname)) in table.into_iter().enumerate() {
        let pod = Pod::new(&node, &format!("p{number}"));
        let add = pod.add.clone().container(container).ifname(ifname);

        let result = add.run(&lab).ok();

        assert_eq!(witness::addresses(&pod.netns, ifname), cni::addresses(&result), "{container} {ifname}");
        let [end] = &node.ports()[..] else { panic!("{container} {ifname}: {:?}", node.ports()) };
        assert!(end.len() <= 15 && end.ends_with("_h"), "{end}");
        assert_eq!(external_ids(&node, end)["iface-id"], format!("p{number}.ns1"));
        traffic::assert_ping(&pod.netns, "10.0.1.1");
        assert_eq!(add.verb("DEL").run(&lab).ok(), Value::Null);
        pod.assert_bare();
        node.assert_empty();
    }
}

#[test]
fn kube_ovn_1_17_0_a_new_sandbox_of_a_pod_takes_its_port_over_and_the_old_ones_del_is_late() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let peer = Pod::sandbox(&node, "peer", "beef", &node.conf()).plugged();
    let old = Pod::sandbox(&node, "a", "01d", &node.conf()).plugged();
    let new = Pod::sandbox(&node, "a", "2ed", &node.conf());
    let (ip, mac) = (old.ip(), old.link()["address"].clone());
    traffic::assert_ping(&peer.netns, &ip);

    new.added();

    old.assert_bare();
    assert_eq!((new.ip(), &new.link()["address"]), (ip.clone(), &mac));
    assert_eq!(node.ports(), [new.host_end(), peer.host_end()], "the old port is gone before its DEL");
    assert_eq!(external_ids(&node, &new.host_end())["iface-id"], "a.ns1");
    traffic::assert_ping(&peer.netns, &ip);

    old.deleted();

    assert_eq!(node.ports(), [new.host_end(), peer.host_end()]);
    assert_eq!(switch_ports(&ovn), ["a.ns1", "peer.ns1"]);
    traffic::assert_ping(&peer.netns, &ip);
    ledger::assert_sound(&lab);
    [new, peer].iter().for_each(Pod::deleted);
    node.assert_empty();
}

#[test]
fn kube_ovn_1_17_0_an_add_whose_daemon_was_killed_works_with_the_same_container() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let mut node = ovn.node(&lab);
    let mut daemon = node.daemon(&[]);
    let pod = Pod::new(&node, "a");
    // The ADD has made and plugged everything, and waits for OVN.
    node.controller.service().freeze();
    let running = pod.add.spawn(&lab);
    wait::until("the port", PATIENCE, || (node.ports() == [pod.host_end()]).then_some(()));
    daemon.kill9();
    let killed = running.wait(LIMIT);
    assert!(!killed.success() && killed.text().contains("\"code\": 11"), "{killed:?}");
    node.controller.service().thaw();
    daemon.restart();

    pod.added();

    assert_eq!(witness::link_names(&pod.netns), ["eth0"]);
    assert_eq!(node.ports(), [pod.host_end()]);
    traffic::assert_ping(&pod.netns, "10.0.1.1");
    pod.deleted();
    node.assert_empty();
}
