//! Checklist 39 to 44: CHECK finds what is missing, and only that.

use serde_json::{Value, json};
use tests::daemon::Daemon;
use tests::{cni, ledger};

use crate::{add, check, del, guide, merged, own};

#[test]
fn check_names_what_is_missing() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let damages = [
        ("ip link del eth0", "eth0"),
        ("ip link set eth0 down", "eth0"),
        ("ip addr flush dev eth0", "192.168.0."),
        ("ip link set eth0 address 02:00:00:00:00:99", "eth0"),
        ("ip route del default", "0.0.0.0/0"),
        ("ip route del 203.0.113.0/24", "203.0.113.0/24"),
    ];
    let conf = own(&lab, json!({"routes": [{"dst": "203.0.113.0/24", "gw": "192.168.0.1"}]}));
    for (number, (damage, named)) in damages.into_iter().enumerate() {
        let name = format!("p{number}");
        let pod = lab.pod(&name);
        let add = add(&conf, &pod, &name).ifname("eth0");
        let result = add.run(&lab).ok();
        check(&add, &conf, &result).run(&lab).ok();

        pod.must(damage);

        let error = check(&add, &conf, &result).run(&lab).error();
        assert_eq!(error["code"], 109, "{damage}");
        assert!(error["msg"].as_str().unwrap().contains(named), "{damage}: {error}");
        del(&add).run(&lab).ok();
    }
    ledger::assert_empty(&lab);
}

#[test]
fn check_tolerates_what_later_plugins_add_and_change() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));
    let add = add(&conf, &pod, "p1").ifname("eth0");
    let mut result = add.run(&lab).ok();

    pod.must("ip addr add 10.9.9.9/32 dev eth0");
    pod.must("ip route add 198.51.100.0/24 via 192.168.0.1");
    pod.must("ip route replace default via 192.168.0.9");
    result["ips"].as_array_mut().unwrap().push(json!({"address": "10.9.9.9/32", "interface": 0}));
    result["interfaces"].as_array_mut().unwrap().push(json!({"name": "ifb0"}));

    assert_eq!(check(&add, &conf, &result).run(&lab).ok(), Value::Null);
}

#[test]
fn check_without_a_result_or_with_another_ones_fails() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));
    let add = add(&conf, &pod, "p1");
    let result = add.run(&lab).ok();

    assert_eq!(add.clone().verb("CHECK").run(&lab).code(), 7, "no prevResult");
    let other = merged(result.clone(), json!({"ips": [{"address": "192.168.0.99/24", "interface": 0}]}));
    assert_eq!(check(&add, &conf, &other).run(&lab).code(), 109);
    assert_eq!(check(&add.clone().container("p2"), &conf, &result).run(&lab).code(), 109, "not its sandbox");
    assert_eq!(check(&add.clone().ifname("net2"), &conf, &result).run(&lab).code(), 109, "not its interface");
    check(&add, &conf, &result).run(&lab).ok();
}

#[test]
fn check_needs_the_daemon() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));
    let add = add(&conf, &pod, "p1");
    let result = add.run(&lab).ok();
    daemon.stop();

    assert_eq!(check(&add, &conf, &result).run(&lab).code(), 11);
    daemon.restart();
    check(&add, &conf, &result).run(&lab).ok();
}

#[test]
fn check_of_the_guides_network_asks_whether_the_address_is_still_reserved() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = merged(cni::guide_nad(&lab.socket()), json!({"cniVersion": "1.0.0"}));
    let add = add(&conf, &pod, "p1");
    let result = add.run(&lab).ok();
    check(&add, &conf, &result).run(&lab).ok();

    // Only the reservation goes; macvlan's interface stays.
    del(&add).plugin("kube-ovn").run(&lab).ok();

    assert_eq!(check(&add, &conf, &result).run(&lab).code(), 109);
}
