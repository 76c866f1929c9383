//! Routes: `ip route add|replace|del|show`.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{DecodeError, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, Parseable};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};

use crate::error::{Error, removed};
use crate::family::Family;
use crate::handle::Handle;
use crate::request::Request;

/// The number of the main table (`RT_TABLE_MAIN`).
const MAIN: u32 = RouteHeader::RT_TABLE_MAIN as u32;

/// A route to be set, on a link that is named with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RouteSpec {
    /// Where to; a prefix of length 0 is the default route. Host bits are cleared.
    pub dst: IpNet,
    /// Through whom; `None` for directly.
    pub gateway: Option<IpAddr>,
    /// The gateway is on the link though no address of the link covers it (`onlink`).
    pub on_link: bool,
    /// The table; `None` for main.
    pub table: Option<u32>,
    /// The lower the better; `None` for the kernel's choice (0 for IPv4, 1024 for IPv6).
    pub metric: Option<u32>,
}

/// A route that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// Where to.
    pub dst: IpNet,
    /// Through whom; `None` for directly.
    pub gateway: Option<IpAddr>,
    /// Out of which link; `None` for a route over several.
    pub link_index: Option<u32>,
    /// The table.
    pub table: u32,
    /// The lower the better; 0 where the kernel shows none.
    pub metric: u32,
}

impl RouteSpec {
    /// A route to `dst` directly on the link, in the main table.
    pub fn to(dst: IpNet) -> Self {
        Self { dst, gateway: None, on_link: false, table: None, metric: None }
    }

