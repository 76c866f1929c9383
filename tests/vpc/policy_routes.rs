//! The guide's "custom routes", policies: they come after the routes and override them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;
use tests::lab::Lab;
use tests::netns::Netns;
use tests::{traffic, witness};

use crate::cloud::{Cloud, condition, subnet};
use crate::crossroads::{Crossroads, FAMILIES, policy, to};
use crate::exit::{Exit, OUTSIDE};
use crate::{can, guide};

#[test]
fn the_guides_policies_act_as_they_are_written_and_say_where_they_cannot() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    guide::two_vpcs(&lab);
    subnet(&lab, "net3", json!({"vpc": "test-vpc-1", "cidrBlock": "10.0.3.0/24"}));
    let cloud = Cloud::start(&lab);
    let _exit = Exit::open(&cloud, "ns1/gateway", "net1", "10.0.1.252");
    let (pod, spared) =
        (cloud.pod("ns1/vpc1-pod", "net1", ""), cloud.pod("ns1/spared", "net1", "10.0.1.250"));
    let unmatched = cloud.pod("ns1/unmatched", "net3", "");
    traffic::await_ping(&pod, "10.0.1.252");
    traffic::assert_no_ping(&pod, OUTSIDE);

    guide::test_vpc_1(&lab, guide::POLICY_ROUTES);
    traffic::await_ping(&pod, OUTSIDE);
    let answer = format!("gateway {}", pod.ip(4));
    assert_eq!(traffic::ask_tcp(&pod, "203.0.113.9:8080").unwrap(), answer);
    traffic::assert_ping(&unmatched, "10.0.1.252");
    traffic::assert_no_ping(&unmatched, OUTSIDE);
    let warning = condition(&lab, "vpc", "test-vpc-1", "Warning");
    assert_eq!(warning["reason"], "PolicyNeverActs", "{warning}");
    let message = warning["message"].as_str().unwrap();
    assert!(message.contains("policyRoutes[0] 11 drop") && !message.contains("policyRoutes[1]"), "{warning}");
    traffic::assert_ping(&pod, "10.0.1.250");
    traffic::assert_ping(&spared, &pod.ip(4));
    let policies = cloud.ovn.nb(&["lr-policy-list", "test-vpc-1"]);
    for priority in ["31000", "11", "10"] {
        assert!(policies.lines().any(|line| line.trim_start().starts_with(priority)), "{policies}");
    }
    let routes = witness::vpcctl(&lab, "routes test-vpc-1").text();
    let is_ours = |line: &&str| line.contains("0.0.0.0/0") && line.contains("so that policies act");
    assert_eq!(routes.lines().filter(is_ours).count(), 1, "{routes}");
    assert_eq!(cloud.ovn.nb(&["lr-route-list", "test-vpc-2"]).trim(), "");
}

#[test]
fn a_default_route_replaces_ours_and_gives_way_to_it_while_a_reroute_goes_on() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let world = Crossroads::build(&lab);
    let (a, b) = (&world.a, &world.b);
    let reroutes = FAMILIES.map(|family| {
        policy(10, &format!("{}.src == {}", family.ip, family.nets[0]), "reroute", family.east)
    });
    world.rules(&[], &reroutes);
    for family in FAMILIES {
        family.await_ways(a, &["east"]);
        traffic::await_silence(b, family.outside);
    }

    let lost = while_pinging(a, FAMILIES.map(|family| family.outside), || {
        for _ in 0..3 {
            world.rules(&FAMILIES.map(|family| to(family.everything, family.west)), &reroutes);
            FAMILIES.iter().for_each(|family| family.await_ways(b, &["west"]));
            world.rules(&[], &reroutes);
            FAMILIES.iter().for_each(|family| traffic::await_silence(b, family.outside));
        }
    });
    assert_eq!(lost, [0, 0]);
}

/// In how many bursts of echo requests, 10 ms apart, one is not answered while something is done.
fn while_pinging<const N: usize>(from: &Netns, addresses: [&str; N], work: impl FnOnce()) -> [usize; N] {
    let over = AtomicBool::new(false);
    let lost = |address: &str| {
        let mut lost = 0;
        while !over.load(Ordering::Relaxed) {
            let told = from.exec(&format!("ping -n -q -c 100 -i 0.01 -W 1 {address}")).text();
            lost += usize::from(!told.contains(" 100 received"));
        }
        lost
    };
    thread::scope(|scope| {
        let counts = addresses.map(|address| scope.spawn(move || lost(address)));
        // Whatever happens to the work, the others have to end.
        let outcome = catch_unwind(AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        outcome.unwrap_or_else(|e| resume_unwind(e));
        counts.map(|count| count.join().unwrap())
    })
}

#[test]
fn a_reroute_overrides_a_route_an_allow_keeps_it_and_a_drop_ends_it() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let world = Crossroads::build(&lab);
    let (a, b) = (&world.a, &world.b);
    for family in FAMILIES {
        let (ip, east, west, outside) = (family.ip, family.east, family.west, family.outside);
        let [net1, net2] = family.nets;
        let out = [to(family.everything, east)];
        let leave = format!("{ip}.dst == {outside}");
        let from = |range: &str| format!("{ip}.src == {range}");

        world.rules(&out, &[policy(10, &from(net2), "reroute", west)]);
        family.await_ways(b, &["west"]);
        family.await_ways(a, &["east"]);
        world.rules(&out, &[policy(10, &leave, "reroute", west), policy(20, &from(net1), "allow", "")]);
        family.await_ways(a, &["east"]);
        family.await_ways(b, &["west"]);
        world.rules(&out, &[policy(10, &leave, "reroute", &format!("{east}, {west}"))]);
        family.await_ways(a, &["east", "west"]);
        world.rules(&out, &[policy(11, &from(net1), "drop", "")]);
        traffic::await_silence(a, outside);
        family.await_ways(b, &["east"]);
        traffic::assert_ping(a, &b.ip(if ip == "ip4" { 4 } else { 6 }));
        world.rules(&out, &[]);
        family.await_ways(a, &["east"]);
    }
    assert_eq!(
        world.cloud.ovn.nb(&["--columns=priority", "find", "Logical_Router_Policy", "priority<31000"]).trim(),
        ""
    );
}
