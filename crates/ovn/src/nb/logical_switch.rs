//! `Logical_Switch`: the switch of one subnet.

use std::collections::BTreeSet;

use super::Table;
use crate::cell::{Cell, Columns, Found, text};
use crate::wanted::{Key, NbRow, Place};

/// The switch of one subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalSwitch {
    /// The subnet's name.
    pub name: String,
    /// The load balancers that act on traffic from this switch's ports. Those of others are left attached.
    pub load_balancers: BTreeSet<Key>,
}

impl LogicalSwitch {
    /// The key of the switch of this name.
    pub fn key_of(name: &str) -> Key {
        Key::named(Table::LogicalSwitch, name)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        row.text("name").map(str::to_owned)
    }
}

impl NbRow for LogicalSwitch {
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }

    fn place(&self) -> Option<Place> {
        None
    }

    fn to_columns(&self) -> Columns {
        Columns::from([
            ("name", Cell::Whole(text(&self.name))),
            ("load_balancer", Cell::SharedRefs(self.load_balancers.clone())),
        ])
    }
}
