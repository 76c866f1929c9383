//! A subnet's pool among others of its segment: it holds the addresses of their claims too.

use std::net::IpAddr;

use ipam::Subnet;

use super::claim::{Claim, Segment};

/// The addresses of one subnet, and where they are unique.
pub(super) struct Pool {
    /// What is free and held.
    pub(super) subnet: Subnet,
    /// Where an address belongs to one interface only.
    pub(super) segment: Segment,
}

impl Pool {
    /// True for an address of this segment and subnet.
    pub(super) fn covers(&self, segment: &Segment, address: IpAddr) -> bool {
        self.segment == *segment && self.subnet.spec().contains(address)
    }

    /// The claim's addresses that are this pool's business, with their place in the claim.
    fn its<'a>(&'a self, claim: &'a Claim) -> impl Iterator<Item = (usize, IpAddr)> + 'a {
        let is_own = claim.subnet == self.subnet.spec().name();
        let addresses = claim.addresses.iter().copied().enumerate();
        addresses.filter(move |(_, ip)| is_own || self.covers(&claim.segment, *ip))
    }

    /// Holds what is its business. Repeating is fine.
    pub(super) fn hold(&mut self, claim: &Claim) {
        let its: Vec<_> = self.its(claim).collect();
        for (nth, ip) in its {
            self.subnet.hold(ip, claim.mac.filter(|_| nth == 0));
        }
    }

    /// Releases it.
    pub(super) fn release(&mut self, claim: &Claim) {
        let its: Vec<_> = self.its(claim).collect();
        its.into_iter().for_each(|(_, ip)| self.subnet.release(ip));
    }
}
