//! The ledger in memory: pure decisions over claims and pools. What it decides is written before it is believed.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use ipam::{Mac, PickError, Request, Subnet, SubnetSpec, Wish};

use super::claim::{Claim, ClaimId, ClaimRequest, Claimed, Link, Owner, OwnerName, ReleaseIf, Sandbox};
use super::error::{LedgerError, Refusal};

/// One change, in memory and on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Add a claim, or replace the one of the same id (whose addresses never differ).
    Put(Claim),
    /// Remove a claim; its addresses become free.
    Remove(Claim),
}

/// A decision: what to change, and what to answer once it is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// In order.
    pub changes: Vec<Change>,
    /// The answer.
    pub claimed: Claimed,
}

/// Somebody outside answered for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAside {
    /// When, in seconds since 1970.
    pub since: u64,
}

/// All claims, indexed, and the pools of the subnets that exist.
#[derive(Default)]
pub struct Book {
    subnets: BTreeMap<String, Subnet>,
    claims: BTreeMap<ClaimId, Claim>,
    by_owner: HashMap<OwnerName, Vec<ClaimId>>,
    by_container: HashMap<String, Vec<ClaimId>>,
    by_address: HashMap<(String, IpAddr), ClaimId>,
    set_aside: BTreeMap<(String, IpAddr), SetAside>,
    next_id: u64,
    next_revision: u64,
}

impl Book {
    /// A book with the stored claims and no subnets.
    pub fn load(claims: impl IntoIterator<Item = Claim>) -> Self {
        let mut book = Self::default();
        for claim in claims {
            book.next_id = book.next_id.max(claim.id.0 + 1);
            book.next_revision = book.next_revision.max(claim.revision + 1);
            book.index(claim);
        }
        book
    }

