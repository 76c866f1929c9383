//! Tables drawn at random that a kernel would take.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part, and may panic"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use nft::{
    Base, ByteOrder, Chain, ChainKind, Comparison, CtKey, Data, Direction, Element, Expr, FibResult, Field,
    FieldKind, Found, Header, Hook, Key, LimitUnit, LogLevel, MetaKey, Name, NatFlags, NatKind, Place,
    Policy, Protocol, Register, RegisterRange, Reject, RejectCode, Rule, Set, SetFlags, SocketKey, Table,
    TableId, Verdict,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

static NAMES: [Name; 4] = [Name::of("a"), Name::of("b"), Name::of("c"), Name::of("d")];

pub fn tables() -> impl Strategy<Value = Table> + Clone {
    (btree_map(name(), set(), 0..4), btree_map(name(), chain(), 0..4)).prop_map(|(sets, chains)| {
        let mut table = Table::new(TableId::inet(Name::of("t")));
        (table.sets, table.chains) = (sets, chains);
        drop_loose_ends(&mut table);
        table
    })
}

/// A kernel takes no rule and no verdict that leads to nothing, or to a chain at a hook.
fn drop_loose_ends(table: &mut Table) {
    let targets: Vec<_> =
        table.chains.iter().filter(|(_, c)| c.base.is_none()).map(|(name, _)| name.clone()).collect();
    let leads = |verdict: &Verdict| verdict.chain().is_none_or(|chain| targets.contains(chain));
    let sets: Vec<_> = table.sets.keys().cloned().collect();
    for set in table.sets.values_mut() {
        set.elements.retain(|_, e| !matches!(&e.data, Some(Data::Verdict(verdict)) if !leads(verdict)));
    }
    for rule in table.chains.values_mut().flat_map(|chain| &mut chain.rules) {
        rule.exprs.retain(|expr| {
            let is_lost = matches!(expr, Expr::Lookup { set, .. } if !sets.contains(set))
                || matches!(expr, Expr::Verdict(verdict) if !leads(verdict));
            !is_lost
        });
    }
}

fn name() -> impl Strategy<Value = Name> + Clone {
    prop::sample::select(&NAMES)
}

fn one<T: Clone + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = T> + Clone {
    prop::sample::select(values)
}

fn chain() -> impl Strategy<Value = Chain> + Clone {
    (option::of(base()), vec(rule(), 0..4)).prop_map(|(base, rules)| Chain { base, rules })
}

fn base() -> impl Strategy<Value = Base> + Clone {
    let hooks = one(&[Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting]);
    let kinds = one(&[ChainKind::Filter, ChainKind::Nat, ChainKind::Route]);
    let devices = prop::collection::btree_set(name(), 0..3);
    let policies = one(&[Policy::Accept, Policy::Drop]);
    (kinds, hooks, any::<i32>(), policies, devices).prop_map(|(kind, hook, priority, policy, devices)| Base {
        kind,
        hook,
        priority,
        policy,
        devices,
    })
}

fn rule() -> impl Strategy<Value = Rule> + Clone {
    (option::of("[a-z]{0,20}"), vec(expr(), 0..5)).prop_map(|(comment, exprs)| Rule { comment, exprs })
}

fn set() -> impl Strategy<Value = Set> + Clone {
    let keys = one(&[
        &[FieldKind::Port] as &[_],
        &[FieldKind::Ipv4, FieldKind::Port],
        &[FieldKind::Index, FieldKind::Ipv6, FieldKind::Port],
        &[FieldKind::Device, FieldKind::Mac, FieldKind::Protocol, FieldKind::Mark],
    ]);
    let data =
        one(&[None, Some(&[] as &[_]), Some(&[FieldKind::Ipv6]), Some(&[FieldKind::Ipv4, FieldKind::Port])]);
    let flags = one(&[SetFlags::NONE, SetFlags::INTERVAL, SetFlags::TIMEOUT]);
    (keys, data, flags, option::of(1..9_u64)).prop_flat_map(|(key, data, flags, timeout)| {
        let elements = btree_map(any::<u16>(), element(data, flags == SetFlags::TIMEOUT), 0..5);
        elements.prop_map(move |elements| {
            let mut set = match data {
                None => Set::of(key),
                Some([]) => Set::verdicts(key),
                Some(data) => Set::map(key, data),
            };
            set.flags = flags;
            set.timeout = timeout.filter(|_| flags == SetFlags::TIMEOUT).map(Duration::from_secs);
            set.elements = spread(key, flags == SetFlags::INTERVAL, elements);
            set
        })
    })
}

