//! The node's Open vSwitch: plugs pods' veths in and out, and knows when OVN has taken a port up.
//!
//! Every change is one transaction, planned by `ovn::vswitch` from the rows as they are, and planned again when they
//! have changed meanwhile. Nothing is remembered but which devices were unplugged a moment ago.

pub mod progress;
pub mod settings;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use daemon_api::{Fault, FaultKind};
use ovn::vswitch::{self, Interface, Local, LocalTable, PodPort, Which};
use ovsdb::client::Client;
use ovsdb::endpoint::Endpoints;
use ovsdb::failure::TransactError;
use ovsdb::monitor::{Watch, Watches};
use ovsdb::op::Operation;
use ovsdb::value::Uuid;
use ovsdb::view::{Standing, View};
use tokio::time::{Instant, timeout_at};

use crate::causes::chain;
use crate::database;

pub use settings::NodeSettings;

/// How often a transaction is planned again because the rows changed under it.
const TRIES: u32 = 8;

/// The node's Open vSwitch, if it has one.
pub struct Vswitch(Option<Door>);

struct Door {
    endpoints: Endpoints,
    client: Client,
    view: View,
    /// Devices that were unplugged, and the configuration's number from which on ovs-vswitchd has let go of them. A
    /// new device of the same name must not come before that: ovs-vswitchd would go on with the old one.
    unplugged: Mutex<BTreeMap<String, i64>>,
}

impl Vswitch {
    /// Starts to follow the database. Nothing is waited for.
    pub async fn open(endpoints: Option<&Endpoints>) -> Self {
        let Some(endpoints) = endpoints else { return Self(None) };
        let client = database::client(endpoints, "Open_vSwitch");
        let columns = |table: LocalTable| Watch::columns(table.columns().iter().copied());
        let watches: Watches =
            LocalTable::ALL.into_iter().map(|table| (table.name().to_owned(), columns(table))).collect();
        let Ok(monitor) = client.monitor(watches).await else { return Self(None) };
        Self(Some(Door {
            endpoints: endpoints.clone(),
            view: monitor.view(),
            client,
            unplugged: Mutex::default(),
        }))
    }

    /// Whether this node has an Open vSwitch, which may be down at the moment.
    pub fn is_there(&self) -> bool {
        self.0.as_ref().is_some_and(|door| {
            door.view.standing() != Standing::Awaited || database::may_be_there(&door.endpoints)
        })
    }

    /// The node's settings, as soon as the database tells them.
    ///
    /// # Errors
    /// [`FaultKind::NotSupportedHere`] on a node without Open vSwitch, [`FaultKind::Busy`] when it is not reached in time.
    pub async fn settings(&self, within: Duration) -> Result<NodeSettings, Fault> {
        let door = self.door()?;
        door.current(Instant::now() + within).await?;
        NodeSettings::of(&door.local())
    }

    /// The rows as they are now, however old.
    pub fn local(&self) -> Local {
        self.0.as_ref().map(Door::local).unwrap_or_default()
    }

    /// True when the rows are those of the server.
    pub fn is_current(&self) -> bool {
        self.0.as_ref().is_some_and(|door| door.view.standing() == Standing::Current)
    }

    /// A look at the rows, to wait on; `None` on a node without Open vSwitch.
    pub fn view(&self) -> Option<View> {
        self.0.as_ref().map(|door| door.view.clone())
    }

    /// Makes sure that ovs-vswitchd has let go of an older device of this name, before a new one is made.
    ///
    /// # Errors
    /// As [`Vswitch::settings`]; [`FaultKind::Busy`] also when ovs-vswitchd does not take up the change in time.
    pub async fn make_way(&self, device: &str, within: Duration) -> Result<(), Fault> {
        let deadline = Instant::now() + within;
        let door = self.door()?;
        door.current(deadline).await?;
        if door.local().interface(device).is_some_and(|(_, interface)| interface.is_ours) {
            door.unplug(&Which::Device(device.to_owned()), deadline).await?;
        }
        door.let_go(device, deadline).await
    }

