use std::collections::BTreeSet;

use nft::{Data, Expr, Field, Key, Step, Verdict};

use super::*;
use crate::target::{Endpoint, HostSide};

fn node() -> Node {
    Node {
        probe: ProbeAddresses { v4: Some([100, 64, 0, 9].into()), v6: Some("fd00:64::9".parse().unwrap()) },
        switch_index: 6,
        pod_cgroups: vec![Cgroup { level: 1, id: 4711 }],
    }
}

fn target(device: &str, index: u32, endpoints: &[(&str, u16)]) -> Target {
    let endpoints = endpoints.iter().map(|(ip, port)| Endpoint { ip: ip.parse().unwrap(), port: *port });
    Target {
        host_side: HostSide::new(device, index).unwrap(),
        mac: [2, 0, 0, 0, 0, 5],
        endpoints: endpoints.collect(),
    }
}

fn rules(tables: &Tables) -> impl Iterator<Item = &nft::Rule> {
    [&tables.inet, &tables.netdev].into_iter().flat_map(|t| t.chains.values()).flat_map(|chain| &chain.rules)
}

#[test]
fn a_target_is_in_every_set_of_its_family_and_has_a_chain_on_its_device() {
    let dual = target("veth-a", 11, &[("10.0.1.5", 80), ("fd00:1::5", 80)]);

    let tables = tables(&node(), [&dual]);

    let v4 = [Field::Ipv4([10, 0, 1, 5].into()), Field::Port(80)];
    let set = |name| &tables.netdev.sets[&Name::of(name)].elements;
    assert!(tables.inet.sets[&Name::of("targets4")].elements.contains_key(&Key::of(&v4)));
    assert_eq!(set("macs4")[&Key::of(&v4)].data, Some(Data::from(Field::Mac([2, 0, 0, 0, 0, 5]))));
    assert_eq!(set("devices4")[&Key::of(&v4)].data, Some(Data::from(Field::Index(11))));
    let own: Vec<_> = set("own4").keys().cloned().collect();
    let [address, port] = v4;
    assert_eq!(own, [Key::of(&[Field::Index(11), address, port])]);
    assert_eq!(set("own6").len(), 1);
    let chain = &tables.netdev.chains[&Name::of("pod-veth-a")];
    assert_eq!(chain.base.as_ref().unwrap().devices, BTreeSet::from([Name::of("veth-a")]));
    assert_eq!(chain.rules.len(), 2);
}

#[test]
fn a_family_without_probe_address_has_no_rule_no_set_and_no_element() {
    let only_v4 = Node { probe: node().probe.only(|family| family == Family::V4), ..node() };
    let v6 = target("veth-a", 11, &[("fd00:1::5", 80)]);

    let found = tables(&only_v4, [&v6]);

    assert_eq!(found, tables(&only_v4, []));
    let sets = found.inet.sets.keys().chain(found.netdev.sets.keys()).map(Name::as_str);
    assert_eq!(sets.collect::<Vec<_>>(), ["targets4", "devices4", "macs4", "own4"]);
    assert!(!found.netdev.chains.contains_key(&Name::of("pod-veth-a")));
}

#[test]
fn every_rule_says_what_it_is_for_in_words_that_nft_shows() {
    let tables = tables(&node(), [&target("veth-a", 11, &[("10.0.1.5", 80)])]);

    for rule in rules(&tables) {
        let comment = rule.comment.as_deref().unwrap_or_default();
        assert!((1..=127).contains(&comment.len()), "{rule:?}");
    }
}

#[test]
fn every_drop_is_counted() {
    let dropping = |rule: &&nft::Rule| rule.exprs.contains(&Expr::Verdict(Verdict::Drop));
    let tables = tables(&node(), []);
    let mut drops = rules(&tables).filter(dropping).peekable();

    assert!(drops.peek().is_some());
    assert!(drops.all(|rule| rule.exprs.contains(&Expr::counter())));
}

#[test]
fn pods_on_the_hosts_network_are_turned_away_before_root_is_asked_for() {
    let output = &tables(&node(), []).inet.chains[&Name::of("output")].rules;
    let position =
        |wanted: &dyn Fn(&Expr) -> bool| output.iter().position(|rule| rule.exprs.iter().any(wanted));

    let cgroup = position(&|expr| matches!(expr, Expr::CgroupV2 { level: 1, .. })).unwrap();
    let uid = position(&|expr| matches!(expr, Expr::Meta { key: nft::MetaKey::SocketUid, .. })).unwrap();

    assert!(cgroup < uid);
    assert_eq!(output[cgroup].exprs.last(), Some(&Expr::Verdict(Verdict::Accept)));
    let unknown = Node { pod_cgroups: vec![], ..node() };
    assert_eq!(tables(&unknown, []).inet.chains[&Name::of("output")].rules.len(), output.len() - 1);
}

#[test]
fn one_pod_more_or_less_is_a_change_of_that_pod_alone() {
    let (a, b) = (target("veth-a", 11, &[("10.0.1.5", 80)]), target("veth-b", 12, &[("10.0.1.6", 80)]));
    let (one, both) = (tables(&node(), [&a]), tables(&node(), [&a, &b]));

    let steps = |batch: &Batch| {
        let words = batch.changes().iter().map(|change| match &change.step {
            Step::AddChain(..) => "chain",
            Step::AddRule(..) => "rule",
            Step::AddElements(_) => "elements",
            Step::RemoveElements(_) => "no elements",
            Step::RemoveChain(_) => "no chain",
            Step::Flush(_) => "no rules",
            Step::AddTable | Step::RemoveTable | Step::AddSet(..) | Step::RemoveSet(_) => "else",
        });
        words.collect::<Vec<_>>()
    };

    let elements = ["elements"; 3];
    assert_eq!(steps(&both.diff(&one)), [&["elements", "chain"][..], &elements, &["rule", "rule"]].concat());
    let gone = ["no elements", "no rules", "no elements", "no elements", "no elements", "no chain"];
    assert_eq!(steps(&one.diff(&both)), gone);
    assert!(both.diff(&both).is_empty());
}

#[test]
fn a_device_that_was_made_anew_changes_elements_and_no_chain() {
    let (old, new) = (target("veth-a", 11, &[("10.0.1.5", 80)]), target("veth-a", 12, &[("10.0.1.5", 80)]));

    let batch = tables(&node(), [&new]).diff(&tables(&node(), [&old]));

    let is_element = |step: &Step| matches!(step, Step::AddElements(_) | Step::RemoveElements(_));
    assert!(batch.changes().iter().all(|change| is_element(&change.step)), "{batch:?}");
    assert_eq!(batch.changes().len(), 4);
}
