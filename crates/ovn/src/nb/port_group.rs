//! `Port_Group`: ports of any switches, for rules that are about all of them.

use std::collections::BTreeSet;

use super::Table;
use crate::cell::{Cell, Columns, Found, text};
use crate::wanted::{Key, NbRow, Place};

/// Ports of any switches, for rules that are about all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortGroup {
    /// The name, of `[a-zA-Z_.][a-zA-Z_.0-9]*`; OVN makes the address sets `<name>_ip4` and `<name>_ip6` of it.
    pub name: String,
    /// The switch ports in it. Ports of others are left in it.
    pub ports: BTreeSet<Key>,
}

impl PortGroup {
    /// The key of the port group of this name.
    pub fn key_of(name: &str) -> Key {
        Key::named(Table::PortGroup, name)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        row.text("name").map(str::to_owned)
    }
}

impl NbRow for PortGroup {
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }

    fn place(&self) -> Option<Place> {
        None
    }

    fn to_columns(&self) -> Columns {
        Columns::from([
            ("name", Cell::Whole(text(&self.name))),
            ("ports", Cell::SharedRefs(self.ports.clone())),
        ])
    }
}
