//! How an interface of each form comes and goes: over `wire`, which is the kernel alone, whatever else it takes.

mod macvlan;
mod veth;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use daemon_api::{Fault, PodRef};
use netlink::Netns;
use tokio::time::Instant;

use super::plan::{Device, PortPlan};
use super::undo::Undo;
use super::{Sandboxes, wire};
use crate::ledger::{Claim, Ledger, Link};

/// An interface to be made.
pub struct Job<'a> {
    /// What is wanted.
    pub plan: &'a PortPlan,
    /// The pod.
    pub pod: &'a PodRef,
    /// Its sandbox.
    pub netns: &'a Arc<Netns>,
    /// The claim is older than this ADD: perhaps all of it is there.
    pub may_be_made: bool,
    /// Until when the caller waits.
    pub deadline: Instant,
}

impl Job<'_> {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// What the making came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wired {
    /// The interface works.
    Made(wire::Made),
    /// Another port of the same switch has the address.
    Taken {
        /// The address.
        address: IpAddr,
        /// The other port.
        by: String,
    },
}

impl<L: Ledger> Sandboxes<L> {
    /// Makes an interface. `undo` learns what has been made.
    ///
    /// # Errors
    /// What failed; what was made until then is still there.
    pub async fn wire(&self, job: &Job<'_>, undo: &mut Undo) -> Result<Wired, Fault> {
        match &job.plan.device {
            Device::Macvlan { .. } => self.wire_macvlan(job, undo).await.map(Wired::Made),
            Device::Veth(veth) => self.wire_veth(job, veth, undo).await,
        }
    }

    /// Removes the interface of a claim from the sandbox that uses it, if that is still there.
    ///
    /// # Errors
    /// [`daemon_api::FaultKind::Kernel`].
    pub async fn unwire(&self, claim: &Claim) -> Result<(), Fault> {
        let Some(sandbox) = claim.sandbox.clone() else { return Ok(()) };
        let name = claim.owner.interface.clone();
        match claim.link {
            Link::Delegated => Ok(()),
            Link::Macvlan => self.blocking("unwire", move || wire::macvlan::clean(&sandbox, &name)).await,
            Link::Veth => {
                let device = super::plan::host_name(&sandbox.container, &name);
                tokio::join!(self.remove_veth(&device), self.drop_probes(claim)).0
            }
        }
    }
}
