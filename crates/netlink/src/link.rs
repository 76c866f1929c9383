//! Links: look, list, raise, remove. `ip link show`, `set up`, `del`.

use netlink_packet_core::DecodeError;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkFlags, LinkMessage};

use crate::attribute::{attributes, text, u32_at};
use crate::error::{Error, removed};
use crate::frame::Mac;
use crate::handle::Handle;
use crate::ifname;
use crate::request::Request;

/// `struct ifinfomsg` in linux/rtnetlink.h.
const HEADER_LEN: usize = 16;
/// `IFLA_*` in linux/if_link.h.
const ADDRESS: u16 = 1;
const IFNAME: u16 = 3;
const MTU: u16 = 4;
const LINK: u16 = 5;
const LINKINFO: u16 = 18;
const INFO_KIND: u16 = 1;

/// A network interface as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The ifindex, unique in its namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address; zeros where it has none of 6 bytes.
    pub mac: Mac,
    /// Bytes of a packet above the link layer.
    pub mtu: u32,
    /// Administratively up (`IFF_UP`).
    pub is_up: bool,
    /// `veth`, `macvlan`, …; `None` for hardware and loopback.
    pub kind: Option<String>,
    /// The lower device of a macvlan, the other end of a veth: an index that may belong to another namespace.
    pub parent_index: Option<u32>,
}

impl Link {
    /// The change `ip link set dev INDEX up`.
    pub fn up(index: u32) -> Request {
        let mut message = message(index);
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        Request::change(format!("set link {index} up"), 0, RouteNetlinkMessage::SetLink(message))
    }
}

impl Handle {
    /// The link called `name`; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::BadName`], or the request's failure.
    pub fn link(&self, name: &str) -> Result<Option<Link>, Error> {
        let mut message = message(0);
        message.attributes.push(LinkAttribute::IfName(ifname::checked(name)?.into()));
        self.one_link(format!("look up link {name}"), message)
    }

    /// The link with this ifindex; `None` when there is none.
    ///
    /// # Errors
    /// The request's failure.
    pub fn link_by_index(&self, index: u32) -> Result<Option<Link>, Error> {
        self.one_link(format!("look up link {index}"), message(index))
    }

    /// All links of the namespace.
    ///
    /// # Errors
    /// The request's failure.
    pub fn links(&self) -> Result<Vec<Link>, Error> {
        let question = question("list links".into(), message(0), Request::dump);
        self.ask(&question, |body| decode(body).map(Some))
    }

    /// Sets the link up. `ip link set dev INDEX up`.
    ///
    /// # Errors
    /// The request's failure.
    pub fn set_up(&self, index: u32) -> Result<(), Error> {
        self.request(&Link::up(index))
    }

    /// Removes the link (either end of a veth takes the other with it); `false` when it was not there.
    ///
    /// # Errors
    /// The request's failure.
    pub fn delete_link(&self, index: u32) -> Result<bool, Error> {
        let message = RouteNetlinkMessage::DelLink(message(index));
        removed(self.request(&Request::change(format!("delete link {index}"), 0, message)))
    }

    fn one_link(&self, attempt: String, message: LinkMessage) -> Result<Option<Link>, Error> {
        let question = question(attempt, message, Request::get);
        match self.ask(&question, |body| decode(body).map(Some)) {
            Ok(links) => Ok(links.into_iter().next()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A message about the link `index`.
pub(crate) fn message(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn question(
    attempt: String,
    mut message: LinkMessage,
    kind: fn(String, RouteNetlinkMessage) -> Request,
) -> Request {
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    kind(attempt, RouteNetlinkMessage::GetLink(message))
}

/// Reads the few attributes that are used, by hand: a link of somebody else's with an attribute that the codec does
/// not know well must not make ours invisible.
fn decode(body: &[u8]) -> Result<Link, DecodeError> {
    let short = || DecodeError::from("a link message is shorter than its header");
    let (Some(index), Some(flags)) = (u32_at(body, 4), u32_at(body, 8)) else { return Err(short()) };
    let mut link = Link {
        index,
        name: String::new(),
        mac: [0; 6],
        mtu: 0,
        is_up: LinkFlags::from_bits_retain(flags).contains(LinkFlags::Up),
        kind: None,
        parent_index: None,
    };
    for (kind, value) in attributes(body.get(HEADER_LEN..).ok_or_else(short)?) {
        match kind {
            ADDRESS => link.mac = value.try_into().unwrap_or_default(),
            IFNAME => link.name = text(value),
            MTU => link.mtu = u32_at(value, 0).unwrap_or_default(),
            LINK => link.parent_index = u32_at(value, 0).filter(|parent| *parent != 0),
            LINKINFO => link.kind = attributes(value).find(|(k, _)| *k == INFO_KIND).map(|(_, v)| text(v)),
            _ => {}
        }
    }
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(4 + value.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn strange_attributes_of_a_link_do_not_hide_its_name() {
        let mut body = vec![0; HEADER_LEN];
        body[4] = 7;
        body.extend(attribute(ADDRESS, &[1; 20]));
        body.extend(attribute(LINKINFO, &[255; 3]));
        body.extend(attribute(0x3fff, &[9; 5]));
        body.extend(attribute(IFNAME, b"ib0\0"));

        let link = decode(&body).unwrap();

        assert_eq!((link.index, link.name.as_str(), link.mac, link.kind), (7, "ib0", [0; 6], None));
    }

    #[test]
    fn message_without_its_header_is_an_error() {
        assert!(decode(&[0; HEADER_LEN - 1]).is_err());
    }
}
