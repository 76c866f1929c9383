//! Expressions from `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.

use super::{name, verdict};
use crate::attribute::Attributes;
use crate::encode::CGROUPV2;
use crate::expr::{Expr, Found, NatFlags, RegisterRange};
use crate::key::{
    ByteOrder, Comparison, CtKey, Direction, FibResult, LimitUnit, LogLevel, MetaKey, NatKind, Protocol,
    Reject, RejectCode, SocketKey,
};
use crate::place::{Header, Place};
use crate::register::Register;

/// The expression; what is not known to the last attribute's value is [`Expr::Unknown`].
pub(super) fn expr(attributes: Attributes<'_>) -> Expr {
    let name = attributes.text(1).unwrap_or_default();
    let data = attributes.nested(2).unwrap_or(Attributes(&[]));
    known(name, data).unwrap_or_else(|| Expr::Unknown { name: name.into(), attributes: data.0.into() })
}

fn known(expression: &str, a: Attributes<'_>) -> Option<Expr> {
    match expression {
        "meta" => meta(a),
        "payload" => payload(a),
        "ct" => ct(a),
        "cmp" => Some(Expr::Cmp {
            register: register(a, 1)?,
            comparison: Comparison::from_number(a.number(2)?)?,
            value: value(a, 3)?,
        }),
        "range" => Some(Expr::Range {
            register: register(a, 1)?,
            is_inverted: flag(a.number(2)?)?,
            first: value(a, 3)?,
            last: value(a, 4)?,
        }),
        "bitwise" => bitwise(a),
        "byteorder" => Some(Expr::ByteOrder {
            from: register(a, 1)?,
            into: register(a, 2)?,
            order: ByteOrder::from_number(a.number(3)?)?,
            len: a.number(4)?,
            unit: a.number(5)?,
        }),
        "lookup" => lookup(a),
        "immediate" => immediate(a),
        "fwd" => forward(a),
        "nat" => nat(a),
        "masq" => Some(Expr::Masquerade { flags: nat_flags(a, 1), port: range(a, [2, 3])? }),
        "reject" => reject(a),
        "socket" => socket(a),
        "counter" => Some(Expr::Counter { bytes: a.long(1).unwrap_or(0), packets: a.long(2).unwrap_or(0) }),
        "limit" => Some(Expr::Limit {
            rate: a.long(1)?,
            seconds: a.long(2)?,
            burst: a.number(3).unwrap_or(0),
            unit: LimitUnit::from_number(a.number(4).unwrap_or(0))?,
            is_over: flag(a.number(5).unwrap_or(0))?,
        }),
        "tproxy" => tproxy(a),
        "notrack" => Some(Expr::NoTrack),
        "fib" => Some(Expr::Fib {
            result: FibResult::from_number(a.number(2)?)?,
            flags: a.number(3)?,
            into: register(a, 1)?,
        }),
        "log" => log(a),
        "numgen" => Some(Expr::Number {
            into: register(a, 1)?,
            modulus: a.number(2)?,
            is_random: flag(a.number(3)?)?,
            offset: a.number(4).unwrap_or(0),
        }),
        _ => None,
    }
}

fn meta(a: Attributes<'_>) -> Option<Expr> {
    let key = MetaKey::from_number(a.number(2)?)?;
    Some(match a.get(3) {
        Some(_) => Expr::SetMeta { key, from: register(a, 3)? },
        None => Expr::Meta { key, into: register(a, 1)? },
    })
}

fn payload(a: Attributes<'_>) -> Option<Expr> {
    let place = Place { header: Header::from_number(a.number(2)?)?, offset: a.number(3)?, len: a.number(4)? };
    if a.get(5).is_none() {
        return Some(Expr::Payload { place, into: register(a, 1)? });
    }
    let checksum = match a.number(6).unwrap_or(0) {
        0 => None,
        1 => Some(a.number(7)?),
        _ => return None,
    };
    let is_in_pseudo_header = flag(a.number(8).unwrap_or(0))?;
    Some(Expr::SetPayload { place, from: register(a, 5)?, checksum, is_in_pseudo_header })
}

fn ct(a: Attributes<'_>) -> Option<Expr> {
    let key = CtKey::from_number(a.number(2)?)?;
    if a.get(4).is_some() {
        return Some(Expr::SetCt { key, from: register(a, 4)? });
    }
    let direction = match a.byte(3) {
        Some(number) => Some(Direction::from_number(number.into())?),
        None => None,
    };
    Some(Expr::Ct { key, direction, into: register(a, 1)? })
}

