//! One address and one probe port in two VPCs of one node.

use super::*;

/// Two subnets of the same range in two VPCs.
fn two_vpcs() -> Book {
    let of = |name: &str, vpc: &str| Served {
        spec: SubnetSpec::parse(name, "10.0.0.0/29", "", &[]).unwrap(),
        segment: Segment(format!("vpc/{vpc}")),
    };
    let mut book = Book::default();
    book.respec(vec![of("net1", "a"), of("net2", "b")]);
    book
}

fn probed(pod: &str, subnet: &str, ports: &[u16]) -> ClaimRequest {
    ClaimRequest {
        subnet: subnet.to_owned(),
        link: Link::Veth,
        port: PortTraits { probe_ports: ports.iter().copied().collect(), ..PortTraits::default() },
        are_probes_carried: true,
        ..request(pod, "u", pod)
    }
}

fn pinned(pod: &str, subnet: &str, ports: &[u16], ip: &str) -> ClaimRequest {
    let mut pinned = probed(pod, subnet, ports);
    pinned.wishes[0].v4 = Wish::Exactly(ip.parse().unwrap());
    pinned
}

#[test]
fn a_dynamic_address_avoids_the_clash_and_other_ports_do_not_clash() {
    let mut book = two_vpcs();
    let mut given =
        |pod, subnet, ports: &[u16]| address(&claim(&mut book, &probed(pod, subnet, ports)).unwrap());

    assert_eq!(given("first", "net1", &[80]), "10.0.0.2");
    assert_eq!(given("second", "net2", &[80, 81]), "10.0.0.3");
    assert_eq!(given("third", "net2", &[443]), "10.0.0.2");
    assert_eq!(given("fourth", "net2", &[]), "10.0.0.4");
}

#[test]
fn a_fixed_address_that_clashes_is_refused_and_names_the_other_pod() {
    let mut book = two_vpcs();
    claim(&mut book, &pinned("first", "net1", &[80], "10.0.0.5")).unwrap();

    let refused = claim(&mut book, &pinned("second", "net2", &[80], "10.0.0.5")).unwrap_err();
    assert!(refused.to_string().contains("those of pod ns/first"), "{refused}");
    assert!(claim(&mut book, &pinned("second", "net2", &[81], "10.0.0.5")).is_ok());
    assert!(claim(&mut book, &pinned("first", "net1", &[80], "10.0.0.5")).is_ok(), "its own again");
}

#[test]
fn a_pool_is_searched_for_an_address_without_a_clash() {
    let mut book = two_vpcs();
    claim(&mut book, &pinned("first", "net1", &[80], "10.0.0.3")).unwrap();
    let mut listed = probed("second", "net2", &[80]);
    let pool = ipam::parse_ip_pool("10.0.0.3..10.0.0.4").unwrap();
    let subnet = SubnetSpec::parse("net2", "10.0.0.0/29", "", &[]).unwrap();
    listed.wishes = ipam::wishes_from_pool(&subnet, &pool, None).unwrap();

    assert_eq!(address(&claim(&mut book, &listed).unwrap()), "10.0.0.4");
}

#[test]
fn nothing_clashes_on_a_node_that_carries_no_probes_and_the_ports_are_kept_for_the_day_it_does() {
    let mut book = two_vpcs();
    let alike =
        |pod, subnet| ClaimRequest { are_probes_carried: false, ..pinned(pod, subnet, &[80], "10.0.0.5") };
    claim(&mut book, &alike("first", "net1")).unwrap();

    let second = claim(&mut book, &alike("second", "net2")).unwrap();

    assert!(second.claim.port.probe_ports.contains(&80));
}
