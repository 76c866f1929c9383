//! A table: the unit that is planned, read back and compared.

use std::collections::BTreeMap;
use std::fmt;

use crate::chain::Chain;
use crate::name::Name;
use crate::number::numbered;
use crate::set::Set;

numbered! {
    /// What packets a table's chains see (`NFPROTO_*` in linux/netfilter.h).
    Family {
        /// IPv4 and IPv6 (`NFPROTO_INET`).
        Inet = 1,
        /// IPv4 (`NFPROTO_IPV4`).
        Ip = 2,
        /// IPv6 (`NFPROTO_IPV6`).
        Ip6 = 10,
        /// Frames of a device (`NFPROTO_NETDEV`).
        Netdev = 5,
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Netdev => "netdev",
        })
    }
}

/// Which table of a network namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId {
    /// The family; tables of different families may share a name.
    pub family: Family,
    /// The name.
    pub name: Name,
}

impl TableId {
    /// The table `name` of family `inet`.
    pub fn inet(name: Name) -> Self {
        Self { family: Family::Inet, name }
    }

    /// The table `name` of family `netdev`.
    pub fn netdev(name: Name) -> Self {
        Self { family: Family::Netdev, name }
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.family, self.name)
    }
}

/// A table with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which one.
    pub id: TableId,
    /// Switched off by somebody (`NFT_TABLE_F_DORMANT`); never wanted.
    pub is_dormant: bool,
    /// Sets and maps by name.
    pub sets: BTreeMap<Name, Set>,
    /// Chains by name.
    pub chains: BTreeMap<Name, Chain>,
}

impl Table {
    /// An empty table.
    pub fn new(id: TableId) -> Self {
        Self { id, is_dormant: false, sets: BTreeMap::new(), chains: BTreeMap::new() }
    }
}
