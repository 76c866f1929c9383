//! The rules that carry kubelet probes into pods, as measured in the laboratory: the largest user of `netlink::Nft`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part, and panics"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nft::place::{
    DESTINATION_PORT, ETHER_DESTINATION, ICMP_TYPE, IPV4_DESTINATION, IPV4_SOURCE, IPV6_DESTINATION,
    IPV6_SOURCE, SOURCE_PORT,
};
use nft::{
    Base, Chain, ChainKind, Comparison, CtKey, Direction, Expr, Field, FieldKind, Found, Header, Hook, Load,
    MetaKey, Name, NatFlags, NatKind, Place, Protocol, Register, Reject, RejectCode, Rule, Set, Table,
    TableId, Verdict, look_up, within,
};

pub const MARK: u32 = 0x9_0003;
const TCP: Field = Field::Protocol(6);

/// A pod's host side and the addresses of its probe ports.
#[derive(Clone)]
pub struct Pod {
    pub device: Name,
    pub index: u32,
    pub mac: [u8; 6],
    pub ports: Vec<(IpAddr, u16)>,
}

/// The pair of links between host and pods: `prb0` and the index of `prb1`.
#[derive(Clone, Copy)]
pub struct Pair {
    pub mac: [u8; 6],
    pub switch_index: u32,
}

/// What differs between IPv4 and IPv6.
struct Kind {
    suffix: &'static str,
    protocol: Protocol,
    ether_type: u16,
    probe: IpAddr,
    source: Place,
    destination: Place,
    ct_destination: CtKey,
    address: FieldKind,
    /// ICMP's protocol number, its type "unreachable", and where the address and the port inside the error are.
    icmp: (u8, u8, Place, Place),
}

fn kinds() -> [Kind; 2] {
    let inner = |offset, len| Place::new(Header::Transport, offset, len);
    [
        Kind {
            suffix: "4",
            protocol: Protocol::Ipv4,
            ether_type: 0x0800,
            probe: Ipv4Addr::new(100, 64, 0, 2).into(),
            source: IPV4_SOURCE,
            destination: IPV4_DESTINATION,
            ct_destination: CtKey::DestinationIpv4,
            address: FieldKind::Ipv4,
            icmp: (1, 3, inner(24, 4), inner(30, 2)),
        },
        Kind {
            suffix: "6",
            protocol: Protocol::Ipv6,
            ether_type: 0x86dd,
            probe: "fd00:64::2".parse::<Ipv6Addr>().unwrap().into(),
            source: IPV6_SOURCE,
            destination: IPV6_DESTINATION,
            ct_destination: CtKey::DestinationIpv6,
            address: FieldKind::Ipv6,
            icmp: (58, 1, inner(32, 16), inner(50, 2)),
        },
    ]
}

fn name(prefix: &str, kind: &Kind) -> Name {
    Name::new(format!("{prefix}{}", kind.suffix)).unwrap()
}

/// Both tables with the rules for these pods.
pub fn tables(pair: Pair, pods: &[Pod]) -> [Table; 2] {
    let mut inet = Table::new(TableId::inet(Name::of("probe")));
    let mut netdev = Table::new(TableId::netdev(Name::of("probe")));
    sets(&mut inet, &mut netdev);
    let kinds = kinds();
    inet.chains.insert(Name::of("output"), output(&kinds));
    inet.chains.insert(Name::of("post"), post(&kinds));
    inet.chains.insert(Name::of("pre"), pre());
    inet.chains.insert(Name::of("deny"), deny());
    netdev.chains.insert(Name::of("sw"), switch(&kinds));
    netdev.chains.insert(Name::of("back"), back(&kinds, pair));
    pods.iter().for_each(|pod| add_pod(&mut inet, &mut netdev, pod));
    [inet, netdev]
}

fn sets(inet: &mut Table, netdev: &mut Table) {
    for kind in kinds() {
        let key = [kind.address, FieldKind::Port];
        let own = [FieldKind::Index, kind.address, FieldKind::Port];
        inet.sets.insert(name("t", &kind), Set::of(&key));
        netdev.sets.insert(name("mac", &kind), Set::map(&key, &[FieldKind::Mac]));
        netdev.sets.insert(name("if", &kind), Set::map(&key, &[FieldKind::Index]));
        netdev.sets.insert(name("own", &kind), Set::of(&own));
    }
}

