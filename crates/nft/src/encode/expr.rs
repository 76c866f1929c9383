//! Expressions as `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.

use super::verdict_attributes;
use crate::attribute::Writer;
use crate::expr::{Expr, Found, NatFlags, RegisterRange};
use crate::key::{Comparison, LimitUnit, Protocol, Reject};
use crate::place::Place;
use crate::register::Register;
use crate::verdict::Verdict;

/// `NFTA_SOCKET_KEY` of the cgroup (`NFT_SOCKET_CGROUPV2`).
pub(crate) const CGROUPV2: u32 = 3;

pub(super) fn attributes(writer: &mut Writer, expr: &Expr) {
    writer.text(1, name(expr));
    if !matches!(expr, Expr::NoTrack) {
        writer.nest(2, |data| fields(data, expr));
    }
}

fn name(expr: &Expr) -> &str {
    match expr {
        Expr::Meta { .. } | Expr::SetMeta { .. } => "meta",
        Expr::Payload { .. } | Expr::SetPayload { .. } => "payload",
        Expr::Ct { .. } | Expr::SetCt { .. } => "ct",
        Expr::Cmp { .. } => "cmp",
        Expr::Range { .. } => "range",
        Expr::Bitwise { .. } => "bitwise",
        Expr::ByteOrder { .. } => "byteorder",
        Expr::Lookup { .. } => "lookup",
        Expr::Immediate { .. } | Expr::Verdict(_) => "immediate",
        Expr::Forward { .. } => "fwd",
        Expr::Nat { .. } => "nat",
        Expr::Masquerade { .. } => "masq",
        Expr::Reject(_) => "reject",
        Expr::Socket { .. } | Expr::CgroupV2 { .. } => "socket",
        Expr::Counter { .. } => "counter",
        Expr::Limit { .. } => "limit",
        Expr::TProxy { .. } => "tproxy",
        Expr::NoTrack => "notrack",
        Expr::Fib { .. } => "fib",
        Expr::Log { .. } | Expr::LogGroup { .. } => "log",
        Expr::Number { .. } => "numgen",
        Expr::Unknown { name, .. } => name,
    }
}

/// The attributes of each expression, in nft's order.
fn fields(w: &mut Writer, expr: &Expr) {
    match expr {
        Expr::Meta { key, into } => numbers(w, &[(2, key.number()), (1, into.number())]),
        Expr::SetMeta { key, from } => numbers(w, &[(2, key.number()), (3, from.number())]),
        Expr::Payload { place, into } => payload(w, (1, *into), *place),
        Expr::SetPayload { place, from, checksum, is_in_pseudo_header } => {
            payload(w, (5, *from), *place);
            checksums(w, *checksum, *is_in_pseudo_header);
        }
        Expr::Ct { key, direction, into } => {
            numbers(w, &[(2, key.number()), (1, into.number())]);
            direction.iter().for_each(|direction| w.bytes(3, &[low_byte(direction.number())]));
        }
        Expr::SetCt { key, from } => numbers(w, &[(2, key.number()), (4, from.number())]),
        Expr::Cmp { register, comparison, value } => {
            compare(w, (*register, *comparison), value);
        }
        Expr::Range { register, first, last, is_inverted } => {
            within(w, *register, *is_inverted, first, last);
        }
        Expr::Bitwise { from, into, mask, xor } => bitwise(w, *from, *into, mask, xor),
        Expr::ByteOrder { from, into, order, len, unit } => {
            numbers(w, &[(1, from.number()), (2, into.number()), (3, order.number()), (4, *len), (5, *unit)]);
        }
        Expr::Lookup { set, key, found } => lookup(w, set.as_str(), *key, *found),
        Expr::Immediate { value, into } => constant(w, value, *into),
        Expr::Verdict(reached) => verdict(w, reached),
        Expr::Forward { device, neighbour } => forward(w, *device, *neighbour),
        Expr::Nat { kind, protocol, address, port, flags } => {
            numbers(w, &[(1, kind.number()), (2, protocol.number())]);
            nat_ranges(w, *address, *port, *flags);
        }
        Expr::Masquerade { port, flags } => {
            nat_flags(w, 1, *flags, port.is_some());
            range(w, [2, 3], *port);
        }
        Expr::Reject(kind) => reject(w, *kind),
        Expr::Socket { key, into } => numbers(w, &[(1, key.number()), (2, into.number()), (3, 0)]),
        Expr::CgroupV2 { level, into } => numbers(w, &[(1, CGROUPV2), (2, into.number()), (3, *level)]),
        Expr::Counter { packets, bytes } => counter(w, *packets, *bytes),
        Expr::Limit { rate, seconds, burst, unit, is_over } => {
            limit(w, [*rate, *seconds], *burst, *unit, *is_over);
        }
        Expr::TProxy { protocol, address, port } => tproxy(w, *protocol, *address, *port),
        Expr::NoTrack => {}
        Expr::Fib { result, flags, into } => {
            numbers(w, &[(3, *flags), (2, result.number()), (1, into.number())]);
        }
        Expr::Log { prefix, level } => {
            log(w, prefix.as_str(), 5, &level.number().to_be_bytes());
        }
        Expr::LogGroup { prefix, group } => {
            log(w, prefix.as_str(), 1, &group.to_be_bytes());
        }
        Expr::Number { modulus, offset, is_random, into } => {
            numbers(w, &[(1, into.number()), (2, *modulus), (3, u32::from(*is_random)), (4, *offset)]);
        }
        Expr::Unknown { attributes, .. } => w.raw(attributes),
    }
}

