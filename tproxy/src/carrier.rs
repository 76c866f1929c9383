//! The path of the kubelet's probes on one node: start it, tell it of pods, look after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use netlink::{Family, Netns};

use crate::apply::Links;
use crate::cgroup::pod_cgroups;
use crate::error::Error;
use crate::metrics::Counters;
use crate::observe::{Found, Ground};
use crate::plan::{Node, ProbeAddresses, Tables, tables};
use crate::target::{Clash, Pod, PodKey, Target, TargetTable};

/// What is chosen for the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What pods see as the source of probes.
    pub probe: ProbeAddresses,
    /// Where the host's cgroup tree is, commonly `/sys/fs/cgroup`.
    pub cgroup_root: PathBuf,
}

/// What a look at the whole path found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Changes made to the kernel; 0 when everything was there already.
    pub changes: usize,
    /// Families that are carried: those with a probe address that the node has.
    pub families: Vec<Family>,
    /// Whether pods on the host's network that run as root are told from the kubelet.
    pub are_pods_told_apart: bool,
    /// Pods whose device is not there now.
    pub absent: Vec<PodKey>,
}

/// The path, in one network namespace. Calls block for up to some milliseconds and take turns.
///
/// What is wanted stays wanted when a call fails: the next call, or [`Carrier::resync`], makes good for it. Nothing of
/// it is needed to run: the kernel carries probes while no `Carrier` lives.
#[derive(Debug)]
pub struct Carrier {
    settings: Settings,
    ground: Ground,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    targets: TargetTable,
    /// What the kernel was last made to hold; `None` until it was, and after a failure.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    node: Node,
    targets: BTreeMap<PodKey, Target>,
}

impl Carrier {
    /// A carrier for the namespace `netns`, the node's. Nothing changes before [`Carrier::replace_all`].
    ///
    /// # Errors
    /// [`Error::BadProbeAddress`], or the sockets' failure.
    pub fn start(settings: Settings, netns: Netns) -> Result<Self, Error> {
        check(&settings.probe)?;
        Ok(Self { settings, ground: Ground::open(netns)?, state: Mutex::default() })
    }

    /// Carries probes for these pods and no others: all of it in one batch, and only what differs.
    ///
    /// # Errors
    /// [`Error`]; what was carried before still is, or nothing.
    pub fn replace_all(&self, targets: TargetTable) -> Result<Report, Error> {
        let mut state = self.lock();
        state.targets = targets;
        self.make_whole(&mut state)
    }

    /// Looks at everything the path is made of and mends what differs, also devices that were made anew.
    ///
    /// # Errors
    /// [`Error`].
    pub fn resync(&self) -> Result<Report, Error> {
        self.make_whole(&mut self.lock())
    }

    /// Carries probes for one more pod, or for a pod that changed, in one batch; gives what of it is refused because
    /// other pods have it.
    ///
    /// # Errors
    /// [`Error::NoDevice`] when the pod's device is not there, else [`Error`].
    pub fn add(&self, pod: Pod) -> Result<Vec<Clash>, Error> {
        let mut state = self.lock();
        let key = pod.key.clone();
        let mut touched = state.targets.touched_by(&pod);
        if let Some(old) = state.targets.get(&key) {
            touched.extend(state.targets.touched_by(old));
        }
        let device = pod.host_side.name().to_string();
        state.targets.insert(pod);
        self.make_pods(&mut state, &touched)?;
        let is_held = state.held.as_ref().is_some_and(|held| held.targets.contains_key(&key));
        if !is_held && state.targets.target(&key).is_some() {
            return Err(Error::NoDevice { pod: key, device });
        }
        let clashes = state.targets.clashes().into_iter().filter(|clash| clash.refused == key);
        Ok(clashes.collect())
    }

