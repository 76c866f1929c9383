//! The values that columns hold (RFC 7047 section 5.1), with one order and one JSON form for equal ones.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

mod json;
#[cfg(test)]
mod tests;

/// Some columns of a row with their values.
pub type Row = BTreeMap<String, Value>;

/// The identity of a row, or of a transaction in the history of a clustered database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// No row: the default of a UUID column, and "I have no history" when a monitor is resumed.
    pub const ZERO: Self = Self([0; 16]);
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        let (time, mid, version) = (number >> 96, (number >> 80) & 0xffff, (number >> 64) & 0xffff);
        let (clock, node) = ((number >> 48) & 0xffff, number & 0xffff_ffff_ffff);
        write!(f, "{time:08x}-{mid:04x}-{version:04x}-{clock:04x}-{node:012x}")
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a UUID in its form of 36 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a UUID")]
pub struct NotAUuid(pub String);

impl FromStr for Uuid {
    type Err = NotAUuid;

    fn from_str(text: &str) -> Result<Self, NotAUuid> {
        let fault = || NotAUuid(text.to_owned());
        let bytes = text.as_bytes();
        let hyphen_at = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        let well_formed =
            |(at, b): (usize, &u8)| if hyphen_at(at) { *b == b'-' } else { b.is_ascii_hexdigit() };
        if bytes.len() != 36 || !bytes.iter().enumerate().all(well_formed) {
            return Err(fault());
        }
        let number = u128::from_str_radix(&text.replace('-', ""), 16).map_err(|_| fault())?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// A finite floating-point number with a total order, so that it can stand in sets.
#[derive(Debug, Clone, Copy)]
pub struct Real(f64);

impl Real {
    /// Zero.
    pub const ZERO: Self = Self(0.0);

    /// `None` for infinities and for what is no number: JSON has neither. A negative zero becomes zero.
    pub fn new(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<i64> for Real {
    /// The nearest real; exact up to 2^53.
    fn from(number: i64) -> Self {
        Self(number as f64)
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Real {}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Real {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// One element of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Atom {
    /// A signed number of 64 bits. A whole number in a column of reals arrives as this as well until the schema is asked.
    Integer(i64),
    /// A floating-point number.
    Real(Real),
    /// Yes or no.
    Boolean(bool),
    /// A text.
    String(String),
    /// A reference to a row.
    Uuid(Uuid),
    /// A reference to a row that an insert of the same transaction makes under this name. Never read from a database.
    NamedUuid(String),
}

/// What a column holds.
///
/// A set of one element and that element alone are the same on the wire. Decoding gives [`Value::Atom`] for both, and both
/// encode alike; compare values that were built by hand after [`Value::canonical`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Exactly one element.
    Atom(Atom),
    /// Any number of elements, each once.
    Set(BTreeSet<Atom>),
    /// Pairs with different keys.
    Map(BTreeMap<Atom, Atom>),
}

impl Value {
    /// The set of these elements, in its canonical form.
    pub fn set<A: Into<Atom>>(elements: impl IntoIterator<Item = A>) -> Self {
        Self::Set(elements.into_iter().map(Into::into).collect()).canonical()
    }

    /// The map of these pairs; of two with the same key the later one counts.
    pub fn map<K: Into<Atom>, V: Into<Atom>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The empty set: an optional column without a value.
    pub fn empty() -> Self {
        Self::Set(BTreeSet::new())
    }

    /// The form that equal values share: a set of one element becomes that element.
    pub fn canonical(self) -> Self {
        match self {
            Self::Set(mut set) if set.len() == 1 => set.pop_first().map_or_else(Self::empty, Self::Atom),
            other @ (Self::Atom(_) | Self::Set(_) | Self::Map(_)) => other,
        }
    }

    /// The elements of an atom or a set in their order; none for a map.
    pub fn elements(&self) -> impl Iterator<Item = &Atom> {
        let (one, many) = match self {
            Self::Atom(atom) => (Some(atom), None),
            Self::Set(set) => (None, Some(set)),
            Self::Map(_) => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// The only element, `None` when there is none, several, or a map.
    pub fn only(&self) -> Option<&Atom> {
        let mut elements = self.elements();
        elements.next().filter(|_| elements.next().is_none())
    }

    /// The only element, when it is a text.
    pub fn as_str(&self) -> Option<&str> {
        self.only().and_then(|atom| if let Atom::String(text) = atom { Some(text.as_str()) } else { None })
    }

    /// The only element, when it is a number.
    pub fn as_integer(&self) -> Option<i64> {
        self.only().and_then(|atom| if let Atom::Integer(number) = atom { Some(*number) } else { None })
    }

    /// The only element, when it is yes or no.
    pub fn as_bool(&self) -> Option<bool> {
        self.only().and_then(|atom| if let Atom::Boolean(yes) = atom { Some(*yes) } else { None })
    }

    /// The only element, when it refers to a row.
    pub fn as_uuid(&self) -> Option<Uuid> {
        self.only().and_then(|atom| if let Atom::Uuid(uuid) = atom { Some(*uuid) } else { None })
    }
}

impl From<&str> for Atom {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Atom {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<i64> for Atom {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Atom {
    fn from(yes: bool) -> Self {
        Self::Boolean(yes)
    }
}

impl From<Uuid> for Atom {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl<A: Into<Atom>> From<A> for Value {
    fn from(atom: A) -> Self {
        Self::Atom(atom.into())
    }
}
