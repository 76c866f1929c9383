//! The options that OVN knows, and what each may be (ovn-nb(5), `DHCP_Options` and `Logical_Router_Port`).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use ovn::address::Mac;

/// What an option may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One IPv4 address.
    V4,
    /// One IPv4 address, or several in braces.
    V4s,
    /// One IPv6 address.
    V6,
    /// One IPv6 address, or several in braces.
    V6s,
    /// An Ethernet address.
    Mac,
    /// A number from the first to the second.
    Number(u32, u32),
    /// Text in quotation marks; OVN reads no other.
    Text,
    /// An IPv4 address or a name in quotation marks.
    Host,
    /// Pairs of a range and a next hop, in braces.
    Routes,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Text that OVN passes on as it is.
    Plain,
    /// `<preference>-<prefix>`.
    RouteInfo,
}

const BIT: Kind = Kind::Word(&["0", "1"]);
const BOOL: Kind = Kind::Word(&["true", "false"]);
const PREFERENCES: &[&str] = &["HIGH", "MEDIUM", "LOW"];
const OCTET: Kind = Kind::Number(0, 255);
const SECONDS: Kind = Kind::Number(0, u32::MAX);

impl Kind {
    pub(crate) fn admits(self, value: &str) -> bool {
        match self {
            Self::V4 => is::<Ipv4Addr>(value),
            Self::V4s => each(value, is::<Ipv4Addr>),
            Self::V6 => is::<Ipv6Addr>(value),
            Self::V6s => each(value, is::<Ipv6Addr>),
            Self::Mac => is::<Mac>(value),
            Self::Number(least, most) => {
                let is_plain = value.chars().all(|c| c.is_ascii_digit());
                is_plain && value.parse().is_ok_and(|number: u32| (least..=most).contains(&number))
            }
            Self::Text => is_quoted(value),
            Self::Host => is::<Ipv4Addr>(value) || is_quoted(value),
            Self::Routes => in_braces(value).is_some_and(are_routes),
            Self::Word(words) => words.contains(&value),
            Self::Plain => !value.is_empty(),
            Self::RouteInfo => value.split_once('-').is_some_and(|(preference, prefix)| {
                PREFERENCES.contains(&preference) && is::<Ipv6Net>(prefix)
            }),
        }
    }

    /// A value that it admits.
    pub(crate) fn example(self) -> String {
        match self {
            Self::V4 => "10.0.1.1",
            Self::V4s => "10.0.1.1",
            Self::V6 | Self::V6s => "fd00::1",
            Self::Mac => "02:00:00:00:00:01",
            Self::Number(least, most) if (least..=most).contains(&3600) => "3600",
            Self::Number(least, most) => return format!("a number from {least} to {most}"),
            Self::Text => "\"example.org\"",
            Self::Host => "10.0.1.9, or a name in quotation marks",
            Self::Routes => "{30.0.0.0/24,10.0.1.9}",
            Self::Word(words) => return words.join(" or "),
            Self::Plain => "example.org",
            Self::RouteInfo => "HIGH-fd00:1::/64",
        }
        .to_owned()
    }
}

fn is<T: std::str::FromStr>(value: &str) -> bool {
    value.parse::<T>().is_ok()
}

fn in_braces(value: &str) -> Option<&str> {
    value.strip_prefix('{')?.strip_suffix('}')
}

fn each(value: &str, admits: fn(&str) -> bool) -> bool {
    in_braces(value).map_or_else(|| admits(value), |inner| inner.split(',').all(|one| admits(one.trim())))
}

fn is_quoted(value: &str) -> bool {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(['"', '\\']))
}

fn are_routes(inner: &str) -> bool {
    let parts: Vec<&str> = inner.split(',').map(str::trim).collect();
    let is_range = |text: &str| is::<Ipv4Net>(text) || is::<Ipv4Addr>(text);
    parts.chunks(2).all(|pair| matches!(pair, [range, hop] if is_range(range) && is::<Ipv4Addr>(hop)))
}

/// The options of one field.
#[derive(Debug)]
pub(crate) struct Table {
    /// The field of the spec.
    pub(crate) field: &'static str,
    kinds: &'static [(&'static str, Kind)],
}

impl Table {
    pub(crate) fn kind(&self, key: &str) -> Option<Kind> {
        self.kinds.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind)
    }
}

/// The options of DHCPv4.
pub(crate) const DHCP_V4: Table = Table {
    field: "dhcpV4Options",
    kinds: &[
        ("server_id", Kind::V4),
        ("server_mac", Kind::Mac),
        ("lease_time", SECONDS),
        ("router", Kind::V4s),
        ("netmask", Kind::V4),
        ("dns_server", Kind::V4s),
        ("log_server", Kind::V4s),
        ("lpr_server", Kind::V4s),
        ("swap_server", Kind::V4),
        ("policy_filter", Kind::V4s),
        ("router_solicitation", Kind::V4),
        ("nis_server", Kind::V4s),
        ("ntp_server", Kind::V4s),
        ("netbios_name_server", Kind::V4s),
        ("classless_static_route", Kind::Routes),
        ("ms_classless_static_route", Kind::Routes),
        ("next_server", Kind::V4),
        ("ip_forward_enable", BIT),
        ("router_discovery", BIT),
        ("ethernet_encap", BIT),
        ("default_ttl", OCTET),
        ("tcp_ttl", OCTET),
        ("mtu", Kind::Number(68, 65_535)),
        ("T1", Kind::Number(68, u32::MAX)),
        ("T2", Kind::Number(68, u32::MAX)),
        ("arp_cache_timeout", OCTET),
        ("tcp_keepalive_interval", OCTET),
        ("netbios_node_type", OCTET),
        ("wpad", Kind::Text),
        ("bootfile_name", Kind::Text),
        ("bootfile_name_alt", Kind::Text),
        ("path_prefix", Kind::Text),
        ("tftp_server_address", Kind::V4s),
        ("hostname", Kind::Text),
        ("domain_name", Kind::Text),
        ("broadcast_address", Kind::V4),
        ("tftp_server", Kind::Host),
        ("domain_search_list", Kind::Text),
    ],
};

/// The options of DHCPv6.
pub(crate) const DHCP_V6: Table = Table {
    field: "dhcpV6Options",
    kinds: &[
        ("server_id", Kind::Mac),
        ("dns_server", Kind::V6s),
        ("domain_search", Kind::Text),
        ("dhcpv6_stateless", BOOL),
    ],
};

/// The contents of router advertisements. Intervals are RFC 4861's, section 6.2.1; an MTU below 1280 is none to OVN.
pub(crate) const ROUTER_ADVERTISEMENTS: Table = Table {
    field: "ipv6RAConfigs",
    kinds: &[
        ("address_mode", Kind::Word(&["slaac", "dhcpv6_stateful", "dhcpv6_stateless"])),
        ("router_preference", Kind::Word(PREFERENCES)),
        ("route_info", Kind::RouteInfo),
        ("mtu", Kind::Number(1280, 65_535)),
        ("send_periodic", BOOL),
        ("max_interval", Kind::Number(4, 1800)),
        ("min_interval", Kind::Number(3, 1350)),
        ("rdnss", Kind::V6),
        ("dnssl", Kind::Plain),
    ],
};
