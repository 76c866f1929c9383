use std::sync::Arc;

use super::*;
use crate::facts::PortFact;
use ovn::address::Mac;

mod matches;
mod misfit;
mod overlap;

fn vpc(yaml: &str) -> Vpc {
    serde_saphyr::from_str(yaml).unwrap()
}

fn subnet(yaml: &str) -> Subnet {
    serde_saphyr::from_str(yaml).unwrap()
}

/// A VPC and subnets in flow style: `name: spec`.
fn facts(vpcs: &[&str], subnets: &[&str]) -> Facts {
    let mut facts = Facts::default();
    for text in vpcs {
        let vpc = vpc(text);
        facts.vpcs.insert(vpc.name().to_owned(), Arc::new(vpc));
    }
    for text in subnets {
        let subnet = subnet(text);
        facts.subnets.insert(subnet.name().to_owned(), Arc::new(subnet));
    }
    facts
}

fn port(pod: &str, subnet: &str, ip: &str) -> PortFact {
    PortFact {
        namespace: "ns1".into(),
        pod: pod.into(),
        provider: "ovn".into(),
        interface: None,
        subnet: subnet.into(),
        addresses: vec![ip.parse().unwrap()],
        mac: Mac::new([2, 0, 0, 0, 0, 9]),
        out_of_pod: None,
        port_security: true,
        is_ours: false,
    }
}

fn told(facts: &Facts) -> Vec<String> {
    Survey::of(facts).findings.iter().map(ToString::to_string).collect()
}

const V: &str = "{metadata: {name: v}}";
const NET1: &str = "{metadata: {name: net1}, spec: {vpc: v, cidrBlock: 10.0.1.0/24}}";
const NET2: &str = "{metadata: {name: net2}, spec: {vpc: v, cidrBlock: 10.0.2.0/24}}";

fn vpc_with(spec: &str) -> Facts {
    facts(&[&format!("{{metadata: {{name: v}}, spec: {{{spec}}}}}")], &[NET1, NET2])
}

#[test]
fn what_is_right_is_accepted_without_a_word() {
    let survey = Survey::of(&facts(&[V], &[NET1, NET2]));

    assert!(survey.findings.is_empty(), "{:?}", survey.findings);
    assert_eq!(survey.vpcs["v"].subnets.keys().collect::<Vec<_>>(), ["net1", "net2"]);
}

#[test]
fn the_default_vpc_needs_no_object() {
    let survey =
        Survey::of(&facts(&[], &["{metadata: {name: ovn-default}, spec: {cidrBlock: 10.16.0.0/16}}"]));

    assert!(survey.findings.is_empty());
    assert!(survey.vpcs["ovn-cluster"].is_default);
    assert!(Survey::of(&Facts::default()).vpcs.is_empty());
}

#[test]
fn a_subnet_of_another_provider_has_no_switch() {
    let macvlan = "{metadata: {name: ext}, spec: {provider: ext.kube-system, cidrBlock: 192.168.0.0/24}}";
    let survey = Survey::of(&facts(&[], &[macvlan]));

    assert!(survey.unrouted.contains("ext") && survey.vpcs.is_empty() && survey.findings.is_empty());
}

#[test]
fn a_subnet_of_an_unknown_vpc_is_refused() {
    assert_eq!(
        told(&facts(&[], &[NET1])),
        ["Subnet net1: UnknownVpc: there is no Vpc v; create it, or correct spec.vpc"]
    );
}

#[test]
fn a_subnets_namespaces_must_be_the_vpcs_unless_the_vpc_names_none() {
    let net = "{metadata: {name: n}, spec: {vpc: v, cidrBlock: 10.0.1.0/24, namespaces: [ns1, ns2]}}";
    let strict = "{metadata: {name: v}, spec: {namespaces: [ns1]}}";

    assert!(told(&facts(&[V], &[net])).is_empty());
    assert_eq!(
        told(&facts(&[strict], &[net])),
        [
            "Subnet n: NamespaceNotAdmitted: Vpc v does not admit namespace ns2; add it to the Vpc's namespaces or remove it here"
        ]
    );
}

#[test]
fn a_vpc_and_a_subnet_cannot_share_a_name() {
    let twin = "{metadata: {name: v}, spec: {vpc: v, cidrBlock: 10.0.1.0/24}}";
    let told = told(&facts(&[V], &[twin, NET2]));

    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("Subnet v: NameTaken: Vpc v has the same name"), "{told:?}");
}

