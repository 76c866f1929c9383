//! A chain: rules in order, and where packets enter it.

use std::collections::BTreeSet;

use crate::name::Name;
use crate::number::numbered;
use crate::rule::Rule;
use crate::table::Family;

/// Rules in order. Without a base it is reached by jumps only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// Where packets enter it.
    pub base: Option<Base>,
    /// What becomes of them, first to last.
    pub rules: Vec<Rule>,
}

impl Chain {
    /// An empty chain at a hook.
    pub fn base(base: Base) -> Self {
        Self { base: Some(base), rules: Vec::new() }
    }

    /// A chain to jump to.
    pub fn regular(rules: Vec<Rule>) -> Self {
        Self { base: None, rules }
    }
}

/// The hook of a base chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What the chain may do.
    pub kind: ChainKind,
    /// Where in a packet's way.
    pub hook: Hook,
    /// Smaller runs earlier; well-known ones are in linux/netfilter_ipv4.h (`NF_IP_PRI_*`).
    pub priority: i32,
    /// What becomes of packets at the end of the chain.
    pub policy: Policy,
    /// The devices of [`Hook::Ingress`] and [`Hook::Egress`], else empty. More than one needs Linux 5.5.
    ///
    /// On Linux 6.18 a device that is absent is accepted and hooked when it appears; older kernels refuse it and
    /// drop the chain with the device.
    pub devices: BTreeSet<Name>,
}

impl Base {
    /// A hook that lets packets pass at the end, of no device.
    pub fn new(kind: ChainKind, hook: Hook, priority: i32) -> Self {
        Self { kind, hook, priority, policy: Policy::Accept, devices: BTreeSet::new() }
    }

    /// The same, of one more device.
    #[must_use]
    pub fn on(mut self, device: Name) -> Self {
        self.devices.insert(device);
        self
    }
}

/// What a base chain may do (`NFTA_CHAIN_TYPE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainKind {
    /// Anything but the others' work (`filter`).
    Filter,
    /// Address translation: sees the first packet of a connection only (`nat`).
    Nat,
    /// Output whose mark or addresses may change, and that is routed again then (`route`; in `inet` since Linux 5.2).
    Route,
}

impl ChainKind {
    pub(crate) const ALL: [Self; 3] = [Self::Filter, Self::Nat, Self::Route];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
            Self::Route => "route",
        }
    }
}

/// Where in a packet's way a chain sits (`NF_INET_*`, `NF_NETDEV_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Arrived, not routed yet.
    Prerouting,
    /// Routed to this machine.
    Input,
    /// Routed to another one.
    Forward,
    /// Sent by this machine.
    Output,
    /// About to leave.
    Postrouting,
    /// Arrived at a device, before everything else.
    Ingress,
    /// Leaving a device, after everything else (Linux 5.16).
    Egress,
}

impl Hook {
    const OF_INET: [Self; 6] =
        [Self::Prerouting, Self::Input, Self::Forward, Self::Output, Self::Postrouting, Self::Ingress];
    const OF_NETDEV: [Self; 2] = [Self::Ingress, Self::Egress];

    fn of_family(family: Family) -> &'static [Self] {
        match family {
            Family::Inet | Family::Ip | Family::Ip6 => &Self::OF_INET,
            Family::Netdev => &Self::OF_NETDEV,
        }
    }

    /// The number in `family`; where the family has no such hook, one that the kernel refuses.
    pub(crate) fn number(self, family: Family) -> u32 {
        let hooks = Self::of_family(family);
        hooks.iter().zip(0..).find(|(hook, _)| **hook == self).map_or(u32::MAX, |(_, number)| number)
    }

    pub(crate) fn from_number(number: u32, family: Family) -> Option<Self> {
        Self::of_family(family).get(usize::try_from(number).ok()?).copied()
    }
}

numbered! {
    /// What becomes of a packet at the end of a base chain (`NFTA_CHAIN_POLICY`).
    Policy {
        /// It goes on (`NF_ACCEPT`).
        Accept = 1,
        /// It is gone (`NF_DROP`).
        Drop = 0,
    }
}