fn add_pod(inet: &mut Table, netdev: &mut Table, pod: &Pod) {
    let base = Base::new(ChainKind::Filter, Hook::Ingress, 0).on(pod.device.clone());
    let mut chain = Chain::base(base);
    chain.rules.push(Rule::new([Verdict::Jump(Name::of("back")).into()]));
    netdev.chains.insert(Name::new(format!("p_{}", pod.device)).unwrap(), chain);
    for (address, port) in &pod.ports {
        let [v4, v6] = kinds();
        let kind = if address.is_ipv4() { v4 } else { v6 };
        let key = [Field::from(*address), Field::Port(*port)];
        let own = [Field::Index(pod.index), Field::from(*address), Field::Port(*port)];
        edit(inet, name("t", &kind), |set| set.with(&key));
        edit(netdev, name("mac", &kind), |set| set.mapping(&key, Field::Mac(pod.mac)));
        edit(netdev, name("if", &kind), |set| set.mapping(&key, Field::Index(pod.index)));
        edit(netdev, name("own", &kind), |set| set.with(&own));
    }
}

fn edit(table: &mut Table, name: Name, change: impl FnOnce(Set) -> Set) {
    let set = table.sets.remove(&name).unwrap();
    table.sets.insert(name, change(set));
}

fn set_mark() -> [Expr; 3] {
    let register = Register::FIRST;
    let (mask, xor) = ((!MARK).to_ne_bytes().to_vec(), MARK.to_ne_bytes().to_vec());
    [
        Load::Meta(MetaKey::Mark).to(register),
        Expr::Bitwise { from: register, into: register, mask, xor },
        Expr::SetMeta { key: MetaKey::Mark, from: register },
    ]
}

fn of_protocol(kind: &Kind) -> [Expr; 2] {
    let number = if kind.suffix == "4" { 2 } else { 10 };
    Load::Meta(MetaKey::NetworkProtocol).is(&Field::Protocol(number))
}

fn is_new() -> [Expr; 2] {
    Load::Ct(CtKey::State).is(&Field::Mark(CtKey::NEW))
}

fn is_original() -> [Expr; 2] {
    Load::Ct(CtKey::Direction).is(&Field::Protocol(0))
}

/// The kubelet's packets get the mark that leads to the probe link: first ones by uid and target, later ones by
/// their connection.
fn output(kinds: &[Kind; 2]) -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Route, Hook::Output, -150));
    let kubepods = Expr::Cmp {
        register: Register::FIRST,
        comparison: Comparison::Is,
        value: 4711_u64.to_ne_bytes().to_vec(),
    };
    chain.rules.push(
        Rule::new(Load::Meta(MetaKey::L4Protocol).is(&TCP))
            .and(is_new())
            .and([Expr::CgroupV2 { level: 1, into: Register::FIRST }, kubepods, Verdict::Accept.into()])
            .named("pods are not the kubelet"),
    );
    for kind in kinds {
        chain.rules.push(
            Rule::new(of_protocol(kind))
                .and(is_original())
                .and(Load::CtOf(kind.ct_destination, Direction::Reply).is(&kind.probe.into()))
                .and(set_mark())
                .and([Verdict::Accept.into()]),
        );
        chain.rules.push(
            Rule::new(Load::Meta(MetaKey::L4Protocol).is(&TCP))
                .and(is_new())
                .and(Load::Meta(MetaKey::SocketUid).is(&Field::Mark(0)))
                .and(of_protocol(kind))
                .and(within(&target(kind), &name("t", kind)))
                .and(set_mark()),
        );
    }
    chain
}

fn target(kind: &Kind) -> [Load; 2] {
    [Load::Payload(kind.destination), Load::Payload(DESTINATION_PORT)]
}

fn leaves_by_probe_link() -> [Expr; 2] {
    Load::Meta(MetaKey::OutputName).is(&Field::Device(Name::of("prb0")))
}

fn comes_by_probe_link() -> [Expr; 2] {
    Load::Meta(MetaKey::InputName).is(&Field::Device(Name::of("prb0")))
}

