//! The pair of links between the node's stack and the frames, and its settings.

use netlink::{Family, VethPair};

use super::{PROBE_LINK, PROBE_MAC, SWITCH_LINK, SWITCH_MAC};

/// A setting of one of the links below `net.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) parts: [&'static str; 4],
    pub(crate) value: &'static str,
}

impl Setting {
    const fn of(family: &'static str, link: &'static str, name: &'static str, value: &'static str) -> Self {
        Self { parts: [family, "conf", link, name], value }
    }
}

/// The pair.
pub(crate) const PAIR: VethPair<'static> =
    VethPair { near: (PROBE_LINK, PROBE_MAC), far: (SWITCH_LINK, SWITCH_MAC) };

/// Whether the node lets the probe link have IPv6 at all.
pub(crate) const IPV6_OFF: [&str; 4] = ["ipv6", "conf", PROBE_LINK, "disable_ipv6"];

const SETTINGS: [(Option<Family>, Setting); 6] = [
    // The reverse-path check looks the route up with the mark that prerouting gives.
    (None, Setting::of("ipv4", PROBE_LINK, "src_valid_mark", "1")),
    // No address of its own: it would be a source for the node's own traffic, and go with the link's routes.
    (Some(Family::V6), Setting::of("ipv6", PROBE_LINK, "addr_gen_mode", "1")),
    (Some(Family::V6), Setting::of("ipv6", SWITCH_LINK, "addr_gen_mode", "1")),
    (Some(Family::V6), Setting::of("ipv6", PROBE_LINK, "accept_ra", "0")),
    // A node may have IPv6 off on new links and on where it is used.
    (Some(Family::V6), Setting::of("ipv6", PROBE_LINK, "disable_ipv6", "0")),
    // Frames are looked at before any stack.
    (None, Setting::of("ipv6", SWITCH_LINK, "disable_ipv6", "1")),
];

/// The settings, in their order; those of IPv6 only if it `is_v6_carried`.
pub(crate) fn settings(is_v6_carried: bool) -> impl Iterator<Item = Setting> {
    let wanted = SETTINGS.into_iter().filter(move |(family, _)| is_v6_carried || family.is_none());
    wanted.map(|(_, setting)| setting)
}
