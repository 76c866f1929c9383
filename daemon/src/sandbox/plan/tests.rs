//! The wanted interface, from values only.

use daemon_api::{PodRef, Provider};
use ipam::{Request, SubnetSpec, Workload};

use super::*;
use crate::ledger::{ClaimId, Link, Owner, PortTraits, Segment};

fn network(has_default_route: bool, routes: Vec<RouteTo>) -> PodNetwork {
    let subnet = SubnetSpec::parse("s", "10.0.30.0/24,fd00:30::/64", "10.0.30.1,fd00:30::1", &[]).unwrap();
    let macvlan =
        Macvlan { master: IfName::new("eth1").unwrap(), mode: netlink::MacvlanMode::Bridge, mtu: Some(1400) };
    PodNetwork {
        wishes: vec![Request::any_for(&subnet)],
        subnet,
        is_static: false,
        workload: Workload::Pod,
        form: Form::Macvlan(macvlan),
        has_default_route,
        route_texts: Vec::new(),
        routes,
    }
}

fn claim(addresses: &[&str]) -> Claim {
    let owner = Owner {
        pod: PodRef::new("ns", "p").unwrap(),
        uid: String::new(),
        provider: Provider::new("").unwrap(),
        interface: IfName::new("eth0").unwrap(),
    };
    Claim {
        id: ClaimId(1),
        owner,
        workload: Workload::Pod,
        sandbox: None,
        network: String::new(),
        subnet: "s".into(),
        segment: Segment("provider/x.ns".into()),
        addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
        mac: Some("02:00:00:00:00:01".parse().unwrap()),
        link: Link::Macvlan,
        port: PortTraits::default(),
        revision: 1,
        since: 0,
    }
}

fn planned(network: &PodNetwork, claim: &Claim) -> PortPlan {
    port(&IfName::new("eth0").unwrap(), network, claim).unwrap()
}

fn to(destination: &str, gateway: &str) -> RouteTo {
    RouteTo { destination: destination.parse().unwrap(), gateway: gateway.parse().ok() }
}

#[test]
fn each_address_gets_its_familys_prefix_and_default_route() {
    let plan = planned(&network(true, Vec::new()), &claim(&["10.0.30.2", "fd00:30::2"]));

    let addresses: Vec<String> = plan.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.0.30.2/24", "fd00:30::2/64"]);
    assert_eq!(plan.routes, [to("0.0.0.0/0", "10.0.30.1"), to("::/0", "fd00:30::1")]);
}

#[test]
fn a_route_asked_for_replaces_the_subnets_default_of_its_family_only() {
    let asked = vec![to("0.0.0.0/0", "10.0.30.9")];

    let plan = planned(&network(true, asked), &claim(&["10.0.30.2", "fd00:30::2"]));

    assert_eq!(plan.routes, [to("0.0.0.0/0", "10.0.30.9"), to("::/0", "fd00:30::1")]);
}

#[test]
fn a_second_interface_gets_no_default_route_and_is_told_no_gateway() {
    let (network, claim) = (network(false, Vec::new()), claim(&["10.0.30.2"]));

    assert!(planned(&network, &claim).routes.is_empty());
    assert_eq!(reply_ips(&network, &claim)[0].gateway, "");
}

#[test]
fn routes_are_answered_in_the_kernels_order() {
    let asked = vec![to("198.51.100.0/24", "10.0.30.9")];

    let plan = planned(&network(true, asked), &claim(&["10.0.30.2", "fd00:30::2"]));

    let listed: Vec<(String, String)> = reply_routes(&plan).into_iter().map(|r| (r.dst, r.gw)).collect();
    let wanted = [
        ("0.0.0.0/0", "10.0.30.1"),
        ("10.0.30.0/24", ""),
        ("198.51.100.0/24", "10.0.30.9"),
        ("fd00:30::/64", ""),
        ("::/0", "fd00:30::1"),
    ];
    assert_eq!(listed, wanted.map(|(dst, gw)| (dst.to_owned(), gw.to_owned())));
}

#[test]
fn an_address_outside_todays_cidr_stands_alone() {
    let plan = planned(&network(true, Vec::new()), &claim(&["172.16.0.5"]));

    assert_eq!(plan.addresses[0].to_string(), "172.16.0.5/32");
    assert_eq!(reply_ips(&network(true, Vec::new()), &claim(&["172.16.0.5"]))[0].cidr, "172.16.0.5/32");
}

#[test]
fn another_plugins_interface_has_no_plan() {
    let mut delegated = network(false, Vec::new());
    delegated.form = Form::Delegated { master: None };

    assert_eq!(port(&IfName::new("net1").unwrap(), &delegated, &claim(&["10.0.30.2"])), None);
}
