//! One set of watched rows over all connections.

use crate::monitor::{Beginning, Change, Inconsistent, Progress, Replica, Shape, Watches};
use crate::schema::Schema;
use crate::value::Uuid;

/// What is watched, how far it was followed, and the copy.
#[derive(Debug)]
pub(super) struct Subscription {
    watches: Watches,
    /// What the connection at hand was or will be asked for.
    shape: Shape,
    replica: Replica,
    last_transaction: Uuid,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    Asked,
    Current,
    Refused,
}

impl Subscription {
    pub(super) fn new(watches: Watches) -> Self {
        let shape = Shape::default();
        let replica = Replica::new(shape.clone());
        Self { watches, shape, replica, last_transaction: Uuid::ZERO, stage: Stage::Idle }
    }

    /// Whether the server knows of it.
    pub(super) fn is_begun(&self) -> bool {
        matches!(self.stage, Stage::Asked | Stage::Current)
    }

    /// The transaction from which to go on, zero for the whole; `None` when there is nothing to ask for.
    pub(super) fn begin(&mut self, schema: &Schema) -> Option<Uuid> {
        if self.stage != Stage::Idle {
            return None;
        }
        self.stage = Stage::Asked;
        self.shape = Shape::new(&self.watches, schema);
        if self.shape != *self.replica.shape() {
            self.last_transaction = Uuid::ZERO;
        }
        Some(self.last_transaction)
    }

    pub(super) fn request(&self) -> (&Shape, &Watches) {
        (&self.shape, &self.watches)
    }

    pub(super) fn start(&mut self, beginning: Beginning) -> Result<Vec<Change>, Inconsistent> {
        self.stage = Stage::Current;
        let resumed = beginning.resumed && self.last_transaction != Uuid::ZERO;
        // Until the updates have been taken in whole, there is nothing to go on from.
        self.last_transaction = Uuid::ZERO;
        let changes = if resumed {
            self.replica.apply(beginning.updates)?
        } else {
            self.replica.replace(self.shape.clone(), beginning.updates)?
        };
        self.last_transaction = beginning.last_transaction;
        Ok(changes)
    }

    pub(super) fn follow(&mut self, progress: Progress) -> Result<Vec<Change>, Inconsistent> {
        self.last_transaction = Uuid::ZERO;
        let changes = self.replica.apply(progress.updates)?;
        self.last_transaction = progress.last_transaction;
        Ok(changes)
    }

    pub(super) fn refuse(&mut self) {
        self.stage = Stage::Refused;
    }

    /// The connection is over. Whether the rows were current until then.
    pub(super) fn suspend(&mut self) -> bool {
        let current = self.stage == Stage::Current;
        if self.stage != Stage::Refused {
            self.stage = Stage::Idle;
        }
        current
    }
}
