//! Standalone's own planner: Vpcs, Subnets and the claims of veth pods become rows of OVN's northbound database.
//!
//! One task (`task`) owns the connection. News (`news`: changed rows; the objects; the ledger's feed; ADDs that wait) go into
//! one `model`, which says what transaction to make next; nothing is polled. `referee` keeps two nodes that share a database
//! from using one address, `heal` what others damage from making us busy, and `departing` and `orphans` what is in use from vanishing
//! with its file.

mod chassis;
mod departing;
mod dirty;
mod heal;
mod incumbents;
pub mod metrics;
mod model;
mod news;
mod orphans;
pub mod port;
mod referee;
mod retry;
mod task;
mod verdict;

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use daemon_api::{Fault, FaultKind, PodRef};
use ovsdb::endpoint::Endpoints;
use ovsdb::session::State;
use ovsdb::view::{Standing, View};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use vpc::Settings;

use crate::causes::chain;
use crate::database;
use crate::ledger::Ledger;
use crate::resources::Snapshot;

pub use departing::{is_departing, is_ovn};
pub use metrics::NorthboundMetrics;
pub use model::{Model, PortState};

/// ADDs that may wait for their turn to be heard. The server bounds how many there are.
const QUEUE: usize = 1024;

/// What became of a pod's switch port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The database has it, or somebody else keeps the database.
    Done,
    /// Another port of the same switch, made by another node or by a person, has the address.
    AddressTaken {
        /// The address.
        address: IpAddr,
        /// The other port's name.
        by: String,
    },
}

/// An ADD that waits for its port.
struct Ask {
    pod: PodRef,
    port: String,
    reply: oneshot::Sender<Result<Published, Fault>>,
}

/// The model, which the task changes and everybody may read.
#[derive(Clone, Default)]
struct Shared(Arc<RwLock<Model>>);

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Model> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Model> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the task works with beside the database.
pub struct Surroundings<L> {
    /// Who holds which address.
    pub ledger: L,
    /// The objects.
    pub resources: watch::Receiver<Arc<Snapshot>>,
    /// The rows of the node's own Open vSwitch, which know the node's `system-id`; `None` on a node without one.
    pub vswitch: Option<View>,
    /// What holds for every node. All nodes that share the database have to agree.
    pub settings: Settings,
    /// What is measured.
    pub metrics: NorthboundMetrics,
}

/// The northbound database, kept as the resources and the ledger say.
pub struct Northbound(Option<Door>);

struct Door {
    endpoints: Endpoints,
    state: watch::Receiver<State>,
    view: View,
    chassis: watch::Receiver<Option<String>>,
    asks: mpsc::Sender<Ask>,
    shared: Shared,
}

impl Northbound {
    /// Begins to keep the database at `endpoints`; without any, somebody else keeps it. Nothing is waited for.
    pub async fn open<L: Ledger>(endpoints: Option<&Endpoints>, surroundings: Surroundings<L>) -> Self {
        let Some(endpoints) = endpoints else { return Self(None) };
        let client = database::client(endpoints, "OVN_Northbound");
        // A client that has just been started is not closed.
        let Ok(monitor) = client.monitor(task::watches()).await else { return Self(None) };
        let (asks, inbox) = mpsc::channel(QUEUE);
        let (shared, chassis) = (
            Shared(Arc::new(RwLock::new(Model::new(surroundings.settings.clone())))),
            chassis::follow(surroundings.vswitch.clone()),
        );
        let door = Door {
            endpoints: endpoints.clone(),
            state: client.state(),
            view: monitor.view(),
            chassis: chassis.clone(),
            asks,
            shared: shared.clone(),
        };
        task::start(client, monitor, surroundings, task::Inbox { asks: inbox, chassis }, shared);
        Self(Some(door))
    }

    /// Makes sure that the database has the switch port `port` of `pod` as the ledger knows it now. Claims must be on disk before.
    ///
    /// # Errors
    /// A fault that says why there can be no such port, or that the database could not be reached in time.
    pub async fn publish(&self, pod: &PodRef, port: &str, within: Duration) -> Result<Published, Fault> {
        let Some(door) = &self.0 else { return Ok(Published::Done) };
        let deadline = Instant::now() + within;
        let (reply, answer) = oneshot::channel();
        let ask = Ask { pod: pod.clone(), port: port.to_owned(), reply };
        let asked = async {
            door.asks.send(ask).await.map_err(|_| door.overdue(port))?;
            answer.await.map_err(|_| door.overdue(port))?
        };
        timeout_at(deadline, asked).await.unwrap_or_else(|_| Err(door.overdue(port)))
    }

    /// Looks at what is planned and what is there; at nothing when somebody else keeps the database. `look` must be short.
    pub fn look<T>(&self, look: impl FnOnce(Option<&Model>) -> T) -> T {
        match &self.0 {
            Some(door) => look(Some(&door.shared.read())),
            None => look(None),
        }
    }

    /// Why the database is out of reach; `None` when it is not, or is somebody else's.
    pub fn outage(&self) -> Option<String> {
        self.0.as_ref()?.outage()
    }
}

impl Door {
    fn outage(&self) -> Option<String> {
        let why = match (self.view.standing(), &*self.state.borrow()) {
            (Standing::Current, _) => return None,
            (Standing::Refused(error), _) => format!("it does not let us follow its rows: {error}"),
            (Standing::Awaited | Standing::Stale, State::Down(loss)) => chain(loss),
            (Standing::Awaited | Standing::Stale, State::Starting | State::Ready { .. }) => {
                "it has not told its rows yet".to_owned()
            }
        };
        Some(format!("OVN's northbound database at {} is out of reach: {why}", self.endpoints))
    }

    fn overdue(&self, port: &str) -> Fault {
        let attempt = format!("make switch port {port}");
        if let Some(outage) = self.outage() {
            return Fault::new(FaultKind::Busy, format!("{attempt}: {outage}"))
                .hint("start ovn-central, or correct --ovn-nb");
        }
        if self.chassis.borrow().is_none() {
            let message = format!("{attempt}: the node's Open vSwitch does not tell its system-id");
            return Fault::new(FaultKind::Busy, message)
                .hint("start Open vSwitch, and see that ovs-vsctl get Open_vSwitch . external_ids:system-id has a value");
        }
        Fault::new(
            FaultKind::Busy,
            format!("{attempt}: OVN's northbound database at {} was too busy", self.endpoints),
        )
    }
}