#[test]
fn links_whose_names_fall_together_are_refused() {
    let one = "{metadata: {name: c}, spec: {vpc: a-b, cidrBlock: 10.0.1.0/24}}";
    let other = "{metadata: {name: b-c}, spec: {vpc: a, cidrBlock: 10.0.1.0/24}}";
    let told = told(&facts(&["{metadata: {name: a}}", "{metadata: {name: a-b}}"], &[one, other]));

    assert_eq!(told.len(), 1);
    assert!(told[0].contains("Subnet c: PortNameTaken: its port would be called a-b-c"), "{told:?}");
}

#[test]
fn bad_values_of_a_subnet_are_named() {
    for (spec, reason) in [
        ("vpc: v, cidrBlock: 10.0.1.0/24, gateway: 10.0.9.1", "InvalidGateway"),
        ("vpc: v, cidrBlock: ten", "InvalidCidr"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, vlan: v100", "VlanNotServed"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, private: true, allowSubnets: [x]", "InvalidAllowSubnet"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, enableDHCP: true, dhcpV4Options: x", "InvalidOptions"),
        (
            "vpc: v, cidrBlock: 10.0.1.0/24, enableDHCP: true, dhcpV4Options: 'foo=bar,mtu=1300'",
            "InvalidOptions",
        ),
        ("vpc: v, cidrBlock: 'fd00::/64', enableDHCP: true, dhcpV6Options: 'lease_time=1'", "InvalidOptions"),
        ("vpc: v, cidrBlock: 'fd00::/64', enableIPv6RA: true, ipv6RAConfigs: 'x=1'", "InvalidOptions"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, mtu: 67", "InvalidMtu"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, mtu: 65536", "InvalidMtu"),
        ("vpc: v, cidrBlock: '10.0.1.0/24,fd00::/64', mtu: 1279", "InvalidMtu"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, protocol: Dual", "FieldWithoutEffect"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, enableLb: true", "FieldWithoutEffect"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, disableInterConnection: true", "FieldWithoutEffect"),
        ("vpc: v, cidrBlock: 10.0.1.0/24, acls: [{direction: in}]", "InvalidAcl"),
        (
            "vpc: v, cidrBlock: 10.0.1.0/24, acls: [{direction: to-lport, priority: 1, action: drop, match: \"ip4.src = 1\"}]",
            "InvalidMatch",
        ),
        ("vpc: v, cidrBlock: 10.0.1.0/24, natOutgoing: true, u2oInterconnection: true", "FieldWithoutEffect"),
    ] {
        let told = told(&facts(&[V], &[&format!("{{metadata: {{name: x}}, spec: {{{spec}}}}}")]));
        assert_eq!(told.len(), 1, "{spec}: {told:?}");
        assert!(told[0].starts_with(&format!("Subnet x: {reason}: ")), "{told:?}");
    }
    let told = told(&facts(&[V], &["{metadata: {name: X/..}, spec: {vpc: v, cidrBlock: 10.0.1.0/24}}"]));
    assert!(told[0].contains("InvalidName"), "{told:?}");
}

#[test]
fn a_bad_mtu_leaves_the_default_and_a_bad_option_the_others() {
    let spec =
        "cidrBlock: 10.0.1.0/24, mtu: 67, enableDHCP: true, dhcpV4Options: 'lease_time=abc,router=10.0.1.9'";
    let survey = Survey::of(&facts(&[V], &[&format!("{{metadata: {{name: x}}, spec: {{vpc: v, {spec}}}}}")]));
    let options = survey.subnet("x").unwrap().1.dhcp_v4.as_ref().unwrap();
    assert_eq!(
        (&*options["mtu"], &*options["lease_time"], &*options["router"]),
        ("1400", "3600", "10.0.1.9")
    );
}

#[test]
fn a_subnet_that_contains_the_probe_address_is_refused() {
    let mut facts = facts(&[V], &[NET1, NET2]);
    facts.settings.probe_addresses = vec!["10.0.2.77".parse().unwrap()];

    let told = told(&facts);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("Subnet net2: ProbeAddressInside: 10.0.2.0/24 contains 10.0.2.77"),
        "{told:?}"
    );
}

#[test]
fn a_route_waits_for_the_subnet_of_its_next_hop() {
    let route = "{cidr: 0.0.0.0/0, nextHopIP: 10.0.1.254, policy: policyDst}";
    let without = facts(&[&format!("{{metadata: {{name: v}}, spec: {{staticRoutes: [{route}]}}}}")], &[]);
    assert_eq!(
        told(&without),
        [
            "Vpc v: NextHopNotConnected: staticRoutes[0] 0.0.0.0/0 via 10.0.1.254: next hop 10.0.1.254 is in no subnet of \
          Vpc v; use an address of one, or add the subnet first"
        ]
    );

    let survey = Survey::of(&vpc_with(&format!("staticRoutes: [{route}]")));
    assert!(survey.findings.is_empty());
    assert_eq!(survey.vpcs["v"].routes.len(), 1);
}

#[test]
fn bad_routes_are_left_out_one_by_one() {
    let survey = Survey::of(&vpc_with(
        "staticRoutes: [
           {cidr: 1.0.0.0/8, nextHopIP: 10.0.1.1},
           {cidr: 2.0.0.0/8, nextHopIP: fd00::1},
           {cidr: 3.0.0.0/8, nextHopIP: 10.0.1.9, policy: dst},
           {cidr: x, nextHopIP: 10.0.1.9},
           {cidr: 4.4.4.4/8, nextHopIP: 10.0.1.9},
           {cidr: 4.0.0.0/8, nextHopIP: 10.0.1.9, policy: policyDst},
           {cidr: 4.0.0.0/8, nextHopIP: 10.0.2.9}]",
    ));

    let reasons: Vec<Reason> = survey.findings.iter().map(|finding| finding.reason).collect();
    let left_out =
        [Reason::InvalidRoute, Reason::InvalidRoute, Reason::InvalidRoute, Reason::NextHopIsRouter];
    assert_eq!(reasons[..4], left_out);
    assert_eq!(reasons[4..], [Reason::Duplicate]);
    let kept: Vec<_> =
        survey.vpcs["v"].routes.iter().map(|r| format!("{} {}", r.prefix, r.next_hop)).collect();
    assert_eq!(kept, ["4.0.0.0/8 10.0.1.9", "4.0.0.0/8 10.0.2.9"]);
}

