//! The static routes of a VPC.
//!
//! Nothing is added to what the spec says. Upstream also routes each overlay subnet by source to its own gateway; on
//! vanilla OVN that /24 would beat the author's `0.0.0.0/0` and send everything to the router itself.
//! The order the guide promises (longer prefix first, destination before source on a tie) is OVN's own.

use ovn::nb::LogicalRouterStaticRoute;

use crate::checked::CheckedVpc;

/// The rows; several with one range and different next hops share the traffic.
pub(crate) fn static_routes(vpc: &CheckedVpc) -> Vec<LogicalRouterStaticRoute> {
    let row = |route: &crate::checked::CheckedRoute| LogicalRouterStaticRoute {
        router: vpc.name.clone(),
        route_table: route.table.clone(),
        policy: route.policy,
        prefix: route.prefix,
        next_hop: route.next_hop,
        output_port: None,
        symmetric_reply: false,
    };
    vpc.routes.iter().map(row).collect()
}
