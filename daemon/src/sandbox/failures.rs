//! The last ADDs that failed, so that `vpcctl explain` can say why a pod has no network.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use daemon_api::{ContainerId, Fault, IfName, PodRef, Provider};

/// How many failures are remembered: a few per pod of a full node.
const REMEMBERED: usize = 512;

/// One ADD that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The pod.
    pub pod: PodRef,
    /// The sandbox.
    pub container: ContainerId,
    /// The interface.
    pub interface: IfName,
    /// The provider.
    pub provider: Provider,
    /// Why.
    pub fault: Fault,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// A bounded memory of failures, newest last, one per interface.
#[derive(Default)]
pub struct Failures(Mutex<VecDeque<Failure>>);

impl Failures {
    /// Remembers a failure instead of an older one of the same interface.
    pub fn remember(&self, failure: Failure) {
        let mut list = self.list();
        list.retain(|f| f.pod != failure.pod || f.interface != failure.interface);
        if list.len() == REMEMBERED {
            list.pop_front();
        }
        list.push_back(failure);
    }

    /// Forgets the failure of an interface that works now, or is gone.
    pub fn forget(&self, pod: &PodRef, interface: &IfName) {
        self.list().retain(|f| f.pod != *pod || f.interface != *interface);
    }

    /// The failures of a pod, oldest first.
    pub fn of(&self, pod: &PodRef) -> Vec<Failure> {
        self.list().iter().filter(|f| f.pod == *pod).cloned().collect()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, VecDeque<Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
