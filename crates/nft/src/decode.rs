//! nfnetlink messages as values: what [`crate::encode`] writes, and what the kernel dumps.

mod expr;

use std::time::Duration;

use crate::attribute::{Attributes, text};
use crate::chain::{Base, ChainKind, Hook, Policy};
use crate::encode::{COMMENT, INTERVAL_END, KIND_BITS, VERDICT_DATA};
use crate::name::Name;
use crate::rule::Rule;
use crate::set::{Data, Element, FieldKinds, MapKind, Set, SetFlags};
use crate::table::Family;
use crate::value::FieldKind;
use crate::verdict::Verdict;

/// A name in attribute `kind`.
pub(crate) fn name(attributes: Attributes<'_>, kind: u16) -> Option<Name> {
    Name::new(attributes.text(kind)?).ok()
}

/// `NFTA_CHAIN_*`: `Some(None)` for a chain without a base, `None` for one that cannot be read.
pub(crate) fn base(attributes: Attributes<'_>, family: Family) -> Option<Option<Base>> {
    let Some(hook) = attributes.nested(4) else { return Some(None) };
    let word = attributes.text(7)?;
    let devices = match (hook.nested(4), hook.get(3)) {
        (Some(list), _) => {
            list.iter().map(|(_, device)| Name::new(text(device)?).ok()).collect::<Option<_>>()?
        }
        (None, Some(device)) => [Name::new(text(device)?).ok()?].into(),
        (None, None) => Default::default(),
    };
    Some(Some(Base {
        kind: ChainKind::ALL.into_iter().find(|kind| kind.word() == word)?,
        hook: Hook::from_number(hook.number(1)?, family)?,
        priority: hook.number(2)?.cast_signed(),
        // Absent means accept.
        policy: attributes.number(5).map_or(Some(Policy::Accept), Policy::from_number)?,
        devices,
    }))
}

/// `NFTA_RULE_*`.
pub(crate) fn rule(attributes: Attributes<'_>) -> Rule {
    let list = attributes.nested(4).unwrap_or(Attributes(&[]));
    Rule {
        comment: attributes.get(7).and_then(comment),
        exprs: list.iter().map(|(_, one)| expr::expr(Attributes(one))).collect(),
    }
}

/// The comment among nft's user data: type, length, text with NUL, one after the other.
fn comment(mut userdata: &[u8]) -> Option<String> {
    loop {
        let [kind, len, rest @ ..] = userdata else { return None };
        let (value, after) = rest.split_at_checked(usize::from(*len))?;
        if *kind == COMMENT {
            return text(value).map(str::to_owned);
        }
        userdata = after;
    }
}

/// `NFTA_SET_*`, without elements.
pub(crate) fn set(attributes: Attributes<'_>) -> Option<Set> {
    let flags = attributes.number(3).unwrap_or(0);
    let data = match (flags & SetFlags::MAP != 0, attributes.number(6)) {
        (false, _) => None,
        (true, Some(VERDICT_DATA)) => Some(MapKind::Verdict),
        (true, number) => Some(MapKind::Value(kinds(number?, attributes.number(7)?))),
    };
    Some(Set {
        key: kinds(attributes.number(4).unwrap_or(0), attributes.number(5)?),
        data,
        flags: SetFlags(flags & !(SetFlags::MAP | SetFlags::CONCAT)),
        timeout: attributes.long(11).filter(|time| *time != 0).map(Duration::from_millis),
        elements: Default::default(),
    })
}

/// The fields that nft's number stands for, if they are `len` bytes long together.
fn kinds(number: u32, len: u32) -> FieldKinds {
    let mut kinds = Vec::new();
    let mut rest = number;
    while rest != 0 {
        let Some(kind) = FieldKind::from_number(rest & ((1 << KIND_BITS) - 1)) else {
            return FieldKinds::Foreign { number, len };
        };
        kinds.insert(0, kind);
        rest >>= KIND_BITS;
    }
    let padded: u32 = match kinds.as_slice() {
        [only] => only.byte_len(),
        several => several.iter().map(|kind| kind.byte_len().next_multiple_of(4)).sum(),
    };
    if padded == len && len != 0 { FieldKinds::Known(kinds) } else { FieldKinds::Foreign { number, len } }
}

/// An element as the kernel keeps it.
#[derive(Debug, Clone)]
pub(crate) struct RawElement {
    pub(crate) key: Vec<u8>,
    pub(crate) key_end: Option<Vec<u8>>,
    /// It is the boundary where the range before it ends.
    pub(crate) is_end: bool,
    pub(crate) element: Element,
}

/// `NFTA_SET_ELEM_*`.
pub(crate) fn element(attributes: Attributes<'_>) -> Option<RawElement> {
    let value = |kind| attributes.nested(kind)?.get(1).map(<[u8]>::to_vec);
    let data = match attributes.nested(2) {
        None => None,
        Some(data) => Some(match data.get(1) {
            Some(bytes) => Data::Value(bytes.to_vec()),
            None => Data::Verdict(verdict(data)?),
        }),
    };
    Some(RawElement {
        key: value(1)?,
        key_end: value(10),
        is_end: attributes.number(3).unwrap_or(0) & INTERVAL_END != 0,
        element: Element { data, timeout: attributes.long(4).map(Duration::from_millis) },
    })
}

/// `NFTA_DATA_VERDICT`.
fn verdict(data: Attributes<'_>) -> Option<Verdict> {
    let inner = data.nested(2)?;
    Verdict::from_parts(inner.number(1)?.cast_signed(), name(inner, 2))
}
