//! Claims whose sandbox is gone: containerd never calls GC, and a DEL can be lost.
//!
//! # Guarantees
//! * A claim is freed only when two looks, one interval apart, both found its sandbox gone, and only if it has not
//!   changed since the first look: an ADD that comes meanwhile wins.
//! * A sandbox that merely cannot be seen (the folder of its path is missing) is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Claim, ClaimId, Ledger};
use crate::sandbox::Sandboxes;
use crate::sandbox::observed::{self, Presence};

/// What the last look found gone: claim → revision.
type Suspects = BTreeMap<ClaimId, u64>;

/// The claims to free now, and those to look at again.
fn judge(suspects: &Suspects, gone: Vec<Claim>) -> (Vec<Claim>, Suspects) {
    let again = gone.iter().map(|c| (c.id, c.revision)).collect();
    let sure = gone.into_iter().filter(|c| suspects.get(&c.id) == Some(&c.revision)).collect();
    (sure, again)
}

/// Claims that a sandbox uses which is gone, or that lost its interface's place to a newer claim: two containers
/// cannot both have an interface of one name in one namespace.
fn gone(claims: &[Claim], presence: impl Fn(&Claim) -> Presence) -> Vec<Claim> {
    let place = |c: &Claim| {
        c.sandbox.as_ref().map(|s| (s.netns.clone(), c.owner.interface.clone(), c.owner.provider.clone()))
    };
    let newest = claims.iter().fold(BTreeMap::new(), |mut newest: BTreeMap<_, u64>, c| {
        let revision = newest.entry(place(c)).or_default();
        *revision = c.revision.max(*revision);
        newest
    });
    claims
        .iter()
        .filter(|c| c.sandbox.is_some())
        .filter(|c| presence(c) == Presence::Gone || newest.get(&place(c)).is_some_and(|r| *r > c.revision))
        .cloned()
        .collect()
}

impl<L: Ledger> Sandboxes<L> {
    /// Looks every `interval`, for ever. Looking is a few system calls per claim, so a timer is as good as a watch on
    /// every folder that a runtime might use.
    pub async fn sweep(&self, interval: Duration) {
        let mut suspects = Suspects::new();
        let mut stray_suspects = BTreeSet::new();
        let mut timer = tokio::time::interval(interval);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            timer.tick().await;
            let claims: Vec<Claim> = self.ledger.look(|book| book.claims().cloned().collect());
            let looked = self
                .blocking("sweep", move || {
                    Ok(gone(&claims, |c| c.sandbox.as_ref().map_or(Presence::Unknown, observed::presence)))
                })
                .await;
            let Ok(gone) = looked else { continue };
            let (sure, again) = judge(&suspects, gone);
            suspects = again;
            for claim in sure {
                self.sweep_one(claim).await;
            }
            self.sweep_strays(&mut stray_suspects).await;
            self.sync_probes().await;
        }
    }

    async fn sweep_one(&self, claim: Claim) {
        let (pod, addresses) = (claim.owner.pod.clone(), claim.addresses.clone());
        match self.free(claim).await {
            Ok(freed) if freed.is_empty() => {}
            Ok(_) => {
                self.metrics.swept.inc();
                tracing::info!(%pod, ?addresses, "freed the addresses of a sandbox that is gone");
            }
            Err(fault) => tracing::warn!(%pod, %fault, "free the addresses of a sandbox that is gone"),
        }
    }
}

#[cfg(test)]
mod tests;
