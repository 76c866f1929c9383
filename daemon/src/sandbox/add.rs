//! ADD: claim, wire, judge, announce, answer; or take everything back and say why.

use std::sync::Arc;
use std::time::Duration;

use daemon_api::{CallContext, ContainerId, Fault, FaultKind, IfName, PodReply, PodRequest};
use netlink::{Link, Netns};
use tokio::time::Instant;

use super::arrivals::Arrival;
use super::attachment::{Attachment, pod_and_netns};
use super::failures::Failure;
use super::network::{Form, PodNetwork};
use super::plan::{self, PortPlan};
use super::undo::{Step, Undo};
use super::{Sandboxes, conflict, network, observed, patience, wire};
use crate::crash;
use crate::facts;
use crate::ledger::writer::seconds_now;
use crate::ledger::{ClaimRequest, Claimed, Ledger, Link as ClaimLink, Owner, Sandbox};
use crate::neighbours::{Answered, Probe, Watch};

/// Pause between two tries while the kernel says busy, and how many tries: a second and a half in all.
const BUSY_PAUSE: Duration = Duration::from_millis(15);
const BUSY_TRIES: u32 = 100;

/// Whose interface is to be made, and where.
#[derive(Clone)]
struct Target {
    attachment: Attachment,
    owner: Owner,
    sandbox: Sandbox,
    netns: Arc<Netns>,
}

/// One ADD under way.
struct Add<'a, L> {
    all: &'a Sandboxes<L>,
    target: Target,
    network: PodNetwork,
    /// The parent interface, when there is one on this node.
    master: Option<Link>,
    /// Where to probe for duplicates.
    watch: Option<Arc<Watch>>,
}

/// What a completed attempt came to.
enum Attempt {
    Done(Box<PodReply>),
    /// Somebody outside answers for the address; it is set aside and everything is taken back.
    Conflict(Answered),
}

impl<L: Ledger> Sandboxes<L> {
    /// Gives an interface its addresses and, in the own form, makes it.
    ///
    /// # Errors
    /// A fault; nothing is left behind then.
    pub async fn add(
        &self,
        request: &PodRequest,
        call: &CallContext,
        arrival: Arrival,
    ) -> Result<PodReply, Fault> {
        let target = Target::of(request, call)?;
        crash::point("add-accepted");
        let Target { attachment, owner, .. } = &target;
        let key: (ContainerId, IfName) = (attachment.container.clone(), attachment.interface.clone());
        let _interface = self.turn(&self.interfaces, key.clone(), patience(call)).await?;
        if self.arrivals.is_deleted_since(&key, arrival) {
            return Err(Fault::new(FaultKind::Busy, "a DEL of this interface came after this ADD"));
        }
        // A DEL of this very interface that was left on disk must not undo what is made from here on.
        self.replay_pending_of(attachment).await;
        let _owner = self.turn(&self.owners, owner.name(), patience(call)).await?;
        let added = match self.prepare(request, call, target.clone()).await {
            Ok(add) => add.run().await,
            Err(fault) => Err(fault),
        };
        self.note(&target, &added);
        added
    }

    async fn prepare(
        &self,
        request: &PodRequest,
        call: &CallContext,
        target: Target,
    ) -> Result<Add<'_, L>, Fault> {
        let Target { attachment, owner, .. } = &target;
        let (provider, interface) = (attachment.provider.as_str(), attachment.interface.as_str());
        let facts = facts::request::facts(call, &owner.pod, provider, interface)?;
        let snapshot = self.snapshot();
        let network = network::resolve(request, call, attachment, &owner.pod, &facts, &snapshot.index)
            .map_err(|fault| network::blame_broken_files(fault, &snapshot))?;
        let form = network.form.clone();
        let master = self.blocking("master", move || master(&form)).await?;
        let watch = self.neighbours.as_ref().zip(master.as_ref()).and_then(|(all, link)| all.watch(link));
        Ok(Add { all: self, target, network, master, watch })
    }

    fn note(&self, Target { owner, sandbox, .. }: &Target, added: &Result<PodReply, Fault>) {
        match added {
            Ok(_) => self.failures.forget(&owner.pod, &owner.interface),
            Err(fault) => self.failures.remember(Failure {
                pod: owner.pod.clone(),
                container: sandbox.container.clone(),
                interface: owner.interface.clone(),
                provider: owner.provider.clone(),
                fault: fault.clone(),
                at: seconds_now(),
            }),
        }
    }
}

impl Target {
    fn of(request: &PodRequest, call: &CallContext) -> Result<Self, Fault> {
        let attachment = Attachment::of(request, call)?;
        let (pod, path) = pod_and_netns(request)?;
        let netns = Arc::new(observed::sandbox(&path, call.netns_override)?);
        let owner = Owner {
            pod,
            uid: call.pod_uid.clone(),
            provider: attachment.provider.clone(),
            interface: attachment.interface.clone(),
        };
        let netns_id = (netns.id().dev(), netns.id().ino());
        let sandbox = Sandbox { container: attachment.container.clone(), netns: path, netns_id };
        Ok(Self { attachment, owner, sandbox, netns })
    }
}

/// The parent interface. In the delegated form the other plugin will complain when it is missing.
fn master(form: &Form) -> Result<Option<Link>, Fault> {
    match form {
        Form::Macvlan(macvlan) => wire::master(&macvlan.master).map(Some),
        Form::Delegated { master: Some(name) } => Ok(wire::master(name).ok()),
        Form::Delegated { master: None } => Ok(None),
    }
}

