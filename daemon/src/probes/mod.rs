//! The kubelet's probes: which pods they are carried into, and when.
//!
//! `target` says what of a claim is probed; `tproxy` carries. An ADD is answered after the pod's targets are in the
//! kernel; whatever else changes them is found by a look at the whole, at start and with every sweep. Nothing here is in
//! a probe's path: with the daemon dead, probes are carried as before.

pub mod metrics;
pub mod target;
pub mod trial;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use daemon_api::{Fault, FaultKind, PodRef};
use netlink::{Handle, Netns};
use tproxy::{Carrier, PodRoute, Settings, TargetTable};

use crate::causes::chain;
use crate::config::ProbeAddresses;
use crate::ledger::{Claim, Ledger};
use crate::sandbox::{Sandboxes, observed};

/// The host's cgroup tree, by which pods on the host's network are told from the kubelet.
const CGROUPS: &str = "/sys/fs/cgroup";

/// The path of probes, when they are carried.
pub struct Probes(Option<Arc<Carrier>>);

impl Probes {
    /// Prepares to carry probes from these addresses. With `None` whatever an earlier run left is removed.
    ///
    /// # Errors
    /// An address that cannot be a probe's, or a node whose network cannot be read.
    pub fn open(addresses: Option<ProbeAddresses>) -> anyhow::Result<Self> {
        let node = Netns::current().context("open the node's network namespace")?;
        let Some(ProbeAddresses { v4, v6 }) = addresses else {
            match Carrier::remove_all(node) {
                Ok(0) => {}
                Ok(changes) => tracing::info!(changes, "probes are carried no longer"),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "remove the path of an earlier run's probes")
                }
            }
            return Ok(Self(None));
        };
        let probe = tproxy::ProbeAddresses { v4: Some(v4), v6: Some(v6) };
        let carrier = Carrier::start(Settings { probe, cgroup_root: PathBuf::from(CGROUPS) }, node)?;
        Ok(Self(Some(Arc::new(carrier))))
    }

    /// Whether probes are carried on this node.
    pub fn are_carried(&self) -> bool {
        self.0.is_some()
    }

    /// What carries them.
    pub fn carrier(&self) -> Option<&Arc<Carrier>> {
        self.0.as_ref()
    }

    /// What a claim's pod needs inside, so that its answers find the way.
    pub fn pod_routes(&self, claim: &Claim) -> Vec<PodRoute> {
        let carrier = self.0.as_ref().filter(|_| target::is_probed(claim));
        carrier.map_or_else(Vec::new, |carrier| {
            tproxy::pod_routes(&carrier.probe_addresses(), &claim.addresses.iter().copied().collect())
        })
    }
}

impl<L: Ledger> Sandboxes<L> {
    /// Carries probes into a pod whose interface has just been made. Where that cannot be, the pod works all the same, and
    /// `vpcctl explain` says what is wrong.
    pub async fn carry_probes(&self, claim: &Claim) {
        let Some(carrier) = self.probes.carrier().cloned().filter(|_| target::is_probed(claim)) else {
            return;
        };
        let claim = claim.clone();
        let pod = claim.owner.pod.clone();
        let added = self.blocking("probes", move || {
            let Some(wanted) = device(&claim).and_then(|index| target::pod(&claim, index)) else {
                return Ok(Vec::new());
            };
            carrier.add(wanted).map_err(|error| Fault::new(FaultKind::Kernel, chain(&error)))
        });
        match added.await {
            Ok(clashes) => clashes.iter().for_each(|clash| tracing::error!(%pod, "{clash}")),
            Err(fault) => tracing::error!(%pod, %fault, "the kubelet's probes do not reach the pod"),
        }
    }

    /// Carries probes into a pod no longer.
    pub async fn drop_probes(&self, claim: &Claim) {
        let Some(carrier) = self.probes.carrier().cloned().filter(|_| target::is_probed(claim)) else {
            return;
        };
        let key = target::key(&claim.owner.pod);
        let removed = self.blocking("probes", move || {
            carrier.remove(&key).map_err(|error| Fault::new(FaultKind::Kernel, chain(&error)))
        });
        if let Err(fault) = removed.await {
            tracing::warn!(pod = %claim.owner.pod, %fault, "stop carrying probes");
        }
    }

    /// Makes the kernel carry probes into the pods that the ledger knows, and into no others; mends what differs.
    pub async fn sync_probes(&self) {
        let Some(carrier) = self.probes.carrier().cloned() else { return };
        let claims: Vec<Claim> = self
            .ledger
            .look(|book| book.claims().filter(|claim| target::is_probed(claim)).cloned().collect());
        let synced = self.blocking("probes", move || {
            let wanted = claims.iter().filter_map(|claim| target::pod(claim, device(claim)?));
            let report = carrier.replace_all(wanted.collect::<TargetTable>());
            report.map_err(|error| Fault::new(FaultKind::Kernel, chain(&error)))
        });
        match synced.await {
            Ok(report) if report.changes == 0 => {}
            Ok(report) => tracing::info!(changes = report.changes, "probes are carried"),
            Err(fault) => tracing::error!(%fault, "the kubelet's probes do not reach pods of custom VPCs"),
        }
    }

    /// Gives the pods that are there what they need inside: they may be older than `--enable-tproxy`.
    pub async fn ready_pods_for_probes(&self) {
        let claims: Vec<Claim> = self
            .ledger
            .look(|book| book.claims().filter(|claim| target::is_probed(claim)).cloned().collect());
        for claim in claims {
            let routes = self.probes.pod_routes(&claim);
            let pod: PodRef = claim.owner.pod.clone();
            let done = self.blocking("probes", move || ready(&claim, &routes));
            if let Err(fault) = done.await {
                tracing::warn!(%pod, %fault, "prepare a pod for probes");
            }
        }
    }
}

/// The index of the host's end of a claim's veth.
fn device(claim: &Claim) -> Option<u32> {
    let name = target::device(claim)?;
    Handle::here().ok()?.link(&name).ok()?.map(|link| link.index)
}

fn ready(claim: &Claim, routes: &[PodRoute]) -> Result<(), Fault> {
    let Some(netns) = claim.sandbox.as_ref().and_then(observed::living) else { return Ok(()) };
    let name = &claim.owner.interface;
    let give = || -> Result<(), netlink::Error> {
        let inside = Handle::inside(&netns)?;
        let Some(link) = inside.link(name.as_str())? else { return Ok(()) };
        for PodRoute { route, neighbour, mac } in routes {
            inside.request(&route.replace(link.index))?;
            inside.set_neighbour(link.index, *neighbour, *mac)?;
        }
        Ok(())
    };
    give().map_err(|e| observed::kernel(&format!("give {name} a way to the probe address"), &e))
}
