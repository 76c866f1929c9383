//! A claim → the switch port that it wants. Pure.

use ovn::address::Mac;
use vpc::PortFact;

use crate::ledger::{Claim, Link};

/// The switch port of a claim; `None` for claims that are no ports of OVN, and for parked ones.
pub fn of_claim(claim: &Claim) -> Option<PortFact> {
    if claim.link != Link::Veth || claim.sandbox.is_none() {
        return None;
    }
    let owner = &claim.owner;
    Some(PortFact {
        namespace: owner.pod.namespace.clone(),
        pod: owner.pod.name.clone(),
        provider: owner.provider.to_string(),
        interface: claim.port.is_per_interface.then(|| owner.interface.to_string()),
        subnet: claim.subnet.clone(),
        addresses: claim.addresses.clone(),
        mac: Mac::new(claim.mac?.0),
        port_security: true,
        is_ours: false,
    })
}
