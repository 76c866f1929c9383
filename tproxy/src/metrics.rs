//! What the rules have counted: probes carried, and what was refused and why.

use std::collections::BTreeMap;

use nft::{Expr, Table};

use crate::plan::Tables;

/// What a counting rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Connections that went to a pod.
    Carried,
    /// Packets to an endpoint that no pod has, or of a connection older than the rules.
    Untargeted,
    /// Packets of a pod to the probe address that are no answers of its own endpoints.
    NotOwn,
    /// Packets of a pod's endpoint that would begin a connection.
    Begun,
    /// Packets of a pod's endpoint that belong to no connection.
    Stray,
    /// Packets to the probe address that came by another device.
    Elsewhere,
    /// Packets of others that were to be forwarded through the path.
    Forwarded,
    /// Packets of root's to where the node has no route.
    NoRoute,
}

impl Counted {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Carried,
        Self::Untargeted,
        Self::NotOwn,
        Self::Begun,
        Self::Stray,
        Self::Elsewhere,
        Self::Forwarded,
        Self::NoRoute,
    ];

    /// One word for a metric's label.
    pub fn word(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Untargeted => "untargeted",
            Self::NotOwn => "not_own",
            Self::Begun => "begun_by_pod",
            Self::Stray => "stray",
            Self::Elsewhere => "elsewhere",
            Self::Forwarded => "forwarded",
            Self::NoRoute => "no_route",
        }
    }
}

/// The comment of the rules that count this.
pub(crate) fn comment(counted: Counted) -> &'static str {
    match counted {
        Counted::Carried => "carried: the pod sees the probe address",
        Counted::Untargeted => "untargeted: no pod's endpoint, or older than the rules",
        Counted::NotOwn => "not_own: neither an answer nor a refusal of the pod's own endpoints",
        Counted::Begun => "begun_by_pod: nothing may begin at a pod",
        Counted::Stray => "stray: of no connection",
        Counted::Elsewhere => "elsewhere: answers come by the probe link only",
        Counted::Forwarded => "forwarded: the path is the node's own",
        Counted::NoRoute => "no_route: not to be carried, and led here by the rule of last resort",
    }
}

/// Packets by what they were counted as; for [`Counted::Carried`] the first of each connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters(pub BTreeMap<Counted, u64>);

impl Counters {
    /// The count of one kind.
    pub fn get(&self, counted: Counted) -> u64 {
        self.0.get(&counted).copied().unwrap_or(0)
    }

    /// What the tables as found have counted. Counting starts again where rules are written anew.
    pub(crate) fn of(tables: &Tables) -> Self {
        let mut counters = Self::default();
        for counted in Counted::ALL {
            let sum = [&tables.inet, &tables.netdev].map(|table| count(table, comment(counted)));
            counters.0.insert(counted, sum.iter().sum());
        }
        counters
    }
}

fn count(table: &Table, comment: &str) -> u64 {
    let rules = table.chains.values().flat_map(|chain| &chain.rules);
    let exprs = rules.filter(|rule| rule.comment.as_deref() == Some(comment)).flat_map(|rule| &rule.exprs);
    exprs.filter_map(|expr| if let Expr::Counter { packets, .. } = expr { Some(packets) } else { None }).sum()
}
