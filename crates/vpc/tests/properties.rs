//! What holds for all facts: order does not matter, parts make the whole, nothing is left, nobody suffers for another.

mod lab;

use std::collections::BTreeSet;

use lab::{add, port};
use ovn::wanted::{Row, Wanted};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use vpc::expression::Expression;
use vpc::{Facts, PortFact, Reason, Survey, plan, plan_pod, plan_vpc};

const ROUTES: &[&str] = &[
    "{cidr: 0.0.0.0/0, nextHopIP: 10.0.1.254}",
    "{cidr: 0.0.0.0/0, nextHopIP: 10.0.2.254}",
    "{cidr: 10.0.1.5, nextHopIP: 10.0.2.254, policy: policySrc}",
    "{cidr: 1.0.0.0/8, nextHopIP: 8.8.8.8}",
    "{cidr: 1.0.0.0/8, nextHopIP: 10.0.1.1, routeTable: t}",
    "{cidr: broken, nextHopIP: 10.0.1.254}",
];
const POLICIES: &[&str] = &[
    "{action: drop, priority: 11, match: ip4.dst==10.0.1.250}",
    "{action: drop, priority: 31000, match: ip4.dst == 10.0.1.0/24}",
    "{action: reroute, priority: 10, match: ip4, nextHopIP: \"10.0.1.252,10.0.2.252\"}",
    "{action: allow, priority: 10, match: ip4}",
    "{action: drop, priority: 10, match: \"ip4 && (\"}",
];
const SUBNETS: &[&str] = &[
    "cidrBlock: 10.0.1.0/24",
    "cidrBlock: 10.0.2.0/24, private: true",
    "cidrBlock: \"10.0.3.0/24,fd00:3::/64\", enableDHCP: true, enableIPv6RA: true",
    "cidrBlock: 10.0.0.0/16",
    "cidrBlock: 10.0.1.0/24, gateway: 10.0.9.1",
    "cidrBlock: nonsense",
    "cidrBlock: 10.0.1.0/24, namespaces: [ns1]",
    "cidrBlock: 10.0.4.0/24, acls: [{direction: to-lport, priority: 1000, match: ip, action: drop}], private: true",
    "cidrBlock: 10.0.5.0/24, provider: ext.kube-system",
    "cidrBlock: 10.0.6.0/24, vlan: x",
];
const VPC_NAMES: &[&str] = &["a", "a-b", "v", "w", "n1", "ovn-cluster"];
const SUBNET_NAMES: &[&str] = &["b-c", "c", "n1", "n2", "n3", "v"];

fn vpc() -> impl Strategy<Value = String> {
    let peers = select(vec!["[]", "[{remoteVpc: a, localConnectIP: 169.254.0.1/30}]", "[{remoteVpc: b-c}]"]);
    let lists =
        (proptest::sample::subsequence(ROUTES, 0..=4), proptest::sample::subsequence(POLICIES, 0..=4));
    (select(VPC_NAMES), lists, peers, any::<bool>()).prop_map(|(name, (routes, policies), peers, strict)| {
        let namespaces = if strict { "[ns1]" } else { "[]" };
        format!(
            "kind: Vpc\nmetadata: {{name: {name}}}\nspec: {{namespaces: {namespaces}, vpcPeerings: {peers}, \
             staticRoutes: [{}], policyRoutes: [{}]}}\n",
            routes.join(", "),
            policies.join(", ")
        )
    })
}

fn subnet() -> impl Strategy<Value = String> {
    (select(SUBNET_NAMES), select(VPC_NAMES), select(SUBNETS)).prop_map(|(name, vpc, spec)| {
        format!("kind: Subnet\nmetadata: {{name: {name}}}\nspec: {{vpc: {vpc}, {spec}}}\n")
    })
}

fn a_port() -> impl Strategy<Value = PortFact> {
    let network = select(vec![("ovn", None), ("x.y.ovn", None), ("x.y.ovn", Some("net1"))]);
    let place = (select(SUBNET_NAMES), 1_u8..7, 0_u8..5);
    let name = (select(vec!["ns1", "ns2", "ovn", "b"]), select(vec!["p", "q", "c-a", "p.b.x.y", "a-b-c"]));
    (name, network, place).prop_map(|((namespace, pod), (provider, interface), (subnet, third, last))| {
        let mut port = port(namespace, pod, subnet, &format!("10.0.{third}.{last}"));
        port.provider = provider.to_owned();
        port.interface = interface.map(str::to_owned);
        port
    })
}

prop_compose! {
    fn pieces()(
        vpcs in prop::collection::vec(vpc(), 0..5),
        subnets in prop::collection::vec(subnet(), 0..6),
        ports in prop::collection::vec(a_port(), 0..12),
    ) -> (Vec<String>, Vec<PortFact>) {
        (vpcs.into_iter().chain(subnets).collect(), ports)
    }
}

fn facts_of(objects: &[String], ports: &[PortFact]) -> Facts {
    let mut facts = Facts::default();
    objects.iter().for_each(|object| add(&mut facts, object));
    ports.iter().for_each(|port| facts.ports.insert(port.clone()));
    facts
}

