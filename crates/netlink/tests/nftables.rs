//! Batches and tables of nftables on a real kernel, with `nft` as the witness.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;
mod probe_path;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use lab::{Space, needs_root};
use netlink::{Errno, Error, Nft};
use nft::{
    Batch, Chain, Element, Expr, Field, FieldKind, Key, Name, Rule, Set, SetFlags, Table, TableId, Verdict,
    diff, remove, replace,
};
use probe_path::{Pair, Pod, tables};
use serde_json::Value;

/// The namespace of a node with a probe link and two pods' host sides.
struct Node {
    space: Space,
    nft: Nft,
    pair: Pair,
}

impl Node {
    fn new() -> Self {
        let space = Space::new();
        space.ip(&["link", "add", "prb0", "type", "veth", "peer", "name", "prb1"]);
        space.ip(&["link", "add", "h_a", "type", "veth", "peer", "name", "h_b"]);
        let switch_index = space.index("prb1");
        let nft = Nft::inside(&space.netns).unwrap();
        Self { space, nft, pair: Pair { mac: [2, 0, 0, 0, 0, 1], switch_index } }
    }

    fn pod(&self, device: &'static str, number: u8) -> Pod {
        let v4 = IpAddr::from([10, 0, 1, number]);
        let v6: IpAddr = format!("fd10:1::{number}").parse().unwrap();
        Pod {
            device: Name::of(device),
            index: self.space.index(device),
            mac: [2, 0, 0, 0, 1, number],
            ports: vec![(v4, 8080), (v6, 8080), (v4, 7777), (v6, 7777)],
        }
    }

    /// From what is there to `wanted`, as the daemon does it.
    fn make(&self, wanted: &[Table]) -> Batch {
        let mut batch = Batch::default();
        for table in wanted {
            batch.append(diff(table, self.nft.table(&table.id).unwrap().as_ref()));
        }
        self.nft.apply(&batch).unwrap();
        batch
    }

    fn listed(&self) -> Vec<Value> {
        let text = self.space.exec("nft", &["-j", "list", "ruleset"]);
        let listed: Value = serde_json::from_str(&text).unwrap();
        listed["nftables"].as_array().unwrap().clone()
    }
}

#[test]
fn the_probe_path_is_applied_read_back_equal_and_listed_by_nft() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let wanted = tables(node.pair, &[node.pod("h_a", 11), node.pod("h_b", 12)]);

    node.make(&wanted);

    for table in &wanted {
        let found = node.nft.table(&table.id).unwrap().unwrap();
        assert_eq!(&found, table);
        assert!(diff(table, Some(&found)).is_empty());
    }
    let listed = node.listed();
    let count = |kind: &str| listed.iter().filter(|item| item.get(kind).is_some()).count();
    let chains = wanted.iter().map(|table| table.chains.len()).sum::<usize>();
    let rules =
        wanted.iter().flat_map(|table| table.chains.values()).map(|chain| chain.rules.len()).sum::<usize>();
    assert_eq!((count("table"), count("chain"), count("rule")), (2, chains, rules));
    assert_eq!(count("set") + count("map"), 8);
    let plain = node.space.exec("nft", &["list", "ruleset"]);
    assert!(plain.contains("pods are not the kubelet"), "{plain}");
    assert!(plain.contains("fwd to ip daddr . tcp dport map @if4"), "{plain}");
    assert!(plain.contains("10.0.1.11 . 7777"), "{plain}");
}

#[test]
fn a_pod_comes_and_goes_in_one_batch_of_its_own_elements() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let (one, other) = (node.pod("h_a", 11), node.pod("h_b", 12));
    let both = tables(node.pair, &[one.clone(), other]);
    let alone = tables(node.pair, &[one]);
    node.make(&alone);

    let added = node.make(&both);
    // A chain with its rule, and four sets of each family.
    assert_eq!(added.changes().len(), 2 + 8, "{added:?}");
    assert_eq!(node.nft.table(&both[1].id).unwrap().as_ref(), Some(&both[1]));

    node.make(&alone);
    for table in &alone {
        assert_eq!(node.nft.table(&table.id).unwrap().as_ref(), Some(table));
    }
}

#[test]
fn a_change_that_fails_is_named_and_nothing_of_its_batch_stays() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let wanted = tables(node.pair, &[node.pod("h_a", 11)]);
    node.make(&wanted);
    let mut batch =
        diff(&tables(node.pair, &[node.pod("h_a", 11), node.pod("h_b", 12)])[0], Some(&wanted[0]));
    let (id, set) = (&wanted[0].id, Name::of("t4"));
    let absent = Key::of(&[Field::Ipv4([9, 9, 9, 9].into()), Field::Port(9)]);
    batch.remove_elements(id, &set, &wanted[0].sets[&set], [(absent, Element::default())]);

    let error = node.nft.apply(&batch).unwrap_err();

    assert_eq!(error.errno(), Some(Errno::NotFound));
    let text = error.to_string();
    assert!(text.starts_with("remove element 0909090900090000 from set inet probe t4: "), "{text}");
    assert_eq!(node.nft.table(id).unwrap().as_ref(), Some(&wanted[0]));
}

