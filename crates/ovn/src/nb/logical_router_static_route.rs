//! `Logical_Router_Static_Route`: one next hop for one range of addresses.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{LogicalRouter, Table};
use crate::cell::{Cell, Columns, Found, keys, optional_text, text};
use crate::wanted::{Key, NbRow, Place};

/// Which address of a packet a route looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoutePolicy {
    /// The destination. Of two routes with equally long prefixes this one wins.
    Destination,
    /// The source.
    Source,
}

impl RoutePolicy {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            RoutePolicy::Destination => "dst-ip",
            RoutePolicy::Source => "src-ip",
        }
    }
}

/// One next hop for one range of addresses. Several rows that differ in the next hop share the traffic (ECMP).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogicalRouterStaticRoute {
    /// The router that has the route.
    pub router: String,
    /// The table that has the route, empty for the main one.
    pub route_table: String,
    /// Which address of a packet it looks at.
    pub policy: RoutePolicy,
    /// The range; written with its host bits cleared.
    pub prefix: IpNet,
    /// Where to send the packet; must be on a network of a port of the router, or northd ignores the route.
    pub next_hop: IpAddr,
    /// The port to send it out of; `None` lets northd find it.
    pub output_port: Option<String>,
    /// Whether replies go back by the way the request came (`ecmp_symmetric_reply`).
    pub symmetric_reply: bool,
}

impl LogicalRouterStaticRoute {
    fn name(&self) -> String {
        let prefix = self.prefix.trunc().to_string();
        let next_hop = self.next_hop.to_string();
        joined(&self.route_table, self.policy.as_str(), &prefix, &next_hop, self.output_port.as_deref())
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        let prefix = row.text("ip_prefix")?;
        let next_hop = row.text("nexthop")?;
        Some(joined(
            row.text("route_table").unwrap_or_default(),
            row.text("policy").unwrap_or(RoutePolicy::Destination.as_str()),
            &canonical(prefix),
            &next_hop.parse::<IpAddr>().map_or_else(|_| next_hop.to_owned(), |ip| ip.to_string()),
            row.text("output_port"),
        ))
    }
}

fn joined(table: &str, policy: &str, prefix: &str, next_hop: &str, port: Option<&str>) -> String {
    let port = port.map(|port| format!(" port {port}")).unwrap_or_default();
    format!("{table}:{policy}:{prefix}=>{next_hop}{port}")
}

/// `10.0.0.5/8` as `10.0.0.0/8` and a bare address as a range of one: others write them as they were given.
fn canonical(prefix: &str) -> String {
    let range = prefix.parse::<IpNet>().map(|net| net.trunc());
    let range = range.or_else(|_| prefix.parse::<IpAddr>().map(IpNet::from));
    range.map_or_else(|_| prefix.to_owned(), |range| range.to_string())
}

impl NbRow for LogicalRouterStaticRoute {
    fn key(&self) -> Key {
        let router = LogicalRouter::key_of(&self.router);
        Key::within(Table::LogicalRouterStaticRoute, &router, self.name())
    }

    fn place(&self) -> Option<Place> {
        Some(Place { parent: LogicalRouter::key_of(&self.router), column: "static_routes" })
    }

    fn to_columns(&self) -> Columns {
        Columns::from([
            ("route_table", Cell::Whole(text(&self.route_table))),
            ("policy", Cell::Whole(text(self.policy.as_str()))),
            ("ip_prefix", Cell::Whole(text(self.prefix.trunc().to_string()))),
            ("nexthop", Cell::Whole(text(self.next_hop.to_string()))),
            ("output_port", Cell::Whole(optional_text(self.output_port.as_deref()))),
            ("options", keys([("ecmp_symmetric_reply", self.symmetric_reply.then(|| "true".to_owned()))])),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_a_range_are_one_route() {
        assert_eq!(canonical("10.0.0.5/8"), "10.0.0.0/8");
        assert_eq!(canonical("10.0.0.5"), "10.0.0.5/32");
        assert_eq!(canonical("FD00::1/64"), "fd00::/64");
        assert_eq!(canonical("$set"), "$set");
    }
}
