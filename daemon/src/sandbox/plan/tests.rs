//! The wanted interface, from values only.

use daemon_api::{NetnsPath, PodRef, Provider};
use ipam::{Request, SubnetSpec, Workload};

use super::*;
use crate::ledger::{ClaimId, Limit, Owner, PortTraits, Sandbox, Segment};
use crate::sandbox::network::{Macvlan, Veth};
use crate::vswitch::NodeSettings;

fn network(has_default_route: bool, routes: Vec<RouteTo>) -> PodNetwork {
    let subnet = SubnetSpec::parse("s", "10.0.30.0/24,fd00:30::/64", "10.0.30.1,fd00:30::1", &[]).unwrap();
    let macvlan =
        Macvlan { master: IfName::new("eth1").unwrap(), mode: MacvlanMode::Bridge, mtu: Some(1400) };
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
        link: ClaimLink::Macvlan,
        port: PortTraits::default(),
        revision: 1,
        since: 0,
    }
}

fn planned(network: &PodNetwork, claim: &Claim) -> PortPlan {
    port(network, &Ground::Master(eth1()), claim).unwrap()
}

fn eth1() -> Link {
    Link {
        index: 2,
        name: "eth1".into(),
        mac: [2; 6],
        mtu: 1500,
        is_up: true,
        kind: None,
        parent_index: None,
    }
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

    assert_eq!(port(&delegated, &Ground::Unknown, &claim(&["10.0.30.2"])), None);
}

fn veth_claim(traits: PortTraits) -> Claim {
    let mut claim = claim(&["10.0.30.2"]);
    claim.link = ClaimLink::Veth;
    claim.port = traits;
    claim.sandbox = Some(Sandbox {
        container: ContainerId::new("84449a466cca0f5e").unwrap(),
        netns: NetnsPath::new("/run/netns/p").unwrap(),
        netns_id: (4, 1),
    });
    claim
}

fn planned_veth(mtu: Option<u32>, claim: &Claim) -> VethPlan {
    let mut network = network(true, Vec::new());
    network.form = Form::Veth(Veth { mtu, port: claim.port.clone() });
    let settings = NodeSettings {
        chassis: None,
        bridge: "br-int".into(),
        is_in_user_space: true,
        encap_ip: None,
        encap_overhead: 100,
    };
    let plan = port(&network, &Ground::Switch { settings, pod_mtu: 1400 }, claim).unwrap();
    let Device::Veth(veth) = plan.device else { panic!("a veth") };
    veth
}

#[test]
fn a_veth_is_named_after_its_sandbox_and_its_port_after_its_pod() {
    let veth = planned_veth(None, &veth_claim(PortTraits::default()));

    assert_eq!((veth.host_name(), veth.mtu, veth.has_whole_checksums), ("84449a466cca_h", 1400, true));
    assert_eq!((veth.port.bridge.as_str(), veth.port.interface.iface_id.as_str()), ("br-int", "p.ns"));
    assert_eq!(veth.port.interface.netns, "/run/netns/p");
    assert_eq!(veth.port.shaping, None);
}

#[test]
fn the_subnets_mtu_comes_first_and_a_second_attachment_has_its_interface_in_the_name() {
    let into_pod = Some(Limit { rate: 8, burst: None });
    let claim = veth_claim(PortTraits { is_per_interface: true, into_pod, ..PortTraits::default() });

    let veth = planned_veth(Some(1300), &claim);

    assert_eq!((veth.mtu, veth.port.interface.iface_id.as_str()), (1300, "p.ns.eth0"));
    assert_eq!(veth.port.shaping, Some(Shaping { rate: 8_000_000, burst: 800_000 }));
}

#[test]
fn nothing_is_planned_on_ground_of_another_kind() {
    assert_eq!(port(&network(true, Vec::new()), &Ground::Unknown, &claim(&["10.0.30.2"])), None);
}