#[test]
fn a_rule_into_nowhere_is_named_by_its_comment() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let mut table = Table::new(TableId::inet(Name::of("t")));
    let jump = Rule::new([Verdict::Jump(Name::of("nowhere")).into()]).named("into nowhere");
    table.chains.insert(Name::of("c"), Chain::regular(vec![jump]));

    let error = node.nft.apply(&diff(&table, None)).unwrap_err();

    assert!(
        matches!(&error, Error::Refused { attempt, .. } if attempt == "add rule inet t c \"into nowhere\"")
    );
    assert_eq!(node.nft.table(&table.id).unwrap(), None);
}

#[test]
fn drift_is_repaired_and_an_older_table_replaced() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let wanted = tables(node.pair, &[node.pod("h_a", 11)]);
    node.make(&wanted);
    let script = "delete element inet probe t4 { 10.0.1.11 . 8080 }; add element inet probe t4 { 1.2.3.4 . 5 }; \
        insert rule inet probe pre tcp dport { 22, 80 } ip saddr vmap { 1.2.3.4 : jump more } drop; \
        add set inet probe old { type ipv4_addr; flags interval; }; add rule inet probe more ip saddr @old counter; \
        delete map netdev probe if9; add table inet probe { flags dormant; }";
    let script =
        format!("add chain inet probe more; add map netdev probe if9 {{ type mark : verdict; }}; {script}");
    node.space.exec("nft", &[&script]);

    let repair = node.make(&wanted);

    assert!(!repair.is_empty());
    for table in &wanted {
        assert_eq!(node.nft.table(&table.id).unwrap().as_ref(), Some(table));
    }
    assert!(node.make(&wanted).is_empty());

    node.space.exec("nft", &["add chain inet probe more; add counter inet probe foreign"]);
    let mut whole = Batch::default();
    wanted.iter().for_each(|table| whole.append(replace(table)));
    node.nft.apply(&whole).unwrap();
    assert_eq!(node.nft.table(&wanted[0].id).unwrap().as_ref(), Some(&wanted[0]));
    assert!(!node.listed().iter().any(|item| item.get("counter").is_some()));

    node.nft.remove_table(&wanted[0].id).unwrap();
    node.nft.apply(&remove(&wanted[0].id)).unwrap();
    assert_eq!(node.nft.table(&wanted[0].id).unwrap(), None);
}

#[test]
fn ten_thousand_elements_go_in_one_batch_and_come_back() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let mut table = Table::new(TableId::inet(Name::of("big")));
    let mut set = Set::map(&[FieldKind::Ipv4, FieldKind::Port], &[FieldKind::Ipv6]);
    for number in 0..10_000_u32 {
        let to = Field::Ipv6(u128::from(number).into());
        set = set.mapping(&[Field::Ipv4(number.into()), Field::Port(80)], to);
    }
    table.sets.insert(Name::of("s"), set);
    let batch = diff(&table, None);
    assert!(batch.encode(1).unwrap().bytes.len() > 212_992, "it has to exceed the socket's usual buffer");

    node.nft.apply(&batch).unwrap();

    assert!(node.nft.table(&table.id).unwrap().as_ref() == Some(&table));
    let emptied = Table::new(table.id.clone());
    node.nft.apply(&diff(&emptied, Some(&table))).unwrap();
    assert_eq!(node.nft.table(&table.id).unwrap(), Some(emptied));
}

#[test]
fn thousands_of_refusals_still_name_the_first() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let id = TableId::inet(Name::of("t"));
    let mut table = Table::new(id.clone());
    let jump = || Rule::new([Verdict::Jump(Name::of("nowhere")).into()]);
    let mut rules = vec![Rule::new([Verdict::Return.into()]), jump().named("the first")];
    rules.extend((0..5_000).map(|_| jump()));
    table.chains.insert(Name::of("c"), Chain::regular(rules));

    let error = node.nft.apply(&diff(&table, None)).unwrap_err();

    assert!(error.to_string().starts_with("add rule inet t c \"the first\": "), "{error}");
    assert_eq!(node.nft.table(&id).unwrap(), None);
}

