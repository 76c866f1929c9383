//! What a session wants done, and what it tells.

use std::sync::Arc;

use bytes::Bytes;

use crate::failure::{Loss, TransactError};
use crate::monitor::Change;
use crate::outcome::Outcome;
use crate::rpc::RpcError;
use crate::schema::Schema;

/// One thing to do.
#[derive(Debug)]
pub enum Action {
    /// Make a connection to the endpoint of this number, and call it by this number of its own.
    Dial {
        /// The connection; each has a higher number than those before.
        link: u64,
        /// The endpoint, counted from 0.
        endpoint: usize,
    },
    /// Send a message over a connection.
    Send {
        /// The connection.
        link: u64,
        /// The message.
        message: Bytes,
    },
    /// End a connection, or the attempt to make one. What still comes from it is ignored.
    Hangup {
        /// The connection.
        link: u64,
    },
    /// Tell what became of a transaction.
    Answer {
        /// The caller's number for it.
        ticket: u64,
        /// What became of it.
        answer: Result<Vec<Outcome>, TransactError>,
    },
    /// Tell the news of a subscription.
    Publish {
        /// The caller's number for it.
        subscription: u64,
        /// The news.
        news: News,
    },
    /// Tell how the session stands.
    Report(State),
}

/// News of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// These rows changed in one step; with them the rows are those of the database.
    Changes(Vec<Change>),
    /// The connection ended: the rows are those of some time ago.
    Stale,
    /// The server does not accept the subscription, and never will.
    Refused(RpcError),
}

/// How a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The first connection is being made.
    Starting,
    /// In service.
    Ready {
        /// The endpoint that serves, counted from 0.
        endpoint: usize,
        /// The schema of its database.
        schema: Arc<Schema>,
    },
    /// Not in service since this happened; another connection is or will be made.
    Down(Loss),
}
