//! VPCs with real traffic: Vpc and Subnet in the folder, the plugin called as a runtime does, OVN on the userspace datapath.
//!
//! Nothing is put into a database by hand but what a test calls foreign. Witnesses are echo requests, TCP and UDP servers
//! that tell who answers and who asked, `ovn-nbctl` and `vpcctl`.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod bad_input;
mod cloud;
mod crossroads;
mod dhcp;
mod exit;
mod guide;
mod isolation;
mod nodes;
mod peerings;
mod policy_routes;
mod recovery;
mod rules;
mod static_routes;
mod subnets;

use tests::skip::{Requirement, needs_all};

/// Whether the machine can do it; otherwise it is said.
fn can() -> bool {
    needs_all(&[Requirement::Root, Requirement::Ovn])
}
