//! What the kernel holds of the path: links, settings, rules, routes and both tables.

use std::collections::BTreeMap;
use std::fmt;

use netlink::sysctl::{self, SysctlError};
use netlink::{Conntrack, Family, Handle, Link, Netns, Nft, Route, Rule};
use nft::Table;

use crate::error::Error;
use crate::plan::pair::{IPV6_OFF, Setting};
use crate::plan::{PROBE_LINK, PROBE_MAC, ROUTE_TABLE, SWITCH_LINK, SWITCH_MAC, Tables};

/// The node's network, with a socket for each kind of question.
pub(crate) struct Ground {
    pub(crate) netns: Netns,
    pub(crate) handle: Handle,
    pub(crate) nft: Nft,
    pub(crate) conntrack: Conntrack,
}

/// The two links, found by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pair {
    /// None of them.
    Absent,
    /// As they are wanted, up or not.
    Sound { probe: Link, switch: Link },
    /// Ours, but to be made anew; the link is one of them.
    Broken { index: u32 },
    /// Somebody else's link has the name.
    Taken { name: &'static str },
}

/// What leads to the probe link in one family.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routing {
    pub(crate) rules: Vec<Rule>,
    pub(crate) routes: Vec<Route>,
}

/// A table as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Absent,
    Table(Table),
    /// There, and of things that none of ours is made of.
    Foreign,
}

impl Ground {
    pub(crate) fn open(netns: Netns) -> Result<Self, Error> {
        let (handle, nft) = (Handle::inside(&netns)?, Nft::inside(&netns)?);
        let conntrack = Conntrack::inside(&netns)?;
        Ok(Self { netns, handle, nft, conntrack })
    }

    pub(crate) fn pair(&self) -> Result<Pair, Error> {
        let (probe, switch) = (self.handle.link(PROBE_LINK)?, self.handle.link(SWITCH_LINK)?);
        let mut is_quiet = true;
        for link in probe.iter().chain(&switch) {
            is_quiet &= self.handle.is_without_arp(link.index)?.unwrap_or(false);
        }
        Ok(judge(probe, switch, is_quiet))
    }

    /// Whether a setting that exists has another value.
    pub(crate) fn unset(&self, settings: Vec<Setting>) -> Result<Vec<Setting>, Error> {
        let look = move || {
            let mut unset = Vec::new();
            for setting in settings {
                if sysctl::read(&setting.parts)?.is_some_and(|value| value != setting.value) {
                    unset.push(setting);
                }
            }
            Ok::<_, SysctlError>(unset)
        };
        Ok(self.netns.run(look)??)
    }

    /// Whether the probe link can have routes of the family.
    pub(crate) fn has(&self, family: Family) -> Result<bool, Error> {
        match family {
            Family::V4 => Ok(true),
            Family::V6 => {
                let off = self.netns.run(|| sysctl::read(&IPV6_OFF))??;
                Ok(off.as_deref() == Some("0"))
            }
        }
    }

    /// All that has to do with our routing table; nothing in a family that the kernel does not have.
    pub(crate) fn routing(&self, family: Family) -> Result<Routing, Error> {
        let mut rules = match self.handle.rules(family) {
            Err(error) if is_not_supported(&error) => return Ok(Routing::default()),
            rules => rules?,
        };
        rules.retain(|rule| rule.spec.table == ROUTE_TABLE);
        let routes = self.handle.routes_of_table(family, ROUTE_TABLE)?;
        Ok(Routing { rules, routes })
    }

    pub(crate) fn tables(&self) -> Result<[Found; 2], Error> {
        let [inet, netdev] = Tables::ids();
        Ok([self.table(&inet)?, self.table(&netdev)?])
    }

    /// The index of every device by its name.
    pub(crate) fn devices(&self) -> Result<BTreeMap<String, u32>, Error> {
        let links = self.handle.links()?;
        Ok(links.into_iter().map(|link| (link.name, link.index)).collect())
    }