fn element(data: Option<&'static [FieldKind]>, may_expire: bool) -> impl Strategy<Value = Element> + Clone {
    let data = match data {
        None => Just(None).boxed(),
        Some([]) => verdict().prop_map(|verdict| Some(verdict.into())).boxed(),
        Some(kinds) => any::<u16>().prop_map(|seed| Some(fields(kinds, seed).as_slice().into())).boxed(),
    };
    (data, option::of(1..9_u64)).prop_map(move |(data, timeout)| Element {
        data,
        timeout: timeout.filter(|_| may_expire).map(Duration::from_secs),
    })
}

/// Keys from numbers; ranges reach to just before the next number, and the last one to the end.
fn spread(kinds: &[FieldKind], are_ranges: bool, elements: BTreeMap<u16, Element>) -> BTreeMap<Key, Element> {
    let starts: Vec<u16> = elements.keys().copied().collect();
    let keyed = elements.into_iter().map(|(start, element)| {
        let next = starts.iter().find(|other| **other > start);
        let last = next.map_or(u16::MAX, |next| next - 1);
        let (first, last) = (fields(kinds, start), fields(kinds, last));
        (if are_ranges { Key::range(&first, &last) } else { Key::of(&first) }, element)
    });
    keyed.collect()
}

fn fields(kinds: &[FieldKind], seed: u16) -> Vec<Field> {
    let field = |kind: &FieldKind| match kind {
        FieldKind::Ipv4 => Field::Ipv4(u32::from(seed).into()),
        FieldKind::Ipv6 => Field::Ipv6(u128::from(seed).into()),
        FieldKind::Mac => Field::Mac([2, 0, 0, 0, seed.to_be_bytes()[0], seed.to_be_bytes()[1]]),
        FieldKind::Protocol => Field::Protocol(6),
        FieldKind::Port => Field::Port(seed),
        FieldKind::Mark => Field::Mark(seed.into()),
        FieldKind::Index => Field::Index(seed.into()),
        FieldKind::Device => Field::Device(Name::of("eth0")),
    };
    kinds.iter().map(field).collect()
}

fn verdict() -> impl Strategy<Value = Verdict> + Clone {
    prop_oneof![
        one(&[Verdict::Accept, Verdict::Drop, Verdict::Continue, Verdict::Break, Verdict::Return]),
        name().prop_map(Verdict::Jump),
        name().prop_map(Verdict::Goto),
    ]
}

fn register() -> impl Strategy<Value = Register> + Clone {
    (0..16_u8).prop_map(|index| Register::word(index).unwrap())
}

fn range() -> impl Strategy<Value = Option<RegisterRange>> + Clone {
    option::of((register(), register()).prop_map(|(min, max)| RegisterRange { min, max }))
}

fn bytes() -> impl Strategy<Value = Vec<u8>> + Clone {
    vec(any::<u8>(), 1..17)
}

fn expr() -> impl Strategy<Value = Expr> + Clone {
    prop_oneof![loads(), compares(), looks(), translates(), rest()]
}

fn loads() -> impl Strategy<Value = Expr> + Clone {
    let metas = one(&[MetaKey::Mark, MetaKey::InputIndex, MetaKey::L4Protocol, MetaKey::SocketUid]);
    let cts = one(&[CtKey::State, CtKey::Mark, CtKey::DestinationIpv6, CtKey::DestinationPort]);
    let directions = option::of(one(&[Direction::Original, Direction::Reply]));
    let headers = one(&[Header::Link, Header::Network, Header::Transport]);
    let place = (headers, 0..60_u32, 1..17_u32).prop_map(|(header, at, len)| Place::new(header, at, len));
    let write = (place.clone(), register(), option::of(0..20_u32), any::<bool>());
    let sockets = one(&[SocketKey::Transparent, SocketKey::Mark, SocketKey::Wildcard]);
    prop_oneof![
        (metas.clone(), register()).prop_map(|(key, into)| Expr::Meta { key, into }),
        (metas, register()).prop_map(|(key, from)| Expr::SetMeta { key, from }),
        (cts.clone(), directions, register()).prop_map(|(key, direction, into)| Expr::Ct {
            key,
            direction,
            into
        }),
        (cts, register()).prop_map(|(key, from)| Expr::SetCt { key, from }),
        (place, register()).prop_map(|(place, into)| Expr::Payload { place, into }),
        write.prop_map(|(place, from, checksum, is_in_pseudo_header)| Expr::SetPayload {
            place,
            from,
            checksum,
            is_in_pseudo_header
        }),
        (sockets, register()).prop_map(|(key, into)| Expr::Socket { key, into }),
        (1..9_u32, register()).prop_map(|(level, into)| Expr::CgroupV2 { level, into }),
        (bytes(), register()).prop_map(|(value, into)| Expr::Immediate { value, into }),
        (1..9_u32, 0..9_u32, any::<bool>(), register()).prop_map(|(modulus, offset, is_random, into)| {
            Expr::Number { modulus, offset, is_random, into }
        }),
        (one(&[FibResult::OutputIndex, FibResult::AddressType]), 1..64_u32, register())
            .prop_map(|(result, flags, into)| Expr::Fib { result, flags, into }),
    ]
}

