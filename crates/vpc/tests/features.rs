//! Small examples, one per feature, with every row that follows.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod lab;

use lab::{add, port, rows};
use ovn::owner::Owner;
use vpc::{Facts, Meter, Plan, PortFact, Settings, Survey, plan, plan_owners};

/// A Vpc `v` and a subnet `s` of it with these fields.
fn planned(subnet: &str) -> Plan {
    plan(&facts(subnet))
}

fn facts(subnet: &str) -> Facts {
    let mut facts = Facts::default();
    add(&mut facts, "kind: Vpc\nmetadata: {name: v}\n");
    add(&mut facts, &format!("kind: Subnet\nmetadata: {{name: s}}\nspec: {{vpc: v, {subnet}}}\n"));
    facts
}

#[test]
fn a_dual_stack_subnet_has_both_families_in_each_row() {
    let mut facts = facts("cidrBlock: \"10.0.1.0/24,fd00:1::/64\"");
    facts.ports.insert(port("ns", "p", "s", "fd00:1::2,10.0.1.2"));
    let plan = plan(&facts);

    assert!(plan.findings.is_empty());
    assert!(rows(&plan.wanted, "Logical_Router_Port").contains("networks={10.0.1.1/24,fd00:1::1/64}"));
    assert!(rows(&plan.wanted, "Logical_Switch_Port").contains(" 10.0.1.2 fd00:1::2 external_ids"));
    let policies = rows(&plan.wanted, "Logical_Router_Policy");
    assert!(
        policies.contains("match=ip4.dst == 10.0.1.0/24")
            && policies.contains("match=ip6.dst == fd00:1::/64")
    );
}

#[test]
fn a_pod_that_routes_lead_to_may_send_for_others() {
    let routed = |spec: &str| {
        let mut facts = facts("cidrBlock: 10.0.1.0/24");
        add(&mut facts, &format!("kind: Vpc\nmetadata: {{name: v}}\nspec: {{{spec}}}\n"));
        facts.ports.insert(port("ns", "router", "s", "10.0.1.254"));
        facts.ports.insert(port("ns", "other", "s", "10.0.1.2"));
        let rows = rows(&plan(&facts).wanted, "Logical_Switch_Port");
        let secured = rows.lines().filter(|row| row.contains("port_security"));
        secured
            .filter_map(|row| row.split("name=").nth(1)?.split(' ').next().map(str::to_owned))
            .collect::<Vec<_>>()
    };

    assert_eq!(routed(""), ["other.ns", "router.ns"]);
    assert_eq!(
        routed("staticRoutes: [{cidr: 0.0.0.0/0, nextHopIP: 10.0.1.254, policy: policyDst}]"),
        ["other.ns"]
    );
    let policy = "{priority: 11, match: ip4.dst == 8.8.8.8, action: reroute, nextHopIP: 10.0.1.254}";
    assert_eq!(routed(&format!("policyRoutes: [{policy}]")), ["other.ns"]);
}

#[test]
fn a_private_subnet_lets_in_itself_and_whom_it_names() {
    let plan = planned("cidrBlock: 10.0.1.0/24, private: true, allowSubnets: [10.0.2.0/24, \"fd00::/64\"]");

    assert_eq!(
        rows(&plan.wanted, "ACL"),
        "\
[s] action=drop direction=to-lport external_ids={parent=s} log=true match=ip name=s priority=1000 severity=warning
[s] action=allow-related direction=to-lport external_ids={parent=s} log=false match=(ip4.src == 10.0.1.0/24 && ip4.dst == 10.0.2.0/24) || (ip4.src == 10.0.2.0/24 && ip4.dst == 10.0.1.0/24) priority=1001
[s] action=allow-related direction=to-lport external_ids={parent=s} log=false match=ip4.src == 10.0.1.0/24 && ip4.dst == 10.0.1.0/24 priority=1001"
    );
}

#[test]
fn acls_of_the_author_stand_below_the_traffic_inside_the_subnet() {
    let plan = planned(
        "cidrBlock: 10.0.1.0/24, allowEWTraffic: true, acls: [{direction: from-lport, priority: 1001, match: \" ip4 \", action: drop}]",
    );

    assert_eq!(
        rows(&plan.wanted, "ACL"),
        "\
[s] action=drop direction=from-lport external_ids={parent=s,subnet=s} log=false match=ip4 priority=1001
[s] action=allow-related direction=from-lport external_ids={parent=s} log=false match=ip4.src == 10.0.1.0/24 && ip4.dst == 10.0.1.0/24 priority=1900
[s] action=allow-related direction=to-lport external_ids={parent=s} log=false match=ip4.src == 10.0.1.0/24 && ip4.dst == 10.0.1.0/24 priority=1900"
    );
}

