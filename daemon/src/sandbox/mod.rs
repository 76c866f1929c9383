//! The CNI verbs on a sandbox, one file each, over the same steps: observe, plan, apply.
//!
//! `attachment` checks who calls about what; `network` turns facts and resources into one parsed value; `plan` turns
//! that and a claim into the wanted interface; `wire` makes it; `undo` takes back; `observed` says what is there.
//!
//! # Flow
//! Every verb first holds the lock of its (container, interface), so that a DEL waits for the ADD it follows even when
//! the runtime killed that ADD's plugin, and an ADD that finds a later DEL done does nothing. Changes of a claim also hold its owner's lock.

pub mod add;
pub mod arrivals;
pub mod attachment;
pub mod check;
pub mod conflict;
pub mod del;
pub mod failures;
pub mod form;
pub mod gc;
pub mod ground;
pub mod locks;
pub mod network;
pub mod observed;
pub mod plan;
pub mod status;
pub mod strays;
pub mod undo;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use daemon_api::{CallContext, ContainerId, Fault, FaultKind, IfName};
use tokio::sync::{Semaphore, watch};

use crate::health::Readiness;
use crate::ledger::Ledger;
use crate::ledger::claim::OwnerName;
use crate::ledger::pending::PendingDels;
use crate::metrics::Metrics;
use crate::neighbours::Neighbours;
use crate::northbound::Northbound;
use crate::probes::Probes;
use crate::resources::Snapshot;
use crate::vswitch::Vswitch;

/// Verbs that touch the kernel at once. The kernel serialises them on one lock anyway; more threads only cost memory.
pub const KERNEL_WORKERS: usize = 32;

/// How long a caller waits that does not say: below the shortest limit of a runtime, CRI-O's 60 s.
const PATIENCE: Duration = Duration::from_secs(55);

/// How long the caller of a verb waits for its answer.
pub fn patience(call: &CallContext) -> Duration {
    if call.deadline_ms == 0 { PATIENCE } else { PATIENCE.min(Duration::from_millis(call.deadline_ms)) }
}

/// What the verbs share.
pub struct Sandboxes<L> {
    /// Who holds which address.
    pub ledger: L,
    /// The resources as they are now.
    pub resources: watch::Receiver<Arc<Snapshot>>,
    /// The node's Open vSwitch.
    pub vswitch: Vswitch,
    /// MTU of veths whose Subnet says nothing; `None` for what fits into the node's tunnels.
    pub mtu: Option<u32>,
    /// The path of the kubelet's probes.
    pub probes: Probes,
    /// The northbound database.
    pub northbound: Northbound,
    /// Duplicate-address probes; `None` when they are switched off.
    pub neighbours: Option<Neighbours>,
    /// DELs that the plugin left on disk.
    pub pending: PendingDels,
    /// What is measured.
    pub metrics: Metrics,
    /// What readiness waits for.
    pub readiness: Readiness,
    /// The last ADDs that failed.
    pub failures: failures::Failures,
    /// Which of two calls came later.
    pub arrivals: arrivals::Arrivals,
    /// One verb at a time per interface of a sandbox.
    pub interfaces: Arc<locks::Locks<(ContainerId, IfName)>>,
    /// One change at a time per owner.
    pub owners: Arc<locks::Locks<OwnerName>>,
    /// Room for work in the kernel.
    pub kernel: Arc<Semaphore>,
}

impl<L: Ledger> Sandboxes<L> {
    /// The resources as they are now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.resources.borrow().clone()
    }

    /// Waits for one lock, no longer than the caller waits for its answer.
    ///
    /// # Errors
    /// [`FaultKind::Busy`].
    pub async fn turn<K: std::hash::Hash + Eq + Clone>(
        &self,
        locks: &Arc<locks::Locks<K>>,
        key: K,
        patience: Duration,
    ) -> Result<locks::Held<K>, Fault> {
        tokio::time::timeout(patience, locks.hold(key)).await.map_err(|_| {
            Fault::new(FaultKind::Busy, "another call on the same interface or pod is still under way")
        })
    }

    /// Runs blocking kernel work on a thread of its own and measures it.
    ///
    /// # Errors
    /// [`FaultKind::Kernel`] when the work panicked; otherwise whatever `work` answers.
    pub async fn blocking<T, F>(&self, step: &'static str, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Fault> + Send + 'static,
    {
        let permit = self.kernel.clone().acquire_owned().await;
        let started = std::time::Instant::now();
        let done = tokio::task::spawn_blocking(work).await;
        drop(permit);
        self.metrics.step(step, started.elapsed());
        done.unwrap_or_else(|_| {
            Err(Fault::new(FaultKind::Kernel, format!("{step}: the worker panicked; see the log")))
        })
    }
}