fn compare(w: &mut Writer, (register, comparison): (Register, Comparison), value: &[u8]) {
    numbers(w, &[(1, register.number()), (2, comparison.number())]);
    data(w, 3, value);
}

fn within(w: &mut Writer, register: Register, is_inverted: bool, first: &[u8], last: &[u8]) {
    numbers(w, &[(1, register.number()), (2, u32::from(is_inverted))]);
    data(w, 3, first);
    data(w, 4, last);
}

fn constant(w: &mut Writer, value: &[u8], into: Register) {
    w.number(1, into.number());
    data(w, 2, value);
}

fn verdict(w: &mut Writer, reached: &Verdict) {
    w.number(1, 0);
    w.nest(2, |inner| verdict_attributes(inner, reached));
}

fn nat_ranges(w: &mut Writer, address: Option<RegisterRange>, port: Option<RegisterRange>, flags: NatFlags) {
    range(w, [3, 4], address);
    range(w, [5, 6], port);
    nat_flags(w, 7, flags, port.is_some());
}

/// The prefix, and the level or the group.
fn log(w: &mut Writer, prefix: &str, kind: u16, value: &[u8]) {
    w.text(2, prefix);
    w.bytes(kind, value);
}

fn payload(w: &mut Writer, (kind, register): (u16, Register), place: Place) {
    let (header, offset) = (place.header.number(), place.offset);
    numbers(w, &[(kind, register.number()), (2, header), (3, offset), (4, place.len)]);
}

fn checksums(w: &mut Writer, checksum: Option<u32>, is_in_pseudo_header: bool) {
    if let Some(offset) = checksum {
        // `NFT_PAYLOAD_CSUM_INET`
        numbers(w, &[(6, 1), (7, offset)]);
    }
    if is_in_pseudo_header {
        w.number(8, 1);
    }
}

fn bitwise(w: &mut Writer, from: Register, into: Register, mask: &[u8], xor: &[u8]) {
    let len = u32::try_from(mask.len()).unwrap_or(u32::MAX);
    numbers(w, &[(1, from.number()), (2, into.number()), (3, len)]);
    data(w, 4, mask);
    data(w, 5, xor);
}

fn lookup(w: &mut Writer, set: &str, key: Register, found: Found) {
    w.number(2, key.number());
    match found {
        Found::Load(into) => w.number(3, into.number()),
        Found::Obey => w.number(3, 0),
        Found::GoOn | Found::Stop => {}
    }
    w.text(1, set);
    if found == Found::Stop {
        w.number(5, 1);
    }
}

fn forward(w: &mut Writer, device: Register, neighbour: Option<(Register, Protocol)>) {
    w.number(1, device.number());
    if let Some((address, protocol)) = neighbour {
        numbers(w, &[(2, address.number()), (3, protocol.number())]);
    }
}

fn reject(w: &mut Writer, reject: Reject) {
    let (kind, code) = match reject {
        Reject::Icmp(code) => (0, code),
        Reject::TcpReset => (1, 0),
        Reject::Icmpx(code) => (2, low_byte(code.number())),
    };
    w.number(1, kind);
    w.bytes(2, &[code]);
}

fn counter(w: &mut Writer, packets: u64, bytes: u64) {
    if (packets, bytes) != (0, 0) {
        w.long(1, bytes);
        w.long(2, packets);
    }
}

fn limit(w: &mut Writer, [rate, seconds]: [u64; 2], burst: u32, unit: LimitUnit, is_over: bool) {
    w.long(1, rate);
    w.long(2, seconds);
    if burst != 0 {
        w.number(3, burst);
    }
    numbers(w, &[(4, unit.number()), (5, u32::from(is_over))]);
}

fn tproxy(w: &mut Writer, protocol: Option<Protocol>, address: Option<Register>, port: Option<Register>) {
    w.number(1, protocol.map_or(0, Protocol::number));
    address.iter().for_each(|register| w.number(2, register.number()));
    port.iter().for_each(|register| w.number(3, register.number()));
}

fn numbers(w: &mut Writer, attributes: &[(u16, u32)]) {
    attributes.iter().for_each(|(kind, value)| w.number(*kind, *value));
}

/// `NFTA_DATA_VALUE` in the attribute `kind`.
fn data(w: &mut Writer, kind: u16, value: &[u8]) {
    w.nest(kind, |inner| inner.bytes(1, value));
}

/// One register when both are the same, as nft does.
fn range(w: &mut Writer, [min, max]: [u16; 2], range: Option<RegisterRange>) {
    let Some(range) = range else { return };
    w.number(min, range.min.number());
    if range.max != range.min {
        w.number(max, range.max.number());
    }
}

/// `NF_NAT_RANGE_*`, with `PROTO_SPECIFIED` where there is a port, as nft does.
fn nat_flags(w: &mut Writer, kind: u16, flags: NatFlags, has_port: bool) {
    let number = flags.0 | if has_port { NatFlags::PORT } else { 0 };
    if number != 0 {
        w.number(kind, number);
    }
}

/// The byte of an enumeration whose numbers are small.
fn low_byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}
