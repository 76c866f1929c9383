//! Sets and maps, and what is in them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::value::{Field, FieldKind, concatenation};
use crate::verdict::Verdict;

/// Bits of a set that its key and data do not tell (`enum nft_set_flags`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetFlags(pub(crate) u32);

impl SetFlags {
    /// Nothing special.
    pub const NONE: Self = Self(0);
    /// Made by a rule and gone with it (`NFT_SET_ANONYMOUS`); seen in tables that `nft` wrote.
    pub const ANONYMOUS: Self = Self(0x1);
    /// Elements are ranges (`NFT_SET_INTERVAL`).
    pub const INTERVAL: Self = Self(0x4);
    /// Elements may expire (`NFT_SET_TIMEOUT`).
    pub const TIMEOUT: Self = Self(0x10);
    /// `NFT_SET_MAP`, told by [`Set::data`].
    pub(crate) const MAP: u32 = 0x8;
    /// `NFT_SET_CONCAT`, told by [`Set::key`].
    pub(crate) const CONCAT: u32 = 0x80;

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits and those of `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a map's elements lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapKind {
    /// A value of these fields.
    Value(FieldKinds),
    /// A verdict (`NFT_DATA_VERDICT`).
    Verdict,
}

/// The fields of a key or of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKinds {
    /// One field, or a concatenation of several.
    Known(Vec<FieldKind>),
    /// A kind that is not used here, as found.
    Foreign {
        /// Number for `nft`.
        number: u32,
        /// Bytes.
        len: u32,
    },
}

impl From<&[FieldKind]> for FieldKinds {
    fn from(kinds: &[FieldKind]) -> Self {
        Self::Known(kinds.to_vec())
    }
}

/// A set, or a map when it has data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The fields of a key.
    pub key: FieldKinds,
    /// What an element leads to; `None` for a set.
    pub data: Option<MapKind>,
    /// Its special bits.
    pub flags: SetFlags,
    /// When elements expire that do not say so themselves; whole milliseconds. Needs [`SetFlags::TIMEOUT`].
    pub timeout: Option<Duration>,
    /// What is in it.
    pub elements: BTreeMap<Key, Element>,
}

impl Set {
    /// An empty set of keys of these fields.
    pub fn of(key: &[FieldKind]) -> Self {
        Self { key: key.into(), data: None, flags: SetFlags::NONE, timeout: None, elements: BTreeMap::new() }
    }

    /// An empty map from these fields to those.
    pub fn map(key: &[FieldKind], data: &[FieldKind]) -> Self {
        Self { data: Some(MapKind::Value(data.into())), ..Self::of(key) }
    }

    /// An empty map from these fields to verdicts.
    pub fn verdicts(key: &[FieldKind]) -> Self {
        Self { data: Some(MapKind::Verdict), ..Self::of(key) }
    }

    /// The same set with these bits.
    #[must_use]
    pub fn flagged(self, flags: SetFlags) -> Self {
        Self { flags, ..self }
    }

    /// The same set with one more element.
    #[must_use]
    pub fn with(mut self, key: &[Field]) -> Self {
        self.elements.insert(Key::of(key), Element::default());
        self
    }

    /// The same map with one more element.
    #[must_use]
    pub fn mapping(mut self, key: &[Field], data: impl Into<Data>) -> Self {
        self.elements.insert(Key::of(key), Element::to(data));
        self
    }

    /// Whether both are of one make, whatever is in them.
    pub fn is_made_as(&self, other: &Self) -> bool {
        self.key == other.key
            && self.data == other.data
            && self.flags == other.flags
            && self.timeout == other.timeout
    }

    pub(crate) fn ranges(&self) -> Ranges {
        let is_concatenation = matches!(&self.key, FieldKinds::Known(kinds) if kinds.len() > 1);
        match (self.flags.contains(SetFlags::INTERVAL), is_concatenation) {
            (false, _) => Ranges::None,
            (true, false) => Ranges::Boundaries,
            (true, true) => Ranges::ClosingKeys,
        }
    }
}

/// How a set keeps ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// It has none.
    None,
    /// As two elements each, its first value and the one after its last (the kernel's rbtree).
    Boundaries,
    /// As one element with its last value (the kernel's pipapo).
    ClosingKeys,
}

/// The key of an element: one value, or in an interval set a range.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    first: Vec<u8>,
    /// `None` for `first` alone.
    last: Option<Vec<u8>>,
}

impl Key {
    /// One value.
    pub fn of(fields: &[Field]) -> Self {
        Self { first: concatenation(fields), last: None }
    }

    /// All values from `first` to `last`, both included; of a concatenation, field by field.
    pub fn range(first: &[Field], last: &[Field]) -> Self {
        Self::from_bytes(concatenation(first), concatenation(last))
    }

    pub(crate) fn from_bytes(first: Vec<u8>, last: Vec<u8>) -> Self {
        let last = Some(last).filter(|last| *last != first);
        Self { first, last }
    }

    /// The smallest value.
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// The greatest value.
    pub fn last(&self) -> &[u8] {
        self.last.as_deref().unwrap_or(&self.first)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        let Some(last) = &self.last else { return Ok(()) };
        f.write_str("-")?;
        last.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// What belongs to a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Where it leads; `None` in a set.
    pub data: Option<Data>,
    /// When it expires after it was added, if not as the set says; whole milliseconds.
    pub timeout: Option<Duration>,
}

impl Element {
    /// An element of a map.
    pub fn to(data: impl Into<Data>) -> Self {
        Self { data: Some(data.into()), timeout: None }
    }
}

/// What an element of a map leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A value, see [`concatenation`].
    Value(Vec<u8>),
    /// A verdict.
    Verdict(Verdict),
}

impl From<&[Field]> for Data {
    fn from(fields: &[Field]) -> Self {
        Self::Value(concatenation(fields))
    }
}

impl From<Field> for Data {
    fn from(field: Field) -> Self {
        Self::Value(field.bytes())
    }
}

impl From<Verdict> for Data {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}
