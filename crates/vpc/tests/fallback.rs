//! The route that lets a `reroute` act on what no other route leads out of the VPC, in small examples.

mod lab;

use lab::{add, rows};
use vpc::{Facts, Survey, plan, routes};

const REROUTE: &str = "{action: reroute, priority: 10, match: ip4, nextHopIP: 10.0.1.252}";
const REROUTE_V6: &str = "{action: reroute, priority: 10, match: ip6, nextHopIP: \"fd00:2::252\"}";

/// A Vpc `v` with two subnets; packets of the second one meet the table `rtb1`.
fn facts(routes: &str, policies: &str) -> Facts {
    let mut facts = Facts::default();
    let spec = format!("{{staticRoutes: [{routes}], policyRoutes: [{policies}]}}");
    add(&mut facts, &format!("kind: Vpc\nmetadata: {{name: v}}\nspec: {spec}\n"));
    for (name, more) in
        [("s1", "cidrBlock: 10.0.1.0/24"), ("s2", "cidrBlock: \"10.0.2.0/24,fd00:2::/64\", routeTable: rtb1")]
    {
        add(&mut facts, &format!("kind: Subnet\nmetadata: {{name: {name}}}\nspec: {{vpc: v, {more}}}\n"));
    }
    facts
}

/// The rows in the order of their text.
fn static_routes(routes: &str, policies: &str) -> String {
    let plan = plan(&facts(routes, policies));
    assert!(plan.findings.is_empty(), "{:?}", plan.findings);
    let rows = rows(&plan.wanted, "Logical_Router_Static_Route");
    let mut lines: Vec<_> = rows.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn a_reroute_gets_a_route_of_last_resort_to_the_router_itself_in_every_table_that_packets_meet() {
    assert_eq!(
        static_routes("", REROUTE),
        "\
[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.1 policy=dst-ip
[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.1 policy=dst-ip route_table=rtb1"
    );
}

#[test]
fn each_family_that_is_rerouted_gets_its_own() {
    assert_eq!(
        static_routes("", REROUTE_V6),
        "\
[v] ip_prefix=::/0 nexthop=fd00:2::1 policy=dst-ip
[v] ip_prefix=::/0 nexthop=fd00:2::1 policy=dst-ip route_table=rtb1"
    );
    assert_eq!(static_routes("", &format!("{REROUTE}, {REROUTE_V6}")).lines().count(), 4);
}

#[test]
fn a_vpc_without_a_reroute_that_is_accepted_gets_none() {
    let others =
        "{action: drop, priority: 9, match: ip4.src == 10.0.1.9}, {action: allow, priority: 8, match: ip4}";
    assert_eq!(static_routes("", others), "");
    let refused = REROUTE.replace("10.0.1.252", "8.8.8.8");
    assert_eq!(rows(&plan(&facts("", &refused)).wanted, "Logical_Router_Static_Route"), "");
}

#[test]
fn a_route_of_everything_replaces_it_in_its_table_and_family_whichever_address_it_looks_at() {
    let [v4, v6] = [REROUTE, REROUTE_V6].map(str::to_owned);
    for policy in ["policyDst", "policySrc"] {
        let route = format!("{{cidr: 0.0.0.0/0, nextHopIP: 10.0.1.254, policy: {policy}}}");
        assert_eq!(
            static_routes(&route, &format!("{v4}, {v6}")),
            "\
[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.1 policy=dst-ip route_table=rtb1
[v] ip_prefix=0.0.0.0/0 nexthop=10.0.1.254 policy=dst-ip
[v] ip_prefix=::/0 nexthop=fd00:2::1 policy=dst-ip
[v] ip_prefix=::/0 nexthop=fd00:2::1 policy=dst-ip route_table=rtb1"
        );
        let in_table = route.replace('}', ", routeTable: rtb1}");
        assert!(!static_routes(&in_table, REROUTE).contains("nexthop=10.0.1.1 policy=dst-ip route_table"));
    }
}

#[test]
fn a_route_that_is_left_out_does_not_replace_it() {
    let plan = plan(&facts("{cidr: 0.0.0.0/0, nextHopIP: 8.8.8.8}", REROUTE));
    assert_eq!(plan.findings.len(), 1);
    assert_eq!(rows(&plan.wanted, "Logical_Router_Static_Route").lines().count(), 2);
}

#[test]
fn a_longer_route_stays_beside_it_and_comes_first() {
    let facts = facts("{cidr: 9.0.0.0/8, nextHopIP: 10.0.1.254}", REROUTE);
    let routes = routes::routes(&Survey::of(&facts).vpcs["v"]);

    let told = routes.routes.iter().filter(|route| route.port.is_none());
    let told: Vec<_> =
        told.map(|r| format!("{} {} {:?} {}", r.table, r.prefix, r.next_hops, r.origin)).collect();
    assert_eq!(
        told,
        [
            " 9.0.0.0/8 [10.0.1.254] static",
            " 0.0.0.0/0 [10.0.1.1] ours, so that policies act",
            "rtb1 0.0.0.0/0 [10.0.1.1] ours, so that policies act",
        ]
    );
}

#[test]
fn a_next_hop_behind_a_peering_alone_is_served_too() {
    let mut facts = Facts::default();
    for (name, remote, own, spec) in [
        ("v", "w", 1, "policyRoutes: [{action: reroute, priority: 10, match: ip4, nextHopIP: 169.254.0.2}]"),
        ("w", "v", 2, "policyRoutes: []"),
    ] {
        let peering = format!("vpcPeerings: [{{remoteVpc: {remote}, localConnectIP: 169.254.0.{own}/30}}]");
        add(&mut facts, &format!("kind: Vpc\nmetadata: {{name: {name}}}\nspec: {{{peering}, {spec}}}\n"));
    }
    assert_eq!(
        rows(&plan(&facts).wanted, "Logical_Router_Static_Route"),
        "[v] ip_prefix=0.0.0.0/0 nexthop=169.254.0.1 policy=dst-ip"
    );
}
