//! Watched rows as their readers see them: always those of one moment, and what changed since one looked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use crate::monitor::Change;
use crate::rpc::RpcError;
use crate::session::News;
use crate::value::{Row, Uuid};

/// How old the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// They have not come yet.
    Awaited,
    /// They are those of the server, but for what is under way.
    Current,
    /// They are those of some time ago: there is no connection, or it has just been made.
    Stale,
    /// They will never come: the server does not accept the subscription.
    Refused(RpcError),
}

/// What changed since the last batch: the rows as they are now, however often they changed in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The rows, each once, in the order of table and UUID.
    pub changes: Vec<Change>,
    /// How old they are.
    pub standing: Standing,
}

/// The client has ended, and no rows come any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client is closed")]
pub struct Closed;

#[derive(Debug)]
struct Held {
    tables: BTreeMap<Arc<str>, BTreeMap<Uuid, Arc<Row>>>,
    standing: Standing,
    /// What the monitor's owner has not been told yet. No longer than the rows there are and were at the last look.
    untold: BTreeSet<(Arc<str>, Uuid)>,
}

type Shared = Arc<RwLock<Held>>;

fn read(held: &Shared) -> RwLockReadGuard<'_, Held> {
    held.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(held: &Shared) -> RwLockWriteGuard<'_, Held> {
    held.write().unwrap_or_else(PoisonError::into_inner)
}

/// The side that fills in the rows.
#[derive(Debug)]
pub(crate) struct Publisher {
    held: Shared,
    changed: watch::Sender<()>,
}

impl Publisher {
    pub(crate) fn new() -> (Self, Monitor) {
        let held = Held { tables: BTreeMap::new(), standing: Standing::Awaited, untold: BTreeSet::new() };
        let held = Arc::new(RwLock::new(held));
        let (changed, receiver) = watch::channel(());
        let view = View { held: held.clone(), changed: receiver };
        (Self { held, changed }, Monitor { view, told: Standing::Awaited })
    }

    /// Whether anybody still looks.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.changed.is_closed()
    }

    pub(crate) fn publish(&self, news: News) {
        let mut held = write(&self.held);
        match news {
            News::Stale => held.standing = Standing::Stale,
            News::Refused(error) => held.standing = Standing::Refused(error),
            News::Changes(changes) => {
                held.standing = Standing::Current;
                for Change { table, uuid, row } in changes {
                    let rows = held.tables.entry(table.clone()).or_default();
                    match row {
                        Some(row) => rows.insert(uuid, row),
                        None => rows.remove(&uuid),
                    };
                    held.untold.insert((table, uuid));
                }
            }
        }
        drop(held);
        self.changed.send_replace(());
    }
}

/// A look at the rows of a monitor. Cheap to clone; the rows are watched as long as there is one.
#[derive(Debug, Clone)]
pub struct View {
    held: Shared,
    changed: watch::Receiver<()>,
}

impl View {
    /// How old the rows are.
    pub fn standing(&self) -> Standing {
        read(&self.held).standing.clone()
    }

    /// One row.
    pub fn row(&self, table: &str, uuid: Uuid) -> Option<Arc<Row>> {
        read(&self.held).tables.get(table)?.get(&uuid).cloned()
    }

    /// All rows of a table in the order of their UUIDs.
    pub fn rows(&self, table: &str) -> Vec<(Uuid, Arc<Row>)> {
        let held = read(&self.held);
        held.tables.get(table).into_iter().flatten().map(|(uuid, row)| (*uuid, row.clone())).collect()
    }

    /// Waits until something about the rows holds; looks again after each change.
    ///
    /// # Errors
    /// When the client ends first.
    pub async fn wait_for<T>(&mut self, mut found: impl FnMut(&Self) -> Option<T>) -> Result<T, Closed> {
        loop {
            self.changed.borrow_and_update();
            if let Some(found) = found(self) {
                return Ok(found);
            }
            self.changed.changed().await.map_err(|_| Closed)?;
        }
    }
}