    /// The change `ip route add`: refused when one with the same destination, table and metric is there.
    pub fn add(&self, index: u32) -> Request {
        self.set("add", index, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// The change `ip route replace`: safe to repeat.
    pub fn replace(&self, index: u32) -> Request {
        self.set("set", index, NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// The change `ip route del`.
    pub fn delete(&self, index: u32) -> Request {
        let attempt = self.attempt("delete", index);
        Request::change(attempt, 0, RouteNetlinkMessage::DelRoute(self.message(index)))
    }

    fn set(&self, verb: &str, index: u32, flags: u16) -> Request {
        let attempt = self.attempt(verb, index);
        Request::change(attempt, flags, RouteNetlinkMessage::NewRoute(self.message(index)))
    }

    fn attempt(&self, verb: &str, index: u32) -> String {
        match self.gateway {
            Some(gateway) => format!("{verb} route {} via {gateway} on link {index}", self.dst),
            None => format!("{verb} route {} on link {index}", self.dst),
        }
    }

    fn message(&self, index: u32) -> RouteMessage {
        let dst = self.dst.trunc();
        let mut message = RouteMessage::default();
        message.header.address_family = Family::of(dst.addr()).into();
        message.header.destination_prefix_length = dst.prefix_len();
        message.header.protocol = RouteProtocol::Boot;
        message.header.kind = RouteType::Unicast;
        message.header.scope = match (dst, self.gateway) {
            (IpNet::V4(_), None) => RouteScope::Link,
            (IpNet::V4(_), Some(_)) | (IpNet::V6(_), _) => RouteScope::Universe,
        };
        if self.on_link {
            message.header.flags = RouteFlags::Onlink;
        }
        if dst.prefix_len() > 0 {
            message.attributes.push(RouteAttribute::Destination(dst.addr().into()));
        }
        message.attributes.extend(self.gateway.map(|ip| RouteAttribute::Gateway(ip.into())));
        message.attributes.push(RouteAttribute::Oif(index));
        message.attributes.push(RouteAttribute::Table(self.table.unwrap_or(MAIN)));
        message.attributes.extend(self.metric.map(RouteAttribute::Priority));
        message
    }
}

impl Handle {
    /// Adds a route. `ip route add DST [via GATEWAY] dev INDEX`
    ///
    /// # Errors
    /// [`crate::Errno::Exists`], or [`crate::Errno::Unreachable`] for a gateway that is not on the link.
    pub fn add_route(&self, index: u32, route: &RouteSpec) -> Result<(), Error> {
        self.request(&route.add(index))
    }

    /// Adds a route or puts it in the place of the one with the same destination, table and metric.
    ///
    /// # Errors
    /// As [`Handle::add_route`], without `Exists`.
    pub fn replace_route(&self, index: u32, route: &RouteSpec) -> Result<(), Error> {
        self.request(&route.replace(index))
    }

    /// Removes a route; `false` when it was not there.
    ///
    /// # Errors
    /// The request's failure.
    pub fn delete_route(&self, index: u32, route: &RouteSpec) -> Result<bool, Error> {
        removed(self.request(&route.delete(index)))
    }

    /// The routes of the main table out of a link, both families: unicast, without the IPv6 link-local ones.
    ///
    /// A route over several links (multipath) is not a route of one link and not listed.
    ///
    /// # Errors
    /// The request's failure.
    pub fn routes(&self, index: u32) -> Result<Vec<Route>, Error> {
        let mut found = Vec::new();
        for family in Family::BOTH {
            found.extend(self.list_routes(family, MAIN, Some(index), Kinds::Unicast)?);
        }
        found.retain(|route| route.link_index == Some(index) && !is_link_local(route.dst));
        Ok(found)
    }

    /// Removes every default route of `family` from the main table; says how many there were.
    ///
    /// # Errors
    /// The request's failure.
    pub fn delete_default_routes(&self, family: Family) -> Result<usize, Error> {
        let defaults = self.list_routes(family, MAIN, None, Kinds::Unicast)?;
        let mut count = 0;
        for route in defaults.into_iter().filter(|route| route.dst.prefix_len() == 0) {
            count += usize::from(self.delete_found_route(&route)?);
        }
        Ok(count)
    }

    /// All routes of `family` in the table `table`, also those that lead nowhere (`local`, `blackhole`, …).
    ///
    /// # Errors
    /// The request's failure.
    pub fn routes_of_table(&self, family: Family, table: u32) -> Result<Vec<Route>, Error> {
        self.list_routes(family, table, None, Kinds::All)
    }

    /// Removes a route that was found, whoever made it and of whatever kind; `false` when it was not there any more.
    ///
    /// # Errors
    /// The request's failure.
    pub fn delete_found_route(&self, route: &Route) -> Result<bool, Error> {
        removed(self.request(&delete(route)))
    }

    fn list_routes(
        &self,
        family: Family,
        table: u32,
        link_index: Option<u32>,
        kinds: Kinds,
    ) -> Result<Vec<Route>, Error> {
        let mut message = RouteMessage::default();
        message.header.address_family = family.into();
        message.attributes.push(RouteAttribute::Table(table));
        message.attributes.extend(link_index.map(RouteAttribute::Oif));
        let question = Request::dump(format!("list {family} routes"), RouteNetlinkMessage::GetRoute(message));
        let routes = self.ask(&question, |body| {
            let route = decode(family, kinds, body)?;
            Ok(route.filter(|route| route.table == table))
        });
        match routes {
            // A namespace that never had a route has no such table; a link that is gone has no routes.
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            outcome => outcome,
        }
    }
}

fn delete(route: &Route) -> Request {
    let mut message = RouteSpec {
        gateway: route.gateway,
        table: Some(route.table),
        metric: Some(route.metric).filter(|metric| *metric != 0),
        ..RouteSpec::to(route.dst)
    }
    .message(route.link_index.unwrap_or(0));
    // Unspecified matches any, so that the route goes whoever made it and over however many links.
    message.header.protocol = RouteProtocol::Unspec;
    message.header.scope = RouteScope::NoWhere;
    message.header.kind = RouteType::Unspec;
    if route.link_index.is_none() {
        message.attributes.retain(|attribute| !matches!(attribute, RouteAttribute::Oif(_)));
    }
    Request::change(format!("delete route {}", route.dst), 0, RouteNetlinkMessage::DelRoute(message))
}

/// Which kinds of routes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Unicast,
    All,
}

fn decode(family: Family, kinds: Kinds, body: &[u8]) -> Result<Option<Route>, DecodeError> {
    let header = RouteHeader::parse(body)?;
    let is_wanted = kinds == Kinds::All || header.kind == RouteType::Unicast;
    let is_ours = header.address_family == family.into() && is_wanted;
    if !is_ours || header.flags.contains(RouteFlags::Cloned) {
        return Ok(None);
    }
    let message = RouteMessage::parse(body)?;
    let mut route = Route {
        dst: prefix(family.any(), header.destination_prefix_length)?,
        gateway: None,
        link_index: None,
        table: header.table.into(),
        metric: 0,
    };
    for attribute in &message.attributes {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
        match attribute {
            RouteAttribute::Destination(to) => {
                route.dst = prefix(ip(to).unwrap_or(family.any()), header.destination_prefix_length)?;
            }
            RouteAttribute::Gateway(via) => route.gateway = ip(via),
            RouteAttribute::Oif(index) => route.link_index = Some(*index),
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Priority(metric) => route.metric = *metric,
            _ => {}
        }
    }
    Ok(Some(route))
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

fn prefix(ip: IpAddr, len: u8) -> Result<IpNet, DecodeError> {
    IpNet::new(ip, len).map_err(|_| "a route has a prefix longer than its address".into())
}

fn is_link_local(dst: IpNet) -> bool {
    match dst {
        IpNet::V4(_) => false,
        IpNet::V6(v6) => v6.addr().is_unicast_link_local() || v6.addr().is_multicast(),
    }
}