    /// Every claim, oldest first.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.values()
    }

    /// The claims whose sandbox is `container`.
    pub fn claims_of_container<'a>(&'a self, container: &str) -> impl Iterator<Item = &'a Claim> {
        self.by_container.get(container).into_iter().flatten().filter_map(|id| self.claims.get(id))
    }

    /// The pool of a subnet.
    pub fn subnet(&self, name: &str) -> Option<&Subnet> {
        self.subnets.get(name)
    }

    /// Addresses that somebody outside answers for.
    pub fn set_aside_addresses(&self) -> impl Iterator<Item = (&str, IpAddr, SetAside)> {
        self.set_aside.iter().map(|((subnet, ip), s)| (subnet.as_str(), *ip, *s))
    }

    /// Who holds `address` in `subnet`.
    pub fn holder(&self, subnet: &str, address: IpAddr) -> Option<&Claim> {
        self.by_address.get(&(subnet.to_owned(), address)).and_then(|id| self.claims.get(id))
    }

    /// Replaces the subnets. Pools of subnets that stay keep what they know about freed addresses.
    pub fn respec(&mut self, specs: Vec<SubnetSpec>) {
        let mut old = std::mem::take(&mut self.subnets);
        for spec in specs {
            let name = spec.name().to_owned();
            let subnet = match old.remove(&name) {
                Some(mut subnet) => {
                    subnet.respec(spec);
                    subnet
                }
                None => self.fill(Subnet::new(spec)),
            };
            self.subnets.insert(name, subnet);
        }
    }

    fn fill(&self, mut subnet: Subnet) -> Subnet {
        let name = subnet.spec().name().to_owned();
        for claim in self.claims.values().filter(|c| c.subnet == name) {
            hold(&mut subnet, claim);
        }
        for (of, ip) in self.set_aside.keys() {
            if *of == name {
                subnet.set_aside(*ip);
            }
        }
        subnet
    }

    /// Tells the pool that an address was free before and used once, oldest first, so that it is given last.
    pub fn remember_released(&mut self, subnet: &str, address: IpAddr) {
        let held = self.holder(subnet, address).is_some();
        if let Some(pool) = self.subnets.get_mut(subnet).filter(|_| !held) {
            pool.hold(address, None);
            pool.release(address);
        }
    }

    /// Decides a claim.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchSubnet`] and [`LedgerError::Refused`].
    pub fn decide(&self, request: &ClaimRequest) -> Result<Decision, LedgerError> {
        let own = self.claims_of(&request.owner.name());
        if let Some(claim) = own.iter().find(|c| self.is_same_attachment(c, request)) {
            return Ok(unchanged(claim));
        }
        let mut changes = Vec::new();
        for claim in own.iter().filter(|c| may_take_over(c, request)) {
            if fits(claim, request) {
                return Ok(self.take_over(claim, request));
            }
            changes.push(Change::Remove((*claim).clone()));
        }
        self.fresh(request, changes)
    }

    /// The claims to release now: those of `conditions` that still hold, freed or parked.
    pub fn decide_release(&self, conditions: &[ReleaseIf]) -> Vec<Change> {
        let still_true = |c: &&ReleaseIf| self.claims.get(&c.id).is_some_and(|k| k.revision == c.revision);
        conditions
            .iter()
            .filter(still_true)
            .filter_map(|condition| {
                let claim = self.claims.get(&condition.id)?;
                let parks = condition.parks_kept && claim.workload.keeps_addresses();
                Some(if parks { Change::Put(self.parked(claim)) } else { Change::Remove(claim.clone()) })
            })
            .collect()
    }

    /// The claim of `id`.
    pub fn claim(&self, id: ClaimId) -> Option<&Claim> {
        self.claims.get(&id)
    }

    /// The change that takes `change` back, as seen before it is made.
    pub fn inverse(&self, change: &Change) -> Change {
        let (Change::Put(claim) | Change::Remove(claim)) = change;
        match self.claims.get(&claim.id) {
            Some(before) => Change::Put(before.clone()),
            None => Change::Remove(claim.clone()),
        }
    }

    /// Makes a change in memory.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Put(claim) => {
                self.next_id = self.next_id.max(claim.id.0 + 1);
                self.next_revision = self.next_revision.max(claim.revision + 1);
                let is_new = self.unindex(claim.id).is_none();
                if let Some(subnet) = self.subnets.get_mut(&claim.subnet).filter(|_| is_new) {
                    hold(subnet, claim);
                }
                self.index(claim.clone());
            }
            Change::Remove(claim) => {
                self.unindex(claim.id);
                if let Some(subnet) = self.subnets.get_mut(&claim.subnet) {
                    claim.addresses.iter().for_each(|ip| subnet.release(*ip));
                }
            }
        }
    }

    /// Keeps an address from being handed out.
    pub fn set_aside(&mut self, subnet: &str, address: IpAddr, since: u64) {
        self.set_aside.insert((subnet.to_owned(), address), SetAside { since });
        if let Some(pool) = self.subnets.get_mut(subnet) {
            pool.set_aside(address);
        }
    }

    /// Lets addresses that were set aside before `before` be handed out again: the next probe will tell.
    pub fn readmit(&mut self, before: u64) {
        let (gone, kept) =
            std::mem::take(&mut self.set_aside).into_iter().partition(|(_, s)| s.since < before);
        self.set_aside = kept;
        let gone: BTreeMap<(String, IpAddr), SetAside> = gone;
        for (subnet, address) in gone.into_keys() {
            if let Some(pool) = self.subnets.get_mut(&subnet) {
                pool.readmit(address);
            }
        }
    }

    fn claims_of(&self, name: &OwnerName) -> Vec<&Claim> {
        self.by_owner.get(name).into_iter().flatten().filter_map(|id| self.claims.get(id)).collect()
    }

    fn is_same_attachment(&self, claim: &Claim, request: &ClaimRequest) -> bool {
        claim.sandbox.as_ref().is_some_and(|s| {
            s.container == request.sandbox.container && s.netns_id == request.sandbox.netns_id
        }) && claim.link == request.link
            && claim.subnet == request.subnet
    }

    fn take_over(&self, claim: &Claim, request: &ClaimRequest) -> Decision {
        let taken = Claim {
            owner: request.owner.clone(),
            workload: request.workload,
            sandbox: Some(request.sandbox.clone()),
            network: request.network.clone(),
            mac: mac_of(request, || {
                claim.mac.or_else(|| claim.addresses.first().map(|ip| Mac::derived(&claim.subnet, *ip)))
            }),
            link: request.link,
            revision: self.next_revision,
            ..claim.clone()
        };
        let claimed = Claimed { claim: taken.clone(), superseded: claim.sandbox.clone(), is_fresh: false };
        Decision { changes: vec![Change::Put(taken)], claimed }
    }

    fn fresh(&self, request: &ClaimRequest, mut changes: Vec<Change>) -> Result<Decision, LedgerError> {
        let subnet = self
            .subnets
            .get(&request.subnet)
            .ok_or_else(|| LedgerError::NoSuchSubnet { subnet: request.subnet.clone() })?;
        let pick = subnet.pick_first(&request.wishes).map_err(|reason| {
            let holder = self.holder_named_in(&request.subnet, &reason);
            LedgerError::Refused(Box::new(Refusal { subnet: request.subnet.clone(), holder, reason }))
        })?;
        let addresses: Vec<IpAddr> = pick.addresses().addresses().collect();
        let superseded = changes.iter().find_map(|c| match c {
            Change::Remove(claim) | Change::Put(claim) => claim.sandbox.clone(),
        });
        let claim = Claim {
            id: ClaimId(self.next_id),
            owner: request.owner.clone(),
            workload: request.workload,
            sandbox: Some(request.sandbox.clone()),
            network: request.network.clone(),
            subnet: request.subnet.clone(),
            mac: mac_of(request, || Some(pick.mac())),
            addresses,
            link: request.link,
            revision: self.next_revision,
            since: request.now,
        };
        changes.push(Change::Put(claim.clone()));
        Ok(Decision { changes, claimed: Claimed { claim, superseded, is_fresh: true } })
    }

    fn holder_named_in(&self, subnet: &str, error: &PickError) -> Option<Owner> {
        let is_meant = |claim: &&Claim| match error {
            PickError::Held { ip, .. } => claim.addresses.contains(ip),
            PickError::MacHeld { mac, .. } => claim.mac == Some(*mac),
            PickError::NothingAsked { .. }
            | PickError::Stale { .. }
            | PickError::Exhausted { .. }
            | PickError::PoolExhausted { .. }
            | PickError::OutsideSubnet { .. }
            | PickError::IsGateway { .. }
            | PickError::IsNetworkOrBroadcast { .. }
            | PickError::SetAside { .. }
            | PickError::MacNotUnicast { .. }
            | PickError::FamilyNotServed { .. } => false,
        };
        self.claims.values().filter(|c| c.subnet == subnet).find(is_meant).map(|c| c.owner.clone())
    }

    fn parked(&self, claim: &Claim) -> Claim {
        Claim { sandbox: None, revision: self.next_revision, ..claim.clone() }
    }

    fn index(&mut self, claim: Claim) {
        self.by_owner.entry(claim.owner.name()).or_default().push(claim.id);
        if let Some(Sandbox { container, .. }) = &claim.sandbox {
            self.by_container.entry(container.to_string()).or_default().push(claim.id);
        }
        for ip in &claim.addresses {
            self.by_address.insert((claim.subnet.clone(), *ip), claim.id);
        }
        self.claims.insert(claim.id, claim);
    }

    fn unindex(&mut self, id: ClaimId) -> Option<Claim> {
        let claim = self.claims.remove(&id)?;
        forget(&mut self.by_owner, &claim.owner.name(), id);
        for ip in &claim.addresses {
            self.by_address.remove(&(claim.subnet.clone(), *ip));
        }
        if let Some(Sandbox { container, .. }) = &claim.sandbox {
            forget(&mut self.by_container, &container.to_string(), id);
        }
        Some(claim)
    }
}

