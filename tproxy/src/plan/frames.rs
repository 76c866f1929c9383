//! The table of frames: to a pod's device, and from it back to the node's stack.

use std::net::IpAddr;

use nft::place::{DESTINATION_PORT, ETHER_DESTINATION, ICMP_TYPE, SOURCE_PORT};
use nft::{
    Base, Chain, ChainKind, Expr, Field, FieldKind, Found, Hook, Load, MetaKey, Name, Register, Rule, Set,
    Table, TableId, Verdict, look_up, within,
};

use super::phrase::{TCP, drop_rule, is_tcp};
use super::{Node, PROBE_MAC, SWITCH_LINK, TABLE, Wire, wires};
use crate::metrics::{Counted, comment};

/// The only chain on its device that is ours; others may have more.
const PRIORITY: i32 = 0;

/// The table without targets.
pub(super) fn table(node: &Node) -> Table {
    let mut table = Table::new(TableId::netdev(TABLE));
    table.chains.insert(Name::of("to-pods"), to_pods(node));
    for (wire, _) in wires(&node.probe) {
        table.chains.insert(wire.answers.clone(), answers(wire, node.switch_index));
        let endpoint = [wire.address, FieldKind::Port];
        table.sets.insert(wire.macs.clone(), Set::map(&endpoint, &[FieldKind::Mac]));
        table.sets.insert(wire.devices.clone(), Set::map(&endpoint, &[FieldKind::Index]));
        table.sets.insert(wire.own.clone(), Set::of(&[FieldKind::Index, wire.address, FieldKind::Port]));
    }
    table
}

/// The chain on a pod's device. All that the pod sends passes here, so it asks two questions and no more.
pub(super) fn of_pod(device: &Name, node: &Node) -> Chain {
    let base = Base::new(ChainKind::Filter, Hook::Ingress, PRIORITY).on(device.clone());
    let mut chain = Chain::base(base);
    for (wire, probe) in wires(&node.probe) {
        chain.rules.push(
            Rule::new(is_frame(wire))
                .and(Load::Payload(wire.destination).is(&probe.into()))
                .and([Verdict::Goto(wire.answers.clone()).into()])
                .named(format!("what the pod sends to the {} probe address", wire.word)),
        );
    }
    chain
}

fn to_pods(node: &Node) -> Chain {
    let base = Base::new(ChainKind::Filter, Hook::Ingress, PRIORITY).on(Name::of(SWITCH_LINK));
    let mut chain = Chain::base(base);
    chain.rules.extend(wires(&node.probe).map(|(wire, probe)| to_pod(wire, probe)));
    chain.rules.push(drop_rule(comment(Counted::Untargeted), []));
    chain
}

/// Only with the probe address as source: a connection that is older than the rules was not translated, and must not
/// reach the pod as the node.
fn to_pod(wire: &Wire, probe: IpAddr) -> Rule {
    let endpoint = [Load::Payload(wire.destination), Load::Payload(DESTINATION_PORT)];
    let register = Register::FIRST;
    Rule::new(is_frame(wire))
        .and(Load::Payload(wire.source).is(&probe.into()))
        .and(is_tcp())
        .and(look_up(&endpoint, &wire.macs, Found::Load(register)))
        .and([set_destination()])
        .and(look_up(&endpoint, &wire.devices, Found::Load(register)))
        .and([Expr::Forward { device: register, neighbour: None }])
        .named("a probe goes to the device of the pod that has the endpoint")
}

/// This way goes round the port security of the pod's switch, so device, address and port have to belong together.
fn answers(wire: &Wire, switch_index: u32) -> Chain {
    let own = [Load::Meta(MetaKey::InputIndex), Load::Payload(wire.source), Load::Payload(SOURCE_PORT)];
    let (icmp, unreachable) = wire.unreachable;
    let (address, port) = wire.quoted;
    let quoted = [Load::Meta(MetaKey::InputIndex), Load::Payload(address), Load::Payload(port)];
    Chain::regular(vec![
        Rule::new(is_l4(TCP))
            .and(within(&own, &wire.own))
            .and(back(switch_index))
            .named("an answer of the pod's own endpoint"),
        Rule::new(is_l4(icmp))
            .and(Load::Payload(ICMP_TYPE).is(&Field::Protocol(unreachable)))
            .and(within(&quoted, &wire.own))
            .and(back(switch_index))
            .named("a refusal by ICMP of what was sent to the pod's own endpoint"),
        drop_rule(comment(Counted::NotOwn), []),
    ])
}

/// To the node's stack, by the pair.
fn back(switch_index: u32) -> [Expr; 4] {
    let device = Register::FIRST;
    [
        Expr::constant(PROBE_MAC.to_vec()),
        set_destination(),
        Expr::constant(Field::Index(switch_index).bytes()),
        Expr::Forward { device, neighbour: None },
    ]
}

fn set_destination() -> Expr {
    Expr::SetPayload {
        place: ETHER_DESTINATION,
        from: Register::FIRST,
        checksum: None,
        is_in_pseudo_header: false,
    }
}

fn is_frame(wire: &Wire) -> [Expr; 2] {
    // A port is what else has two bytes in network order.
    Load::Meta(MetaKey::EtherType).is(&Field::Port(wire.ether_type))
}

fn is_l4(number: u8) -> [Expr; 2] {
    Load::Meta(MetaKey::L4Protocol).is(&Field::Protocol(number))
}
