//! Requests and transactions: which wait to be sent, which for their answers, and for how long.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use serde_json::value::RawValue;

use super::Action;
use crate::failure::{Doubt, Loss, TransactError, Unsent};
use crate::op::Operation;
use crate::outcome::{self, Outcome, ReadError};
use crate::rpc::{self, RpcError};

/// A transaction on its way.
#[derive(Debug)]
pub struct Transaction {
    params: Box<RawValue>,
    operations: usize,
    deadline: Instant,
}

impl Transaction {
    /// Operations on a database, to be answered by then.
    pub fn new(database: &str, operations: &[Operation], deadline: Instant) -> Self {
        let params: Vec<Box<RawValue>> =
            std::iter::once(raw(&database)).chain(operations.iter().map(raw)).collect();
        Self { params: raw(&params), operations: operations.len(), deadline }
    }
}

fn raw<T: serde::Serialize + ?Sized>(part: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(part).expect("operations are texts, numbers, and maps with texts as keys")
}

/// What a request that was sent is for.
#[derive(Debug)]
pub(super) enum Awaited {
    Transaction {
        ticket: u64,
        operations: usize,
        deadline: Instant,
    },
    Schema,
    Server,
    Monitor(u64),
    Probe,
    /// Nobody waits: the end of a monitor, or a transaction whose time is over.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Exchange {
    limit: usize,
    last_id: u64,
    awaited: BTreeMap<u64, Awaited>,
    queue: VecDeque<(u64, Transaction)>,
}

impl Exchange {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, last_id: 0, awaited: BTreeMap::new(), queue: VecDeque::new() }
    }

    /// The number of a new request.
    pub(super) fn expect(&mut self, awaited: Awaited) -> u64 {
        self.last_id += 1;
        self.awaited.insert(self.last_id, awaited);
        self.last_id
    }

    pub(super) fn take(&mut self, id: u64) -> Option<Awaited> {
        self.awaited.remove(&id)
    }

    pub(super) fn submit(&mut self, ticket: u64, new: Transaction, actions: &mut VecDeque<Action>) {
        if self.queue.len() + self.awaited.len() >= self.limit {
            actions.push_back(unsent(ticket, Unsent::Busy { limit: self.limit }));
        } else {
            self.queue.push_back((ticket, new));
        }
    }

    pub(super) fn send_queue(&mut self, link: u64, actions: &mut VecDeque<Action>) {
        while let Some((ticket, Transaction { params, operations, deadline })) = self.queue.pop_front() {
            let id = self.expect(Awaited::Transaction { ticket, operations, deadline });
            actions.push_back(Action::Send { link, message: rpc::request(id, "transact", &params) });
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let sent = self.awaited.values().filter_map(Awaited::deadline);
        self.queue.iter().map(|(_, transaction)| transaction.deadline).chain(sent).min()
    }

    /// Answers the transactions whose time is over.
    pub(super) fn expire(&mut self, now: Instant, actions: &mut VecDeque<Action>) {
        self.queue.retain(|(ticket, transaction)| {
            let alive = transaction.deadline > now;
            if !alive {
                actions.push_back(unsent(*ticket, Unsent::Overdue));
            }
            alive
        });
        for awaited in self.awaited.values_mut() {
            if let Awaited::Transaction { ticket, deadline, .. } = awaited
                && *deadline <= now
            {
                actions.push_back(unknown(*ticket, Doubt::Overdue));
                *awaited = Awaited::Nothing;
            }
        }
    }

    /// Answers the transactions that were sent; the others wait for the next connection.
    pub(super) fn lose(&mut self, loss: &Loss, actions: &mut VecDeque<Action>) {
        for awaited in std::mem::take(&mut self.awaited).into_values() {
            if let Awaited::Transaction { ticket, .. } = awaited {
                actions.push_back(unknown(ticket, Doubt::Lost(loss.clone())));
            }
        }
    }

    /// Answers the transactions that were not sent.
    pub(super) fn close(&mut self, actions: &mut VecDeque<Action>) {
        actions.extend(self.queue.drain(..).map(|(ticket, _)| unsent(ticket, Unsent::Closed)));
    }
}

impl Awaited {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Transaction { deadline, .. } => Some(*deadline),
            Self::Schema | Self::Server | Self::Monitor(_) | Self::Probe | Self::Nothing => None,
        }
    }
}

pub(super) fn unsent(ticket: u64, why: Unsent) -> Action {
    Action::Answer { ticket, answer: Err(TransactError::NotSent(why)) }
}

fn unknown(ticket: u64, why: Doubt) -> Action {
    Action::Answer { ticket, answer: Err(TransactError::Unknown(why)) }
}

/// What the reply to a transaction says about it.
pub(super) fn read_answer(
    reply: Result<Box<RawValue>, RpcError>,
    operations: usize,
) -> Result<Vec<Outcome>, TransactError> {
    let result = reply.map_err(|error| match error.error.as_str() {
        "canceled" => TransactError::Unknown(Doubt::Canceled(error)),
        _ => TransactError::Rejected(error),
    })?;
    outcome::read(result.get(), operations).map_err(|error| match error {
        ReadError::Refused(refusal) if refusal.leaves_doubt() => {
            TransactError::Unknown(Doubt::Cluster(refusal))
        }
        ReadError::Refused(refusal) => TransactError::Refused(refusal),
        ReadError::Malformed(cause) => TransactError::Unknown(Doubt::Unreadable(cause.to_string())),
        short @ ReadError::Short { .. } => TransactError::Unknown(Doubt::Unreadable(short.to_string())),
    })
}
