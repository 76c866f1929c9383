//! Two pods of this node with one address, in two VPCs, and one probe port: the kubelet's probes of the two look alike, so
//! the second such pod gets another address, or none when a person chose it. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipam::{Request, Wish};

use super::claim::{Claim, ClaimRequest, Owner, Segment};
use super::error::LedgerError;

/// The addresses that other pods with a probe port of the request have in other segments, and whose they are.
pub fn rivals<'a>(
    claims: impl Iterator<Item = &'a Claim>,
    request: &ClaimRequest,
    segment: &Segment,
) -> BTreeMap<IpAddr, &'a Owner> {
    let ports = &request.port.probe_ports;
    if !request.are_probes_carried || ports.is_empty() {
        return BTreeMap::new();
    }
    claims
        .filter(|claim| claim.sandbox.is_some() && claim.segment != *segment)
        .filter(|claim| {
            claim.owner.name() != request.owner.name() && !claim.port.probe_ports.is_disjoint(ports)
        })
        .flat_map(|claim| claim.addresses.iter().map(|ip| (*ip, &claim.owner)))
        .collect()
}

/// The same wishes, passing over the rivals' addresses.
///
/// # Errors
/// [`LedgerError::ProbeClash`] when a person chose one of them.
pub fn avoiding(
    request: &ClaimRequest,
    rivals: &BTreeMap<IpAddr, &Owner>,
) -> Result<Vec<Request>, LedgerError> {
    let wishes = &request.wishes;
    let chosen = |wish: &Request| {
        let exact = [&wish.v4, &wish.v6].into_iter().filter_map(|wish| match wish {
            Wish::Exactly(ip) => Some(*ip),
            Wish::None | Wish::Any | Wish::OneOf(_) => None,
        });
        exact.filter_map(|ip| rivals.get(&ip).map(|owner| (ip, *owner))).next()
    };
    if let Some((address, holder)) = wishes.iter().find_map(chosen) {
        let (owner, holder) = (Box::new(request.owner.clone()), Box::new(holder.clone()));
        return Err(LedgerError::ProbeClash { owner, address, holder });
    }
    let avoiding = |wish: &Request| {
        let mut wish = wish.clone();
        wish.avoid.extend(rivals.keys().copied());
        wish
    };
    Ok(wishes.iter().map(avoiding).collect())
}
