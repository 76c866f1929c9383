//! Of two subnets with the same addresses one stays.

use super::*;

#[test]
fn of_two_overlapping_subnets_the_one_in_use_stays() {
    let wide = "{metadata: {name: a-wide}, spec: {vpc: v, cidrBlock: 10.0.0.0/16}}";
    let mut facts = facts(&[V], &[NET1, wide]);
    assert_eq!(
        told(&facts),
        [
            "Subnet net1: CidrOverlap: 10.0.1.0/24 overlaps 10.0.0.0/16 of Subnet a-wide in Vpc v, which stays; choose another range or another Vpc"
        ]
    );

    facts.ports.insert(port("p", "net1", "10.0.1.2"));
    let survey = Survey::of(&facts);
    assert!(survey.subnet("net1").is_some() && survey.subnet("a-wide").is_none());

    // A pod asks for the refused one.
    facts.accepted = survey.places();
    facts.ports.insert(port("q", "a-wide", "10.0.2.2"));
    let survey = Survey::of(&facts);
    assert!(survey.subnet("net1").is_some() && survey.subnet("a-wide").is_none());
}

/// Two subnets with a pod each, accepted; then `edited` replaces one of them.
fn after_edit(first: [&str; 2], edited: &str) -> Survey {
    let vpcs = [V, "{metadata: {name: w}}"];
    let mut facts = facts(&vpcs, &first);
    let pods = [("p", 0), ("q", 1)].map(|(pod, place)| (pod, subnet(first[place]).name().to_owned()));
    for (pod, subnet) in pods {
        facts.ports.insert(port(pod, &subnet, "10.0.1.2"));
    }
    let before = Survey::of(&facts);
    assert_eq!(before.home.len(), 2);
    facts.accepted = before.places();
    let edited = subnet(edited);
    facts.subnets.insert(edited.name().to_owned(), Arc::new(edited));
    Survey::of(&facts)
}

#[test]
fn a_subnet_that_moves_onto_another_gives_way_to_it_whatever_their_names() {
    for (mover, incumbent) in [("a", "z"), ("z", "a")] {
        let text = |name: &str, vpc: &str| {
            format!("{{metadata: {{name: {name}}}, spec: {{vpc: {vpc}, cidrBlock: 10.0.1.0/24}}}}")
        };
        let survey = after_edit([&text(mover, "v"), &text(incumbent, "w")], &text(mover, "w"));
        assert_eq!(survey.home.keys().collect::<Vec<_>>(), [incumbent]);
        let said = survey.findings[0].to_string();
        assert!(said.starts_with(&format!("Subnet {mover}: CidrOverlap: ")), "{said}");
        assert!(said.contains(&format!("of Subnet {incumbent} in Vpc w, which stays")), "{said}");
    }
}

#[test]
fn a_subnet_that_grows_onto_another_gives_way_to_it_and_one_that_shrinks_stays() {
    let text = |name: &str, cidr: &str| {
        format!("{{metadata: {{name: {name}}}, spec: {{vpc: v, cidrBlock: {cidr}}}}}")
    };
    let first = [text("a", "10.0.1.0/24"), text("b", "10.0.2.0/24")];
    let first = [&*first[0], &*first[1]];
    let survey = after_edit(first, &text("a", "10.0.0.0/16"));
    assert_eq!(survey.home.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(after_edit(first, &text("a", "10.0.1.0/25")).home.len(), 2);
}

#[test]
fn a_pod_that_asks_for_the_refused_one_of_two_subnets_changes_nothing() {
    let wide = "{metadata: {name: a-wide}, spec: {vpc: v, cidrBlock: 10.0.0.0/16}}";
    let mut facts = facts(&[V], &[NET1, wide]);
    facts.accepted = Survey::of(&facts).places();
    facts.ports.insert(port("p", "net1", "10.0.1.2"));
    assert_eq!(Survey::of(&facts).home.keys().collect::<Vec<_>>(), ["a-wide"]);
}

#[test]
fn of_two_overlapping_subnets_in_no_use_the_older_stays() {
    let dated = |name: &str, year: u32| {
        format!(
            "{{metadata: {{name: {name}, creationTimestamp: \"{year}-01-01T00:00:00Z\"}}, spec: {{vpc: v, cidrBlock: 10.0.1.0/24}}}}"
        )
    };
    let survey = Survey::of(&facts(&[V], &[&dated("a", 2025), &dated("b", 2024)]));
    assert!(survey.subnet("b").is_some() && survey.subnet("a").is_none());
}

#[test]
fn equal_ranges_in_two_vpcs_do_not_meet() {
    let other = "{metadata: {name: net9}, spec: {vpc: w, cidrBlock: 10.0.1.0/24}}";
    assert!(told(&facts(&[V, "{metadata: {name: w}}"], &[NET1, other])).is_empty());
}
