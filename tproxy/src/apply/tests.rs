use netlink::{Route, RuleSpec};

use super::*;
use crate::plan::ROUTE_TABLE;

const PROBE: u32 = 5;

fn default_route(link: u32) -> Route {
    Route {
        dst: "0.0.0.0/0".parse().unwrap(),
        gateway: None,
        link_index: Some(link),
        table: ROUTE_TABLE,
        metric: 0,
    }
}

fn attempts(steps: &RoutingSteps) -> Vec<&str> {
    steps.add.iter().map(Request::attempt).collect()
}

#[test]
fn the_route_is_there_before_the_rules_that_lead_to_it() {
    let steps = routing_steps(Family::V4, true, PROBE, &Routing::default());

    let wanted = [
        "set route 0.0.0.0/0 on link 5",
        "add IPv4 rule 90 to table 10001",
        "add IPv4 rule 32800 to table 10001",
    ];
    assert_eq!(attempts(&steps), wanted);
}

#[test]
fn a_route_by_a_link_that_was_made_anew_is_replaced() {
    let found = Routing { rules: Vec::new(), routes: vec![default_route(4)] };

    let steps = routing_steps(Family::V4, true, PROBE, &found);

    assert_eq!(attempts(&steps)[0], "set route 0.0.0.0/0 on link 5");
    assert_eq!(steps.remove.routes, found.routes);
}

#[test]
fn nothing_stays_of_a_family_that_is_not_carried() {
    let found = Routing { rules: Vec::new(), routes: vec![default_route(PROBE)] };

    let steps = routing_steps(Family::V4, false, PROBE, &found);

    assert!(steps.add.is_empty());
    assert_eq!(steps.remove.routes, found.routes);
}

#[test]
fn only_the_nodes_own_tcp_of_root_goes_by_the_rule_of_last_resort() {
    let [_, RuleSpec { input, uids, protocol, priority, .. }] = rules(Family::V6);

    assert_eq!((input.as_deref(), uids, protocol), (Some("lo"), Some((0, 0)), Some(6)));
    assert!(priority > 32_767);
}

#[test]
fn what_is_there_in_another_form_is_replaced_in_the_same_batch() {
    let node = crate::plan::Node {
        probe: crate::plan::ProbeAddresses { v4: Some([100, 64, 0, 9].into()), v6: None },
        switch_index: 6,
        pod_cgroups: Vec::new(),
    };
    let wanted = crate::plan::tables(&node, []);
    let same = [Found::Table(wanted.inet.clone()), Found::Table(wanted.netdev.clone())];

    assert!(difference(&wanted, &same).is_empty());
    let one = [Found::Foreign, Found::Table(wanted.netdev.clone())];
    assert_eq!(difference(&wanted, &one), nft::replace(&wanted.inet));
}
