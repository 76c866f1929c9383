//! GC: free the attachments of one network that the runtime does not list (CNI specification 1.1, section 4).
//!
//! # Assumptions
//! The runtime executes no ADD or DEL while GC runs, as the specification demands. Those that run all the same are
//! safe: only claims that existed when the call came in and have not changed since are freed.

use daemon_api::request::Attachment as Listed;
use daemon_api::{Fault, FaultKind, GcRequest, NetworkName};

use super::Sandboxes;
use super::observed::{self, Presence};
use crate::ledger::{Claim, Ledger, Sandbox};

impl<L: Ledger> Sandboxes<L> {
    /// Frees what is not listed. With an empty list only what no living sandbox holds, since a runtime that lost its
    /// memory sends one too.
    ///
    /// # Errors
    /// [`FaultKind::BadConfig`] without a list; else all failures joined, after everything was tried.
    pub async fn gc(&self, request: &GcRequest) -> Result<usize, Fault> {
        let network = NetworkName::new(&request.network)
            .map_err(|e| Fault::new(FaultKind::BadConfig, format!("collect garbage: {e}")))?;
        let Some(valid) = &request.valid_attachments else {
            return Err(Fault::new(
                FaultKind::BadConfig,
                format!("collect garbage of network {network}: no list"),
            )
            .hint("\"cni.dev/valid-attachments\" must name the attachments that are alive"));
        };
        let claims: Vec<Claim> = self.ledger.look(|book| book.claims().cloned().collect());
        let claims = claims.into_iter().filter(|claim| !self.is_under_way(claim)).collect();
        let mut freed = 0;
        let mut failures = Vec::new();
        for claim in stale(claims, network.as_str(), valid, |claim| self.is_surely_gone(claim)) {
            match self.free(claim).await {
                Ok(released) => freed += released.len(),
                Err(fault) => failures.push(fault),
            }
        }
        tracing::info!(%network, listed = valid.len(), freed, failed = failures.len(), "collected garbage");
        match failures.into_iter().reduce(|mut all, next| {
            all.message = format!("{}; {}", all.message, next.message);
            all
        }) {
            None => Ok(freed),
            Some(fault) => Err(fault),
        }
    }

    /// An ADD or DEL of the claim's interface runs at this moment.
    fn is_under_way(&self, claim: &Claim) -> bool {
        let key = |s: &Sandbox| (s.container.clone(), claim.owner.interface.clone());
        claim.sandbox.as_ref().is_some_and(|sandbox| self.interfaces.is_held(&key(sandbox)))
    }

    fn is_surely_gone(&self, claim: &Claim) -> bool {
        claim.sandbox.as_ref().is_some_and(|sandbox| observed::presence(sandbox) == Presence::Gone)
    }
}

/// Which claims to free. Parked ones have no sandbox and are nobody's garbage.
fn stale(
    claims: Vec<Claim>,
    network: &str,
    valid: &[Listed],
    is_surely_gone: impl Fn(&Claim) -> bool,
) -> Vec<Claim> {
    let is_listed =
        |claim: &Claim| valid.iter().any(|listed| claim.is_used_by(&listed.container_id, &listed.ifname));
    claims
        .into_iter()
        .filter(|claim| claim.network == network && claim.sandbox.is_some() && !is_listed(claim))
        .filter(|claim| !valid.is_empty() || is_surely_gone(claim))
        .collect()
}
