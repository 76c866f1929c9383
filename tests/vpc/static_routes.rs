//! The guide's "custom routes", static ones: who leaves the VPC, and by which way.

use serde_json::json;
use tests::lab::Lab;
use tests::traffic;

use crate::cloud::{Cloud, condition, subnet, vpc};
use crate::crossroads::{Crossroads, FAMILIES, from, to};
use crate::exit::{Exit, OUTSIDE};
use crate::{can, guide};

#[test]
fn the_guides_default_route_leads_out_as_long_as_it_is_there() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    guide::two_vpcs(&lab);
    let cloud = Cloud::start(&lab);
    let exit = Exit::open(&cloud, "ns1/gateway", "net1", "10.0.1.254");
    let pod = cloud.pod("ns1/vpc1-pod", "net1", "");
    traffic::assert_ping(&exit.pod, OUTSIDE);
    traffic::await_ping(&pod, "10.0.1.254");
    traffic::assert_no_ping(&pod, OUTSIDE);
    cloud.ovn.nb(&["lr-route-add", "test-vpc-1", "198.51.100.0/24", "10.0.1.254"]);

    guide::test_vpc_1(&lab, guide::STATIC_ROUTES);
    traffic::await_ping(&pod, OUTSIDE);
    let answer = format!("gateway {}", pod.ip(4));
    assert_eq!(traffic::ask_tcp(&pod, "203.0.113.9:8080").unwrap(), answer);
    assert_eq!(traffic::carries(&pod, "203.0.113.9:8080", 1_000_001).unwrap(), 1_000_001);
    traffic::await_ping(&exit.host, &pod.ip(4));
    let warning = condition(&lab, "vpc", "test-vpc-1", "Warning");
    assert_eq!(warning["reason"], "RouteNeverActs", "{warning}");
    assert!(warning["message"].as_str().unwrap().contains("rtb1"), "{warning}");

    vpc(&lab, "test-vpc-1", json!({}));
    traffic::await_silence(&pod, OUTSIDE);
    let routes = cloud.ovn.nb(&["lr-route-list", "test-vpc-1"]);
    assert!(routes.contains("198.51.100.0/24") && !routes.contains("0.0.0.0/0"), "{routes}");
    traffic::assert_ping(&pod, "10.0.1.254");
}

#[test]
fn the_longest_prefix_comes_first_and_a_destination_before_a_source_of_equal_length() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let world = Crossroads::build(&lab);
    let (a, b) = (&world.a, &world.b);
    for family in FAMILIES {
        let [net1, _] = family.nets;
        let (everything, wide, narrow) = (family.everything, family.wide, family.narrow);
        let (east, west) = (family.east, family.west);

        world.routes(&[to(everything, east), to(wide, west)]);
        family.await_ways(a, &["west"]);
        family.await_ways(b, &["west"]);
        world.routes(&[to(narrow, east), to(wide, west)]);
        family.await_ways(a, &["east"]);
        world.routes(&[from(net1, east), to(wide, west)]);
        family.await_ways(a, &["west"]);
        world.routes(&[from(net1, east), to(everything, west)]);
        family.await_ways(a, &["east"]);
        family.await_ways(b, &["west"]);
        world.routes(&[from(everything, east)]);
        family.await_ways(b, &["east"]);
        world.routes(&[from(net1, west)]);
        family.await_ways(a, &["west"]);
        traffic::await_silence(b, family.outside);
        world.routes(&[from(&family.single(a), east), to(wide, west)]);
        family.await_ways(a, &["east"]);
        family.await_ways(b, &["west"]);
    }
}

#[test]
fn equal_routes_share_the_traffic_and_a_subnet_uses_its_own_table() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    let world = Crossroads::build(&lab);
    let (a, b) = (&world.a, &world.b);
    for family in FAMILIES {
        let (everything, east, west) = (family.everything, family.east, family.west);

        world.routes(&[to(everything, east), to(everything, west)]);
        family.await_ways(a, &["east", "west"]);
        family.await_ways(b, &["east", "west"]);
        world.routes(&[to(everything, west)]);
        family.await_ways(a, &["west"]);
    }

    let tables = FAMILIES.map(|family| {
        let mut other = to(family.everything, family.west);
        other["routeTable"] = json!("rtb1");
        [to(family.everything, family.east), other]
    });
    world.routes(&tables.concat());
    let [v4, v6] = &FAMILIES;
    let cidr = format!("{},{}", v4.nets[1], v6.nets[1]);
    subnet(&lab, "net2", json!({"vpc": "v", "cidrBlock": cidr, "routeTable": "rtb1"}));
    for family in [v4, v6] {
        family.await_ways(b, &["west"]);
        family.await_ways(a, &["east"]);
    }
    traffic::assert_ping(b, &a.ip(4));
    world.routes(&tables[0][..1]);
    traffic::await_silence(b, v4.outside);
    v4.await_ways(a, &["east"]);
}
