//! Addresses of a link: `ip address add|replace|del|show dev`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use netlink_packet_core::{DecodeError, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, Parseable};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::{Error, removed};
use crate::family::Family;
use crate::handle::Handle;
use crate::link::Link;
use crate::request::Request;
use crate::route::RouteSpec;

/// An address to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddrSpec {
    /// The address with the length of its link's prefix.
    pub net: IpNet,
    /// IPv6 only: usable at once, without duplicate address detection (`IFA_F_NODAD`).
    pub no_dad: bool,
}

/// An address that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// The address with the length of its link's prefix.
    pub net: IpNet,
    /// Valid on this link only (`fe80::/10`, `169.254/16` set with that scope).
    pub is_link_local: bool,
    /// IPv6: duplicate address detection has not finished (RFC 4862 section 5.4).
    pub is_tentative: bool,
    /// IPv6: somebody else answered; the kernel does not use the address.
    pub is_duplicate: bool,
}

impl AddrSpec {
    /// `net`, with duplicate address detection where the family has it.
    pub fn new(net: IpNet) -> Self {
        Self { net, no_dad: false }
    }

    /// The change `ip address add`: refused when it is there already.
    pub fn add(&self, index: u32) -> Request {
        self.set("add", index, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// The change `ip address replace`: safe to repeat.
    pub fn replace(&self, index: u32) -> Request {
        self.set("set", index, NLM_F_CREATE | NLM_F_REPLACE)
    }

    fn set(&self, verb: &str, index: u32, flags: u16) -> Request {
        let mut message = message(index, self.net);
        message.attributes.extend(broadcast(self.net).map(AddressAttribute::Broadcast));
        if self.no_dad && self.net.addr().is_ipv6() {
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        let attempt = format!("{verb} address {} to link {index}", self.net);
        Request::change(attempt, flags, RouteNetlinkMessage::NewAddress(message))
    }
}

impl Handle {
    /// Adds an address. `ip address add NET dev INDEX`
    ///
    /// # Errors
    /// [`crate::Errno::Exists`] when it is there already.
    pub fn add_address(&self, index: u32, address: &AddrSpec) -> Result<(), Error> {
        self.request(&address.add(index))
    }

    /// Removes an address; `false` when it was not there.
    ///
    /// # Errors
    /// The request's failure.
    pub fn delete_address(&self, index: u32, net: IpNet) -> Result<bool, Error> {
        let message = RouteNetlinkMessage::DelAddress(message(index, net));
        removed(self.request(&Request::change(format!("delete address {net} of link {index}"), 0, message)))
    }

    /// The addresses of a link, both families, in the kernel's order; none for a link that is gone.
    ///
    /// # Errors
    /// The request's failure.
    pub fn addresses(&self, index: u32) -> Result<Vec<Address>, Error> {
        let mut found = Vec::new();
        for family in Family::BOTH {
            let mut message = AddressMessage::default();
            message.header.family = family.into();
            message.header.index = index;
            let question = Request::dump(
                format!("list {family} addresses of link {index}"),
                RouteNetlinkMessage::GetAddress(message),
            );
            match self.ask(&question, |body| decode(index, body)) {
                Ok(addresses) => found.extend(addresses),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The link that has this address; `None` when none has.
    ///
    /// # Errors
    /// The requests' failure.
    pub fn link_with(&self, ip: IpAddr) -> Result<Option<Link>, Error> {
        let mut message = AddressMessage::default();
        message.header.family = Family::of(ip).into();
        let question =
            Request::dump(format!("look for address {ip}"), RouteNetlinkMessage::GetAddress(message));
        let has_it = |body: &[u8]| {
            let index = AddressMessage::parse(body)?.header.index;
            let address = decode(index, body)?;
            Ok(address.filter(|address| address.net.addr() == ip).map(|_| index))
        };
        match self.ask(&question, has_it)?.first() {
            Some(index) => self.link_by_index(*index),
            None => Ok(None),
        }
    }

    /// Makes a link ready in one system call: up, then `addresses`, then `routes` in the order given. Safe to repeat.
    ///
    /// # Errors
    /// The first refused step, by name. Other steps may have been made.
    pub fn configure(&self, index: u32, addresses: &[AddrSpec], routes: &[RouteSpec]) -> Result<(), Error> {
        let steps: Vec<_> = std::iter::once(Link::up(index))
            .chain(addresses.iter().map(|address| address.replace(index)))
            .chain(routes.iter().map(|route| route.replace(index)))
            .collect();
        self.batch(&steps).map_err(|error| error.source)
    }
}

fn message(index: u32, net: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.family = Family::of(net.addr()).into();
    message.header.prefix_len = net.prefix_len();
    message.header.scope = AddressScope::Universe;
    message.attributes.push(AddressAttribute::Local(net.addr()));
    message.attributes.push(AddressAttribute::Address(net.addr()));
    message
}

/// As Kube-OVN's and the CNI plugins' library sets it: none where the prefix has no room for one (RFC 3021).
fn broadcast(net: IpNet) -> Option<Ipv4Addr> {
    match net {
        IpNet::V4(v4) if v4.prefix_len() < 31 => Some(Ipv4Net::broadcast(&v4)),
        IpNet::V4(_) | IpNet::V6(_) => None,
    }
}

fn decode(index: u32, body: &[u8]) -> Result<Option<Address>, DecodeError> {
    let message = AddressMessage::parse(body)?;
    if message.header.index != index || !is_inet(message.header.family) {
        return Ok(None);
    }
    let (mut local, mut address) = (None, None);
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    for attribute in &message.attributes {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => address = Some(*ip),
            AddressAttribute::Flags(all) => flags = *all,
            _ => {}
        }
    }
    // IFA_ADDRESS is the other end on a point-to-point link; IFA_LOCAL is ours where both are given.
    let Some(ip) = local.or(address) else { return Err("an address message holds no address".into()) };
    let net = IpNet::new(ip, message.header.prefix_len)
        .map_err(|_| DecodeError::from("an address has a prefix longer than itself"))?;
    Ok(Some(Address {
        net,
        is_link_local: message.header.scope == AddressScope::Link || is_unicast_link_local(ip),
        is_tentative: flags.contains(AddressFlags::Tentative),
        is_duplicate: flags.contains(AddressFlags::Dadfailed),
    }))
}

fn is_inet(family: AddressFamily) -> bool {
    matches!(family, AddressFamily::Inet | AddressFamily::Inet6)
}

fn is_unicast_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}
