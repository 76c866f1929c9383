//! ADD: claim, wire, judge, announce, answer; or take everything back and say why.

use std::sync::Arc;
use std::time::Duration;

use daemon_api::{CallContext, ContainerId, Fault, FaultKind, IfName, PodReply, PodRequest};
use netlink::Netns;
use tokio::time::Instant;

use super::arrivals::Arrival;
use super::attachment::{Attachment, pod_and_netns};
use super::conflict::{self, Rival};
use super::failures::Failure;
use super::form::{Job, Wired};
use super::ground::Ground;
use super::network::{Form, PodNetwork};
use super::plan::{self, PortPlan};
use super::undo::{Step, Undo};
use super::{Sandboxes, network, observed, patience, wire};
use crate::crash;
use crate::facts;
use crate::ledger::writer::seconds_now;
use crate::ledger::{Claim, ClaimRequest, Claimed, Ledger, Link as ClaimLink, Owner, PortTraits, Sandbox};
use crate::neighbours::{Probe, Watch};

/// How long the node's Open vSwitch may take to answer before anything is claimed.
const GROUND: Duration = Duration::from_secs(10);

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
    /// What the interface is made on.
    ground: Ground,
    /// Until when the caller waits.
    deadline: Instant,
    /// Where to probe for duplicates.
    watch: Option<Arc<Watch>>,
}

/// What a completed attempt came to.
enum Attempt {
    Done(Box<PodReply>),
    /// Somebody else has the address; it is set aside and everything is taken back.
    Conflict(Rival),
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
        let deadline = Instant::now() + patience(call);
        let ground = self.ground(&network.form, patience(call).min(GROUND)).await?;
        let watch = self.neighbours.as_ref().zip(ground.master()).and_then(|(all, link)| all.watch(link));
        Ok(Add { all: self, target, network, ground, deadline, watch })
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

impl<L: Ledger> Add<'_, L> {
    async fn run(self) -> Result<PodReply, Fault> {
        for _ in 0..conflict::MOST {
            match self.attempt().await? {
                Attempt::Done(reply) => return Ok(*reply),
                Attempt::Conflict(rival) if self.network.is_static => return Err(rival.fault()),
                Attempt::Conflict(_) => {}
            }
        }
        Err(conflict::all_in_use(self.network.subnet.name()))
    }

    async fn attempt(&self) -> Result<Attempt, Fault> {
        if matches!(self.network.form, Form::Veth(_)) {
            self.check_device()?;
        }
        let probe = self.watch.as_ref().map(Watch::prepare);
        let claimed = self.claim(probe.clone()).await?;
        crash::point("add-claimed");
        let mut undo = Undo::default();
        if claimed.is_fresh {
            undo.push(Step::Claimed(Box::new(claimed.claim.clone())));
        }
        self.evict(&claimed).await;
        let plan = plan::port(&self.network, &self.ground, &claimed.claim)
            .map(|plan| PortPlan { probe_routes: self.all.probes.pod_routes(&claimed.claim), ..plan });
        let wired = match &plan {
            Some(plan) => self.wire(&claimed, plan, &mut undo).await.map(Some),
            None => self.make_room_for_routes().await.map(|()| None),
        };
        let made = match wired {
            Ok(Some(Wired::Made(made))) => Some(made),
            Ok(Some(Wired::Taken { address, by: name })) => {
                return self.conflict(&claimed, Rival::Port { address, name }, undo).await;
            }
            Ok(None) => None,
            Err(fault) => return Err(undo.unwind(self.all, fault).await),
        };
        crash::point("add-wired");
        self.settle(plan.as_ref()).await;
        self.all.carry_probes(&claimed.claim).await;
        if let Some(answered) = probe.as_ref().and_then(Probe::answered) {
            return self.conflict(&claimed, Rival::Machine(answered), undo).await;
        }
        undo.commit();
        self.afterwards(&claimed, plan.as_ref(), made, probe);
        crash::point("add-before-answer");
        Ok(Attempt::Done(Box::new(self.reply(&claimed, plan.as_ref(), made))))
    }

    /// A container id and interface that another pod's veth has: a caller that gives ids twice.
    fn check_device(&self) -> Result<(), Fault> {
        let Target { owner, sandbox, attachment, .. } = &self.target;
        let holder = self.all.ledger.look(|book| {
            let mut claims = book.claims_of_container(sandbox.container.as_str());
            let is_other = |c: &&Claim| c.link == ClaimLink::Veth && c.owner.interface == owner.interface;
            claims.find(|c| is_other(c) && c.owner.name() != owner.name()).map(|c| c.owner.pod.clone())
        });
        self.check_port_name()?;
        match holder {
            None => Ok(()),
            Some(pod) => Err(Fault::new(
                FaultKind::InterfaceExists,
                format!(
                    "interface {} of container {} is pod {pod}'s",
                    attachment.interface, sandbox.container
                ),
            )
            .hint("a container id must be unique on the node; delete that pod's interface first")),
        }
    }