fn compares() -> impl Strategy<Value = Expr> + Clone {
    let comparisons = one(&[Comparison::Is, Comparison::IsNot, Comparison::Below, Comparison::AtLeast]);
    let pair = bytes().prop_flat_map(|mask| (Just(mask.clone()), vec(any::<u8>(), mask.len())));
    let orders = one(&[ByteOrder::ToHost, ByteOrder::ToNetwork]);
    prop_oneof![
        (register(), comparisons, bytes()).prop_map(|(register, comparison, value)| Expr::Cmp {
            register,
            comparison,
            value
        }),
        (register(), pair.clone(), any::<bool>()).prop_map(|(register, (first, last), is_inverted)| {
            Expr::Range { register, first, last, is_inverted }
        }),
        (register(), register(), pair).prop_map(|(from, into, (mask, xor))| Expr::Bitwise {
            from,
            into,
            mask,
            xor
        }),
        (register(), register(), orders, 1..17_u32).prop_map(|(from, into, order, len)| Expr::ByteOrder {
            from,
            into,
            order,
            len,
            unit: 2
        }),
    ]
}

fn looks() -> impl Strategy<Value = Expr> + Clone {
    let found = prop_oneof![one(&[Found::GoOn, Found::Stop, Found::Obey]), register().prop_map(Found::Load)];
    (name(), register(), found).prop_map(|(set, key, found)| Expr::Lookup { set, key, found })
}

fn translates() -> impl Strategy<Value = Expr> + Clone {
    let flags = || one(&[NatFlags::NONE, NatFlags::RANDOM, NatFlags::PERSISTENT, NatFlags::FULLY_RANDOM]);
    let kinds = one(&[NatKind::Source, NatKind::Destination]);
    let protocols = || one(&[Protocol::Ipv4, Protocol::Ipv6]);
    let relay = (option::of(protocols()), option::of(register()), option::of(register()));
    prop_oneof![
        (kinds, protocols(), range(), range(), flags()).prop_map(|(kind, protocol, address, port, flags)| {
            Expr::Nat { kind, protocol, address, port, flags }
        }),
        (range(), flags()).prop_map(|(port, flags)| Expr::Masquerade { port, flags }),
        relay.prop_map(|(protocol, address, port)| Expr::TProxy { protocol, address, port }),
        (register(), option::of((register(), protocols())))
            .prop_map(|(device, neighbour)| Expr::Forward { device, neighbour }),
    ]
}

fn rest() -> impl Strategy<Value = Expr> + Clone {
    let rejects = one(&[Reject::TcpReset, Reject::Icmpx(RejectCode::NoRoute), Reject::Icmp(3)]);
    let limit =
        (1..1_000_u64, 1..9_u64, 1..9_u32, one(&[LimitUnit::Packets, LimitUnit::Bytes]), any::<bool>());
    prop_oneof![
        verdict().prop_map(Expr::Verdict),
        rejects.prop_map(Expr::Reject),
        Just(Expr::NoTrack),
        (any::<u64>(), any::<u64>()).prop_map(|(packets, bytes)| Expr::Counter { packets, bytes }),
        limit.prop_map(|(rate, seconds, burst, unit, is_over)| Expr::Limit {
            rate,
            seconds,
            burst,
            unit,
            is_over
        }),
        (name(), one(&[LogLevel::Warning, LogLevel::Debug]))
            .prop_map(|(prefix, level)| Expr::Log { prefix, level }),
        (name(), any::<u16>()).prop_map(|(prefix, group)| Expr::LogGroup { prefix, group }),
        Just(Expr::Unknown { name: "quota".into(), attributes: vec![8, 0, 1, 0, 0, 0, 0, 9] }),
    ]
}