fn bitwise(a: Attributes<'_>) -> Option<Expr> {
    // Other operations than mask and xor (`NFT_BITWISE_MASK_XOR`) have other operands.
    let is_mask_xor = a.number(6).unwrap_or(0) == 0;
    let (mask, xor) = (value(a, 4)?, value(a, 5)?);
    is_mask_xor.then_some(Expr::Bitwise { from: register(a, 1)?, into: register(a, 2)?, mask, xor })
}

fn lookup(a: Attributes<'_>) -> Option<Expr> {
    let is_inverted = flag(a.number(5).unwrap_or(0))?;
    let found = match (a.number(3), is_inverted) {
        (None, false) => Found::GoOn,
        (None, true) => Found::Stop,
        (Some(0), false) => Found::Obey,
        (Some(number), false) => Found::Load(Register::from_number(number)?),
        (Some(_), true) => return None,
    };
    Some(Expr::Lookup { set: name(a, 1)?, key: register(a, 2)?, found })
}

fn immediate(a: Attributes<'_>) -> Option<Expr> {
    Some(match a.number(1)? {
        0 => Expr::Verdict(verdict(a.nested(2)?)?),
        number => Expr::Immediate { value: value(a, 2)?, into: Register::from_number(number)? },
    })
}

fn forward(a: Attributes<'_>) -> Option<Expr> {
    let neighbour = match a.get(2) {
        Some(_) => Some((register(a, 2)?, Protocol::from_number(a.number(3)?)?)),
        None => None,
    };
    Some(Expr::Forward { device: register(a, 1)?, neighbour })
}

fn nat(a: Attributes<'_>) -> Option<Expr> {
    Some(Expr::Nat {
        kind: NatKind::from_number(a.number(1)?)?,
        protocol: Protocol::from_number(a.number(2)?)?,
        address: range(a, [3, 4])?,
        port: range(a, [5, 6])?,
        flags: nat_flags(a, 7),
    })
}

fn reject(a: Attributes<'_>) -> Option<Expr> {
    Some(Expr::Reject(match a.number(1)? {
        0 => Reject::Icmp(a.byte(2)?),
        1 => Reject::TcpReset,
        2 => Reject::Icmpx(RejectCode::from_number(a.byte(2)?.into())?),
        _ => return None,
    }))
}

fn socket(a: Attributes<'_>) -> Option<Expr> {
    let into = register(a, 2)?;
    Some(match a.number(1)? {
        CGROUPV2 => Expr::CgroupV2 { level: a.number(3)?, into },
        key => Expr::Socket { key: SocketKey::from_number(key)?, into },
    })
}

fn tproxy(a: Attributes<'_>) -> Option<Expr> {
    let protocol = match a.number(1)? {
        0 => None,
        number => Some(Protocol::from_number(number)?),
    };
    Some(Expr::TProxy { protocol, address: optional(a, 2)?, port: optional(a, 3)? })
}

fn log(a: Attributes<'_>) -> Option<Expr> {
    let prefix = name(a, 2)?;
    Some(match a.short(1) {
        Some(group) => Expr::LogGroup { prefix, group },
        None => {
            Expr::Log { prefix, level: a.number(5).map_or(Some(LogLevel::Warning), LogLevel::from_number)? }
        }
    })
}

fn register(a: Attributes<'_>, kind: u16) -> Option<Register> {
    Register::from_number(a.number(kind)?)
}

/// `Some(None)` when the attribute is absent, `None` when it is no register.
fn optional(a: Attributes<'_>, kind: u16) -> Option<Option<Register>> {
    match a.get(kind) {
        Some(_) => register(a, kind).map(Some),
        None => Some(None),
    }
}

fn range(a: Attributes<'_>, [min, max]: [u16; 2]) -> Option<Option<RegisterRange>> {
    let Some(first) = optional(a, min)? else { return Some(None) };
    Some(Some(RegisterRange { min: first, max: optional(a, max)?.unwrap_or(first) }))
}

fn nat_flags(a: Attributes<'_>, kind: u16) -> NatFlags {
    NatFlags::from_number(a.number(kind).unwrap_or(0))
}

/// `NFTA_DATA_VALUE` in the attribute `kind`.
fn value(a: Attributes<'_>, kind: u16) -> Option<Vec<u8>> {
    a.nested(kind)?.get(1).map(<[u8]>::to_vec)
}

/// A number that is only ever 0 or 1.
fn flag(number: u32) -> Option<bool> {
    match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
