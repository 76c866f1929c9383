//! Completed steps of an ADD, to be taken back in reverse order unless it succeeds.

use std::sync::Arc;

use daemon_api::{Fault, IfName};
use netlink::Netns;

use super::{Sandboxes, wire};
use crate::ledger::{Claim, Ledger, ReleaseIf};

/// One completed step.
pub enum Step {
    /// Addresses were claimed for this ADD.
    Claimed(Box<Claim>),
    /// A macvlan was made.
    Macvlan {
        /// In this namespace.
        netns: Arc<Netns>,
        /// Under this name.
        interface: IfName,
    },
    /// A veth was made, or begun to be made.
    Veth {
        /// The host's end.
        host_name: String,
    },
}

/// The completed steps of one ADD, oldest first.
#[derive(Default)]
pub struct Undo(Vec<Step>);

impl Undo {
    /// Remembers a completed step.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Keeps the claim when the rest is taken back: the caller has other plans for it.
    pub fn keep_claim(&mut self) {
        self.0.retain(|step| !matches!(step, Step::Claimed(_)));
    }

    /// The ADD succeeded: nothing will be taken back.
    pub fn commit(self) {
        drop(self);
    }

    /// Takes everything back, newest first, and answers `fault` with whatever could not be taken back. What is left
    /// behind then is found by the DEL that follows, or by the sweep.
    pub async fn unwind<L: Ledger>(self, sandboxes: &Sandboxes<L>, mut fault: Fault) -> Fault {
        for step in self.0.into_iter().rev() {
            let undone = match step {
                Step::Claimed(claim) => sandboxes
                    .ledger
                    .release(vec![ReleaseIf::undo(&claim)])
                    .await
                    .map(drop)
                    .map_err(Fault::from),
                Step::Macvlan { netns, interface } => {
                    sandboxes.blocking("unwire", move || wire::macvlan::remove(&netns, &interface)).await
                }
                Step::Veth { host_name } => sandboxes.remove_veth(&host_name).await,
            };
            if let Err(left) = undone {
                fault.message = format!("{} (and taking it back: {})", fault.message, left.message);
            }
        }
        fault
    }
}
