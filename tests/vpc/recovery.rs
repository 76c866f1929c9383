//! After whatever ends, traffic is back without hands, and the database as it was.

use std::fs;

use serde_json::json;
use tests::lab::Lab;
use tests::ovn::Dump;
use tests::{traffic, wait};

use crate::can;
use crate::cloud::{Cloud, PATIENCE, subnet, vpc};
use crate::crossroads::{Crossroads, FAMILIES, policy, to};

/// A world with a row of every kind that is ours.
#[track_caller]
fn rich(lab: &Lab) -> Crossroads<'_> {
    let world = Crossroads::build(lab);
    let [v4, v6] = FAMILIES;
    let leave = format!("ip4.dst == {}", v4.outside);
    let routes = [to(v4.everything, v4.east), to(v6.everything, v6.east)];
    world.rules(&routes, &[policy(10, &leave, "reroute", v4.west)]);
    let acl =
        json!({"direction": "to-lport", "priority": 1010, "match": "tcp.dst == 9999", "action": "drop"});
    let cidr = format!("{},{}", v4.nets[1], v6.nets[1]);
    let spec = json!({
        "vpc": "v", "cidrBlock": cidr, "private": true, "allowSubnets": [v4.nets[0], v6.nets[0]],
        "acls": [acl], "enableDHCP": true, "enableIPv6RA": true,
    });
    subnet(lab, "net2", spec);
    vpc(lab, "w", json!({}));
    subnet(lab, "other", json!({"vpc": "w", "cidrBlock": v4.nets[0]}));
    let rows = [
        ["DHCP_Options {", ""],
        ["ACL {", "1010"],
        ["Logical_Router {", r#""name":"w""#],
        ["Logical_Router_Policy {", &leave],
    ];
    rows.iter().for_each(|words| world.cloud.await_row(true, words));
    flows(&world);
    world
}

/// Traffic inside a subnet, between subnets, and to the outside, by route and by policy.
#[track_caller]
fn flows(world: &Crossroads<'_>) {
    let [v4, v6] = FAMILIES;
    traffic::await_ping(&world.a, v4.east);
    traffic::await_ping(&world.a, &world.b.ip(4));
    traffic::await_ping(&world.b, &world.a.ip(6));
    v4.await_ways(&world.a, &["west"]);
    v6.await_ways(&world.a, &["east"]);
}

#[track_caller]
fn await_same(cloud: &Cloud<'_>, before: &Dump) {
    if wait::until_or(PATIENCE, || (cloud.ovn.dump() == *before).then_some(())).is_none() {
        cloud.ovn.dump().assert_same(before);
    }
}

#[test]
fn traffic_is_back_and_no_row_made_anew_after_any_process_was_killed() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let mut world = rich(&lab);
    let rows = world.cloud.ovn.rows();

    world.cloud.node.vswitchd.kill9();
    traffic::assert_no_ping(&world.a, FAMILIES[0].east);
    world.cloud.node.vswitchd.start();
    flows(&world);
    world.cloud.node.controller.kill9();
    world.cloud.node.controller.start();
    flows(&world);
    world.cloud.node.db.kill9();
    world.cloud.node.db.start();
    flows(&world);
    world.cloud.ovn.northd.kill9();
    world.cloud.ovn.northd.start();
    world.cloud.ovn.sb.kill9();
    world.cloud.ovn.sb.start();
    flows(&world);
    world.cloud.ovn.nb.kill9();
    world.cloud.ovn.nb.start();
    flows(&world);
    world.cloud.daemon.kill9();
    world.cloud.daemon.restart();
    flows(&world);

    let late = world.cloud.pod("ns/late", "net1", "");
    traffic::await_ping(&late, &world.b.ip(4));
    late.delete();
    world.cloud.await_row(false, &["late.ns"]);
    assert_eq!(world.cloud.ovn.rows(), rows);
}

#[test]
fn a_daemon_that_starts_anew_writes_nothing_into_the_database() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let mut world = rich(&lab);
    world.cloud.ovn.sync();
    let file = lab.dir().join("ovn/nb.db");
    let size = || fs::metadata(&file).unwrap().len();
    let before = size();

    world.cloud.daemon.restart();
    wait::until("a plan", PATIENCE, || {
        world.cloud.daemon.metric("northbound_plans_total").filter(|n| *n > 0.0)
    });
    flows(&world);
    assert_eq!(size(), before, "every transaction makes the file longer");
    assert_eq!(world.cloud.daemon.metric(r#"northbound_transactions_total{outcome="committed"}"#), None);
}

#[test]
fn a_wiped_northbound_database_is_as_before_and_traffic_with_it() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let mut world = rich(&lab);
    let before = world.cloud.ovn.dump();
    for _ in 0..2 {
        world.cloud.ovn.nb.wipe();
        await_same(&world.cloud, &before);
        flows(&world);
    }
    world.cloud.daemon.stop();
    world.cloud.ovn.nb.wipe();
    world.cloud.daemon.restart();
    await_same(&world.cloud, &before);
    flows(&world);
}

#[test]
fn a_damaged_row_of_ours_heals_and_a_foreign_one_is_never_touched() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let mut world = rich(&lab);
    let foreign = [
        "lr-add theirs -- ls-add their-net -- lsp-add their-net their-port",
        "lr-route-add v 198.51.100.0/24 10.0.1.252 -- lr-policy-add v 500 ip4.src==192.0.2.1 drop",
        "acl-add net1 to-lport 900 udp.dst==9 drop -- lsp-add net1 guest",
        "lr-route-add w 198.51.100.0/24 10.0.1.99",
    ];
    foreign.iter().for_each(|line| drop(nb(&world.cloud, line)));
    let (before, theirs) = (world.cloud.ovn.dump(), world.cloud.ovn.rows());
    let theirs = |table: &str, name: &str| theirs.uuids(table).remove(name);

    for damage in [
        "lsp-del a.ns",
        "clear Logical_Switch_Port b.ns addresses port_security",
        "lr-route-del v 0.0.0.0/0",
        "set Logical_Router_Port v-net1 networks=10.0.1.77/24",
        "lrp-del v-net2",
        "lr-policy-del v 10",
        "acl-del net2 to-lport 1000 ip",
        "ls-del net2",
        "--all destroy DHCP_Options",
        "lsp-del net1-v -- lr-policy-del v 31000",
        "set Logical_Router v options:dynamic_neigh_routers=false",
    ] {
        nb(&world.cloud, damage);
        await_same(&world.cloud, &before);
    }
    flows(&world);
    world.cloud.daemon.restart();
    flows(&world);
    world.cloud.ovn.dump().assert_same(&before);
    for (table, name) in
        [("Logical_Router", "theirs"), ("Logical_Switch", "their-net"), ("Logical_Switch_Port", "guest")]
    {
        assert_eq!(world.cloud.ovn.rows().uuids(table).remove(name), theirs(table, name), "{name}");
    }
}

#[track_caller]
fn nb(cloud: &Cloud<'_>, line: &str) -> String {
    cloud.ovn.nb(&line.split_whitespace().collect::<Vec<_>>())
}