#[test]
fn probe_answers_are_dropped_in_custom_vpcs_only() {
    let mut facts = facts("cidrBlock: 10.0.1.0/24");
    add(&mut facts, "kind: Subnet\nmetadata: {name: ovn-default}\nspec: {cidrBlock: 10.16.0.0/16}\n");
    facts.settings = Settings {
        probe_addresses: vec!["198.18.0.1".parse().unwrap(), "fd99::1".parse().unwrap()],
        ..Settings::default()
    };

    assert_eq!(
        rows(&plan(&facts).wanted, "ACL"),
        "[s] action=drop direction=from-lport external_ids={parent=s} log=false match=ip4.dst == 198.18.0.1 || ip6.dst == fd99::1 priority=32767"
    );
}

#[test]
fn dhcp_is_answered_with_the_gateway_and_what_the_author_adds() {
    let mut facts = facts(
        "cidrBlock: \"10.0.1.0/24,fd00:1::/64\", mtu: 1300, enableDHCP: true, dhcpV4Options: \"lease_time=60,dns_server={1.1.1.1,8.8.8.8}\"",
    );
    facts.ports.insert(port("ns", "p", "s", "10.0.1.2"));
    let plan = plan(&facts);

    assert_eq!(
        rows(&plan.wanted, "DHCP_Options"),
        "\
cidr=10.0.1.0/24 external_ids={ls=s,protocol=IPv4} options={dns_server:{1.1.1.1,8.8.8.8},lease_time:60,mtu:1300,router:10.0.1.1,server_id:169.254.0.254,server_mac:MAC}
cidr=fd00:1::/64 external_ids={ls=s,protocol=IPv6} options={server_id:MAC}"
            .replace("MAC", &mac_of_link(&plan))
    );
    let port = rows(&plan.wanted, "Logical_Switch_Port");
    assert!(
        port.contains("dhcpv4_options=DHCP_Options IPv4 of s dhcpv6_options=DHCP_Options IPv6 of s"),
        "{port}"
    );
}

fn mac_of_link(plan: &Plan) -> String {
    let row = rows(&plan.wanted, "Logical_Router_Port");
    let (_, after) = row.split_once("mac=").unwrap();
    after[..17].to_owned()
}

#[test]
fn router_advertisements_need_a_v6_range() {
    let plan = planned("cidrBlock: \"fd00:1::/64\", enableIPv6RA: true, ipv6RAConfigs: \"max_interval=60\"");
    assert!(rows(&plan.wanted, "Logical_Router_Port").contains(
        "ipv6_ra_configs={address_mode:dhcpv6_stateful,max_interval:60,min_interval:5,send_periodic:true}"
    ));
    assert!(
        !rows(&planned("cidrBlock: 10.0.1.0/24, enableIPv6RA: true").wanted, "Logical_Router_Port")
            .contains("ra_")
    );
}

#[test]
fn a_subnets_route_table_is_set_where_its_packets_enter_the_router() {
    let plan = planned("cidrBlock: 10.0.1.0/24, routeTable: rtb1");
    assert!(rows(&plan.wanted, "Logical_Router_Port").contains("options={route_table=rtb1}"));
}

