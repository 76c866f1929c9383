//! A macvlan: the kernel alone.

use std::time::Duration;

use daemon_api::{Fault, FaultKind};
use tokio::time::Instant;

use super::Job;
use crate::ledger::Ledger;
use crate::sandbox::undo::{Step, Undo};
use crate::sandbox::{Sandboxes, observed, wire};

/// Pause between two tries while the kernel says busy, and how many tries: a second and a half in all.
const BUSY_PAUSE: Duration = Duration::from_millis(15);
const BUSY_TRIES: u32 = 100;

impl<L: Ledger> Sandboxes<L> {
    pub(super) async fn wire_macvlan(&self, job: &Job<'_>, undo: &mut Undo) -> Result<wire::Made, Fault> {
        if job.may_be_made
            && let Some(made) = self.already_made(job).await?
        {
            return Ok(made);
        }
        let made = self.wire_patiently(job).await?;
        undo.push(Step::Macvlan { netns: job.netns.clone(), interface: job.plan.interface.clone() });
        Ok(made)
    }

    /// A namespace that was just deleted keeps its macvlan, and so the MAC, until the kernel's clean-up has run, and
    /// no event of ours tells when.
    async fn wire_patiently(&self, job: &Job<'_>) -> Result<wire::Made, Fault> {
        // The first tick of an interval that starts now would cost a millisecond, the timer's grain.
        let mut timer = tokio::time::interval_at(Instant::now() + BUSY_PAUSE, BUSY_PAUSE);
        let mut tries = 0;
        loop {
            tries += 1;
            let (netns, plan) = (job.netns.clone(), job.plan.clone());
            match self.blocking("wire", move || wire::make(&plan, &netns)).await {
                Err(fault) if fault.kind == FaultKind::Busy && tries < BUSY_TRIES => {
                    timer.tick().await;
                }
                made => return made,
            }
        }
    }

    /// The finished interface of an ADD that is repeated. One that an interrupted ADD left half made is made anew.
    pub(super) async fn already_made(&self, job: &Job<'_>) -> Result<Option<wire::Made>, Fault> {
        let (netns, name) = (job.netns.clone(), job.plan.interface.clone());
        let found = self.blocking("observe", move || observed::interface(&netns, &name)).await?;
        Ok(found
            .filter(|interface| interface.is_as_planned(job.plan))
            .map(|interface| wire::Made { index: interface.link.index, mtu: interface.link.mtu }))
    }
}
