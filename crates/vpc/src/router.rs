//! The router of a VPC.

use std::collections::BTreeSet;

use ovn::nb::LogicalRouter;

use crate::checked::CheckedVpc;

/// Seconds after which a learned neighbour that is not used is forgotten; as upstream.
const NEIGHBOUR_AGE: u32 = 300;

/// The router. It learns neighbours from every ARP request only where it has peers: in a VPC without any, all stations
/// are known, and learning fills the southbound database.
pub(crate) fn router(vpc: &CheckedVpc) -> LogicalRouter {
    LogicalRouter {
        name: vpc.name.clone(),
        mac_binding_age: Some(NEIGHBOUR_AGE),
        dynamic_neigh_routers: true,
        always_learn_from_arp_request: !vpc.peerings.is_empty(),
        load_balancers: BTreeSet::new(),
    }
}