/// Watched rows, and what changes of them, for one owner.
#[derive(Debug)]
pub struct Monitor {
    view: View,
    told: Standing,
}

impl Monitor {
    /// Waits until rows or their standing have changed since the last batch. Nothing is lost when this is given up half-way.
    ///
    /// The first batch with rows has all of them. After a connection was lost, only what really changed comes.
    ///
    /// # Errors
    /// When the client ends.
    pub async fn changed(&mut self) -> Result<Batch, Closed> {
        loop {
            self.view.changed.borrow_and_update();
            if let Some(batch) = self.take() {
                return Ok(batch);
            }
            self.view.changed.changed().await.map_err(|_| Closed)?;
        }
    }

    fn take(&mut self) -> Option<Batch> {
        let mut held = write(&self.view.held);
        if held.untold.is_empty() && held.standing == self.told {
            return None;
        }
        self.told = held.standing.clone();
        let untold = std::mem::take(&mut held.untold);
        let now = |(table, uuid): (Arc<str>, Uuid)| {
            let row = held.tables.get(&table).and_then(|rows| rows.get(&uuid)).cloned();
            Change { table, uuid, row }
        };
        Some(Batch { changes: untold.into_iter().map(now).collect(), standing: self.told.clone() })
    }

    /// The rows as they are at any time, for others as well.
    pub fn view(&self) -> View {
        self.view.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(number: u8, row: Option<Row>) -> Change {
        Change { table: "T".into(), uuid: Uuid([number; 16]), row: row.map(Arc::new) }
    }

    fn named(name: &str) -> Row {
        Row::from([("name".to_owned(), name.into())])
    }

    #[tokio::test]
    async fn a_batch_has_each_row_once_as_it_is_now() {
        let (publisher, mut monitor) = Publisher::new();
        publisher.publish(News::Changes(vec![change(2, Some(named("a"))), change(1, Some(named("b")))]));
        publisher.publish(News::Changes(vec![change(2, Some(named("c"))), change(1, None)]));
        let changes = vec![change(1, None), change(2, Some(named("c")))];
        assert_eq!(monitor.changed().await, Ok(Batch { changes, standing: Standing::Current }));
    }

    #[tokio::test]
    async fn an_empty_table_and_the_end_of_a_connection_are_news() {
        let (publisher, mut monitor) = Publisher::new();
        publisher.publish(News::Changes(vec![]));
        assert_eq!(monitor.changed().await.unwrap().standing, Standing::Current);
        publisher.publish(News::Stale);
        assert_eq!(monitor.changed().await.unwrap().standing, Standing::Stale);
        publisher.publish(News::Changes(vec![]));
        assert_eq!(monitor.changed().await.unwrap().standing, Standing::Current);
        drop(publisher);
        assert_eq!(monitor.changed().await, Err(Closed));
    }

    #[tokio::test]
    async fn what_was_published_last_is_told_before_the_end() {
        let (publisher, mut monitor) = Publisher::new();
        publisher.publish(News::Changes(vec![change(1, Some(named("a")))]));
        drop(publisher);
        assert_eq!(monitor.changed().await.unwrap().changes.len(), 1);
        assert_eq!(monitor.changed().await, Err(Closed));
    }

    #[tokio::test]
    async fn rows_are_wanted_as_long_as_anybody_has_a_view() {
        let (publisher, monitor) = Publisher::new();
        let view = monitor.view();
        drop(monitor);
        publisher.publish(News::Changes(vec![change(1, Some(named("a")))]));
        assert_eq!(view.rows("T").len(), 1);
        assert_eq!(view.row("T", Uuid([1; 16])).as_deref(), Some(&named("a")));
        assert!(publisher.is_wanted());
        drop(view);
        assert!(!publisher.is_wanted());
    }
}