    /// Plugs a pod in, and answers the row of its interface.
    ///
    /// # Errors
    /// [`FaultKind::NotSupportedHere`] without Open vSwitch or bridge, [`FaultKind::InterfaceExists`] when somebody else
    /// has a port of this name, [`FaultKind::Busy`] when the database is not reached in time.
    pub async fn plug(&self, port: &PodPort, within: Duration) -> Result<Uuid, Fault> {
        let deadline = Instant::now() + within;
        let door = self.door()?;
        let name = &port.interface.name;
        let attempt = format!("plug {name} into bridge {}", port.bridge);
        door.transact(&attempt, deadline, |local| {
            vswitch::add_pod_port(port, local).map_err(|cannot| cannot_add(&cannot))
        })
        .await?;
        match door.local().interface(name) {
            Some((uuid, _)) => Ok(uuid),
            None => Err(Fault::new(FaultKind::Busy, format!("{attempt}: somebody took it out again"))),
        }
    }

    /// Waits until OVN has installed the flows of an interface: the pod can be reached.
    ///
    /// # Errors
    /// [`FaultKind::Kernel`] when Open vSwitch cannot use the device; [`FaultKind::Busy`] in the end, with how far the
    /// port has come and who is to go on.
    pub async fn installed(&self, interface: Uuid, within: Duration) -> Result<(), Fault> {
        let door = self.door()?;
        let deadline = Instant::now() + within;
        let mut last = progress::Progress::Unplugged;
        let verdict = |view: &View| {
            last = progress::Progress::of_row(view.row(Interface::TABLE.name(), interface).as_deref());
            last.verdict()
        };
        match timeout_at(deadline, door.view.clone().wait_for(verdict)).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(closed)) => Err(Fault::new(FaultKind::Busy, closed.to_string())),
            Err(_elapsed) => Err(last.overdue(within, door.view.standing() == Standing::Current)),
        }
    }

    /// Takes ports out. Nothing to do is success.
    ///
    /// # Errors
    /// [`FaultKind::Busy`] when the database is not reached in time.
    pub async fn unplug(&self, which: &Which, within: Duration) -> Result<(), Fault> {
        let Some(door) = self.0.as_ref().filter(|_| self.is_there()) else { return Ok(()) };
        door.unplug(which, Instant::now() + within).await
    }

    /// Removes the limits that were made for ports which are gone; crashes and upstream leave such rows.
    ///
    /// # Errors
    /// [`FaultKind::Busy`] when the database is not reached in time.
    pub async fn sweep_limits(&self, within: Duration) -> Result<(), Fault> {
        let door = self.door()?;
        let plan = |local: &Local| Ok(vswitch::sweep_qos(local));
        door.transact("remove limits of ports that are gone", Instant::now() + within, plan).await
    }

    fn door(&self) -> Result<&Door, Fault> {
        self.0.as_ref().filter(|_| self.is_there()).ok_or_else(|| absent(self.0.as_ref()))
    }
}

impl Door {
    fn local(&self) -> Local {
        let mut local = Local::new();
        for table in LocalTable::ALL {
            for (uuid, row) in self.view.rows(table.name()) {
                local.put(table, uuid, row);
            }
        }
        local
    }

    async fn current(&self, deadline: Instant) -> Result<(), Fault> {
        let is_current = |view: &View| (view.standing() == Standing::Current).then_some(());
        match timeout_at(deadline, self.view.clone().wait_for(is_current)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(self.unreachable()),
        }
    }