fn forget<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Vec<ClaimId>>, key: &K, id: ClaimId) {
    if let Some(ids) = index.get_mut(key) {
        ids.retain(|i| *i != id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

fn hold(subnet: &mut Subnet, claim: &Claim) {
    for (n, ip) in claim.addresses.iter().enumerate() {
        subnet.hold(*ip, claim.mac.filter(|_| n == 0));
    }
}

fn unchanged(claim: &Claim) -> Decision {
    let claimed = Claimed { claim: claim.clone(), superseded: None, is_fresh: false };
    Decision { changes: Vec::new(), claimed }
}

/// A kept claim goes to whoever has its name; any other only to a newer sandbox of the same pod.
fn may_take_over(claim: &Claim, request: &ClaimRequest) -> bool {
    claim.workload.keeps_addresses() || claim.owner.is_same_pod(&request.owner)
}

/// The MAC that is asked for, else, when the interface is ours, the derived one.
fn mac_of(request: &ClaimRequest, derived: impl FnOnce() -> Option<Mac>) -> Option<Mac> {
    let asked = request.wishes.iter().find_map(|wish| wish.mac);
    match request.link {
        Link::Delegated => asked,
        Link::Macvlan => asked.or_else(derived),
    }
}

fn fits(claim: &Claim, request: &ClaimRequest) -> bool {
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

#[cfg(test)]
mod tests;
