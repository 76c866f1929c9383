//! Which addresses and ports the kubelet probes, and by which device each is reached.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use netlink::Mac;
use nft::Name;

use crate::error::BadDevice;

/// Longest name of a device (`IFNAMSIZ` without the closing NUL).
const DEVICE_LEN: usize = 15;

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl PodKey {
    /// The pod `namespace/name`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for PodKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The end of a pod's veth that is on the node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostSide {
    name: Name,
    chain: Name,
    index: u32,
}

impl HostSide {
    /// The device `name` with its ifindex.
    ///
    /// # Errors
    /// [`BadDevice`].
    pub fn new(name: &str, index: u32) -> Result<Self, BadDevice> {
        let bad = || BadDevice { text: name.chars().take(80).collect() };
        if name.len() > DEVICE_LEN {
            return Err(bad());
        }
        let checked = Name::new(name).map_err(|_| bad())?;
        let chain = Name::new(format!("pod-{name}")).map_err(|_| bad())?;
        Ok(Self { name: checked, chain, index })
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its ifindex, new whenever the device is made anew.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The same device with another ifindex.
    #[must_use]
    pub fn at(&self, index: u32) -> Self {
        Self { index, ..self.clone() }
    }

    /// The chain that sees what the pod sends.
    pub(crate) fn chain(&self) -> &Name {
        &self.chain
    }
}

/// A pod of a custom VPC on this node, with what the kubelet asks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Which.
    pub key: PodKey,
    /// Its VPC.
    pub vpc: String,
    /// Where its packets arrive on the node.
    pub host_side: HostSide,
    /// Hardware address inside the pod.
    pub mac: Mac,
    /// Its addresses in the VPC.
    pub addresses: BTreeSet<IpAddr>,
    /// TCP ports that probes and lifecycle handlers ask. Port 0 is nobody's and left out.
    pub ports: BTreeSet<u16>,
}

impl Pod {
    fn endpoints(&self) -> impl Iterator<Item = Endpoint> {
        let ports = || self.ports.iter().copied().filter(|port| *port != 0);
        self.addresses.iter().flat_map(move |ip| ports().map(|port| Endpoint { ip: *ip, port }))
    }
}

/// What one probe connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The pod's address.
    pub ip: IpAddr,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::net::SocketAddr::new(self.ip, self.port).fmt(f)
    }
}

/// What is carried to one pod: the endpoints that no earlier pod has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where to.
    pub host_side: HostSide,
    /// Hardware address inside the pod.
    pub mac: Mac,
    /// For which endpoints.
    pub endpoints: BTreeSet<Endpoint>,
}

/// Two pods that a probe cannot tell apart: the same address and port on one node.
///
/// A SYN of the kubelet carries nothing of the pod it is meant for, so the second pod is not probed at all rather
/// than by guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// What both have.
    pub endpoint: Endpoint,
    /// Who has the path.
    pub carried: PodKey,
    /// The other's VPC may be another one or the same.
    pub refused: PodKey,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, carried, refused } = self;
        write!(
            f,
            "probes of {endpoint} reach pod {carried} and so cannot reach pod {refused} on the same node"
        )
    }
}

/// All pods of this node whose probes are carried, in the order in which they came.
///
/// An endpoint that two pods have belongs to the one that came first, until that one goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetTable {
    next_rank: u64,
    ranks: BTreeMap<PodKey, u64>,
    pods: BTreeMap<u64, Pod>,
    /// Who wants an endpoint; the smallest rank has it.
    claims: BTreeMap<Endpoint, BTreeSet<u64>>,
}

impl TargetTable {
    /// Adds a pod behind all others, or changes the one with the same key in its place.
    pub fn insert(&mut self, pod: Pod) {
        let known = self.ranks.get(&pod.key).copied();
        let rank = known.unwrap_or(self.next_rank);
        self.unclaim(rank);
        for endpoint in pod.endpoints() {
            self.claims.entry(endpoint).or_default().insert(rank);
        }
        self.ranks.insert(pod.key.clone(), rank);
        self.pods.insert(rank, pod);
        self.next_rank = self.next_rank.max(rank + 1);
    }

    /// Removes a pod, whose endpoints pass to whoever wants them next.
    pub fn remove(&mut self, key: &PodKey) -> Option<Pod> {
        let rank = self.ranks.remove(key)?;
        self.unclaim(rank);
        self.pods.remove(&rank)
    }

    /// The pod with this key.
    pub fn get(&self, key: &PodKey) -> Option<&Pod> {
        self.pods.get(self.ranks.get(key)?)
    }

    /// The pods in their order.
    pub fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.values()
    }

    /// What is carried to this pod; `None` for nothing.
    pub fn target(&self, key: &PodKey) -> Option<Target> {
        self.target_of(*self.ranks.get(key)?)
    }

    /// What is carried, pod by pod.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.pods.keys().filter_map(|rank| self.target_of(*rank))
    }

    /// Every endpoint that a pod wants in vain.
    pub fn clashes(&self) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for (endpoint, ranks) in self.claims.iter().filter(|(_, ranks)| ranks.len() > 1) {
            let mut keys = ranks.iter().filter_map(|rank| self.pods.get(rank)).map(|pod| &pod.key);
            let Some(carried) = keys.next() else { continue };
            clashes.extend(keys.map(|refused| Clash {
                endpoint: *endpoint,
                carried: carried.clone(),
                refused: refused.clone(),
            }));
        }
        clashes
    }

    /// The pods whose targets may change with `pod`: itself, and who has an endpoint or its device in common.
    pub(crate) fn touched_by(&self, pod: &Pod) -> BTreeSet<PodKey> {
        let sharing = pod.endpoints().filter_map(|endpoint| self.claims.get(&endpoint)).flatten();
        let mut keys: BTreeSet<_> =
            sharing.filter_map(|rank| self.pods.get(rank)).map(|other| other.key.clone()).collect();
        let on_device = self.pods().filter(|other| other.host_side.name() == pod.host_side.name());
        keys.extend(on_device.map(|other| other.key.clone()));
        keys.insert(pod.key.clone());
        keys
    }

    fn target_of(&self, rank: u64) -> Option<Target> {
        let pod = self.pods.get(&rank)?;
        let has = |endpoint: &Endpoint| {
            let first = self.claims.get(endpoint).and_then(BTreeSet::first);
            first == Some(&rank)
        };
        let endpoints: BTreeSet<_> = pod.endpoints().filter(has).collect();
        let target = Target { host_side: pod.host_side.clone(), mac: pod.mac, endpoints };
        Some(target).filter(|target| !target.endpoints.is_empty())
    }

    fn unclaim(&mut self, rank: u64) {
        let Some(pod) = self.pods.get(&rank) else { return };
        for endpoint in pod.endpoints() {
            if let Some(ranks) = self.claims.get_mut(&endpoint) {
                ranks.remove(&rank);
                if ranks.is_empty() {
                    self.claims.remove(&endpoint);
                }
            }
        }
    }
}

impl FromIterator<Pod> for TargetTable {
    fn from_iter<I: IntoIterator<Item = Pod>>(pods: I) -> Self {
        let mut table = Self::default();
        pods.into_iter().for_each(|pod| table.insert(pod));
        table
    }
}

#[cfg(test)]
mod tests;
