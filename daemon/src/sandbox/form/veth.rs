//! A veth: the switch port northbound while the pair is made and plugged in, then the wait for OVN.

use std::time::Duration;

use daemon_api::Fault;
use ovn::vswitch::Which;
use ovsdb::value::Uuid;

use super::{Job, Wired};
use crate::crash;
use crate::ledger::Ledger;
use crate::northbound::Published;
use crate::sandbox::plan::VethPlan;
use crate::sandbox::undo::{Step, Undo};
use crate::sandbox::{Sandboxes, wire};

/// How long the northbound database may take for one port.
const PUBLISHED: Duration = Duration::from_secs(20);
/// The same when it is already known to be out of reach: a restart takes no longer.
const OUTAGE: Duration = Duration::from_secs(5);
/// How long OVN may take to install the flows of one port; upstream's limit.
const INSTALLED: Duration = Duration::from_secs(30);
/// How long a DEL waits for a database that does not answer. The sweep takes the port out when it is back.
const UNPLUGGED: Duration = Duration::from_secs(3);

impl<L: Ledger> Sandboxes<L> {
    pub(super) async fn wire_veth(
        &self,
        job: &Job<'_>,
        veth: &VethPlan,
        undo: &mut Undo,
    ) -> Result<Wired, Fault> {
        let iface_id = &veth.port.interface.iface_id;
        let limit = if self.northbound.outage().is_some() { OUTAGE } else { PUBLISHED };
        let within = job.left().min(limit);
        let mut publish = std::pin::pin!(self.northbound.publish(job.pod, iface_id, within));
        let mut connect = std::pin::pin!(self.connect(job, veth, undo));
        let (published, connected) = tokio::select! {
            published = &mut publish => (published, connect.await),
            connected = &mut connect => match connected {
                Ok(connected) => (publish.await, Ok(connected)),
                // Nobody waits for a port that goes with the claim.
                Err(fault) => return Err(fault),
            },
        };
        // Of two failures the planner's says more: a port that OVN does not know cannot come up.
        if let Published::AddressTaken { address, by } = published? {
            return Ok(Wired::Taken { address, by });
        }
        let (made, row) = connected?;
        crash::point("veth-plugged");
        let started = std::time::Instant::now();
        let installed = self.vswitch.installed(row, job.left().min(INSTALLED)).await;
        self.metrics.step("ovn-installed", started.elapsed());
        installed.map(|()| Wired::Made(made))
    }

    /// Makes the pair and plugs it in. A finished pair of an ADD that is repeated stays.
    async fn connect(
        &self,
        job: &Job<'_>,
        veth: &VethPlan,
        undo: &mut Undo,
    ) -> Result<(wire::Made, Uuid), Fault> {
        let found = if job.may_be_made { self.already_made(job).await? } else { None };
        let made = match found.filter(|_| self.is_plugged(veth)) {
            Some(made) => made,
            None => {
                self.vswitch.make_way(veth.host_name(), job.left()).await?;
                undo.push(Step::Veth { host_name: veth.host_name().to_owned() });
                let (netns, plan) = (job.netns.clone(), job.plan.clone());
                self.blocking("wire", move || wire::make(&plan, &netns)).await?
            }
        };
        let started = std::time::Instant::now();
        let row = self.vswitch.plug(&veth.port, job.left()).await;
        self.metrics.step("plug", started.elapsed());
        row.map(|row| (made, row))
    }

    fn is_plugged(&self, veth: &VethPlan) -> bool {
        let found = self.vswitch.local().interface(veth.host_name()).map(|(_, interface)| interface);
        found.is_some_and(|found| {
            found.is_ours && found.iface_id.as_deref() == Some(veth.port.interface.iface_id.as_str())
        })
    }

    /// Takes a veth out of the bridge and removes it, whatever of it is there. An Open vSwitch that does not answer
    /// holds nobody up: its row is found by the sweep.
    ///
    /// # Errors
    /// [`daemon_api::FaultKind::Kernel`].
    pub async fn remove_veth(&self, host_name: &str) -> Result<(), Fault> {
        if let Err(fault) = self.vswitch.unplug(&Which::Device(host_name.to_owned()), UNPLUGGED).await {
            tracing::warn!(device = host_name, %fault, "its port is taken out when Open vSwitch answers again");
        }
        crash::point("veth-unplugged");
        let name = host_name.to_owned();
        self.blocking("unwire", move || wire::veth::remove(&name).map(drop)).await
    }
}
