//! Every expression through the kernel: what `nft` wrote is read, written by us in its place, and listed by `nft` as
//! before.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use lab::{Space, needs_root};
use netlink::Nft;
use nft::{
    Base, Chain, ChainKind, Expr, Field, FieldKind, Found, Hook, Load, Name, NatFlags, NatKind, Protocol,
    Register, Rule, Set, Table, TableId, diff, look_up, place, replace,
};

const SETS: &str = include_str!("../../nft/tests/golden/sets.nft");
const RULES: &str = include_str!("../../nft/tests/golden/rules.nft");

#[test]
fn what_nft_wrote_is_the_same_when_we_write_it() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    space.ip(&["link", "add", "d0", "type", "veth", "peer", "name", "d1"]);
    // The laboratory's cgroup is not everywhere.
    let rules: Vec<_> = RULES.lines().filter(|line| !line.contains("cgroupv2")).collect();
    for (name, text) in [("sets", SETS), ("rules", &rules.join("\n"))] {
        let file = tempfile::Builder::new().prefix(name).tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        space.exec("nft", &["-f", file.path().to_str().unwrap()]);
    }
    let before = listed(&space);
    let nft = Nft::inside(&space.netns).unwrap();

    for id in [TableId::inet(Name::of("t")), TableId::netdev(Name::of("n"))] {
        let theirs = nft.table(&id).unwrap().unwrap();
        let unknown = exprs(&theirs).find(|expr| matches!(expr, Expr::Unknown { .. }));
        assert_eq!(unknown, None);

        nft.apply(&replace(&theirs)).unwrap();

        let ours = nft.table(&id).unwrap().unwrap();
        assert_eq!(ours, theirs);
        assert!(diff(&theirs, Some(&ours)).is_empty());
    }
    assert_eq!(listed(&space), before);
}

#[test]
fn a_gateway_translates_by_maps() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    let nft = Nft::inside(&space.netns).unwrap();
    let table = gateway();

    nft.apply(&diff(&table, None)).unwrap();

    assert_eq!(nft.table(&table.id).unwrap().as_ref(), Some(&table));
    let text = space.exec("nft", &["list", "table", "ip", "gateway"]);
    assert!(text.contains("dnat ip to ip daddr . tcp dport map @dnat"), "{text}");
    assert!(text.contains("192.0.2.1 . 80 : 10.0.0.5 . 8080"), "{text}");
    assert!(text.contains("ip saddr map @fip persistent"), "{text}");
}

/// One address with a port of its own inside, one that belongs to a host as a whole.
fn gateway() -> Table {
    let ip = |a, b, c, d| Field::Ipv4([a, b, c, d].into());
    let mut table = Table::new(TableId { family: nft::Family::Ip, name: Name::of("gateway") });
    let pair = [FieldKind::Ipv4, FieldKind::Port];
    let inside: &[Field] = &[ip(10, 0, 0, 5), Field::Port(8080)];
    let dnat = Set::map(&pair, &pair).mapping(&[ip(192, 0, 2, 1), Field::Port(80)], inside);
    let fip = Set::map(&[FieldKind::Ipv4], &[FieldKind::Ipv4]).mapping(&[ip(10, 0, 0, 6)], ip(192, 0, 2, 2));
    table.sets = [(Name::of("dnat"), dnat), (Name::of("fip"), fip)].into();

    let load = Found::Load(Register::FIRST);
    let key = [Load::Payload(place::IPV4_DESTINATION), Load::Payload(place::DESTINATION_PORT)];
    let mut pre = Chain::base(Base::new(ChainKind::Nat, Hook::Prerouting, -100));
    pre.rules.push(
        Rule::new(Load::Meta(nft::MetaKey::L4Protocol).is(&Field::Protocol(6)))
            .and(look_up(&key, &Name::of("dnat"), load))
            .and([Expr::Nat {
                kind: NatKind::Destination,
                protocol: Protocol::Ipv4,
                address: Some(Register::FIRST.into()),
                port: Register::FIRST.after(4).map(Into::into),
                flags: NatFlags::NONE,
            }]),
    );
    let mut post = Chain::base(Base::new(ChainKind::Nat, Hook::Postrouting, 100));
    post.rules.push(Rule::new(look_up(&[Load::Payload(place::IPV4_SOURCE)], &Name::of("fip"), load)).and([
        Expr::Nat {
            kind: NatKind::Source,
            protocol: Protocol::Ipv4,
            address: Some(Register::FIRST.into()),
            port: None,
            flags: NatFlags::PERSISTENT,
        },
    ]));
    post.rules.push(Rule::new([Expr::Masquerade { port: None, flags: NatFlags::FULLY_RANDOM }]));
    table.chains = [(Name::of("pre"), pre), (Name::of("post"), post)].into();
    table
}

fn exprs(table: &Table) -> impl Iterator<Item = &Expr> {
    table.chains.values().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.exprs)
}

/// The ruleset as text, tables, chains and sets in an order of their own.
fn listed(space: &Space) -> Vec<String> {
    let text = space.exec("nft", &["list", "ruleset"]);
    let mut blocks: Vec<_> =
        text.split("\n\n").map(|block| block.trim().trim_end_matches("\n}").to_owned()).collect();
    // The first block of a table is behind the table's own line.
    blocks =
        blocks.iter().flat_map(|block| block.split("{\n\t")).map(|part| part.trim().to_owned()).collect();
    // What is left of an element's time.
    blocks.iter_mut().for_each(|block| block.truncate(block.find(" expires ").unwrap_or(block.len())));
    blocks.sort();
    blocks
}