#[test]
fn ranges_of_addresses_of_keys_and_with_timeouts_come_back() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let ip = |a, b, c, d| Field::Ipv4([a, b, c, d].into());
    let mut table = Table::new(TableId { family: nft::Family::Ip, name: Name::of("nat") });
    let mut ranges = Set::map(&[FieldKind::Ipv4], &[FieldKind::Ipv4]).flagged(SetFlags::INTERVAL);
    for (first, last, to) in [
        (ip(10, 0, 0, 0), ip(10, 0, 0, 255), 1),
        (ip(10, 0, 1, 0), ip(10, 0, 1, 0), 2),
        (ip(10, 0, 1, 1), ip(10, 0, 1, 9), 3),
        (ip(240, 0, 0, 0), ip(255, 255, 255, 255), 4),
    ] {
        ranges.elements.insert(Key::range(&[first], &[last]), Element::to(ip(192, 0, 2, to)));
    }
    let mut pairs = Set::of(&[FieldKind::Ipv4, FieldKind::Port]).flagged(SetFlags::INTERVAL);
    let both = Key::range(&[ip(10, 0, 0, 0), Field::Port(80)], &[ip(10, 0, 0, 9), Field::Port(90)]);
    pairs.elements.insert(both, Element::default());
    pairs = pairs.with(&[ip(10, 1, 0, 0), Field::Port(1)]);
    let mut leased = Set::of(&[FieldKind::Ipv4]).flagged(SetFlags::TIMEOUT);
    leased.timeout = Some(Duration::from_secs(3600));
    let own = Element { data: None, timeout: Some(Duration::from_secs(100)) };
    leased.elements.insert(Key::of(&[ip(10, 0, 0, 1)]), own);
    leased = leased.with(&[ip(10, 0, 0, 2)]);
    table.sets =
        [(Name::of("ranges"), ranges), (Name::of("pairs"), pairs), (Name::of("leased"), leased)].into();
    node.make(&[table.clone()]);

    let plain = node.space.exec("nft", &["list", "table", "ip", "nat"]);
    assert!(plain.contains("10.0.1.1-10.0.1.9 : 192.0.2.3"), "{plain}");
    assert!(plain.contains("240.0.0.0/4 : 192.0.2.4"), "{plain}");
    assert!(plain.contains("10.0.0.0-10.0.0.9 . 80-90"), "{plain}");
    assert_eq!(node.nft.table(&table.id).unwrap().as_ref(), Some(&table));

    // Neighbouring ranges move their boundary.
    let ranges = table.sets.get_mut(&Name::of("ranges")).unwrap();
    ranges.elements.remove(&Key::of(&[ip(10, 0, 1, 0)]));
    ranges.elements.remove(&Key::range(&[ip(10, 0, 1, 1)], &[ip(10, 0, 1, 9)]));
    ranges.elements.insert(Key::range(&[ip(10, 0, 1, 0)], &[ip(10, 0, 1, 8)]), Element::to(ip(192, 0, 2, 9)));
    node.make(&[table.clone()]);
    assert_eq!(node.nft.table(&table.id).unwrap().as_ref(), Some(&table));
}

#[test]
fn counters_count_and_make_no_difference() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    node.space.ip(&["link", "set", "lo", "up"]);
    let mut table = Table::new(TableId::inet(Name::of("t")));
    let base = nft::Base::new(nft::ChainKind::Filter, nft::Hook::Input, 0);
    let mut chain = Chain::base(base);
    chain.rules.push(Rule::new([Expr::counter()]));
    table.chains.insert(Name::of("c"), chain);
    node.make(&[table.clone()]);
    node.space.exec("ping", &["-c", "1", "127.0.0.1"]);

    let found = node.nft.table(&table.id).unwrap().unwrap();

    let counted = &found.chains[&Name::of("c")].rules[0].exprs[0];
    assert!(matches!(counted, Expr::Counter { packets: 1.., .. }), "{counted:?}");
    assert!(diff(&table, Some(&found)).is_empty());
}

#[test]
fn a_table_is_read_whole_while_others_write() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pods = [node.pod("h_a", 11), node.pod("h_b", 12)];
    let states = [tables(node.pair, &pods[..1]), tables(node.pair, &pods)];
    node.make(&states[0]);
    let writer = Nft::inside(&node.space.netns).unwrap();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..60 {
                let (from, to) = (&states[turn % 2], &states[(turn + 1) % 2]);
                let mut batch = diff(&to[0], Some(&from[0]));
                batch.append(diff(&to[1], Some(&from[1])));
                writer.apply(&batch).unwrap();
            }
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut read = 0;
        while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
            match node.nft.table(&states[0][1].id) {
                Ok(found) => {
                    let found = found.unwrap();
                    assert!(states.iter().any(|state| state[1] == found), "{found:?}");
                    read += 1;
                }
                Err(error) => assert!(matches!(error, Error::Unsettled { .. }), "{error}"),
            }
        }
        assert!(read > 0, "never read");
    });
}

#[test]
#[ignore = "a figure, not a promise: cargo test --release -- --ignored --nocapture time"]
fn time_of_a_pod() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pods: Vec<_> =
        (0..100).map(|number| Pod { device: Name::of("h_a"), ..node.pod("h_a", number) }).collect();
    let (before, after) = (tables(node.pair, &pods[..99]), tables(node.pair, &pods));
    node.make(&before);
    let mut figures = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..200 {
        for (figure, from, to) in [(0, &before, &after), (1, &after, &before)] {
            let start = Instant::now();
            let mut batch = diff(&to[0], Some(&from[0]));
            batch.append(diff(&to[1], Some(&from[1])));
            node.nft.apply(&batch).unwrap();
            figures[figure].push(start.elapsed());
        }
        let start = Instant::now();
        before.iter().for_each(|table| drop(node.nft.table(&table.id).unwrap()));
        figures[2].push(start.elapsed());
    }
    for (what, mut times) in ["add", "remove", "read both tables"].into_iter().zip(figures) {
        times.sort();
        println!("{what}: best {:?}, median {:?}, p99 {:?}", times[0], times[100], times[198]);
    }
}
