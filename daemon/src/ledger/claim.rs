//! A claim: the addresses of one attachment, who owns them, and which sandbox uses them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use daemon_api::{ContainerId, IfName, NetnsPath, PodRef, Provider};
use ipam::{Mac, SubnetSpec, Workload};
use serde::{Deserialize, Serialize};

/// A claim's number in the store. Never used again for another claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClaimId(pub u64);

/// Who owns an address: one interface of one pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The pod.
    pub pod: PodRef,
    /// Its UID; empty when the runtime gives none (podman).
    pub uid: String,
    /// The network's provider.
    pub provider: Provider,
    /// The interface inside the sandbox.
    pub interface: IfName,
}

/// An owner without the pod's UID: what a pod and its successor of the same name have in common.
pub type OwnerName = (PodRef, Provider, IfName);

impl Owner {
    /// The owner's name.
    pub fn name(&self) -> OwnerName {
        (self.pod.clone(), self.provider.clone(), self.interface.clone())
    }

    /// True unless both UIDs are known and differ.
    pub fn is_same_pod(&self, other: &Self) -> bool {
        self.uid.is_empty() || other.uid.is_empty() || self.uid == other.uid
    }
}

/// A running sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The runtime's id.
    pub container: ContainerId,
    /// The path of its network namespace.
    pub netns: NetnsPath,
    /// Device and inode of that namespace: a path can be reused, this cannot while the namespace lives.
    pub netns_id: (u64, u64),
}

/// Where an address can belong to one interface only: the physical network behind a provider, or a VPC.
///
/// Two subnets of one segment that overlap, or a subnet that was renamed, still never give an address twice; the same
/// CIDR in two VPCs is two segments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Segment(pub String);

/// A subnet to give addresses of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Its addresses.
    pub spec: SubnetSpec,
    /// Where they are unique.
    pub segment: Segment,
}

/// Who makes the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// Another plugin; we only give the addresses.
    Delegated,
    /// We do, a macvlan.
    Macvlan,
    /// We do, a veth whose host end is a port of OVN.
    Veth,
}

impl Link {
    /// True when the interface is ours to make and to remove.
    pub fn is_ours(self) -> bool {
        match self {
            Link::Delegated => false,
            Link::Macvlan | Link::Veth => true,
        }
    }
}

/// How much may pass an interface in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Mbit/s.
    pub rate: u32,
    /// How much may exceed the rate for a moment, in Mbit; `None` means 80 % of a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

/// What OVN is told of a veth's port beside its addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PortTraits {
    /// The port's name ends in the interface's: the pod uses the network several times.
    pub is_per_interface: bool,
    /// The pod forwards the traffic of others, so it may send from any address.
    pub forwards: bool,
    /// The most that the pod may receive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into_pod: Option<Limit>,
    /// The most that the pod may send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_pod: Option<Limit>,
    /// The TCP ports that the kubelet probes, when probes are carried into the pod: no other port of this node may have
    /// one of its addresses with one of them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub probe_ports: BTreeSet<u16>,
}

/// One attachment's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its number.
    pub id: ClaimId,
    /// Who owns it.
    pub owner: Owner,
    /// What kind of workload the owner is.
    pub workload: Workload,
    /// Which sandbox uses it; `None` while it is parked.
    pub sandbox: Option<Sandbox>,
    /// The CNI network's name; empty when the caller did not say.
    pub network: String,
    /// The subnet.
    pub subnet: String,
    /// Where its addresses are unique.
    pub segment: Segment,
    /// IPv4 first; one or two.
    pub addresses: Vec<IpAddr>,
    /// MAC of the interface, when it is ours to choose.
    pub mac: Option<Mac>,
    /// Who makes the interface.
    pub link: Link,
    /// What OVN is told of it, when it is a veth.
    #[serde(default)]
    pub port: PortTraits,
    /// Grows with every change of this claim.
    pub revision: u64,
    /// When it was made, in seconds since 1970.
    pub since: u64,
}

impl Claim {
    /// True when this sandbox's interface is the one that uses the claim.
    pub fn is_used_by(&self, container: &str, interface: &str) -> bool {
        self.owner.interface.as_str() == interface
            && self.sandbox.as_ref().is_some_and(|s| s.container.as_str() == container)
    }
}

/// A hook that hears the addresses as soon as they are chosen, before they are on disk. It must not block.
pub type OnChosen = Box<dyn FnOnce(&[IpAddr]) + Send>;

/// A wish for addresses.
pub struct ClaimRequest {
    /// Who asks.
    pub owner: Owner,
    /// What kind of workload asks.
    pub workload: Workload,
    /// The sandbox that will use them.
    pub sandbox: Sandbox,
    /// The CNI network's name.
    pub network: String,
    /// The subnet to take them from.
    pub subnet: String,
    /// Which addresses will do: the first of these that can be had whole.
    pub wishes: Vec<ipam::Request>,
    /// Who makes the interface. One of ours gets a MAC derived from the address unless a wish has one.
    pub link: Link,
    /// What OVN is told of it, when it is a veth.
    pub port: PortTraits,
    /// Whether the node carries probes: then it gives no address that would make two pods look alike to the kubelet.
    pub are_probes_carried: bool,
    /// Called with freshly chosen addresses, not with those that the owner already held.
    pub on_chosen: Option<OnChosen>,
    /// Now, in seconds since 1970.
    pub now: u64,
}

/// What a claim came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The claim as it is on disk.
    pub claim: Claim,
    /// The older sandbox that used it until now.
    pub superseded: Option<Sandbox>,
    /// The addresses were chosen just now.
    pub is_fresh: bool,
}

/// A condition of a release: all of it must hold for a claim at the moment it is released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseIf {
    /// The claim.
    pub id: ClaimId,
    /// It has not changed since.
    pub revision: u64,
    /// Park a kept claim instead of freeing it.
    pub parks_kept: bool,
}

impl ReleaseIf {
    /// The sandbox is gone or was deleted: free it, or park it when the workload keeps its addresses.
    pub fn unchanged(claim: &Claim) -> Self {
        Self { id: claim.id, revision: claim.revision, parks_kept: true }
    }

    /// The ADD failed and the claim was made by it: free it, kept or not.
    pub fn undo(claim: &Claim) -> Self {
        Self { parks_kept: false, ..Self::unchanged(claim) }
    }
}