fn post(kinds: &[Kind; 2]) -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Nat, Hook::Postrouting, 100));
    for kind in kinds {
        let snat = Expr::Nat {
            kind: NatKind::Source,
            protocol: kind.protocol,
            address: Some(Register::FIRST.into()),
            port: None,
            flags: NatFlags::NONE,
        };
        let probe = Expr::constant(Field::from(kind.probe).bytes());
        chain.rules.push(Rule::new(leaves_by_probe_link()).and(of_protocol(kind)).and([probe, snat]));
    }
    chain
}

/// Nothing begins on the pods' side.
fn pre() -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Filter, Hook::Prerouting, -150));
    let known = CtKey::ESTABLISHED | CtKey::RELATED;
    let mark = Expr::constant(MARK.to_ne_bytes().to_vec());
    let set = Expr::SetMeta { key: MetaKey::Mark, from: Register::FIRST };
    chain.rules = vec![
        Rule::new(comes_by_probe_link()).and(is_original()).and([Verdict::Drop.into()]),
        Rule::new(comes_by_probe_link())
            .and(Load::Ct(CtKey::State).has_none(known))
            .and([Verdict::Drop.into()]),
        Rule::new(comes_by_probe_link()).and([mark, set]),
    ];
    chain
}

fn deny() -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Filter, Hook::Output, 0));
    let not_ours = Load::Meta(MetaKey::Mark).masked(MARK, Comparison::IsNot, MARK);
    let reject = Expr::Reject(Reject::Icmpx(RejectCode::NoRoute));
    chain.rules.push(Rule::new(leaves_by_probe_link()).and(not_ours).and([reject]));
    chain
}

fn ether_type(kind: &Kind) -> [Expr; 2] {
    Load::Meta(MetaKey::EtherType).is(&Field::Port(kind.ether_type))
}

fn set_mac() -> Expr {
    Expr::SetPayload {
        place: ETHER_DESTINATION,
        from: Register::FIRST,
        checksum: None,
        is_in_pseudo_header: false,
    }
}

fn forward() -> Expr {
    Expr::Forward { device: Register::FIRST, neighbour: None }
}

/// Out of the probe link into the pod's.
fn switch(kinds: &[Kind; 2]) -> Chain {
    let mut chain = Chain::base(Base::new(ChainKind::Filter, Hook::Ingress, 0).on(Name::of("prb1")));
    for kind in kinds {
        let data = Found::Load(Register::FIRST);
        chain.rules.push(
            Rule::new(ether_type(kind))
                .and(Load::Payload(kind.source).is(&kind.probe.into()))
                .and(Load::Meta(MetaKey::L4Protocol).is(&TCP))
                .and(look_up(&target(kind), &name("mac", kind), data))
                .and([set_mac()])
                .and(look_up(&target(kind), &name("if", kind), data))
                .and([forward()]),
        );
    }
    chain.rules.push(Rule::new([Verdict::Drop.into()]));
    chain
}

/// The pod's answers, and its refusals by ICMP, back to the host.
fn back(kinds: &[Kind; 2], pair: Pair) -> Chain {
    let mac = || Expr::constant(pair.mac.to_vec());
    let device = || Expr::constant(pair.switch_index.to_ne_bytes().to_vec());
    let mut rules = Vec::new();
    for kind in kinds {
        let to_probe =
            || Rule::new(ether_type(kind)).and(Load::Payload(kind.destination).is(&kind.probe.into()));
        let owner = |address, port| {
            let key = [Load::Meta(MetaKey::InputIndex), Load::Payload(address), Load::Payload(port)];
            within(&key, &name("own", kind))
        };
        let (protocol, unreachable, address, port) = kind.icmp;
        rules.push(
            to_probe()
                .and(Load::Meta(MetaKey::L4Protocol).is(&TCP))
                .and(owner(kind.source, SOURCE_PORT))
                .and([mac(), set_mac(), device(), forward()]),
        );
        rules.push(
            to_probe()
                .and(Load::Meta(MetaKey::L4Protocol).is(&Field::Protocol(protocol)))
                .and(Load::Payload(ICMP_TYPE).is(&Field::Protocol(unreachable)))
                .and(owner(address, port))
                .and([mac(), set_mac(), device(), forward()]),
        );
    }
    Chain::regular(rules)
}
