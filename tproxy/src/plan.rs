//! What the kernel has to hold so that probes are carried: values only.
//!
//! Each part says what it is for: [`tables`] the nftables, `routing` the way to them, `pair` the links between.

mod elements;
mod family;
mod frames;
mod host;
pub(crate) mod pair;
mod phrase;
pub(crate) mod routing;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink::{Family, Mac};
use nft::{Batch, Name, Table, TableId};

use crate::target::Target;
pub(crate) use family::{Wire, wires};

/// The routing table whose only route leads to the probe link. Upstream's number.
pub const ROUTE_TABLE: u32 = 10_001;
/// The mark, and the mask of the mark, of packets that are carried. Upstream's number.
pub const MARK: u32 = 0x9_0003;
/// The end of the pair that the node's stack sends carried packets out of, and takes answers from.
pub const PROBE_LINK: &str = "prb0";
/// The other end, where frames are handed on to a pod's device.
pub const SWITCH_LINK: &str = "prb1";
/// Hardware address of [`PROBE_LINK`]: locally administered, and never seen outside the node.
pub const PROBE_MAC: Mac = [0x02, b'p', b'r', b'o', b'b', 0];
/// Hardware address of [`SWITCH_LINK`].
pub const SWITCH_MAC: Mac = [0x02, b'p', b'r', b'o', b'b', 1];

/// Name of both tables.
pub(crate) const TABLE: Name = Name::of("kube-ovn-probes");

/// The source that pods see of probes: per family one address that is reserved, the same on all nodes and on no
/// device. A family without one is not carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProbeAddresses {
    /// In IPv4; outside of 169.254/16, which guests may have on their link.
    pub v4: Option<Ipv4Addr>,
    /// In IPv6.
    pub v6: Option<Ipv6Addr>,
}

impl ProbeAddresses {
    /// The address of a family.
    pub fn of(self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.v4.map(IpAddr::V4),
            Family::V6 => self.v6.map(IpAddr::V6),
        }
    }

    /// The families that have one.
    pub fn families(self) -> impl Iterator<Item = Family> {
        Family::BOTH.into_iter().filter(move |family| self.of(*family).is_some())
    }

    /// The same without those of families that `keep` refuses.
    #[must_use]
    pub fn only(self, keep: impl Fn(Family) -> bool) -> Self {
        Self { v4: self.v4.filter(|_| keep(Family::V4)), v6: self.v6.filter(|_| keep(Family::V6)) }
    }
}

/// A group of processes: a directory of the cgroup v2 tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cgroup {
    /// How deep below the root; 1 is a child of the root.
    pub level: u32,
    /// Inode of the directory, which is the kernel's number for the group.
    pub id: u64,
}

/// What the plan has to know of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The probe addresses of the families that the node has.
    pub probe: ProbeAddresses,
    /// Ifindex of [`SWITCH_LINK`].
    pub switch_index: u32,
    /// The groups under which all pods run; none where the layout is not known.
    pub pod_cgroups: Vec<Cgroup>,
}

/// Both tables of nftables. They change together, in one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// What the node's stack sends and takes.
    pub inet: Table,
    /// Frames on the switch link and on the pods' devices.
    pub netdev: Table,
}

impl Tables {
    /// The ids of both.
    pub fn ids() -> [TableId; 2] {
        [TableId::inet(TABLE), TableId::netdev(TABLE)]
    }

    /// What turns `found` into these.
    pub fn diff(&self, found: &Self) -> Batch {
        let mut batch = nft::diff(&self.inet, Some(&found.inet));
        batch.append(nft::diff(&self.netdev, Some(&found.netdev)));
        batch
    }
}

/// The tables for these targets.
pub fn tables<'a>(node: &Node, targets: impl IntoIterator<Item = &'a Target>) -> Tables {
    let mut tables = Tables { inet: host::table(node), netdev: frames::table(node) };
    for target in targets {
        elements::add(&mut tables, node, target);
    }
    tables
}

#[cfg(test)]
mod tests;
