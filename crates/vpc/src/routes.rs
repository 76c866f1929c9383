//! The effective routes of a VPC, with where each comes from: what `vpcctl routes VPC` prints.

use std::cmp::Reverse;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use ovn::nb::{LogicalRouterPolicy, PolicyAction, RoutePolicy};

use crate::checked::{CheckedRoute, CheckedVpc};
use crate::{fallback, policy_route};

/// Where a route comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The router's own network on a port.
    Connected,
    /// An entry of `staticRoutes`.
    Static,
    /// An entry of `policyRoutes`.
    Policy,
    /// Made by us for a subnet.
    Ours {
        /// The subnet.
        subnet: String,
    },
    /// Made by us, leading nowhere, so that policies are asked about what has no other route.
    Fallback,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Static => f.write_str("static"),
            Self::Policy => f.write_str("policy"),
            Self::Ours { subnet } => write!(f, "subnet {subnet}"),
            Self::Fallback => f.write_str("ours, so that policies act"),
        }
    }
}

/// One row of a route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The table; empty for the main one. Connected rows of the main table hold in every table.
    pub table: String,
    /// Which address it looks at.
    pub policy: RoutePolicy,
    /// The range.
    pub prefix: IpNet,
    /// Where to; empty for connected networks. Several share the traffic.
    pub next_hops: Vec<IpAddr>,
    /// The port, for connected networks.
    pub port: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Route {
    /// OVN's order: longer prefixes first; of equal length connected, by destination, by source.
    fn weight(&self) -> u32 {
        let offset = match (&self.origin, self.policy) {
            (Origin::Connected, _) => 2,
            (_, RoutePolicy::Destination) => 1,
            (_, RoutePolicy::Source) => 0,
        };
        u32::from(self.prefix.prefix_len()) * 3 + offset
    }
}

/// One policy. Policies come after the route tables and override them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The highest that matches decides.
    pub priority: u16,
    /// The expression.
    pub match_text: String,
    /// What happens.
    pub action: PolicyAction,
    /// Where it comes from.
    pub origin: Origin,
}

/// What a VPC's router does with a packet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// By table, the main one first; then the one that is tried first.
    pub routes: Vec<Route>,
    /// The one that is tried first, first.
    pub policies: Vec<Policy>,
}

/// The effective routes of a VPC.
pub fn routes(vpc: &CheckedVpc) -> Routes {
    let mut routes: Vec<Route> = vpc
        .networks()
        .map(|(network, port)| Route {
            table: String::new(),
            policy: RoutePolicy::Destination,
            prefix: network.trunc(),
            next_hops: Vec::new(),
            port: Some(port),
            origin: Origin::Connected,
        })
        .collect();
    for route in &vpc.routes {
        let is_same = |row: &&mut Route| {
            row.origin == Origin::Static
                && (&row.table, row.policy, row.prefix) == (&route.table, route.policy, route.prefix)
        };
        match routes.iter_mut().find(is_same) {
            Some(row) => row.next_hops.push(route.next_hop),
            None => routes.push(written(route.clone(), Origin::Static)),
        }
    }
    routes.extend(fallback::fallbacks(vpc).into_iter().map(|route| written(route, Origin::Fallback)));
    routes.sort_by_key(|row| {
        (row.table.clone(), !row.prefix.addr().is_ipv4(), Reverse(row.weight()), row.prefix)
    });
    let mut policies: Vec<Policy> =
        policy_route::allow_subnets(vpc).into_iter().chain(policy_route::policies(vpc)).map(policy).collect();
    policies.sort_by_key(|policy| Reverse(policy.priority));
    Routes { routes, policies }
}

/// A row that is written into the database, unlike those of connected networks.
fn written(route: CheckedRoute, origin: Origin) -> Route {
    Route {
        table: route.table,
        policy: route.policy,
        prefix: route.prefix,
        next_hops: vec![route.next_hop],
        port: None,
        origin,
    }
}

fn policy(row: LogicalRouterPolicy) -> Policy {
    let origin = row.subnet.map_or(Origin::Policy, |subnet| Origin::Ours { subnet });
    Policy { priority: row.priority, match_text: row.r#match, action: row.action, origin }
}
