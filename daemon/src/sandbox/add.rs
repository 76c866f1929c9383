//! ADD: claim, wire, judge, announce, answer; or take everything back and say why.

use std::sync::Arc;
use std::time::Duration;

use daemon_api::{CallContext, ContainerId, Fault, FaultKind, IfName, PodRef, PodReply, PodRequest};
use netlink::{Link, Netns};

use super::attachment::{Attachment, pod_and_netns};
use super::failures::Failure;
use super::network::{Form, PodNetwork};
use super::plan::{self, PortPlan};
use super::undo::{Step, Undo};
use super::{Sandboxes, network, observed, wire};
use crate::crash;
use crate::facts;
use crate::ledger::writer::seconds_now;
use crate::ledger::{ClaimRequest, Claimed, Ledger, Link as ClaimLink, Owner, Sandbox};
use crate::neighbours::{Answered, Probe, Watch};

/// How many addresses that somebody outside answers for an ADD sets aside before it gives up. A whole range in
/// foreign hands is a wrong Subnet, not bad luck.
const CONFLICTS: usize = 8;

/// Pause between two tries while the kernel says busy, and how many tries: a second and a half in all.
const BUSY_PAUSE: Duration = Duration::from_millis(15);
const BUSY_TRIES: u32 = 100;

/// One ADD under way.
struct Add<'a, L> {
    all: &'a Sandboxes<L>,
    attachment: Attachment,
    owner: Owner,
    sandbox: Sandbox,
    network: PodNetwork,
    netns: Arc<Netns>,
    /// The parent interface, when there is one on this node.
    master: Option<Link>,
    /// Where to probe for duplicates.
    watch: Option<Arc<Watch>>,
}

/// What a completed attempt came to.
enum Attempt {
    Done(PodReply),
    /// Somebody outside answers for the address; it is set aside and everything is taken back.
    Conflict(Answered),
}

impl<L: Ledger> Sandboxes<L> {
    /// Gives an interface its addresses and, in the own form, makes it.
    ///
    /// # Errors
    /// A fault; nothing is left behind then.
    pub async fn add(&self, request: &PodRequest, call: &CallContext) -> Result<PodReply, Fault> {
        let attachment = Attachment::of(request, call)?;
        let (pod, path) = pod_and_netns(request)?;
        let netns = Arc::new(observed::sandbox(&path, call.netns_override)?);
        crash::point("add-accepted");
        let key: (ContainerId, IfName) = (attachment.container.clone(), attachment.interface.clone());
        let _interface = self.interfaces.hold(key).await;
        // A DEL of this very interface that was left on disk must not undo what is made from here on.
        self.replay_pending_of(&attachment).await;
        let owner = Owner {
            pod: pod.clone(),
            uid: call.pod_uid.clone(),
            provider: attachment.provider.clone(),
            interface: attachment.interface.clone(),
        };
        let _owner = self.owners.hold(owner.name()).await;
        let added = self.add_alone(request, call, attachment, owner, path, netns).await;
        self.note(&pod, request, &added);
        added
    }

    async fn add_alone(
        &self,
        request: &PodRequest,
        call: &CallContext,
        attachment: Attachment,
        owner: Owner,
        path: daemon_api::NetnsPath,
        netns: Arc<Netns>,
    ) -> Result<PodReply, Fault> {
        let facts = facts::request::facts(
            call,
            &owner.pod,
            attachment.provider.as_str(),
            attachment.interface.as_str(),
        )?;
        let snapshot = self.snapshot();
        let network = network::resolve(request, call, &attachment, &owner.pod, &facts, &snapshot.index)?;
        let master = master(&network)?;
        let watch = self.neighbours.as_ref().zip(master.as_ref()).and_then(|(all, link)| all.watch(link));
        let id = netns.id();
        let sandbox =
            Sandbox { container: attachment.container.clone(), netns: path, netns_id: (id.dev(), id.ino()) };
        let add = Add { all: self, attachment, owner, sandbox, network, netns, master, watch };
        add.run().await
    }

    fn note(&self, pod: &PodRef, request: &PodRequest, added: &Result<PodReply, Fault>) {
        let Ok(attachment) = Attachment::of(request, &CallContext::default()) else { return };
        match added {
            Ok(_) => self.failures.forget(pod, &attachment.interface),
            Err(fault) => self.failures.remember(Failure {
                pod: pod.clone(),
                interface: attachment.interface,
                provider: attachment.provider,
                fault: fault.clone(),
                at: seconds_now(),
            }),
        }
    }
}

