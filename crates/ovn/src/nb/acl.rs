//! `ACL`: which packets may leave or enter the ports of a switch or a port group.

use super::{LogicalSwitch, PortGroup, Table};
use crate::cell::{Cell, Columns, Found, boolean, integer, keys, optional_text, text};
use crate::wanted::{Key, NbRow, Place};

/// On which side of a port a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// On packets that come from a port into the switch.
    FromPort,
    /// On packets that leave the switch by a port.
    ToPort,
}

impl Direction {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::FromPort => "from-lport",
            Direction::ToPort => "to-lport",
        }
    }
}

/// What a rule does with a packet. (`pass` came with OVN 23.06.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AclAction {
    /// Let it pass.
    Allow,
    /// Let it pass, and whatever belongs to the same connection.
    AllowRelated,
    /// Let it pass without connection tracking.
    AllowStateless,
    /// Drop it.
    Drop,
    /// Drop it and say so to the sender: TCP RST, else ICMP unreachable.
    Reject,
}

impl AclAction {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            AclAction::Allow => "allow",
            AclAction::AllowRelated => "allow-related",
            AclAction::AllowStateless => "allow-stateless",
            AclAction::Drop => "drop",
            AclAction::Reject => "reject",
        }
    }
}

/// How grave a logged packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For debugging.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth noticing.
    Notice,
    /// A warning.
    Warning,
    /// An alert.
    Alert,
}

impl Severity {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Debug => "debug",
            Severity::Info => "info",
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Alert => "alert",
        }
    }
}

/// Whose ports a rule acts on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AclParent {
    /// All ports of the switch of this name.
    Switch(String),
    /// The ports in the port group of this name.
    PortGroup(String),
}

impl AclParent {
    fn key(&self) -> Key {
        match self {
            AclParent::Switch(name) => LogicalSwitch::key_of(name),
            AclParent::PortGroup(name) => PortGroup::key_of(name),
        }
    }
}

/// Which packets may leave or enter ports. One parent has one rule for a direction, priority and match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acl {
    /// Whose ports it acts on.
    pub parent: AclParent,
    /// On which side of the port.
    pub direction: Direction,
    /// 0 to 32767; the highest that matches decides.
    pub priority: u16,
    /// Which packets, in OVN's expression language.
    pub r#match: String,
    /// What to do with them.
    pub action: AclAction,
    /// The name in log lines, at most 63 bytes.
    pub name: Option<String>,
    /// Log matching packets, this grave; `None` for no log.
    pub log: Option<Severity>,
    /// The subnet in whose `acls` the rule stands, as upstream notes it.
    pub subnet: Option<String>,
}

impl Acl {
    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        Some(format!("{}:{}:{}", row.text("direction")?, row.integer("priority")?, row.text("match")?))
    }
}

impl NbRow for Acl {
    fn key(&self) -> Key {
        let name = format!("{}:{}:{}", self.direction.as_str(), self.priority, self.r#match);
        Key::within(Table::Acl, &self.parent.key(), name)
    }

    fn place(&self) -> Option<Place> {
        Some(Place { parent: self.parent.key(), column: "acls" })
    }

    fn to_columns(&self) -> Columns {
        let severity = self.log.map(Severity::as_str);
        Columns::from([
            ("direction", Cell::Whole(text(self.direction.as_str()))),
            ("priority", Cell::Whole(integer(i64::from(self.priority)))),
            ("match", Cell::Whole(text(&self.r#match))),
            ("action", Cell::Whole(text(self.action.as_str()))),
            ("name", Cell::Whole(optional_text(self.name.as_deref()))),
            ("log", Cell::Whole(boolean(self.log.is_some()))),
            ("severity", Cell::Whole(optional_text(severity))),
            // Upstream writes tier 2 where there is such a column. A verdict of ours in tier 0 would come before
            // theirs, so rows that are taken over must come down as well.
            ("tier", Cell::WhereKnown(integer(0))),
            (
                "external_ids",
                keys([("parent", Some(self.parent.key().name)), ("subnet", self.subnet.clone())]),
            ),
        ])
    }
}
