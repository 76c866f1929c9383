//! How a transaction or a connection can fail, and above all what is known about the transaction then.

use std::time::Duration;

use crate::monitor::Inconsistent;
use crate::outcome::Refusal;
use crate::rpc::RpcError;
use crate::server::Unfit;

/// A transaction brought no outcomes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactError {
    /// The database refused it. It took no effect.
    #[error("the database refused the transaction")]
    Refused(#[source] Refusal),
    /// The server did not even try it. It took no effect.
    #[error("the server did not accept the transaction")]
    Rejected(#[source] RpcError),
    /// It was not sent. It took no effect.
    #[error("the transaction was not sent")]
    NotSent(#[source] Unsent),
    /// It was sent, and may or may not have taken effect, now or later. Look before you do it again.
    #[error("it is unknown whether the transaction took effect")]
    Unknown(#[source] Doubt),
}

impl TransactError {
    /// Whether the transaction certainly took no effect and never will.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

/// Why a transaction was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// No server was fit for it within its time.
    #[error("there was no usable server in time")]
    Overdue,
    /// As many as allowed wait already, to be sent or for their answers.
    #[error("{limit} transactions wait already")]
    Busy {
        /// What is allowed.
        limit: usize,
    },
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

/// Why it is unknown whether a transaction took effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The connection ended before the answer.
    #[error("the connection ended before the answer")]
    Lost(#[source] Loss),
    /// The answer did not come within the transaction's time.
    #[error("the answer did not come in time")]
    Overdue,
    /// The cluster lost the transaction on its way.
    #[error("the cluster lost the transaction")]
    Cluster(#[source] Refusal),
    /// The server gave the transaction up while it was under way.
    #[error("the server gave the transaction up")]
    Canceled(#[source] RpcError),
    /// The answer could not be read.
    #[error("cannot read the answer: {0}")]
    Unreadable(String),
}

/// Why there is no connection, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The connection was not made, or broke.
    #[error("{0}")]
    Transport(String),
    /// The server was not ready to serve in time.
    #[error("the server was not ready within {}", seconds(.0))]
    Slow(Duration),
    /// The server did not answer a probe.
    #[error("the server answered nothing for {}", seconds(.0))]
    Silent(Duration),
    /// The server may not serve us.
    #[error(transparent)]
    Unfit(Unfit),
    /// The server refused a request that every connection begins with.
    #[error("cannot begin with the server: {0}")]
    Refused(RpcError),
    /// The server said what it must not say.
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
    /// What the server told of changes did not fit what it told before.
    #[error("the server's changes do not fit: {0}")]
    Inconsistent(Inconsistent),
    /// The server ended a monitor: the database was changed in its kind, or taken away.
    #[error("the server ended a monitor")]
    Canceled,
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
