//! The guide's "custom routes", policies: they come after the routes and override them.

use tests::lab::Lab;
use tests::traffic;

use crate::cloud::{Cloud, condition};
use crate::crossroads::{Crossroads, FAMILIES, policy, to};
use crate::exit::{Exit, OUTSIDE};
use crate::{can, guide};

#[test]
fn the_guides_policies_act_on_what_a_route_leads_out_and_say_where_they_cannot() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    guide::two_vpcs(&lab);
    let cloud = Cloud::start(&lab);
    let _exit = Exit::open(&cloud, "ns1/gateway", "net1", "10.0.1.252");
    let (pod, spared) =
        (cloud.pod("ns1/vpc1-pod", "net1", ""), cloud.pod("ns1/spared", "net1", "10.0.1.250"));
    traffic::await_ping(&pod, "10.0.1.252");

    guide::test_vpc_1(&lab, guide::POLICY_ROUTES);
    let warning = condition(&lab, "vpc", "test-vpc-1", "Warning");
    assert_eq!(warning["reason"], "PolicyNeverActs", "{warning}");
    for policy in ["policyRoutes[0] 11 drop", "policyRoutes[1] 10 reroute"] {
        assert!(warning["message"].as_str().unwrap().contains(policy), "{warning}");
    }
    traffic::assert_ping(&pod, "10.0.1.250");
    traffic::assert_ping(&spared, &pod.ip(4));
    traffic::assert_no_ping(&pod, OUTSIDE);
    let policies = cloud.ovn.nb(&["lr-policy-list", "test-vpc-1"]);
    for priority in ["31000", "11", "10"] {
        assert!(policies.lines().any(|line| line.trim_start().starts_with(priority)), "{policies}");
    }

    // Nobody has the route's next hop, so what arrives was sent elsewhere by the policy.
    let routes = "  staticRoutes:\n    - {cidr: 0.0.0.0/0, nextHopIP: 10.0.1.253, policy: policyDst}\n";
    guide::test_vpc_1(&lab, &format!("{}{routes}", guide::POLICY_ROUTES));
    traffic::await_ping(&pod, OUTSIDE);
    let warning = condition(&lab, "vpc", "test-vpc-1", "Warning");
    assert!(!warning["message"].as_str().unwrap().contains("policyRoutes[1]"), "{warning}");
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
