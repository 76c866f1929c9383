//! Whether a claim that is there will do for a request, and the MAC that it keeps. Pure.

use std::net::IpAddr;

use ipam::{Mac, Request, Wish};

use super::claim::{Claim, ClaimRequest, Link};

/// A kept claim goes to whoever has its name; any other only to a newer sandbox of the same pod.
pub(super) fn may_take_over(claim: &Claim, request: &ClaimRequest) -> bool {
    claim.workload.keeps_addresses() || claim.owner.is_same_pod(&request.owner)
}

/// The MAC that is asked for, else, when the interface is ours, the derived one.
pub(super) fn mac_of(request: &ClaimRequest, derived: impl FnOnce() -> Option<Mac>) -> Option<Mac> {
    let asked = request.wishes.iter().find_map(|wish| wish.mac);
    match request.link {
        Link::Delegated => asked,
        Link::Macvlan | Link::Veth => asked.or_else(derived),
    }
}

/// The claim is of the subnet that is asked for, and its addresses grant one of the wishes.
pub(super) fn fits(claim: &Claim, request: &ClaimRequest) -> bool {
    claim.subnet == request.subnet && request.wishes.iter().any(|wish| grants(claim, wish))
}

fn grants(claim: &Claim, wish: &Request) -> bool {
    let serves = |wish: &Wish, ip: Option<&IpAddr>| match (wish, ip) {
        (Wish::None, None) | (Wish::Any, Some(_)) => true,
        (Wish::Exactly(wanted), Some(ip)) => wanted == ip,
        (Wish::OneOf(ranges), Some(ip)) => {
            ranges.iter().any(|range| range.contains(ipam::family::number(*ip)))
        }
        (Wish::None, Some(_)) | (Wish::Any | Wish::Exactly(_) | Wish::OneOf(_), None) => false,
    };
    serves(&wish.v4, claim.addresses.iter().find(|ip| ip.is_ipv4()))
        && serves(&wish.v6, claim.addresses.iter().find(|ip| ip.is_ipv6()))
}