    /// Carries probes for this pod no longer; `false` when there were none to carry.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove(&self, key: &PodKey) -> Result<bool, Error> {
        let mut state = self.lock();
        let Some(pod) = state.targets.get(key).cloned() else { return Ok(false) };
        let touched = state.targets.touched_by(&pod);
        state.targets.remove(key);
        self.make_pods(&mut state, &touched)?;
        Ok(true)
    }

    /// Removes everything that a carrier ever left in `netns`; the number of changes that took.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_all(netns: Netns) -> Result<usize, Error> {
        Ground::open(netns)?.remove_all()
    }

    /// Forgets connections that the node began before their endpoint was carried, and that are shut out for as long as
    /// they are tracked; how many those were. The kernel looks through its whole table for it (some 10 ms, or more), so
    /// call it after a pod's ADD was answered.
    ///
    /// # Errors
    /// [`Error::Kernel`], also where the kernel does not show what it tracks.
    pub fn sweep(&self) -> Result<usize, Error> {
        let (probe, endpoints) = {
            let state = self.lock();
            let Some(held) = &state.held else { return Ok(0) };
            let endpoints = held.targets.values().flat_map(|target| target.endpoints.iter().copied());
            (held.node.probe, endpoints.collect())
        };
        Ok(self.ground.sweep(probe, &endpoints)?)
    }

    /// What is carried to a pod now; `None` for nothing.
    pub fn carried(&self, key: &PodKey) -> Option<Target> {
        self.lock().held.as_ref()?.targets.get(key).cloned()
    }

    /// The probe addresses in use: those of families that the node has; all until that is known.
    pub fn probe_addresses(&self) -> ProbeAddresses {
        self.lock().held.as_ref().map_or(self.settings.probe, |held| held.node.probe)
    }

    /// How many pods and endpoints are carried now.
    pub fn counts(&self) -> (usize, usize) {
        self.lock().held.as_ref().map_or((0, 0), |held| {
            (held.targets.len(), held.targets.values().map(|target| target.endpoints.len()).sum())
        })
    }

    /// Every endpoint that a pod wants in vain.
    pub fn clashes(&self) -> Vec<Clash> {
        self.lock().targets.clashes()
    }

    /// What the rules have counted.
    ///
    /// # Errors
    /// [`Error`].
    pub fn counters(&self) -> Result<Counters, Error> {
        let [Found::Table(inet), Found::Table(netdev)] = self.ground.tables()? else {
            return Ok(Counters::default());
        };
        Ok(Counters::of(&Tables { inet, netdev }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a turn leaves what is wanted, and at worst a wrong idea of what is held, which a refused batch
        // or the next resync puts right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Links first, still down; then the tables, so that nothing passes the links that they do not see; then the way.
    fn make_whole(&self, state: &mut State) -> Result<Report, Error> {
        state.held = None;
        let (links, link_changes) = self.ground.make_links(self.settings.probe.v6.is_some())?;
        let mut families = Vec::new();
        for family in self.settings.probe.families() {
            families.extend(self.ground.has(family)?.then_some(family));
        }
        let absent = self.locate(state)?;
        let wanted = |key: &PodKey| !absent.contains(key);
        let keys: Vec<_> = state.targets.pods().map(|pod| pod.key.clone()).filter(wanted).collect();
        let targets: BTreeMap<_, _> =
            keys.into_iter().filter_map(|key| Some((key.clone(), state.targets.target(&key)?))).collect();
        let (node, table_changes) = self.make_tables(links, &families, &targets)?;
        let changes = link_changes + table_changes + self.ground.lead(links, &families)?;
        let are_pods_told_apart = !node.pod_cgroups.is_empty();
        state.held = Some(Held { node, targets });
        Ok(Report { changes, families, are_pods_told_apart, absent: absent.into_iter().collect() })
    }

    /// The tables, without the exclusion of pods on the host's network where the kernel cannot ask for cgroups.
    fn make_tables(
        &self,
        links: Links,
        families: &[Family],
        targets: &BTreeMap<PodKey, Target>,
    ) -> Result<(Node, usize), Error> {
        let mut node = Node {
            probe: self.settings.probe.only(|family| families.contains(&family)),
            switch_index: links.switch,
            pod_cgroups: pod_cgroups(&self.settings.cgroup_root),
        };
        let refusal = match self.ground.make_tables(&tables(&node, targets.values())) {
            Ok(changes) => return Ok((node, changes)),
            Err(error) if node.pod_cgroups.is_empty() => return Err(error),
            Err(error) => error,
        };
        node.pod_cgroups.clear();
        match self.ground.make_tables(&tables(&node, targets.values())) {
            Ok(changes) => Ok((node, changes)),
            Err(_) => Err(refusal),
        }
    }

    /// Gives every pod's device the index it has now; the pods whose device is not there.
    fn locate(&self, state: &mut State) -> Result<BTreeSet<PodKey>, Error> {
        let devices = self.ground.devices()?;
        let mut absent = BTreeSet::new();
        let pods: Vec<_> = state.targets.pods().cloned().collect();
        for pod in pods {
            match devices.get(pod.host_side.name().as_str()) {
                None => {
                    absent.insert(pod.key);
                }
                Some(index) if *index == pod.host_side.index() => {}
                Some(index) => state.targets.insert(Pod { host_side: pod.host_side.at(*index), ..pod }),
            }
        }
        Ok(absent)
    }

    /// Changes what the kernel holds for these pods, in one batch; where that is refused, everything.
    fn make_pods(&self, state: &mut State, touched: &BTreeSet<PodKey>) -> Result<(), Error> {
        let Some(held) = &state.held else {
            return self.make_whole(state).map(|_| ());
        };
        let before = touched.iter().filter_map(|key| held.targets.get(key));
        let before = tables(&held.node, before);
        let mut after = BTreeMap::new();
        for key in touched {
            let Some(target) = state.targets.target(key) else { continue };
            if let Some(link) = self.ground.handle.link(target.host_side.name().as_str())? {
                let host_side = target.host_side.at(link.index);
                after.insert(key.clone(), Target { host_side, ..target });
            }
        }
        let batch = tables(&held.node, after.values()).diff(&before);
        if self.ground.nft.apply(&batch).is_err() {
            // Somebody changed the tables, or what was held is not known.
            return self.make_whole(state).map(|_| ());
        }
        if let Some(held) = &mut state.held {
            held.targets.retain(|key, _| !touched.contains(key));
            held.targets.extend(after);
        }
        Ok(())
    }
}

/// Refuses what no pod could answer to.
fn check(probe: &ProbeAddresses) -> Result<(), Error> {
    for ip in probe.families().filter_map(|family| probe.of(family)) {
        let is_link_local = match ip {
            std::net::IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
            std::net::IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some(),
        };
        let reason = match () {
            () if ip.is_unspecified() => "it is no address",
            () if ip.is_loopback() => "it is every machine's own",
            () if ip.is_multicast() => "it is a group's",
            () if is_link_local => "guests have it on their link",
            () => continue,
        };
        return Err(Error::BadProbeAddress { ip, reason });
    }
    Ok(())
}
