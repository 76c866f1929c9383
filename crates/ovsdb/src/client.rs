//! The client: one session with the servers of one database, driven by a task of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};

use crate::endpoint::Endpoints;
use crate::failure::{Doubt, Loss, TransactError, Unsent};
use crate::monitor::Watches;
use crate::op::Operation;
use crate::outcome::Outcome;
use crate::schema::Schema;
use crate::session::{Backoff, Session, Settings, State, Transaction};
use crate::tls::TlsFiles;
use crate::view::{Closed, Monitor, Publisher};

mod actor;
mod link;

/// To whom a client talks, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// The servers.
    pub endpoints: Endpoints,
    /// The keys and certificates for those of them that are `ssl:`.
    pub tls: Option<TlsFiles>,
    /// The database.
    pub database: String,
    /// Whether only the leader of a cluster will do (see [`Settings::leader_only`]).
    pub leader_only: bool,
    /// How long a connection may take to be made, and then to be ready to serve.
    pub connect_timeout: Duration,
    /// After how long a silence the server is asked for a sign of life, and how long it has for that.
    pub probe_interval: Duration,
    /// How long to wait between attempts to connect.
    pub backoff: Backoff,
    /// How many transactions may wait, to be sent or for their answers; more are refused as busy.
    pub max_pending: usize,
    /// How long a transaction may take in all, unless it says otherwise.
    pub transact_timeout: Duration,
    /// How long a message of the server may be, in bytes. The first reply to a monitor carries all its rows.
    pub max_message: usize,
}

impl Config {
    /// A client of the leader, with times that suit a network without long outages.
    pub fn new(endpoints: Endpoints, database: impl Into<String>) -> Self {
        Self {
            endpoints,
            tls: None,
            database: database.into(),
            leader_only: true,
            connect_timeout: Duration::from_secs(10),
            probe_interval: Duration::from_secs(10),
            backoff: Backoff::default(),
            max_pending: 256,
            transact_timeout: Duration::from_secs(30),
            max_message: 256 << 20,
        }
    }
}

enum Command {
    Transact { transaction: Transaction, answer: oneshot::Sender<Answer> },
    Watch { watches: Watches, publisher: Publisher },
    Close { done: oneshot::Sender<()> },
}

type Answer = Result<Vec<Outcome>, TransactError>;

/// A client of one database. Clones share its session; it ends with the last of them, or when one is closed.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
    database: Arc<str>,
    timeout: Duration,
}

impl Client {
    /// Starts a client on the current Tokio runtime. It connects, and connects again, on its own.
    pub fn start(config: Config) -> Self {
        let (commands, orders) = mpsc::channel(64);
        let (reports, state) = watch::channel(State::Starting);
        let settings = Settings {
            endpoints: config.endpoints.count(),
            database: config.database.clone(),
            leader_only: config.leader_only,
            connect_timeout: config.connect_timeout,
            probe_interval: config.probe_interval,
            backoff: config.backoff,
            max_pending: config.max_pending,
        };
        let client = Self {
            commands,
            state,
            database: config.database.as_str().into(),
            timeout: config.transact_timeout,
        };
        let session = Session::new(settings, Instant::now());
        tokio::spawn(actor::Actor::new(session, Arc::new(config), reports).run(orders));
        client
    }

    /// Makes one transaction within the usual time. Its outcomes are in the order of its operations.
    ///
    /// When it is answered, every monitor of this client shows what it did.
    ///
    /// # Errors
    /// Tell whether it took effect: see [`TransactError`].
    pub async fn transact(&self, operations: &[Operation]) -> Answer {
        self.transact_within(self.timeout, operations).await
    }

    /// Makes one transaction within this time, the wait for a usable server included.
    ///
    /// # Errors
    /// Tell whether it took effect: see [`TransactError`].
    pub async fn transact_within(&self, timeout: Duration, operations: &[Operation]) -> Answer {
        let transaction = Transaction::new(&self.database, operations, Instant::now() + timeout);
        let (answer, answered) = oneshot::channel();
        let closed = || TransactError::NotSent(Unsent::Closed);
        self.commands.send(Command::Transact { transaction, answer }).await.map_err(|_| closed())?;
        // Only a task that was stopped from outside answers nothing.
        answered.await.unwrap_or(Err(TransactError::Unknown(Doubt::Lost(Loss::Closed))))
    }

    /// Watches rows, for as long as the monitor or a view of it is kept.
    ///
    /// # Errors
    /// When the client is closed.
    pub async fn monitor(&self, watches: Watches) -> Result<Monitor, Closed> {
        let (publisher, monitor) = Publisher::new();
        self.commands.send(Command::Watch { watches, publisher }).await.map_err(|_| Closed)?;
        Ok(monitor)
    }

    /// How the session stands, now and as it changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// The schema of the database, once a server is in service.
    ///
    /// # Errors
    /// When the client is closed.
    pub async fn schema(&self) -> Result<Arc<Schema>, Closed> {
        let mut state = self.state();
        loop {
            if let State::Ready { schema, .. } = &*state.borrow_and_update() {
                return Ok(schema.clone());
            }
            state.changed().await.map_err(|_| Closed)?;
        }
    }

    /// Ends the session for all clones: what waits is answered, the connection closed. Done when that is done.
    pub async fn close(self) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Close { done }).await.is_ok() {
            // An error means the same: the task is gone.
            let _ = wait.await;
        }
    }
}