#[test]
fn several_next_hops_of_one_range_share_the_traffic() {
    let mut facts = facts("cidrBlock: 10.0.1.0/24");
    add(
        &mut facts,
        "kind: Vpc
metadata: {name: v}
spec:
  staticRoutes:
  - {cidr: 10.9.9.9/8, nextHopIP: 10.0.1.8}
  - {cidr: 9.9.9.9, nextHopIP: 10.0.1.8}
  - {cidr: 9.9.9.9/32, nextHopIP: 10.0.1.9}
  policyRoutes:
  - {action: reroute, priority: 7, match: ip4, nextHopIP: \"10.0.1.9,, 10.0.1.8,\"}
",
    );
    let plan = plan(&facts);

    assert_eq!(
        rows(&plan.wanted, "Logical_Router_Static_Route"),
        "\
[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.1 policy=dst-ip
[v] ip_prefix=10.0.0.0/8 nexthop=10.0.1.8 policy=dst-ip
[v] ip_prefix=9.9.9.9/32 nexthop=10.0.1.8 policy=dst-ip
[v] ip_prefix=9.9.9.9/32 nexthop=10.0.1.9 policy=dst-ip"
    );
    assert!(rows(&plan.wanted, "Logical_Router_Policy").contains("nexthops={10.0.1.8,10.0.1.9} priority=7"));
}

#[test]
fn a_route_of_everything_by_source_is_one_by_destination_unless_there_is_one() {
    let written = |others: &str| {
        let mut facts = facts("cidrBlock: 10.0.1.0/24");
        let route = "{cidr: 0.0.0.0/0, nextHopIP: 10.0.1.8, policy: policySrc}";
        let spec = format!("staticRoutes: [{route}{others}]");
        add(&mut facts, &format!("kind: Vpc\nmetadata: {{name: v}}\nspec: {{{spec}}}\n"));
        rows(&plan(&facts).wanted, "Logical_Router_Static_Route")
    };

    assert_eq!(written(""), "[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.8 policy=dst-ip");
    assert_eq!(
        written(", {cidr: 0.0.0.0/0, nextHopIP: 10.0.1.9}"),
        "\
[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.9 policy=dst-ip
[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.8 policy=src-ip"
    );
}

#[test]
fn two_peers_point_at_each_other() {
    let mut facts = Facts::default();
    for (name, remote, ip) in [("a", "b", "169.254.0.1/30"), ("b", "a", "169.254.0.2/30")] {
        add(
            &mut facts,
            &format!(
                "kind: Vpc\nmetadata: {{name: {name}}}\nspec: {{vpcPeerings: [{{remoteVpc: {remote}, localConnectIP: {ip}}}]}}\n"
            ),
        );
    }
    let plan = plan(&facts);

    let ports = rows(&plan.wanted, "Logical_Router_Port");
    assert!(ports.contains("name=a-b networks=169.254.0.1/30 peer=b-a"), "{ports}");
    assert!(ports.contains("name=b-a networks=169.254.0.2/30 peer=a-b"), "{ports}");
    assert!(!rows(&plan.wanted, "Logical_Router").contains("always_learn"));
}

#[test]
fn a_port_with_a_wrong_address_is_left_out_and_named() {
    let mut facts = facts("cidrBlock: 10.0.1.0/24");
    facts.ports.insert(port("ns", "fine", "s", "10.0.1.9"));
    for (pod, subnet, ip) in [
        ("far", "s", "10.0.2.2"),
        ("boss", "s", "10.0.1.1"),
        ("lost", "t", "10.0.1.3"),
        ("six", "s", "fd00::3"),
    ] {
        facts.ports.insert(port("ns", pod, subnet, ip));
    }
    let plan = plan(&facts);

    let told: Vec<_> = plan.findings.iter().map(|f| format!("{} {}", f.object, f.reason)).collect();
    assert_eq!(
        told,
        [
            "Subnet t InUse",
            "port boss.ns GatewayAddressTaken",
            "port far.ns AddressOutsideSubnet",
            "port lost.ns SubnetRefused",
            "port six.ns AddressOutsideSubnet",
        ]
    );
    assert_eq!(rows(&plan.wanted, "Logical_Switch_Port").lines().count(), 2);
}

#[test]
fn a_pod_that_may_send_so_much_gets_a_meter_of_its_own_on_its_nodes_account() {
    let mut facts = facts("cidrBlock: 10.0.1.0/24");
    let meter = Some(Meter { rate: 50_000, burst: 40_000 });
    facts.ports.insert(PortFact { out_of_pod: meter, ..port("ns", "p", "s", "10.0.1.2") });
    facts.settings.chassis = Some("node-1".into());
    let plan = plan(&facts);

    assert_eq!(
        rows(&plan.wanted, "QoS"),
        "[s] bandwidth={burst:40000,rate:50000} direction=from-lport \
         external_ids={kube-ovn-chassis=node-1,port=p.ns} match=inport == \\p.ns\\ priority=2003"
    );
    assert!(rows(&plan.wanted, "Logical_Switch_Port").contains("kube-ovn-chassis=node-1"));
    assert!(!rows(&plan.wanted, "Logical_Switch").contains("kube-ovn-chassis"));
}

#[test]
fn the_rows_of_some_owners_are_those_of_the_whole_plan() {
    let mut facts = facts("cidrBlock: 10.0.1.0/24");
    facts.ports.insert(port("ns", "p", "s", "10.0.1.2"));
    facts.ports.insert(port("ns", "q", "s", "10.0.1.3"));
    let survey = Survey::of(&facts);
    let owners = |owners: &[Owner]| {
        let plan = plan_owners(&survey, &facts.ports, &owners.iter().cloned().collect());
        plan.wanted.rows().map(|row| (row.owner.to_string(), row.key.clone())).collect::<Vec<_>>()
    };
    let whole = plan(&facts).wanted;
    let of_vpc = whole.rows().filter(|row| row.owner == Owner::vpc("v")).count();

    assert_eq!(owners(&[Owner::vpc("v")]).len(), of_vpc);
    assert_eq!(owners(&[Owner::pod("ns", "p"), Owner::pod("ns", "q")]).len(), 2);
    assert_eq!(owners(&[Owner::pod("ns", "gone"), Owner::vpc("gone")]), []);
}