    fn table(&self, id: &nft::TableId) -> Result<Found, Error> {
        match self.nft.table(id) {
            Ok(table) => Ok(table.map_or(Found::Absent, Found::Table)),
            Err(netlink::Error::UnknownTable { .. }) => Ok(Found::Foreign),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ground").field("netns", &self.netns.id()).finish_non_exhaustive()
    }
}

pub(crate) fn is_not_supported(error: &netlink::Error) -> bool {
    error.errno() == Some(netlink::Errno::NotSupported)
}

/// Two veths of these names that are each other's peer are ours, as is one of them that has our address.
fn judge(probe: Option<Link>, switch: Option<Link>, is_quiet: bool) -> Pair {
    let is_veth = |link: &Link| link.kind.as_deref() == Some("veth");
    let is_ours = |link: &Link| is_veth(link) && [PROBE_MAC, SWITCH_MAC].contains(&link.mac);
    let taken =
        |probe: Option<&Link>| Pair::Taken { name: if probe.is_some() { PROBE_LINK } else { SWITCH_LINK } };
    match (probe, switch) {
        (None, None) => Pair::Absent,
        (Some(probe), Some(switch)) => {
            let are_peers =
                probe.parent_index == Some(switch.index) && switch.parent_index == Some(probe.index);
            let are_pair = are_peers && is_veth(&probe) && is_veth(&switch);
            let are_sound = is_quiet && (probe.mac, switch.mac) == (PROBE_MAC, SWITCH_MAC);
            match (are_pair, are_sound) {
                (true, true) => Pair::Sound { probe, switch },
                (true, false) => Pair::Broken { index: probe.index },
                (false, _) if !is_ours(&probe) => taken(Some(&probe)),
                (false, _) if !is_ours(&switch) => taken(None),
                (false, _) => Pair::Broken { index: probe.index },
            }
        }
        (Some(link), None) | (None, Some(link)) if is_ours(&link) => Pair::Broken { index: link.index },
        (probe, _) => taken(probe.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, mac: netlink::Mac, peer: u32) -> Link {
        let kind = Some("veth".to_owned());
        Link { index, name: name.into(), mac, mtu: 1500, is_up: true, kind, parent_index: Some(peer) }
    }

    fn ours() -> (Link, Link) {
        (link(5, PROBE_LINK, PROBE_MAC, 6), link(6, SWITCH_LINK, SWITCH_MAC, 5))
    }

    #[test]
    fn a_pair_with_other_addresses_or_that_resolves_is_made_anew() {
        let (probe, switch) = ours();
        let sound = judge(Some(probe.clone()), Some(switch.clone()), true);
        assert!(matches!(sound, Pair::Sound { .. }));
        assert_eq!(judge(Some(probe.clone()), Some(switch.clone()), false), Pair::Broken { index: 5 });
        let renumbered = Link { mac: [2; 6], ..probe };
        assert_eq!(judge(Some(renumbered), Some(switch), true), Pair::Broken { index: 5 });
    }

    #[test]
    fn half_a_pair_is_ours_by_its_address() {
        let (probe, switch) = ours();
        assert_eq!(judge(None, Some(switch.clone()), true), Pair::Broken { index: 6 });
        let apart = Link { parent_index: Some(9), ..probe };
        assert_eq!(judge(Some(apart), Some(switch), true), Pair::Broken { index: 5 });
    }

    #[test]
    fn a_link_of_somebody_elses_is_left_alone() {
        let (probe, switch) = ours();
        let bridge = Link { kind: Some("bridge".into()), ..probe.clone() };
        let foreign = Link { mac: [2; 6], ..switch.clone() };
        assert_eq!(judge(Some(bridge.clone()), None, true), Pair::Taken { name: PROBE_LINK });
        assert_eq!(judge(Some(bridge), Some(switch), true), Pair::Taken { name: PROBE_LINK });
        assert_eq!(judge(None, Some(foreign.clone()), true), Pair::Taken { name: SWITCH_LINK });
        let apart = Link { parent_index: Some(9), ..probe };
        assert_eq!(judge(Some(apart), Some(foreign), true), Pair::Taken { name: SWITCH_LINK });
    }
}
