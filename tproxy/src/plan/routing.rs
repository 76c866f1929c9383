//! How marked packets get to the probe link: rules and one route per family.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netlink::{Family, RouteSpec, RuleSpec};

use super::{MARK, ROUTE_TABLE};

/// Before main and before what other software commonly puts in front of it.
const MARKED: u32 = 90;
/// Behind main and default, which are 32766 and 32767.
const LAST_RESORT: u32 = 32_800;
/// Root.
const ROOT: (u32, u32) = (0, 0);
/// TCP (IANA).
const TCP: u8 = 6;

/// The rules of a family.
pub(crate) fn rules(family: Family) -> [RuleSpec; 2] {
    let marked = RuleSpec { mark: Some((MARK, MARK)), ..RuleSpec::new(family, MARKED, ROUTE_TABLE) };
    // On a node without default route a connect() to a pod fails before its first packet exists to be marked. Only for
    // what the node itself sends: the kernel takes forwarded packets for root's.
    let last_resort = RuleSpec {
        input: Some("lo".into()),
        uids: Some(ROOT),
        protocol: Some(TCP),
        ..RuleSpec::new(family, LAST_RESORT, ROUTE_TABLE)
    };
    [marked, last_resort]
}

/// The route of a family, on the probe link.
pub(crate) fn route(family: Family) -> RouteSpec {
    let any = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let everywhere = IpNet::new(any, 0).expect("0 is a prefix length of both families");
    RouteSpec { table: Some(ROUTE_TABLE), ..RouteSpec::to(everywhere) }
}
