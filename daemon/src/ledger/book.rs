//! The ledger in memory: pure decisions over claims and pools. What it decides is written before it is believed.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use daemon_api::PodRef;
use ipam::{Mac, PickError, Subnet};

use super::claim::{
    Claim, ClaimId, ClaimRequest, Claimed, Owner, OwnerName, ReleaseIf, Sandbox, Segment, Served,
};
use super::clash;
use super::error::{LedgerError, Refusal};
use super::pool::Pool;
use super::reuse::{fits, mac_of, may_take_over};

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
    pools: BTreeMap<String, Pool>,
    claims: BTreeMap<ClaimId, Claim>,
    by_pod: HashMap<PodRef, Vec<ClaimId>>,
    by_container: HashMap<String, Vec<ClaimId>>,
    by_address: HashMap<(Segment, IpAddr), ClaimId>,
    set_aside: BTreeMap<(Segment, IpAddr), SetAside>,
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
        self.pools.get(name).map(|pool| &pool.subnet)
    }

    /// Addresses that somebody outside answers for.
    pub fn set_aside_addresses(&self) -> impl Iterator<Item = (&Segment, IpAddr, SetAside)> {
        self.set_aside.iter().map(|((segment, ip), s)| (segment, *ip, *s))
    }

    /// Who holds `address` in `segment`.
    pub fn holder(&self, segment: &Segment, address: IpAddr) -> Option<&Claim> {
        self.by_address.get(&(segment.clone(), address)).and_then(|id| self.claims.get(id))
    }

    /// Replaces the subnets. Pools of subnets that stay keep what they know about freed addresses.
    pub fn respec(&mut self, served: Vec<Served>) {
        let mut old = std::mem::take(&mut self.pools);
        for Served { spec, segment } in served {
            let name = spec.name().to_owned();
            let mut pool = match old.remove(&name).filter(|pool| pool.segment == segment) {
                Some(mut pool) => {
                    pool.subnet.respec(spec);
                    pool
                }
                None => Pool { subnet: Subnet::new(spec), segment },
            };
            self.fill(&mut pool);
            self.pools.insert(name, pool);
        }
    }

    /// What the pool holds by other subnets' claims too: of an overlapping subnet, or of its own former name.
    fn fill(&self, pool: &mut Pool) {
        for claim in self.claims.values() {
            pool.hold(claim);
        }
        for (segment, ip) in self.set_aside.keys() {
            if *segment == pool.segment {
                pool.subnet.set_aside(*ip);
            }
        }
    }

    /// Tells the pools that an address was free before and used once, oldest first, so that it is given last.
    pub fn remember_released(&mut self, segment: &Segment, address: IpAddr) {
        if self.holder(segment, address).is_some() {
            return;
        }
        for pool in self.pools.values_mut().filter(|pool| pool.covers(segment, address)) {
            pool.subnet.hold(address, None);
            pool.subnet.release(address);
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
            if fits(claim, request) && self.is_of_today(claim) {
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
                if is_new {
                    self.pools.values_mut().for_each(|pool| pool.hold(claim));
                }
                self.index(claim.clone());
            }
            Change::Remove(claim) => {
                self.unindex(claim.id);
                self.pools.values_mut().for_each(|pool| pool.release(claim));
            }
        }
    }

    /// Keeps an address from being handed out.
    pub fn set_aside(&mut self, segment: &Segment, address: IpAddr, since: u64) {
        self.set_aside.insert((segment.clone(), address), SetAside { since });
        for pool in self.pools.values_mut().filter(|pool| pool.covers(segment, address)) {
            pool.subnet.set_aside(address);
        }
    }

    /// Lets addresses that were set aside before `before` be handed out again: the next probe will tell.
    pub fn readmit(&mut self, before: u64) {
        let is_old = |_: &(Segment, IpAddr), aside: &mut SetAside| aside.since < before;
        let gone: Vec<(Segment, IpAddr)> =
            self.set_aside.extract_if(.., is_old).map(|(key, _)| key).collect();
        for (segment, address) in gone {
            for pool in self.pools.values_mut().filter(|pool| pool.covers(&segment, address)) {
                pool.subnet.readmit(address);
            }
        }
    }

    /// The claim's addresses are in its subnet as that is now.
    fn is_of_today(&self, claim: &Claim) -> bool {
        self.subnet(&claim.subnet).is_some_and(|s| claim.addresses.iter().all(|ip| s.spec().contains(*ip)))
    }

    /// The claims of an owner: one, but for a moment while it moves to another subnet.
    pub fn claims_of(&self, name: &OwnerName) -> Vec<&Claim> {
        self.claims_of_pod(&name.0).filter(|claim| claim.owner.name() == *name).collect()
    }

    /// The claims of a pod's interfaces.
    pub fn claims_of_pod(&self, pod: &PodRef) -> impl Iterator<Item = &Claim> {
        self.by_pod.get(pod).into_iter().flatten().filter_map(|id| self.claims.get(id))
    }

    fn is_same_attachment(&self, claim: &Claim, request: &ClaimRequest) -> bool {
        claim.sandbox.as_ref().is_some_and(|s| {
            s.container == request.sandbox.container && s.netns_id == request.sandbox.netns_id
        }) && (claim.link, &claim.port) == (request.link, &request.port)
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
            port: request.port.clone(),
            revision: self.next_revision,
            ..claim.clone()
        };
        let claimed = Claimed { claim: taken.clone(), superseded: claim.sandbox.clone(), is_fresh: false };
        Decision { changes: vec![Change::Put(taken)], claimed }
    }

    fn fresh(&self, request: &ClaimRequest, mut changes: Vec<Change>) -> Result<Decision, LedgerError> {
        let Pool { subnet, segment } = self
            .pools
            .get(&request.subnet)
            .ok_or_else(|| LedgerError::NoSuchSubnet { subnet: request.subnet.clone() })?;
        let refused = |reason| {
            let holder = self.holder_named_in(segment, &reason);
            LedgerError::Refused(Box::new(Refusal { subnet: request.subnet.clone(), holder, reason }))
        };
        self.check_mac(segment, request, &changes).map_err(refused)?;
        let wishes = clash::avoiding(request, &clash::rivals(self.claims.values(), request, segment))?;
        let pick = subnet.pick_first(&wishes).map_err(refused)?;
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
            segment: segment.clone(),
            mac: mac_of(request, || Some(pick.mac())),
            addresses,
            link: request.link,
            port: request.port.clone(),
            revision: self.next_revision,
            since: request.now,
        };
        changes.push(Change::Put(claim.clone()));
        Ok(Decision { changes, claimed: Claimed { claim, superseded, is_fresh: true } })
    }

    /// A MAC that is asked for must be free in the whole segment; a pool only knows those of its own addresses.
    fn check_mac(
        &self,
        segment: &Segment,
        request: &ClaimRequest,
        going: &[Change],
    ) -> Result<(), PickError> {
        let Some(mac) = request.wishes.iter().find_map(|wish| wish.mac) else { return Ok(()) };
        let goes = |claim: &Claim| going.contains(&Change::Remove(claim.clone()));
        let is_held = |claim: &&Claim| claim.segment == *segment && claim.mac == Some(mac) && !goes(claim);
        match self.claims.values().find(is_held) {
            Some(claim) => Err(PickError::MacHeld { mac, subnet: claim.subnet.clone() }),
            None => Ok(()),
        }
    }

    fn holder_named_in(&self, segment: &Segment, error: &PickError) -> Option<Owner> {
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
        self.claims.values().filter(|c| c.segment == *segment).find(is_meant).map(|c| c.owner.clone())
    }

    fn parked(&self, claim: &Claim) -> Claim {
        Claim { sandbox: None, revision: self.next_revision, ..claim.clone() }
    }

    fn index(&mut self, claim: Claim) {
        self.by_pod.entry(claim.owner.pod.clone()).or_default().push(claim.id);
        if let Some(Sandbox { container, .. }) = &claim.sandbox {
            self.by_container.entry(container.to_string()).or_default().push(claim.id);
        }
        for ip in &claim.addresses {
            self.by_address.insert((claim.segment.clone(), *ip), claim.id);
        }
        self.claims.insert(claim.id, claim);
    }

    fn unindex(&mut self, id: ClaimId) -> Option<Claim> {
        let claim = self.claims.remove(&id)?;
        forget(&mut self.by_pod, &claim.owner.pod, id);
        for ip in &claim.addresses {
            self.by_address.remove(&(claim.segment.clone(), *ip));
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

fn unchanged(claim: &Claim) -> Decision {
    let claimed = Claimed { claim: claim.clone(), superseded: None, is_fresh: false };
    Decision { changes: Vec::new(), claimed }
}

#[cfg(test)]
mod tests;
