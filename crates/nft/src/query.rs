//! Questions about a table, as nfnetlink messages.

use std::fmt;

use crate::encode::{Header, REQUEST, SUBSYSTEM, family_byte};
use crate::error::TooLong;
use crate::name::Name;
use crate::table::TableId;

/// `NLM_F_ACK` and `NLM_F_DUMP`.
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;

/// A question; its answers are for [`crate::Listing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The number of the ruleset's present generation in this network namespace.
    Generation,
    /// The table itself; refused as not found when there is none.
    Table(TableId),
    /// All chains of the table's family.
    Chains(TableId),
    /// All rules of the table.
    Rules(TableId),
    /// All sets of the table.
    Sets(TableId),
    /// All elements of one of its sets.
    Elements(TableId, Name),
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation => f.write_str("ask for the ruleset's generation"),
            Self::Table(table) => write!(f, "look for table {table}"),
            Self::Chains(table) => write!(f, "list chains of table {table}"),
            Self::Rules(table) => write!(f, "list rules of table {table}"),
            Self::Sets(table) => write!(f, "list sets of table {table}"),
            Self::Elements(table, set) => write!(f, "list elements of set {table} {set}"),
        }
    }
}

impl Query {
    /// The message.
    ///
    /// # Errors
    /// Never for names that are [`Name`]s.
    pub fn encode(&self, sequence: u32) -> Result<Vec<u8>, TooLong> {
        let (operation, flags, table) = match self {
            Self::Generation => (16, ACK, None),
            Self::Table(table) => (1, ACK, Some(table)),
            Self::Chains(table) => (4, DUMP, Some(table)),
            Self::Rules(table) => (7, DUMP, Some(table)),
            Self::Sets(table) => (10, DUMP, Some(table)),
            Self::Elements(table, _) => (13, DUMP, Some(table)),
        };
        let header = Header {
            kind: SUBSYSTEM | operation,
            flags: REQUEST | flags,
            family: table.map_or(0, |table| family_byte(table.family)),
            resource: 0,
            sequence,
        };
        let bytes = header.message(|writer| {
            // Attribute 1 of every kind of message is the table.
            table.iter().for_each(|table| writer.text(1, table.name.as_str()));
            if let Self::Elements(_, set) = self {
                writer.text(2, set.as_str());
            }
        });
        bytes.ok_or_else(|| TooLong { change: self.to_string() })
    }
}