    /// The pods `a` in `b.c` and `a.b` in `c` would have one switch port.
    fn check_port_name(&self) -> Result<(), Fault> {
        let owner = &self.target.owner;
        let plain = |owner: &Owner| {
            ovn::names::pod_port(&owner.pod.name, &owner.pod.namespace, owner.provider.as_str())
        };
        let name = plain(owner);
        let other = self.all.ledger.look(|book| {
            let mut veths = book.claims().filter(|claim| claim.link == ClaimLink::Veth);
            let is_namesake = |claim: &&Claim| claim.owner.pod != owner.pod && plain(&claim.owner) == name;
            veths.find(is_namesake).map(|claim| claim.owner.pod.clone())
        });
        match other {
            None => Ok(()),
            Some(pod) => Err(Fault::new(
                FaultKind::InterfaceExists,
                format!("switch port {name} of pod {} is already pod {pod}'s", owner.pod),
            )
            .hint("rename one of the two pods or namespaces")),
        }
    }

    async fn claim(&self, probe: Option<Probe>) -> Result<Claimed, Fault> {
        let (link, port) = match &self.network.form {
            Form::Delegated { .. } => (ClaimLink::Delegated, PortTraits::default()),
            Form::Macvlan(_) => (ClaimLink::Macvlan, PortTraits::default()),
            Form::Veth(veth) => (ClaimLink::Veth, self.told_apart(veth.port.clone())),
        };
        let claimed = self.all.ledger.claim(ClaimRequest {
            owner: self.target.owner.clone(),
            workload: self.network.workload,
            sandbox: self.target.sandbox.clone(),
            network: self.target.attachment.network.clone(),
            subnet: self.network.subnet.name().to_owned(),
            wishes: self.network.wishes.clone(),
            link,
            port,
            are_probes_carried: self.all.probes.are_carried(),
            on_chosen: probe.map(|probe| Box::new(move |ips: &[std::net::IpAddr]| probe.send(ips)) as _),
            now: seconds_now(),
        });
        Ok(claimed.await?)
    }

    /// A pod's second interface on one network has the interface in its port's name, as long as it lives.
    fn told_apart(&self, port: PortTraits) -> PortTraits {
        let Target { owner, sandbox, .. } = &self.target;
        let is_per_interface = self.all.ledger.look(|book| match book.claims_of(&owner.name()).first() {
            Some(own) if own.link == ClaimLink::Veth => own.port.is_per_interface,
            Some(_) | None => {
                let mut others = book.claims_of_container(sandbox.container.as_str());
                others.any(|other| other.owner.provider == owner.provider && !other.port.is_per_interface)
            }
        });
        PortTraits { is_per_interface: port.is_per_interface || is_per_interface, ..port }
    }

    /// The older sandbox of the pod must not answer for the address any longer.
    async fn evict(&self, claimed: &Claimed) {
        let Some(older) = claimed.superseded.clone().filter(|s| s.netns_id != self.target.sandbox.netns_id)
        else {
            return;
        };
        let (container, newer) = (older.container.clone(), &self.target.sandbox.container);
        match self.all.unwire(&Claim { sandbox: Some(older), ..claimed.claim.clone() }).await {
            Ok(()) => tracing::info!(older = %container, %newer, "a newer sandbox took over"),
            Err(fault) => tracing::warn!(older = %container, %fault, "the older sandbox keeps its interface"),
        }
    }

    async fn wire(&self, claimed: &Claimed, plan: &PortPlan, undo: &mut Undo) -> Result<Wired, Fault> {
        let job = Job {
            plan,
            pod: &self.target.owner.pod,
            netns: &self.target.netns,
            may_be_made: !claimed.is_fresh,
            deadline: self.deadline,
        };
        self.all.wire(&job, undo).await
    }

    /// An ADD is not worth failing for it.
    async fn settle(&self, plan: Option<&PortPlan>) {
        let Some(plan) = plan.cloned() else { return };
        let (netns, pod) = (self.target.netns.clone(), &self.target.owner.pod);
        match self.all.blocking("settle", move || wire::settle::settle(&netns, &plan)).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(%pod, "the kernel has not taken its addresses in yet"),
            Err(fault) => tracing::warn!(%pod, %fault, "wait for its addresses"),
        }
    }

    async fn make_room_for_routes(&self) -> Result<(), Fault> {
        if !self.network.routes.iter().any(plan::RouteTo::is_default) {
            return Ok(());
        }
        let (netns, routes) = (self.target.netns.clone(), self.network.routes.clone());
        self.all.blocking("clear-defaults", move || wire::clear_defaults(&netns, &routes)).await
    }

    async fn conflict(&self, claimed: &Claimed, rival: Rival, mut undo: Undo) -> Result<Attempt, Fault> {
        self.all.metrics.conflicts.inc();
        undo.keep_claim();
        let fault = undo.unwind(self.all, rival.fault()).await;
        tracing::warn!(
            pod = %self.target.owner.pod, subnet = self.network.subnet.name(), address = %rival.address(),
            "{}; the address is set aside", fault.message
        );
        self.all.ledger.set_aside(claimed.claim.clone(), rival.address()).await?;
        Ok(Attempt::Conflict(rival))
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
