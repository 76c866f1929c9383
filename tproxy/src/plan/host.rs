//! The table of the node's own stack: whose packets are carried, and which answers are taken.

use nft::{
    Base, Chain, ChainKind, Comparison, CtKey, Direction, Expr, Field, Hook, Load, MetaKey, Name, NatFlags,
    NatKind, Register, Reject, RejectCode, Rule, Set, Table, TableId, Verdict, concatenation, within,
};

use super::phrase::{by_probe_link, drop_rule, is_family, is_tcp, mark, syn, unmark};
use super::{Cgroup, MARK, Node, PROBE_LINK, TABLE, Wire, wires};
use crate::metrics::{Counted, comment};

/// `NF_IP_PRI_MANGLE`: behind connection tracking, before address translation.
const MANGLE: i32 = -150;
/// Before everybody's source translation at `NF_IP_PRI_NAT_SRC` = 100: the first one to decide wins.
const BEFORE_SNAT: i32 = 90;
/// `NF_IP_PRI_FILTER`: behind [`MANGLE`], where the packet has been routed again by its mark.
const FILTER: i32 = 0;

/// The table without targets.
pub(super) fn table(node: &Node) -> Table {
    let mut table = Table::new(TableId::inet(TABLE));
    let chains = [
        ("output", output(node)),
        ("postrouting", postrouting(node)),
        ("prerouting", prerouting(node)),
        ("local", local()),
        ("forward", forward()),
    ];
    table.chains.extend(chains.map(|(name, chain)| (Name::of(name), chain)));
    for (wire, _) in wires(&node.probe) {
        table.sets.insert(wire.targets.clone(), Set::of(&[wire.address, nft::FieldKind::Port]));
    }
    table
}

/// Marks what is to be carried; the kernel then routes it again.
///
/// Who sends is asked of SYNs only. Everything else on a connection that was let in follows by its entry in
/// connection tracking, as a closed socket has no owner to be asked, and its last packets must not leave elsewhere.
/// Every SYN is asked, also where there is an entry: an entry outlives its socket, and another user's socket may get
/// the same port.
fn output(node: &Node) -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Route, Hook::Output, MANGLE));
    let foreign = Load::Meta(MetaKey::Mark).masked(MARK, Comparison::Is, MARK);
    chain.rules.push(Rule::new(foreign).and(unmark()).named("the mark is nobody's but this chain's"));
    chain.rules.extend(node.pod_cgroups.iter().map(not_a_pod));
    for (wire, probe) in wires(&node.probe) {
        chain.rules.push(first_packet(wire));
        chain.rules.push(later_packets(wire, &Field::from(probe)));
    }
    chain
}

/// A container with the host's network runs as root as well, and is not the kubelet.
fn not_a_pod(cgroup: &Cgroup) -> Rule {
    let Cgroup { level, id } = *cgroup;
    let register = Register::FIRST;
    let is_pod = [
        Expr::CgroupV2 { level, into: register },
        Expr::Cmp { register, comparison: Comparison::Is, value: id.to_ne_bytes().to_vec() },
    ];
    Rule::new(is_tcp())
        .and(syn(Comparison::Is))
        .and(is_pod)
        .and([Verdict::Accept.into()])
        .named("pods on the host's network are not the kubelet")
}

fn first_packet(wire: &Wire) -> Rule {
    let endpoint = [Load::Payload(wire.destination), Load::Payload(nft::place::DESTINATION_PORT)];
    Rule::new(is_tcp())
        .and(syn(Comparison::Is))
        .and(Load::Meta(MetaKey::SocketUid).is(&Field::Mark(0)))
        .and(is_family(wire))
        .and(within(&endpoint, &wire.targets))
        .and(mark())
        .and([Verdict::Accept.into()])
        .named("root's first packet to a probe port")
}

fn later_packets(wire: &Wire, probe: &Field) -> Rule {
    Rule::new(is_family(wire))
        .and(is_tcp())
        .and(syn(Comparison::IsNot))
        .and(Load::Ct(CtKey::Direction).is(&Field::Protocol(0)))
        .and(Load::CtOf(wire.answers_to, Direction::Reply).is(probe))
        .and(mark())
        .and([Verdict::Accept.into()])
        .named("the rest of a carried connection, whose socket may be closed")
}

/// The pod sees the probe address, whatever address of the node the kubelet's socket has.
fn postrouting(node: &Node) -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Nat, Hook::Postrouting, BEFORE_SNAT));
    for (wire, probe) in wires(&node.probe) {
        let to_probe = Expr::Nat {
            kind: NatKind::Source,
            protocol: wire.protocol,
            address: Some(Register::FIRST.into()),
            port: None,
            flags: NatFlags::NONE,
        };
        chain.rules.push(
            Rule::new(by_probe_link(MetaKey::OutputName))
                .and(is_family(wire))
                .and([Expr::counter(), Expr::constant(concatenation(&[probe.into()])), to_probe])
                .named(comment(Counted::Carried)),
        );
    }
    chain
}

/// Takes answers, and nothing but answers, from the probe link and from nowhere else.
fn prerouting(node: &Node) -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Filter, Hook::Prerouting, MANGLE));
    for (wire, probe) in wires(&node.probe) {
        let elsewhere = Load::Meta(MetaKey::InputName).is_not(&Field::Device(Name::of(PROBE_LINK)));
        let to_probe = Load::Payload(wire.destination).is(&probe.into());
        let matches = is_family(wire).into_iter().chain(to_probe).chain(elsewhere);
        chain.rules.push(drop_rule(comment(Counted::Elsewhere), matches));
    }
    let begins = Load::Ct(CtKey::Direction).is(&Field::Protocol(0));
    let strays = Load::Ct(CtKey::State).has_none(CtKey::ESTABLISHED | CtKey::RELATED);
    let from_pod = || by_probe_link(MetaKey::InputName).into_iter();
    chain.rules.push(drop_rule(comment(Counted::Begun), from_pod().chain(begins)));
    chain.rules.push(drop_rule(comment(Counted::Stray), from_pod().chain(strays)));
    chain.rules.push(
        Rule::new(from_pod())
            .and(mark())
            .named("with src_valid_mark on the link any reverse-path check finds the way back"),
    );
    chain
}

/// What the rule of last resort brought here that is not to be carried is as unreachable as without that rule.
fn local() -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Filter, Hook::Output, FILTER));
    chain.rules.push(
        Rule::new(by_probe_link(MetaKey::OutputName))
            .and(Load::Meta(MetaKey::Mark).masked(MARK, Comparison::IsNot, MARK))
            .and([Expr::counter(), Expr::Reject(Reject::Icmpx(RejectCode::NoRoute))])
            .named(comment(Counted::NoRoute)),
    );
    chain
}

/// Nothing of others goes through, whatever marks and routes they have.
fn forward() -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Filter, Hook::Forward, MANGLE));
    for key in [MetaKey::OutputName, MetaKey::InputName] {
        chain.rules.push(drop_rule(comment(Counted::Forwarded), by_probe_link(key)));
    }
    chain
}