impl<L: Ledger> Add<'_, L> {
    async fn run(self) -> Result<PodReply, Fault> {
        for _ in 0..conflict::MOST {
            match self.attempt().await? {
                Attempt::Done(reply) => return Ok(*reply),
                Attempt::Conflict(answered) if self.network.is_static => {
                    return Err(conflict::in_use(&answered));
                }
                Attempt::Conflict(_) => {}
            }
        }
        Err(conflict::all_in_use(self.network.subnet.name()))
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
        let plan = plan::port(&self.target.attachment.interface, &self.network, &claimed.claim);
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
        undo.commit();
        self.afterwards(&claimed, plan.as_ref(), made, probe);
        crash::point("add-before-answer");
        Ok(Attempt::Done(Box::new(self.reply(&claimed, plan.as_ref(), made))))
    }

    async fn claim(&self, probe: Option<Probe>) -> Result<Claimed, Fault> {
        let link = match self.network.form {
            Form::Delegated { .. } => ClaimLink::Delegated,
            Form::Macvlan(_) => ClaimLink::Macvlan,
        };
        let claimed = self.all.ledger.claim(ClaimRequest {
            owner: self.target.owner.clone(),
            workload: self.network.workload,
            sandbox: self.target.sandbox.clone(),
            network: self.target.attachment.network.clone(),
            subnet: self.network.subnet.name().to_owned(),
            wishes: self.network.wishes.clone(),
            link,
            port: crate::ledger::PortTraits::default(),
            on_chosen: probe.map(|probe| Box::new(move |ips: &[std::net::IpAddr]| probe.send(ips)) as _),
            now: seconds_now(),
        });
        Ok(claimed.await?)
    }

    /// The older sandbox of the pod must not answer for the address any longer.
    async fn evict(&self, claimed: &Claimed) {
        let Some(older) = claimed.superseded.clone().filter(|s| s.netns_id != self.target.sandbox.netns_id)
        else {
            return;
        };
        if claimed.claim.link != ClaimLink::Macvlan {
            return;
        }
        let (name, container) = (self.target.attachment.interface.clone(), older.container.clone());
        match self.all.blocking("evict", move || wire::clean(&older, &name)).await {
            Ok(()) => {
                tracing::info!(older = %container, newer = %self.target.sandbox.container, "a newer sandbox took over")
            }
            Err(fault) => tracing::warn!(older = %container, %fault, "the older sandbox keeps its interface"),
        }
    }

    async fn wire(&self, claimed: &Claimed, plan: PortPlan, undo: &mut Undo) -> Result<wire::Made, Fault> {
        if !claimed.is_fresh
            && let Some(made) = self.already_made(&plan).await?
        {
            return Ok(made);
        }
        let Some(master) = self.master.clone() else {
            return Err(Fault::new(FaultKind::NotSupportedHere, "no master interface"));
        };
        let made = self.wire_patiently(plan, master).await?;
        undo.push(Step::Made {
            netns: self.target.netns.clone(),
            interface: self.target.attachment.interface.clone(),
        });
        Ok(made)
    }

    /// A namespace that was just deleted keeps its macvlan, and so the MAC, until the kernel's clean-up has run, and
    /// no event of ours tells when.
    async fn wire_patiently(&self, plan: PortPlan, master: Link) -> Result<wire::Made, Fault> {
        // The first tick of an interval that starts now would cost a millisecond, the timer's grain.
        let mut timer = tokio::time::interval_at(Instant::now() + BUSY_PAUSE, BUSY_PAUSE);
        let mut tries = 0;
        loop {
            tries += 1;
            let (netns, plan, master) = (self.target.netns.clone(), plan.clone(), master.clone());
            match self.all.blocking("wire", move || wire::make(&plan, &master, &netns)).await {
                Err(fault) if fault.kind == FaultKind::Busy && tries < BUSY_TRIES => {
                    timer.tick().await;
                }
                made => return made,
            }
        }
    }

    /// The finished interface of an ADD that is repeated. One that an interrupted ADD left half made is made anew.
    async fn already_made(&self, plan: &PortPlan) -> Result<Option<wire::Made>, Fault> {
        let (netns, name) = (self.target.netns.clone(), plan.interface.clone());
        let found = self.all.blocking("observe", move || observed::interface(&netns, &name)).await?;
        Ok(found
            .filter(|interface| interface.is_as_planned(plan))
            .map(|interface| wire::Made { index: interface.link.index, mtu: interface.link.mtu }))
    }

    async fn make_room_for_routes(&self) -> Result<(), Fault> {
        if !self.network.routes.iter().any(plan::RouteTo::is_default) {
            return Ok(());
        }
        let (netns, routes) = (self.target.netns.clone(), self.network.routes.clone());
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
        let fault = undo.unwind(self.all, conflict::in_use(&answered)).await;
        tracing::warn!(
            pod = %self.target.owner.pod, subnet = self.network.subnet.name(), address = %answered.address,
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
            let netns = self.target.netns.clone();
            tokio::task::spawn_blocking(move || {
                if let Err(fault) = wire::announce(&netns, made.index, &plan) {
                    tracing::warn!(%fault, "neighbours may keep an older owner's MAC for a while");
                }
            });
        }
        if let Some(probe) = probe.filter(|_| claimed.is_fresh) {
            conflict::report_late(
                probe,
                self.target.owner.pod.clone(),
                self.all.metrics.late_conflicts.clone(),
            );
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