    /// Plans a transaction from the rows as they are and makes it; again, when they have changed meanwhile.
    async fn transact(
        &self,
        attempt: &str,
        deadline: Instant,
        plan: impl Fn(&Local) -> Result<Vec<Operation>, Fault>,
    ) -> Result<(), Fault> {
        let mut failure = None;
        for _ in 0..TRIES {
            self.current(deadline).await?;
            let operations = plan(&self.local())?;
            if operations.is_empty() {
                return Ok(());
            }
            let within = deadline.saturating_duration_since(Instant::now());
            match self.client.transact_within(within, &operations).await {
                Ok(_) => return Ok(()),
                Err(error) if is_worth_another_try(&error) => failure = Some(error),
                Err(error) => return Err(refused(attempt, &error)),
            }
        }
        Err(failure.map_or_else(|| self.unreachable(), |error| refused(attempt, &error)))
    }

    async fn unplug(&self, which: &Which, deadline: Instant) -> Result<(), Fault> {
        let attempt = match which {
            Which::Device(name) => format!("unplug {name}"),
            Which::IfaceId(id) => format!("unplug the interfaces of port {id}"),
        };
        self.transact(&attempt, deadline, |local| {
            Ok(settings::numbered(vswitch::remove_pod_ports(which, local)))
        })
        .await?;
        if let Which::Device(name) = which {
            let numbers = settings::numbers(&self.local());
            let mut unplugged = self.unplugged.lock().unwrap_or_else(PoisonError::into_inner);
            unplugged.retain(|_, number| *number > numbers.current);
            if numbers.next > numbers.current {
                unplugged.insert(name.clone(), numbers.next);
            }
        }
        Ok(())
    }

    async fn let_go(&self, device: &str, deadline: Instant) -> Result<(), Fault> {
        let number = self.unplugged.lock().unwrap_or_else(PoisonError::into_inner).get(device).copied();
        let Some(number) = number else { return Ok(()) };
        let has_let_go = |view: &View| settings::has_reached(view, number).then_some(());
        match timeout_at(deadline, self.view.clone().wait_for(has_let_go)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.unreachable()),
            Err(_) => Err(Fault::new(
                FaultKind::Busy,
                format!(
                    "wait until ovs-vswitchd has let go of the older device {device}: it takes up no changes"
                ),
            )
            .hint("see whether ovs-vswitchd runs on this node")),
        }
    }

    fn unreachable(&self) -> Fault {
        Fault::new(FaultKind::Busy, format!("the node's Open vSwitch does not answer at {}", self.endpoints))
            .hint("start its ovsdb-server, or correct --ovs-db")
    }
}

/// Planned on rows that have changed, or lost on its way: the rows tell what is still to do.
fn is_worth_another_try(error: &TransactError) -> bool {
    match error {
        TransactError::Refused(refusal) => refusal.is_unmet_wait(),
        TransactError::Unknown(_) => true,
        TransactError::Rejected(_) | TransactError::NotSent(_) => false,
    }
}

fn refused(attempt: &str, error: &TransactError) -> Fault {
    Fault::new(FaultKind::Busy, format!("{attempt}: {}", chain(error)))
}

fn cannot_add(cannot: &vswitch::CannotAdd) -> Fault {
    match cannot {
        vswitch::CannotAdd::NoBridge { .. } => Fault::new(FaultKind::NotSupportedHere, cannot.to_string())
            .hint("ovn-controller makes the integration bridge; see whether it runs on this node"),
        vswitch::CannotAdd::Foreign { interface, .. } => {
            Fault::new(FaultKind::InterfaceExists, cannot.to_string())
                .hint(format!("remove port {interface} from the bridge: it is not one of ours"))
        }
    }
}

fn absent(door: Option<&Door>) -> Fault {
    let place =
        door.map_or_else(|| "--ovs-db is empty".to_owned(), |door| format!("nothing at {}", door.endpoints));
    Fault::new(FaultKind::NotSupportedHere, format!("this node has no Open vSwitch ({place})")).hint(
        "start Open vSwitch and OVN, or give the configuration a \"master\" (and \"mode\": \"bridge\") for a macvlan, or \
         let another plugin make the interface with \"ipam\": {\"type\": \"kube-ovn\"}",
    )
}