fn same_rows(one: &Wanted, other: &Wanted) -> bool {
    one.rows().eq(other.rows())
}

proptest! {
    #[test]
    fn no_two_rows_of_a_plan_have_one_key((objects, ports) in pieces()) {
        for finding in plan(&facts_of(&objects, &ports)).findings {
            prop_assert!(!finding.message.contains("is wanted for"), "{finding}");
        }
    }

    #[test]
    fn the_order_of_the_facts_does_not_matter((objects, ports) in pieces(), turn in any::<Index>()) {
        let facts = facts_of(&objects, &ports);
        // Of pieces about one thing the last one counts, so those are thrown out before the order is changed.
        let mut rest: Vec<PortFact> = facts.ports.iter().map(|port| (**port).clone()).collect();
        rest.reverse();
        if !rest.is_empty() {
            let by = turn.index(rest.len());
            rest.rotate_left(by);
        }
        let turned = Facts { ports: rest.into_iter().collect(), ..facts.clone() };
        prop_assert_eq!(plan(&facts), plan(&turned));
    }

    #[test]
    fn the_parts_make_the_whole((objects, ports) in pieces()) {
        let facts = facts_of(&objects, &ports);
        let survey = Survey::of(&facts);
        let whole = plan(&facts);
        let mut parts = Wanted::new();
        for name in survey.vpcs.keys() {
            let part = plan_vpc(&survey, &facts.ports, name);
            prop_assert!(part.wanted.owners().iter().all(|owner| part.scope.covers(owner)));
            prop_assert!(part.findings.iter().all(|finding| whole.findings.contains(finding)));
            parts.extend(part.wanted).unwrap();
        }
        for port in facts.ports.iter() {
            let part = plan_pod(&survey, &facts.ports, &port.namespace, &port.pod);
            prop_assert!(part.findings.iter().all(|finding| whole.findings.contains(finding)));
            parts.extend(part.wanted).unwrap();
        }
        prop_assert!(same_rows(&parts, &whole.wanted));
    }

    #[test]
    fn deletion_in_any_order_leaves_nothing((objects, ports) in pieces(), picks in prop::collection::vec(any::<Index>(), 40)) {
        let mut facts = facts_of(&objects, &ports);
        for pick in picks {
            let mut left: Vec<(u8, String)> = facts.vpcs.keys().map(|name| (0, name.clone())).collect();
            left.extend(facts.subnets.keys().map(|name| (1, name.clone())));
            let ports: Vec<PortFact> = facts.ports.iter().map(|port| (**port).clone()).collect();
            left.extend((0..ports.len()).map(|place| (2, place.to_string())));
            if left.is_empty() {
                break;
            }
            match &left[pick.index(left.len())] {
                (0, name) => drop(facts.vpcs.remove(name)),
                (1, name) => drop(facts.subnets.remove(name)),
                (_, place) => facts.ports.remove(&ports[place.parse::<usize>().unwrap()]),
            }
            let _ = plan(&facts);
        }
        prop_assert!(facts.vpcs.is_empty() && facts.subnets.is_empty());
        prop_assert_eq!(facts.ports.iter().count(), 0);
        prop_assert!(plan(&facts).wanted.is_empty());
        prop_assert!(plan(&facts).findings.is_empty());
    }

    #[test]
    fn a_refused_subnet_changes_no_row((objects, ports) in pieces(), spec in select(SUBNETS), vpc in select(VPC_NAMES)) {
        let before = facts_of(&objects, &ports);
        let mut after = before.clone();
        let late = "metadata: {name: late, creationTimestamp: \"2026-01-01T00:00:00Z\"}";
        add(&mut after, &format!("kind: Subnet\n{late}\nspec: {{vpc: {vpc}, {spec}}}\n"));
        let survey = Survey::of(&after);
        prop_assume!(survey.subnet("late").is_none());
        // The first subnet of the default VPC brings its router.
        let without_default = |row: &&Row| row.owner.name() != "ovn-cluster";
        let (before, after) = (plan(&before).wanted, plan(&after).wanted);
        prop_assert!(before.rows().filter(without_default).eq(after.rows().filter(without_default)));
    }

    #[test]
    fn a_vpc_full_of_mistakes_changes_no_row_of_another((objects, ports) in pieces()) {
        let before = facts_of(&objects, &ports);
        let mut after = before.clone();
        add(&mut after, &format!(
            "kind: Vpc\nmetadata: {{name: late}}\nspec: {{staticRoutes: [{}], policyRoutes: [{}], vpcPeerings: [{{remoteVpc: v, localConnectIP: x}}]}}\n",
            ROUTES.join(", "), POLICIES.join(", ")
        ));
        let before: Vec<Row> = plan(&before).wanted.rows().cloned().collect();
        let after: Vec<Row> =
            plan(&after).wanted.rows().filter(|row| row.owner.name() != "late").cloned().collect();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn any_text_is_an_expression_or_refused(text in "[ -~]{0,40}|[a-z0-9.=!&|(){}<> \\[\\]/:\"$@]{0,60}") {
        if let Ok(read) = Expression::parse(&text) {
            let _ = read.destinations();
        }
    }
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), Reason::ALL.len());
}
