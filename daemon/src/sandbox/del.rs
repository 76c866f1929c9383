//! DEL: undo what is found in the ledger under the container and interface, whatever else the caller still knows.

use daemon_api::{CallContext, ContainerId, Fault, FaultKind, IfName, PodRequest};

use super::arrivals::Arrival;
use super::attachment::Attachment;
use super::{Sandboxes, patience, plan};
use crate::crash;
use crate::ledger::{Claim, Ledger, ReleaseIf};

impl<L: Ledger> Sandboxes<L> {
    /// Undoes an ADD. Nothing left to do is success: unknown container, missing namespace, repeated call.
    ///
    /// # Errors
    /// [`FaultKind::BadEnvironment`] without a usable container id and interface name; [`FaultKind::Ledger`] and
    /// [`FaultKind::Kernel`] when the undoing failed and should be tried again.
    pub async fn del(
        &self,
        request: &PodRequest,
        call: &CallContext,
        arrival: Arrival,
    ) -> Result<Vec<Claim>, Fault> {
        // Only two texts matter; a DEL may have lost the rest, or carry one that no longer means anything.
        let wanted = Attachment::of(request, call);
        let container = ContainerId::new(&request.container_id);
        let interface = IfName::new(&request.if_name);
        let (Ok(container), Ok(interface)) = (container, interface) else {
            return Err(wanted
                .err()
                .unwrap_or_else(|| Fault::new(FaultKind::BadEnvironment, "no container")));
        };
        crash::point("del-accepted");
        let key = (container.clone(), interface.clone());
        let _interface = self.turn(&self.interfaces, key.clone(), patience(call)).await?;
        self.arrivals.deleted(key, arrival);
        let provider = wanted.ok().map(|a| a.provider.to_string());
        let released = self.del_alone(&container, &interface, provider.as_deref()).await?;
        if released.is_empty() && self.vswitch.is_there() {
            // A ledger that was lost knows nothing of what it made.
            self.remove_veth(&plan::host_name(&container, &interface)).await?;
        }
        crash::point("del-before-answer");
        Ok(released)
    }

    /// The same with the interface's lock already held.
    ///
    /// # Errors
    /// As [`Sandboxes::del`].
    pub async fn del_alone(
        &self,
        container: &ContainerId,
        interface: &IfName,
        provider: Option<&str>,
    ) -> Result<Vec<Claim>, Fault> {
        let claims = self.ledger.look(|book| {
            let of_interface = book
                .claims_of_container(container.as_str())
                .filter(|c| c.is_used_by(container.as_str(), interface.as_str()));
            meant(of_interface.cloned().collect(), provider)
        });
        let mut released = Vec::new();
        for claim in claims {
            released.extend(self.free(claim).await?);
        }
        Ok(released)
    }

    /// Removes a claim's interface, then frees the claim unless it has changed meanwhile.
    ///
    /// # Errors
    /// [`FaultKind::Ledger`] and [`FaultKind::Kernel`].
    pub async fn free(&self, claim: Claim) -> Result<Vec<Claim>, Fault> {
        let _owner = self.owners.hold(claim.owner.name()).await;
        let is_same =
            self.ledger.look(|book| book.claim(claim.id).is_some_and(|c| c.revision == claim.revision));
        if !is_same {
            return Ok(Vec::new());
        }
        self.unwire(&claim).await?;
        crash::point("del-unwired");
        let released = self.ledger.release(vec![ReleaseIf::unchanged(&claim)]).await?;
        self.failures.forget(&claim.owner.pod, &claim.owner.interface);
        Ok(released)
    }
}

/// The claims of the provider that the caller names, or all when it names none of them: then its configuration is lost.
fn meant(claims: Vec<Claim>, provider: Option<&str>) -> Vec<Claim> {
    let is_named = |c: &&Claim| Some(c.owner.provider.as_str()) == provider;
    if claims.iter().any(|c| is_named(&c)) {
        claims.into_iter().filter(|c| is_named(&c)).collect()
    } else {
        claims
    }
}