/// The parent interface. In the delegated form the other plugin will complain when it is missing.
fn master(network: &PodNetwork) -> Result<Option<Link>, Fault> {
    match &network.form {
        Form::Macvlan(macvlan) => wire::master(&macvlan.master).map(Some),
        Form::Delegated { master: Some(name) } => Ok(wire::master(name).ok()),
        Form::Delegated { master: None } => Ok(None),
    }
}

impl<L: Ledger> Add<'_, L> {
    async fn run(self) -> Result<PodReply, Fault> {
        for _ in 0..CONFLICTS {
            match self.attempt().await? {
                Attempt::Done(reply) => return Ok(reply),
                Attempt::Conflict(answered) if self.network.is_static => return Err(in_use(&answered)),
                Attempt::Conflict(_) => {}
            }
        }
        Err(Fault::new(
            FaultKind::SubnetExhausted,
            format!(
                "{CONFLICTS} addresses of subnet {} in a row are answered for by machines outside",
                self.network.subnet.name()
            ),
        )
        .hint(
            "agree with the network's owner on a range that is really free, and put the rest into excludeIps",
        ))
    }

    async fn attempt(&self) -> Result<Attempt, Fault> {
        let probe = self.watch.as_ref().map(Watch::prepare);
        let claimed = self.claim(probe.clone()).await?;
        crash::point("add-claimed");
        let mut undo = Undo::default();
        if claimed.is_fresh {
            undo.push(Step::Claimed(Box::new(claimed.claim.clone())));
        }
        self.evict(&claimed).await;
        let plan = plan::port(&self.attachment.interface, &self.network, &claimed.claim);
        let wired = match plan.clone() {
            Some(plan) => self.wire(&claimed, plan, &mut undo).await.map(Some),
            None => self.make_room_for_routes().await.map(|()| None),
        };
        let made = match wired {
            Ok(made) => made,
            Err(fault) => return Err(undo.unwind(self.all, fault).await),
        };
        crash::point("add-wired");
        if let Some(answered) = probe.as_ref().and_then(Probe::answered) {
            return self.conflict(&claimed, answered, undo).await;
        }
        if !self.all.ledger.mark_ready(claimed.claim.id, claimed.claim.revision).await? {
            let fault = Fault::new(FaultKind::Busy, "a newer sandbox of the pod took the address over");
            return Err(undo.unwind(self.all, fault).await);
        }
        undo.commit();
        self.afterwards(&claimed, plan.as_ref(), made, probe);
        crash::point("add-before-answer");
        Ok(Attempt::Done(self.reply(&claimed, plan.as_ref(), made)))
    }

    async fn claim(&self, probe: Option<Probe>) -> Result<Claimed, Fault> {
        let link = match self.network.form {
            Form::Delegated { .. } => ClaimLink::Delegated,
            Form::Macvlan(_) => ClaimLink::Macvlan,
        };
        let claimed = self.all.ledger.claim(ClaimRequest {
            owner: self.owner.clone(),
            workload: self.network.workload,
            sandbox: self.sandbox.clone(),
            network: self.attachment.network.clone(),
            subnet: self.network.subnet.name().to_owned(),
            wishes: self.network.wishes.clone(),
            link,
            on_chosen: probe.map(|probe| Box::new(move |ips: &[std::net::IpAddr]| probe.send(ips)) as _),
            now: seconds_now(),
        });
        Ok(claimed.await?)
    }

    /// The older sandbox of the pod must not answer for the address any longer.
    async fn evict(&self, claimed: &Claimed) {
        let Some(older) = claimed.superseded.clone().filter(|s| s.netns_id != self.sandbox.netns_id) else {
            return;
        };
        if claimed.claim.link != ClaimLink::Macvlan {
            return;
        }
        let (name, container) = (self.attachment.interface.clone(), older.container.clone());
        match self.all.blocking("evict", move || wire::clean(&older, &name)).await {
            Ok(()) => {
                tracing::info!(older = %container, newer = %self.sandbox.container, "a newer sandbox took over")
            }
            Err(fault) => tracing::warn!(older = %container, %fault, "the older sandbox keeps its interface"),
        }
    }

    async fn wire(&self, claimed: &Claimed, plan: PortPlan, undo: &mut Undo) -> Result<wire::Made, Fault> {
        if claimed.claim.is_ready
            && let Some(made) = self.already_made(&plan).await?
        {
            return Ok(made);
        }
        let Some(master) = self.master.clone() else {
            return Err(Fault::new(FaultKind::NotSupportedHere, "no master interface"));
        };
        let made = self.wire_patiently(plan, master).await?;
        undo.push(Step::Made { netns: self.netns.clone(), interface: self.attachment.interface.clone() });
        Ok(made)
    }

    /// A namespace that was just deleted keeps its macvlan, and so the MAC, until the kernel's clean-up has run, and
    /// no event of ours tells when.
    async fn wire_patiently(&self, plan: PortPlan, master: Link) -> Result<wire::Made, Fault> {
        let mut timer = tokio::time::interval(BUSY_PAUSE);
        let mut tries = 0;
        loop {
            timer.tick().await;
            tries += 1;
            let (netns, plan, master) = (self.netns.clone(), plan.clone(), master.clone());
            match self.all.blocking("wire", move || wire::make(&plan, &master, &netns)).await {
                Err(fault) if fault.kind == FaultKind::Busy && tries < BUSY_TRIES => {}
                made => return made,
            }
        }
    }

    /// The finished interface of an ADD that is repeated.
    async fn already_made(&self, plan: &PortPlan) -> Result<Option<wire::Made>, Fault> {
        let (netns, name, mac) = (self.netns.clone(), plan.interface.clone(), plan.mac);
        let found = self.all.blocking("observe", move || observed::interface(&netns, &name)).await?;
        Ok(found
            .filter(|i| i.is_macvlan_of(mac))
            .map(|i| wire::Made { index: i.link.index, mtu: i.link.mtu }))
    }

    async fn make_room_for_routes(&self) -> Result<(), Fault> {
        if !self.network.routes.iter().any(plan::RouteTo::is_default) {
            return Ok(());
        }
        let (netns, routes) = (self.netns.clone(), self.network.routes.clone());
        self.all.blocking("clear-defaults", move || wire::clear_defaults(&netns, &routes)).await
    }

    async fn conflict(
        &self,
        claimed: &Claimed,
        answered: Answered,
        mut undo: Undo,
    ) -> Result<Attempt, Fault> {
        self.all.metrics.conflicts.inc();
        undo.keep_claim();
        let fault = undo.unwind(self.all, in_use(&answered)).await;
        tracing::warn!(
            pod = %self.owner.pod, subnet = self.network.subnet.name(), address = %answered.address,
            "{}; the address is set aside", fault.message
        );
        self.all.ledger.set_aside(claimed.claim.clone(), answered.address).await?;
        Ok(Attempt::Conflict(answered))
    }

    /// What the answer does not wait for: the announcement, and a late answer to the probe.
    fn afterwards(
        &self,
        claimed: &Claimed,
        plan: Option<&PortPlan>,
        made: Option<wire::Made>,
        probe: Option<Probe>,
    ) {
        if let Some((plan, made)) = plan.cloned().zip(made) {
            let netns = self.netns.clone();
            tokio::task::spawn_blocking(move || {
                if let Err(fault) = wire::announce(&netns, made.index, &plan) {
                    tracing::warn!(%fault, "neighbours may keep an older owner's MAC for a while");
                }
            });
        }
        if let Some(probe) = probe.filter(|_| claimed.is_fresh) {
            let (pod, late) = (self.owner.pod.clone(), self.all.metrics.late_conflicts.clone());
            tokio::spawn(async move {
                if let Some(answered) = probe.late().await {
                    late.inc();
                    tracing::error!(%pod, "{}; the pod is already running with it", in_use(&answered).message);
                }
            });
        }
    }

    fn reply(&self, claimed: &Claimed, plan: Option<&PortPlan>, made: Option<wire::Made>) -> PodReply {
        let ips = Some(plan::reply_ips(&self.network, &claimed.claim));
        match plan.zip(made) {
            Some((plan, made)) => PodReply {
                ips,
                mac_address: plan.mac.to_string(),
                routes: Some(plan::reply_routes(plan)),
                mtu: made.mtu,
                nicname: plan.interface.to_string(),
                ..PodReply::default()
            },
            None => {
                let routes = Some(self.network.route_texts.clone()).filter(|routes| !routes.is_empty());
                PodReply { ips, routes, ..PodReply::default() }
            }
        }
    }
}

fn in_use(answered: &Answered) -> Fault {
    let mac = answered.mac.map(|byte| format!("{byte:02x}")).join(":");
    Fault::new(
        FaultKind::AddressInUseOutside,
        format!("address {} is already used by a machine outside with MAC {mac}", answered.address),
    )
    .hint("take the address off that machine, or choose another one for the pod")
}
