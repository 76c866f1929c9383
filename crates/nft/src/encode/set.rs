//! Sets as `NFTA_SET_*` and their elements as `NFTA_SET_ELEM_*`.

use std::time::Duration;

use super::verdict_attributes;
use crate::attribute::Writer;
use crate::set::{Data, Element, FieldKinds, Key, MapKind, Ranges, Set, SetFlags};
use crate::value::FieldKind;

/// `NFT_DATA_VERDICT`: the data of a verdict map.
pub(crate) const VERDICT_DATA: u32 = 0xffff_ff00;
/// `NFT_SET_ELEM_INTERVAL_END`.
pub(crate) const INTERVAL_END: u32 = 1;
/// Bits that one field takes in the number of a concatenation (`TYPE_BITS` in nft).
pub(crate) const KIND_BITS: u32 = 6;

/// `NFTA_SET_*`.
pub(super) fn attributes(writer: &mut Writer, set: &Set) {
    let (number, len) = key_number(&set.key);
    let ranged = field_lens(set).filter(|_| set.flags.contains(SetFlags::INTERVAL));
    let concatenated = if ranged.is_some() { SetFlags::CONCAT } else { 0 };
    let mapped = if set.data.is_some() { SetFlags::MAP } else { 0 };
    writer.number(3, set.flags.0 | mapped | concatenated);
    writer.number(4, number);
    writer.number(5, len);
    if let Some(data) = &set.data {
        let (number, len) = match data {
            MapKind::Verdict => (VERDICT_DATA, 0),
            MapKind::Value(kinds) => key_number(kinds),
        };
        writer.number(6, number);
        writer.number(7, len);
    }
    if let Some(lens) = ranged {
        writer.nest(9, |description| {
            description.nest(2, |list| lens.iter().for_each(|len| list.nest(1, |w| w.number(1, *len))));
        });
    }
    if let Some(timeout) = set.timeout {
        writer.long(11, milliseconds(timeout));
    }
    writer.bytes(13, &print_orders(set));
}

/// Without these notes nft prints numbers of the machine's order turned round: `NFTNL_UDATA_SET_KEYBYTEORDER` and
/// `NFTNL_UDATA_SET_DATABYTEORDER`, each a type, a length, and nft's `enum byteorder`.
fn print_orders(set: &Set) -> Vec<u8> {
    let note = |kind: u8, order: u32| [&[kind, 4], order.to_ne_bytes().as_slice()].concat();
    let mut notes = note(0, print_order(&set.key));
    match &set.data {
        Some(MapKind::Value(kinds)) => notes.extend(note(1, print_order(kinds))),
        Some(MapKind::Verdict) => notes.extend(note(1, 0)),
        None => {}
    }
    notes
}

/// 1 for the machine's order, 2 for the network's, 0 where fields speak for themselves.
fn print_order(kinds: &FieldKinds) -> u32 {
    match kinds {
        FieldKinds::Known(kinds) if kinds.len() == 1 => match kinds[0] {
            FieldKind::Mark | FieldKind::Index | FieldKind::Device => 1,
            FieldKind::Ipv4 | FieldKind::Ipv6 | FieldKind::Mac | FieldKind::Protocol | FieldKind::Port => 2,
        },
        FieldKinds::Known(_) | FieldKinds::Foreign { .. } => 0,
    }
}

/// The lengths of a concatenation's fields; `None` for a key that is none.
fn field_lens(set: &Set) -> Option<Vec<u32>> {
    match &set.key {
        FieldKinds::Known(kinds) if kinds.len() > 1 => {
            Some(kinds.iter().map(|kind| kind.byte_len()).collect())
        }
        FieldKinds::Known(_) | FieldKinds::Foreign { .. } => None,
    }
}

/// nft's number for the fields and their length in bytes.
fn key_number(kinds: &FieldKinds) -> (u32, u32) {
    match kinds {
        FieldKinds::Known(kinds) => match kinds.as_slice() {
            [kind] => (kind.number(), kind.byte_len()),
            kinds => kinds.iter().fold((0, 0), |(number, len), kind| {
                (number << KIND_BITS | kind.number(), len + kind.byte_len().next_multiple_of(4))
            }),
        },
        FieldKinds::Foreign { number, len } => (*number, *len),
    }
}

/// `NFTA_LIST_ELEM` with `NFTA_SET_ELEM_*`, once, or twice for a range kept as two boundaries.
pub(super) fn element(list: &mut Writer, key: &Key, element: &Element, ranges: Ranges) {
    list.nest(1, |writer| {
        if let Some(timeout) = element.timeout {
            writer.long(4, milliseconds(timeout));
        }
        writer.nest(1, |value| value.bytes(1, key.first()));
        if ranges == Ranges::ClosingKeys {
            writer.nest(10, |value| value.bytes(1, key.last()));
        }
        match &element.data {
            Some(Data::Value(bytes)) => writer.nest(2, |value| value.bytes(1, bytes)),
            Some(Data::Verdict(verdict)) => writer.nest(2, |value| verdict_attributes(value, verdict)),
            None => {}
        }
    });
    // A range to the end of all values has no second boundary.
    let end = if ranges == Ranges::Boundaries { successor(key.last()) } else { None };
    if let Some(end) = end {
        list.nest(1, |writer| {
            writer.number(3, INTERVAL_END);
            writer.nest(1, |value| value.bytes(1, &end));
        });
    }
}

/// The value after `bytes`, read as a number with its greatest byte first; `None` after the greatest.
fn successor(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut next = bytes.to_vec();
    for byte in next.iter_mut().rev() {
        let (value, is_carried) = byte.overflowing_add(1);
        *byte = value;
        if !is_carried {
            return Some(next);
        }
    }
    None
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
