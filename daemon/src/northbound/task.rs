//! The task that keeps the database: it waits for news, gathers all there are, makes what the model says, and answers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ovn::nb::Table;
use ovsdb::client::Client;
use ovsdb::failure::TransactError;
use ovsdb::monitor::{Watch, Watches};
use ovsdb::view::{Closed, Monitor};
use tokio::sync::{mpsc, watch};

use super::model::{Model, Work};
use super::retry::{Meaning, Retry, meaning};
use super::{Ask, Shared, Surroundings};
use crate::causes::chain;
use crate::ledger::{Changed, Ledger};

/// How long the database may take for one transaction before the rows are looked at instead.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for the rows that made a plan outdated. They are on their way.
const NEWER_ROWS: Duration = Duration::from_millis(20);
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

mod gather;

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
        let now = Instant::now();
        // What was due by now has had its turn.
        let wakes = [self.shared.read().wake(), self.retry.due()].into_iter().flatten();
        let wake = wakes.filter(|due| *due > now).min();
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
        if meaning == Meaning::Outdated
            && let Ok(Ok(batch)) = tokio::time::timeout(NEWER_ROWS, self.monitor.changed()).await
        {
            self.take_rows(batch).await;
        }
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
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Cancelled: the runtime is at its end, and this task with it.
                Err(_) => std::future::pending().await,
            },
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
