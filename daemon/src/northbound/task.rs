//! The task that keeps the database: it waits for news, gathers all there are, makes what the model says, and answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon_api::PodRef;
use ovn::nb::Table;
use ovsdb::client::Client;
use ovsdb::failure::TransactError;
use ovsdb::monitor::{Watch, Watches};
use ovsdb::view::{Batch, Closed, Monitor, Standing};
use tokio::sync::{mpsc, watch};
use vpc::PortFact;

use super::model::{Model, Work};
use super::retry::{Meaning, Retry, meaning};
use super::{Ask, Shared, Surroundings, departing, port};
use crate::causes::chain;
use crate::ledger::writer::seconds_now;
use crate::ledger::{Changed, Ledger};

/// How long the database may take for one transaction before the rows are looked at instead.
const PATIENCE: Duration = Duration::from_secs(10);
/// More owners or rows than this are worked on beside the runtime's own threads.
const MANY: usize = 500;

/// What may be watched of the database.
pub(super) fn watches() -> Watches {
    let columns = |table: Table| Watch::columns(table.columns().iter().copied());
    Table::ALL.into_iter().map(|table| (table.name().to_owned(), columns(table))).collect()
}

/// Where news come from that are not rows.
pub(super) struct Inbox {
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) chassis: watch::Receiver<Option<String>>,
}

struct Task<L> {
    client: Client,
    monitor: Monitor,
    around: Surroundings<L>,
    inbox: Inbox,
    shared: Shared,
    /// ADDs that wait for their port.
    waiting: Vec<Ask>,
    retry: Retry,
    /// Since when something is to be done.
    since: Option<Instant>,
    was_connected: bool,
}

/// The task is at its end: nobody is left to work for.
struct Ended;

impl From<Closed> for Ended {
    fn from(_: Closed) -> Self {
        Self
    }
}

/// Starts the task. It ends with the daemon's own handle.
pub(super) fn start<L: Ledger>(
    client: Client,
    monitor: Monitor,
    around: Surroundings<L>,
    inbox: Inbox,
    shared: Shared,
) {
    let mut task = Task {
        client,
        monitor,
        around,
        inbox,
        shared,
        waiting: Vec::new(),
        retry: Retry::default(),
        since: None,
        was_connected: false,
    };
    tokio::spawn(async move {
        // Without the claims, every port in the database would look like one too many.
        task.take_claims(Changed::All, BTreeSet::new());
        // Whoever holds the other end of a channel may end first; then there is nobody to work for.
        while task.wait().await.is_ok() {
            task.gather().await;
            task.work().await;
        }
    });
}

