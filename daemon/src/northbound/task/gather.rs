//! How the task takes news to the model.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use daemon_api::PodRef;
use ovsdb::view::{Batch, Standing};
use vpc::PortFact;

use super::{MANY, Task};
use crate::ledger::writer::seconds_now;
use crate::ledger::{Changed, Ledger};
use crate::northbound::{Ask, departing, port};

impl<L: Ledger> Task<L> {
    /// Takes what else there is, so that what comes together is one transaction.
    pub(super) async fn gather(&mut self) {
        if self.around.resources.has_changed().unwrap_or(false) {
            self.take_objects();
        }
        if let Some(changed) = self.around.ledger.feed().take() {
            self.take_claims(changed, BTreeSet::new());
        }
        if let Ok(ask) = self.inbox.asks.try_recv() {
            self.take_asks(ask);
        }
        self.take_waiting_rows().await;
    }

    pub(super) async fn take_waiting_rows(&mut self) {
        let batch = tokio::select! {
            biased;
            batch = self.monitor.changed() => batch.ok(),
            () = std::future::ready(()) => None,
        };
        if let Some(batch) = batch {
            self.take_rows(batch).await;
        }
    }

    pub(super) async fn take_rows(&mut self, batch: Batch) {
        let is_connected = batch.standing == Standing::Current;
        if is_connected != self.was_connected {
            self.was_connected = is_connected;
            self.around.metrics.is_connected(is_connected);
            match &batch.standing {
                Standing::Current => tracing::info!("OVN's northbound database is followed"),
                Standing::Refused(error) => {
                    tracing::error!(%error, "OVN's northbound database cannot be followed")
                }
                Standing::Awaited | Standing::Stale => {
                    tracing::warn!("OVN's northbound database is out of reach")
                }
            }
        }
        let is_long = batch.changes.len() > MANY;
        self.with_model(is_long, move |model| model.take_rows(batch)).await;
    }

    pub(super) fn take_objects(&mut self) {
        self.note_change();
        let snapshot = Arc::clone(&self.around.resources.borrow_and_update());
        self.shared.write().set_objects(&snapshot.index, &departing::rfc3339(seconds_now()));
    }

    pub(super) fn take_chassis(&mut self) {
        self.note_change();
        let chassis = self.inbox.chassis.borrow_and_update().clone();
        self.shared.write().set_chassis(chassis);
    }

    /// An ADD's claims are on disk, and whoever sees that need not have told us yet.
    pub(super) fn take_asks(&mut self, first: Ask) {
        let mut pods = BTreeSet::from([first.pod.clone()]);
        self.waiting.push(first);
        while let Ok(ask) = self.inbox.asks.try_recv() {
            pods.insert(ask.pod.clone());
            self.waiting.push(ask);
        }
        // The objects that the ADD was resolved by are there, too.
        if self.around.resources.has_changed().unwrap_or(false) {
            self.take_objects();
        }
        let changed = self.around.ledger.feed().take().unwrap_or(Changed::Pods(BTreeSet::new()));
        self.take_claims(changed, pods);
    }

    pub(super) fn take_claims(&mut self, changed: Changed, besides: BTreeSet<PodRef>) {
        self.note_change();
        let is_outlived = match changed {
            Changed::All => {
                let ports: Vec<PortFact> = self.around.ledger.look(|book| port::newest(book.claims()));
                self.shared.write().set_ports(ports.into_iter());
                true
            }
            Changed::Pods(mut pods) => {
                pods.extend(besides);
                let ports = self.around.ledger.look(|book| {
                    let of = |pod: &PodRef| port::newest(book.claims_of_pod(pod));
                    pods.into_iter().map(|pod| (of(&pod), pod)).collect::<Vec<_>>()
                });
                let mut model = self.shared.write();
                ports.into_iter().fold(false, |outlived, (ports, pod)| model.set_pod(&pod, ports) || outlived)
            }
        };
        if is_outlived {
            self.take_objects();
        }
    }

    fn note_change(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }
}
