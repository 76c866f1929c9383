//! The static routes of a VPC.
//!
//! Upstream also routes each overlay subnet by source to its own gateway; on vanilla OVN that /24 would beat the author's
//! `0.0.0.0/0` and send everything to the router itself. What policies need of it is in [`fallback`].
//! The order the guide promises (longer prefix first, destination before source on a tie) is OVN's own.

use ovn::nb::LogicalRouterStaticRoute;

use crate::checked::{CheckedRoute, CheckedVpc};
use crate::fallback;

/// The rows; several with one range and different next hops share the traffic.
pub(crate) fn static_routes(vpc: &CheckedVpc) -> Vec<LogicalRouterStaticRoute> {
    let row = |route: CheckedRoute| LogicalRouterStaticRoute {
        router: vpc.name.clone(),
        route_table: route.table,
        policy: route.policy,
        prefix: route.prefix,
        next_hop: route.next_hop,
        output_port: None,
        symmetric_reply: false,
    };
    vpc.routes.iter().cloned().chain(fallback::fallbacks(vpc)).map(row).collect()
}