#[test]
fn routes_that_do_less_or_more_than_meant_are_noted() {
    for (route, reason) in [
        ("{cidr: 10.0.2.0/24, nextHopIP: 10.0.1.9}", Reason::RouteNeverActs),
        ("{cidr: 9.0.0.0/8, nextHopIP: 10.0.1.9, routeTable: rtb1}", Reason::RouteNeverActs),
        ("{cidr: 10.0.1.5, nextHopIP: 10.0.1.9, policy: policySrc}", Reason::RouteHidesSubnets),
    ] {
        let survey = Survey::of(&vpc_with(&format!("staticRoutes: [{route}]")));
        let reasons: Vec<_> =
            survey.findings.iter().map(|finding| (finding.effect, finding.reason)).collect();
        assert_eq!(reasons, [(Effect::Note, reason)], "{route}");
        assert_eq!(survey.vpcs["v"].routes.len(), 1);
    }
    let fine = "{cidr: 10.0.1.0/24, nextHopIP: 10.0.1.9, policy: policySrc}";
    assert!(told(&vpc_with(&format!("staticRoutes: [{fine}]"))).is_empty());
}

#[test]
fn the_guides_drop_of_an_inner_address_is_kept_and_noted() {
    let survey = Survey::of(&vpc_with(
        "staticRoutes: [{cidr: 0.0.0.0/0, nextHopIP: 10.0.1.254}],
         policyRoutes: [{action: drop, priority: 11, match: \"ip4.src==10.0.1.0/24 && ip4.dst==10.0.1.250\"},
                        {action: reroute, priority: 10, match: \"ip4.src==10.0.1.0/24\", nextHopIP: 10.0.1.252}]",
    ));

    assert_eq!(survey.findings.len(), 1);
    assert_eq!(survey.findings[0].reason, Reason::PolicyNeverActs);
    assert!(survey.findings[0].message.contains("never acts on traffic inside the VPC"));
    assert_eq!(survey.vpcs["v"].policies.len(), 2);
}

#[test]
fn a_reroute_in_a_vpc_without_routes_is_fine() {
    let reroute = "{action: reroute, priority: 10, match: ip4, nextHopIP: 10.0.1.252}";
    assert_eq!(told(&vpc_with(&format!("policyRoutes: [{reroute}]"))), [""; 0]);
}

#[test]
fn bad_policies_are_left_out_one_by_one() {
    let survey = Survey::of(&vpc_with(
        "staticRoutes: [{cidr: 9.0.0.0/8, nextHopIP: 10.0.1.9}], policyRoutes: [
           {action: drop, priority: 1, match: \"ip4 &&\"},
           {action: drop, priority: 40000, match: ip4},
           {action: jump, priority: 1, match: ip4},
           {action: reroute, priority: 1, match: ip4},
           {action: reroute, priority: 1, match: ip4, nextHopIP: 8.8.8.8},
           {action: allow, priority: 31000, match: \"ip4.dst == 10.0.1.0/24\"},
           {action: drop, priority: 2, match: ip6},
           {action: allow, priority: 2, match: ip6},
           {action: reroute, priority: 5, match: ip4, nextHopIP: \"10.0.1.9, 10.0.2.9,8.8.8.8\"}]",
    ));

    let mut reasons: Vec<Reason> = survey.findings.iter().map(|finding| finding.reason).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            Reason::InvalidPolicy,
            Reason::InvalidPolicy,
            Reason::InvalidPolicy,
            Reason::InvalidMatch,
            Reason::NextHopNotConnected,
            Reason::NextHopNotConnected,
            Reason::Conflict,
            Reason::Conflict,
        ]
    );
    let kept: Vec<_> = survey.vpcs["v"].policies.iter().map(|p| (p.priority, p.action.clone())).collect();
    let hops = ["10.0.1.9", "10.0.2.9"].map(|hop| hop.parse().unwrap()).into();
    assert_eq!(kept, [(5, ovn::nb::PolicyAction::Reroute(hops)), (2, ovn::nb::PolicyAction::Drop)]);
}

#[test]
fn a_peering_works_when_both_sides_have_declared_it() {
    let peer = |name: &str, remote: &str, ip: &str| {
        format!(
            "{{metadata: {{name: {name}}}, spec: {{vpcPeerings: [{{remoteVpc: {remote}, localConnectIP: {ip}}}]}}}}"
        )
    };
    let (one, two) = (peer("v", "w", "169.254.0.1/30"), peer("w", "v", "169.254.0.2/30"));
    let survey = Survey::of(&facts(&[&one, &two], &[]));
    assert!(survey.findings.is_empty(), "{:?}", survey.findings);
    assert_eq!(survey.vpcs["v"].peerings[0].remote, "w");

    for (others, words) in [
        (vec![], "there is no Vpc w"),
        (vec!["{metadata: {name: w}}".to_owned()], "Vpc w has no peering with v"),
        (vec![peer("w", "v", "169.254.9.2/30")], "no other address in 169.254.0.0/30"),
    ] {
        let mut all = vec![one.as_str()];
        all.extend(others.iter().map(String::as_str));
        let told = told(&facts(&all, &[]));
        assert!(told.iter().any(|t| t.contains("PeeringOneSided") && t.contains(words)), "{told:?}");
    }
    for bad in ["169.254.0.0/30", "x", "", "10.0.1.9/24"] {
        let survey = Survey::of(&facts(&[&peer("v", "w", &format!("\"{bad}\"")), &two], &[NET1]));
        assert!(survey.findings.iter().any(|f| f.reason == Reason::InvalidPeering), "{bad}");
        assert!(survey.vpcs["v"].peerings.is_empty());
    }
}

#[test]
fn a_deleted_object_stays_until_nobody_uses_it() {
    let dying_net = "{metadata: {name: net1, deletionTimestamp: x}, spec: {vpc: v, cidrBlock: 10.0.1.0/24}}";
    let dying_vpc = "{metadata: {name: v, deletionTimestamp: x}}";
    let mut facts = facts(&[dying_vpc], &[dying_net]);
    facts.ports.insert(port("p", "net1", "10.0.1.2"));

    let survey = Survey::of(&facts);
    assert!(survey.subnet("net1").is_some());
    assert_eq!(survey.findings.iter().map(|f| f.reason).collect::<Vec<_>>(), [Reason::InUse, Reason::InUse]);

    facts.ports.remove(&port("p", "net1", "10.0.1.2"));
    assert!(Survey::of(&facts).subnet("net1").is_none());
    facts.subnets.clear();
    assert!(Survey::of(&facts).vpcs.is_empty());
}

#[test]
fn a_subnet_that_vanished_under_its_pods_is_missed() {
    let mut facts = Facts::default();
    facts.ports.insert(port("p", "net1", "10.0.1.2"));
    assert_eq!(
        told(&facts),
        ["Subnet net1: InUse: it is gone while 1 ports use it; put it back or delete their pods"]
    );
}

#[test]
fn a_subnet_that_moves_to_another_vpc_keeps_its_gateways_ethernet_address() {
    let mac = |facts: &Facts| Survey::of(facts).subnet("net1").unwrap().1.router_mac;
    let moved = NET1.replace("vpc: v", "vpc: w");
    assert_eq!(mac(&facts(&[V], &[NET1])), mac(&facts(&["{metadata: {name: w}}"], &[&moved])));
}
