//! Changes that succeed or fail together, as the bytes of one transaction.

use std::ops::Range;

use crate::change::{Change, Elements, Step};
use crate::encode::{change_message, edge_message};
use crate::error::TooLong;
use crate::name::Name;
use crate::set::{Element, Key, Set};
use crate::table::TableId;

/// Elements in one message: with a chain's name of 255 bytes, two keys of 64 and all headers such a message still
/// fits the 65,535 bytes of the attribute that lists them.
const ELEMENTS_PER_MESSAGE: usize = 128;

/// Changes in the order of their execution.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    changes: Vec<Change>,
}

/// The bytes of a batch for one `sendmsg` on a `NETLINK_NETFILTER` socket.
///
/// Only the last change asks for an acknowledgement: the kernel reports every refusal unasked, and thousands of
/// acknowledgements would not fit the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// All messages, the two that hold the batch together included.
    pub bytes: Vec<u8>,
    /// The sequence numbers of the messages. The first one belongs to no change; an answer to it concerns the batch as
    /// a whole. The last change's is the last but one.
    pub sequences: Range<u32>,
}

impl Batch {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Adds a change at the end.
    pub fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Adds all changes of `other` at the end.
    pub fn append(&mut self, other: Self) {
        self.changes.extend(other.changes);
    }

    /// Adds elements to the set `name`, which is of the make of `set`.
    pub fn add_elements(
        &mut self,
        table: &TableId,
        name: &Name,
        set: &Set,
        elements: impl IntoIterator<Item = (Key, Element)>,
    ) {
        for list in chunks(elements) {
            let elements = Elements { set: name.clone(), ranges: set.ranges(), list };
            self.push(Change { table: table.clone(), step: Step::AddElements(elements) });
        }
    }

    /// Removes elements of the set `name`, which is of the make of `set`.
    pub fn remove_elements(
        &mut self,
        table: &TableId,
        name: &Name,
        set: &Set,
        elements: impl IntoIterator<Item = (Key, Element)>,
    ) {
        for list in chunks(elements) {
            let elements = Elements { set: name.clone(), ranges: set.ranges(), list };
            self.push(Change { table: table.clone(), step: Step::RemoveElements(elements) });
        }
    }

    /// The bytes of the transaction; messages are numbered from `first_sequence`.
    ///
    /// # Errors
    /// [`TooLong`] for a rule or an element that no message holds.
    pub fn encode(&self, first_sequence: u32) -> Result<Encoded, TooLong> {
        let mut bytes = edge_message(true, first_sequence);
        let mut sequence = first_sequence;
        for (left, change) in (0..self.changes.len()).rev().zip(&self.changes) {
            sequence = sequence.wrapping_add(1);
            bytes.extend(change_message(change, sequence, left == 0)?);
        }
        sequence = sequence.wrapping_add(1);
        bytes.extend(edge_message(false, sequence));
        Ok(Encoded { bytes, sequences: first_sequence..sequence.wrapping_add(1) })
    }
}

impl FromIterator<Change> for Batch {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        Self { changes: changes.into_iter().collect() }
    }
}

fn chunks(elements: impl IntoIterator<Item = (Key, Element)>) -> impl Iterator<Item = Vec<(Key, Element)>> {
    let mut rest = elements.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<_> = rest.by_ref().take(ELEMENTS_PER_MESSAGE).collect();
        Some(chunk).filter(|chunk| !chunk.is_empty())
    })
}