impl<L: Ledger> Task<L> {
    /// Waits for the first news.
    async fn wait(&mut self) -> Result<(), Ended> {
        let wake = [self.shared.read().wake(), self.retry.due()].into_iter().flatten().min();
        let timer = async {
            match wake {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            batch = self.monitor.changed() => self.take_rows(batch?).await,
            changed = self.around.ledger.feed().next() => self.take_claims(changed, BTreeSet::new()),
            changed = self.around.resources.changed() => {
                changed.map_err(|_| Ended)?;
                self.take_objects();
            }
            changed = self.inbox.chassis.changed() => {
                changed.map_err(|_| Ended)?;
                self.take_chassis();
            }
            ask = self.inbox.asks.recv() => self.take_asks(ask.ok_or(Ended)?),
            () = timer => {}
        }
        Ok(())
    }

    /// Takes what else there is, so that what comes together is one transaction.
    async fn gather(&mut self) {
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

    async fn take_waiting_rows(&mut self) {
        let batch = tokio::select! {
            biased;
            batch = self.monitor.changed() => batch.ok(),
            () = std::future::ready(()) => None,
        };
        if let Some(batch) = batch {
            self.take_rows(batch).await;
        }
    }

    async fn take_rows(&mut self, batch: Batch) {
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

    fn take_objects(&mut self) {
        self.note_change();
        let snapshot = Arc::clone(&self.around.resources.borrow_and_update());
        self.shared.write().set_objects(&snapshot.index, &departing::rfc3339(seconds_now()));
    }

    fn take_chassis(&mut self) {
        self.note_change();
        let chassis = self.inbox.chassis.borrow_and_update().clone();
        self.shared.write().set_chassis(chassis);
    }

    /// An ADD's claims are on disk, and whoever sees that need not have told us yet.
    fn take_asks(&mut self, first: Ask) {
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

    fn take_claims(&mut self, changed: Changed, besides: BTreeSet<PodRef>) {
        self.note_change();
        let is_outlived = match changed {
            Changed::All => {
                let ports: Vec<PortFact> =
                    self.around.ledger.look(|book| book.claims().filter_map(port::of_claim).collect());
                self.shared.write().set_ports(ports.into_iter());
                true
            }
            Changed::Pods(mut pods) => {
                pods.extend(besides);
                let ports = self.around.ledger.look(|book| {
                    let of = |pod: &PodRef| book.claims_of_pod(pod).filter_map(port::of_claim).collect();
                    pods.into_iter().map(|pod| (of(&pod), pod)).collect::<Vec<(Vec<PortFact>, PodRef)>>()
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

    /// Makes what the model says, until there is nothing to do or nothing can be done now.
    async fn work(&mut self) {
        loop {
            while self.retry.is_due(Instant::now())
                && let Some(work) = self.next().await
            {
                self.around.metrics.planned();
                self.carry_out(work).await;
                self.take_waiting_rows().await;
            }
            if !self.answer() {
                break;
            }
        }
        let refusals = self.shared.read().refusals();
        self.around.metrics.refusals.set(i64::try_from(refusals).unwrap_or(i64::MAX));
        if self.shared.read().is_idle() {
            self.since = None;
        }
    }

    async fn next(&mut self) -> Option<Work> {
        let is_long = self.shared.read().backlog() > MANY;
        self.with_model(is_long, |model| model.next(Instant::now())).await
    }

    async fn carry_out(&mut self, work: Work) {
        for complaint in &work.complaints {
            tracing::warn!("OVN's northbound database: {complaint}");
        }
        if !work.change.is_empty() {
            for (owner, row) in &work.drifted {
                tracing::info!(%owner, row, "rows were changed by somebody else; they are put right");
            }
            if let Err(error) = self.client.transact_within(PATIENCE, &work.change.operations).await {
                self.failed(work, &error).await;
                return;
            }
            let took = self.since.map_or(Duration::ZERO, |since| since.elapsed());
            self.around.metrics.committed(&work.change, took);
        }
        self.retry.succeeded();
        for row in self.shared.write().done(&work, Instant::now()) {
            tracing::warn!(
                row,
                "somebody else changes this row again and again; it is put right less often now"
            );
        }
    }

    async fn failed(&mut self, work: Work, error: &TransactError) {
        let meaning = meaning(error);
        let (outcome, why) = (label(&meaning), chain(error));
        self.around.metrics.failed(outcome);
        if meaning == Meaning::Never {
            tracing::error!(error = why, "OVN's northbound database refuses a change");
            self.shared.write().refused(work, &why);
            return;
        }
        self.shared.write().undone(work);
        if self.retry.failed(&meaning, Instant::now()) {
            tracing::warn!(error = why, "OVN's northbound database did not take a change; it is tried again");
        }
    }

    /// Answers the ADDs whose port is decided about. True when that made more work.
    fn answer(&mut self) -> bool {
        let mut model = self.shared.write();
        let before = model.backlog();
        let (mut left, waiting) = (Vec::new(), std::mem::take(&mut self.waiting));
        for ask in waiting {
            match model.answer(&ask.pod, &ask.port) {
                // Whoever waits no longer has answered for itself.
                Some(answer) => drop(ask.reply.send(answer)),
                None if ask.reply.is_closed() => {}
                None => left.push(ask),
            }
        }
        self.waiting = left;
        model.backlog() > before
    }

    /// Long looks would keep the runtime's own threads from everything else.
    async fn with_model<T: Send + 'static>(
        &self,
        is_long: bool,
        work: impl FnOnce(&mut Model) -> T + Send + 'static,
    ) -> T {
        let shared = self.shared.clone();
        if !is_long {
            return work(&mut shared.write());
        }
        match tokio::task::spawn_blocking(move || work(&mut shared.write())).await {
            Ok(done) => done,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

fn label(meaning: &Meaning) -> &'static str {
    match meaning {
        Meaning::Outdated => "outdated",
        Meaning::Later => "failed",
        Meaning::Never => "refused",
    }
}
