//! A match that OVN reads and that cannot act here is told, and so is a next hop that nobody has.

use super::*;

fn about_policy(policy: &str) -> Vec<(Effect, Reason)> {
    let net = "{metadata: {name: n}, spec: {vpc: v, cidrBlock: '10.0.3.0/24,fd00:3::/64'}}";
    let vpc = format!("{{metadata: {{name: v}}, spec: {{policyRoutes: [{{priority: 5, {policy}}}]}}}}");
    let survey = Survey::of(&facts(&[&vpc], &[NET1, net]));
    survey.findings.iter().map(|finding| (finding.effect, finding.reason)).collect()
}

fn about_acl(acl: &str) -> Vec<(Effect, Reason)> {
    let spec = format!("vpc: v, cidrBlock: 10.0.1.0/24, acls: [{{priority: 5, action: drop, {acl}}}]");
    let survey = Survey::of(&facts(&[V], &[&format!("{{metadata: {{name: net1}}, spec: {{{spec}}}}}")]));
    survey.findings.iter().map(|finding| (finding.effect, finding.reason)).collect()
}

#[test]
fn a_reroute_of_one_family_to_a_next_hop_of_the_other_is_left_out() {
    let reroute = |text: &str, hop: &str| {
        about_policy(&format!("action: reroute, match: '{text}', nextHopIP: '{hop}'"))
    };
    let refused = [(Effect::PartLeftOut, Reason::InvalidPolicy)];
    assert_eq!(reroute("ip6", "10.0.1.9"), refused);
    assert_eq!(reroute("ip4.src == 10.0.1.0/24 && tcp", "fd00:3::9"), refused);
    assert_eq!(reroute("ip4", "10.0.1.9"), []);
    assert_eq!(reroute("tcp", "fd00:3::9"), []);
}

#[test]
fn names_that_nothing_here_makes_are_noted() {
    let unknown = [(Effect::Note, Reason::UnknownName)];
    let drop = |text: &str| about_policy(&format!("action: drop, match: '{text}'"));
    for text in ["ip4.src == $set", "inport == @group", "inport == \"eth0\""] {
        assert_eq!(drop(text), unknown, "{text}");
        assert_eq!(about_acl(&format!("direction: to-lport, match: '{text}'")), unknown, "{text}");
    }
    assert_eq!(drop("inport == \"v-net1\""), []);
    assert_eq!(about_acl("direction: to-lport, match: 'outport == \"web.ns1\"'"), []);
    assert_eq!(about_acl("direction: from-lport, match: 'inport == \"net1-v\"'"), unknown);
}

#[test]
fn an_outport_in_a_rule_that_comes_before_it_is_known_is_left_out() {
    let refused = [(Effect::PartLeftOut, Reason::InvalidMatch)];
    assert_eq!(about_acl("direction: from-lport, match: 'outport == \"web.ns1\"'"), refused);
}

#[test]
fn the_address_of_a_network_or_of_everybody_is_no_next_hop() {
    for hop in ["10.0.1.0", "10.0.1.255"] {
        let told = told(&vpc_with(&format!("staticRoutes: [{{cidr: 9.0.0.0/8, nextHopIP: {hop}}}]")));
        assert_eq!(told.len(), 1);
        assert!(
            told[0].contains(&format!("NextHopNotConnected: staticRoutes[0] 9.0.0.0/8 via {hop}: ")),
            "{told:?}"
        );
        assert!(told[0].contains("is no host's address in 10.0.1.0/24"), "{told:?}");
        let reroute = format!("action: reroute, match: ip4, nextHopIP: {hop}");
        assert_eq!(about_policy(&reroute), [(Effect::PartLeftOut, Reason::NextHopNotConnected)]);
    }
}
