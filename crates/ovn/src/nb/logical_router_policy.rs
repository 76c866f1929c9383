//! `Logical_Router_Policy`: what to do with a packet after its route was found.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{LogicalRouter, Table};
use crate::cell::{Cell, Columns, Found, integer, keys, text, texts};
use crate::wanted::{Key, NbRow, Place};

/// What a policy does with a packet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyAction {
    /// The packet goes where its route says.
    Allow,
    /// The packet is dropped.
    Drop,
    /// The packet goes to one of these next hops instead.
    Reroute(BTreeSet<IpAddr>),
}

impl PolicyAction {
    /// The word in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            PolicyAction::Allow => "allow",
            PolicyAction::Drop => "drop",
            PolicyAction::Reroute(_) => "reroute",
        }
    }
}

/// What to do with a packet after its route was found. One router has one policy for a priority and match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogicalRouterPolicy {
    /// The router that has the policy.
    pub router: String,
    /// 0 to 32767; the highest that matches decides.
    pub priority: u16,
    /// Which packets, in OVN's expression language (ovn-sb(5), Logical_Flow).
    pub r#match: String,
    /// What to do with them.
    pub action: PolicyAction,
    /// The subnet that the policy was made for, as upstream notes it.
    pub subnet: Option<String>,
}

impl LogicalRouterPolicy {
    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        Some(format!("{}:{}", row.integer("priority")?, row.text("match")?))
    }
}

impl NbRow for LogicalRouterPolicy {
    fn key(&self) -> Key {
        let router = LogicalRouter::key_of(&self.router);
        Key::within(Table::LogicalRouterPolicy, &router, format!("{}:{}", self.priority, self.r#match))
    }

    fn place(&self) -> Option<Place> {
        Some(Place { parent: LogicalRouter::key_of(&self.router), column: "policies" })
    }

    fn to_columns(&self) -> Columns {
        let next_hops: Vec<String> = match &self.action {
            PolicyAction::Reroute(next_hops) => next_hops.iter().map(ToString::to_string).collect(),
            PolicyAction::Allow | PolicyAction::Drop => Vec::new(),
        };
        Columns::from([
            ("priority", Cell::Whole(integer(i64::from(self.priority)))),
            ("match", Cell::Whole(text(&self.r#match))),
            ("action", Cell::Whole(text(self.action.as_str()))),
            ("nexthops", Cell::Whole(texts(next_hops))),
            ("external_ids", keys([("subnet", self.subnet.clone())])),
        ])
    }
}
