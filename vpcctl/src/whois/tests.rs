use crds::{IpSpec, SubnetSpec};

use super::*;

fn subnet(name: &str, vpc: &str, cidr: &str) -> Subnet {
    let spec = SubnetSpec {
        vpc: vpc.into(),
        cidr_block: cidr.into(),
        gateway: "10.0.1.1,fd00::1".into(),
        exclude_ips: vec!["10.0.1.1".into(), "10.0.1.100..10.0.1.110".into(), "fd00::5".into()],
        ..SubnetSpec::default()
    };
    Subnet::new(name, spec)
}

fn ip(name: &str, subnet: &str, address: &str) -> Ip {
    let (namespace, pod) = ("ns1", name.split('.').next().unwrap_or_default());
    let spec = IpSpec {
        pod_name: pod.into(),
        namespace: namespace.into(),
        subnet: subnet.into(),
        ip_address: address.into(),
        node_name: "node1".into(),
        ..IpSpec::default()
    };
    Ip::new(name, spec)
}

fn whois(address: &str) -> String {
    let subnets = [
        subnet("net1", "vpc1", "10.0.1.0/24,fd00::/64"),
        subnet("net2", "vpc2", "10.0.1.0/24"),
        subnet("pair", "", "10.9.9.0/31"),
    ];
    let ips = [
        ip("web.ns1", "net1", "10.0.1.5,fd00::a"),
        ip("old.ns1", "gone", "172.16.0.9"),
        ip("vip.ns1", "net1", "10.0.1.105"),
    ];
    let address = address.parse().unwrap();
    render(address, &sightings(address, &subnets, &ips))
}

#[test]
fn every_vpc_that_has_the_address_is_told() {
    assert_eq!(
        whois("10.0.1.5"),
        "10.0.1.5 is held by pod ns1/web (ip web.ns1, node node1) in subnet net1 of VPC vpc1\n\
         10.0.1.5 is free in subnet net2 of VPC vpc2\n"
    );
}

#[test]
fn families_are_matched_whatever_the_spelling() {
    assert!(whois("fd00:0::000a").starts_with("fd00::a is held by pod ns1/web"));
    assert!(whois("fd00::1").starts_with("fd00::1 is the gateway of subnet net1"));
    assert!(whois("fd00::5").starts_with("fd00::5 is excluded in subnet net1"));
}

#[test]
fn addresses_that_nobody_gets_by_chance_are_told_apart() {
    assert!(whois("10.0.1.1").starts_with("10.0.1.1 is the gateway of subnet net1"));
    assert!(whois("10.0.1.0").starts_with("10.0.1.0 is the network or broadcast address of subnet net1"));
    assert!(whois("10.0.1.255").contains("is the network or broadcast address of subnet net2"));
    assert!(whois("10.0.1.110").starts_with("10.0.1.110 is excluded in subnet net1"));
    assert!(whois("10.0.1.111").starts_with("10.0.1.111 is free in subnet net1"));
    assert_eq!(whois("10.9.9.0"), "10.9.9.0 is free in subnet pair\n");
}

#[test]
fn a_held_address_is_held_even_where_it_is_excluded() {
    assert!(whois("10.0.1.105").starts_with("10.0.1.105 is held by pod ns1/vip"));
}

#[test]
fn what_is_left_of_a_subnet_that_is_gone_is_shown() {
    assert_eq!(
        whois("172.16.0.9"),
        "172.16.0.9 is held by pod ns1/old (ip old.ns1, node node1) in subnet gone (which is gone)\n"
    );
}

#[test]
fn an_address_that_no_subnet_has_is_outside() {
    assert_eq!(whois("192.0.2.1"), "192.0.2.1 is outside every subnet\n");
}
