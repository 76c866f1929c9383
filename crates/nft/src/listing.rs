//! A table put together from the messages of its dump.

use std::collections::BTreeMap;

use crate::attribute::Attributes;
use crate::chain::{Base, Chain};
use crate::decode::{self, RawElement};
use crate::encode::{SUBSYSTEM, family_byte};
use crate::error::Malformed;
use crate::name::Name;
use crate::rule::Rule;
use crate::set::{Element, Key, Ranges, Set};
use crate::table::{Table, TableId};

/// `struct nfgenmsg` before the attributes.
const FAMILY_HEADER_LEN: usize = 4;
/// `NFT_TABLE_F_DORMANT`.
const DORMANT: u32 = 1;
/// `NFT_CHAIN_BINDING`: a chain that belongs to one rule and goes with it.
const BINDING: u32 = 4;

/// What is known of a table so far. Feed it the answers to all [`crate::Query`]s about the table.
#[derive(Debug)]
pub struct Listing {
    id: TableId,
    generation: Option<u32>,
    is_dormant: bool,
    bases: BTreeMap<Name, Option<Base>>,
    rules: Vec<(Name, Rule)>,
    sets: BTreeMap<Name, Set>,
    elements: BTreeMap<Name, Vec<RawElement>>,
}

impl Listing {
    /// Nothing known yet of the table `id`.
    pub fn new(id: TableId) -> Self {
        Self {
            id,
            generation: None,
            is_dormant: false,
            bases: BTreeMap::new(),
            rules: Vec::new(),
            sets: BTreeMap::new(),
            elements: BTreeMap::new(),
        }
    }

    /// Takes a message of kind `nlmsg_type` with all that follows its `nlmsghdr`. What concerns another table is left
    /// out.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn take(&mut self, kind: u16, body: &[u8]) -> Result<(), Malformed> {
        let malformed = |what| Malformed { what, kind: kind & 0xff };
        let attributes = body.get(FAMILY_HEADER_LEN..).ok_or_else(|| malformed("no header"))?;
        let attributes = Attributes(attributes);
        let Some(operation) = kind.checked_sub(SUBSYSTEM) else { return Ok(()) };
        if operation == 15 {
            let number = attributes.number(1);
            self.generation = Some(number.ok_or_else(|| malformed("no generation"))?);
            return Ok(());
        }
        let is_ours = body.first() == Some(&family_byte(self.id.family))
            && attributes.text(1) == Some(self.id.name.as_str());
        if !is_ours {
            return Ok(());
        }
        let taken = match operation {
            0 => self.table(attributes).ok_or("no flags of the table"),
            3 => self.chain(attributes).ok_or("an unknown chain"),
            6 => self.rule(attributes).ok_or("a rule without a chain"),
            9 => self.set(attributes).ok_or("an unknown set"),
            12 => self.set_elements(attributes).ok_or("an unknown element"),
            _ => Ok(()),
        };
        taken.map_err(malformed)
    }

    /// The generation of the ruleset that was seen last, once it was.
    pub fn generation(&self) -> Option<u32> {
        self.generation
    }

    /// The sets seen so far, whose elements are to be asked for.
    pub fn set_names(&self) -> impl Iterator<Item = &Name> {
        self.sets.keys()
    }

    /// The table.
    pub fn into_table(self) -> Table {
        let mut table = Table::new(self.id);
        table.is_dormant = self.is_dormant;
        for (name, base) in self.bases {
            table.chains.insert(name, Chain { base, rules: Vec::new() });
        }
        for (chain, rule) in self.rules {
            // A rule of a chain that belongs to one rule has no place of its own.
            if let Some(chain) = table.chains.get_mut(&chain) {
                chain.rules.push(rule);
            }
        }
        table.sets = self.sets;
        for (name, raw) in self.elements {
            if let Some(set) = table.sets.get_mut(&name) {
                set.elements = if set.ranges() == Ranges::Boundaries {
                    between_boundaries(raw)
                } else {
                    one_by_one(raw)
                };
            }
        }
        table
    }

    fn table(&mut self, attributes: Attributes<'_>) -> Option<()> {
        self.is_dormant = attributes.number(2)? & DORMANT != 0;
        Some(())
    }

    fn chain(&mut self, attributes: Attributes<'_>) -> Option<()> {
        if attributes.number(10).unwrap_or(0) & BINDING == 0 {
            let base = decode::base(attributes, self.id.family)?;
            self.bases.insert(decode::name(attributes, 3)?, base);
        }
        Some(())
    }

    fn rule(&mut self, attributes: Attributes<'_>) -> Option<()> {
        self.rules.push((decode::name(attributes, 2)?, decode::rule(attributes)));
        Some(())
    }

    fn set(&mut self, attributes: Attributes<'_>) -> Option<()> {
        self.sets.insert(decode::name(attributes, 2)?, decode::set(attributes)?);
        Some(())
    }

    fn set_elements(&mut self, attributes: Attributes<'_>) -> Option<()> {
        let set = decode::name(attributes, 2)?;
        let Some(list) = attributes.nested(3) else { return Some(()) };
        let read = list.iter().map(|(_, one)| decode::element(Attributes(one)));
        self.elements.entry(set).or_default().extend(read.collect::<Option<Vec<_>>>()?);
        Some(())
    }
}

fn one_by_one(raw: Vec<RawElement>) -> BTreeMap<Key, Element> {
    let keyed = raw.into_iter().map(|RawElement { key, key_end, element, .. }| {
        let last = key_end.unwrap_or_else(|| key.clone());
        (Key::from_bytes(key, last), element)
    });
    keyed.collect()
}

/// Ranges from their boundaries: each begins at an element and ends before the next boundary, or never.
fn between_boundaries(mut raw: Vec<RawElement>) -> BTreeMap<Key, Element> {
    // Where one range ends and the next begins, the end comes first.
    raw.sort_by(|a, b| a.key.cmp(&b.key).then(b.is_end.cmp(&a.is_end)));
    let mut ranges = BTreeMap::new();
    let mut boundaries = raw.into_iter().peekable();
    while let Some(RawElement { key, is_end, element, .. }) = boundaries.next() {
        if !is_end {
            let next = boundaries.peek().map(|next| predecessor(&next.key));
            let last = next.unwrap_or_else(|| vec![u8::MAX; key.len()]);
            ranges.insert(Key::from_bytes(key, last), element);
        }
    }
    ranges
}

/// The value before `bytes`, read as a number with its greatest byte first.
fn predecessor(bytes: &[u8]) -> Vec<u8> {
    let mut before = bytes.to_vec();
    for byte in before.iter_mut().rev() {
        let (value, is_borrowed) = byte.overflowing_sub(1);
        *byte = value;
        if !is_borrowed {
            break;
        }
    }
    before
}
