//! A veth pair with both ends in one namespace, on which nobody asks for hardware addresses.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use netlink_packet_core::{DecodeError, NLM_F_CREATE, NLM_F_EXCL};

use crate::attribute::u32_at;
use crate::error::Error;
use crate::frame::Mac;
use crate::handle::Handle;
use crate::ifname;
use crate::link::{Link, message};
use crate::request::Request;

/// A pair to be made, both ends down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VethPair<'a> {
    /// Name and hardware address of one end.
    pub near: (&'a str, Mac),
    /// Name and hardware address of the other.
    pub far: (&'a str, Mac),
}

impl Handle {
    /// Makes the pair, both ends down and without address resolution (`IFF_NOARP`).
    ///
    /// # Errors
    /// [`crate::Errno::Exists`] when either name is taken, [`Error::BadName`].
    pub fn add_veth_pair(&self, pair: &VethPair<'_>) -> Result<(), Error> {
        let attempt = format!("create veths {} and {}", pair.near.0, pair.far.0);
        let peer = end(pair.far)?;
        let mut near = end(pair.near)?;
        near.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]));
        self.request(&Request::change(attempt, NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewLink(near)))
    }

    /// Whether the link never resolves neighbours (`IFF_NOARP`); `None` when it is gone.
    ///
    /// # Errors
    /// The request's failure.
    pub fn is_without_arp(&self, index: u32) -> Result<Option<bool>, Error> {
        let attempt = format!("look up the flags of link {index}");
        let question = Request::get(attempt, RouteNetlinkMessage::GetLink(message(index)));
        let flags = self.ask(&question, |body| {
            let flags = u32_at(body, 8).ok_or(DecodeError::from("a link message without flags"))?;
            Ok(Some(LinkFlags::from_bits_retain(flags)))
        });
        match flags {
            Ok(flags) => Ok(flags.first().map(|flags| flags.contains(LinkFlags::Noarp))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Link {
    /// The change `ip link set dev INDEX arp off`.
    pub fn without_arp(index: u32) -> Request {
        let mut message = message(index);
        message.header.flags = LinkFlags::Noarp;
        message.header.change_mask = LinkFlags::Noarp;
        Request::change(format!("set link {index} arp off"), 0, RouteNetlinkMessage::SetLink(message))
    }
}

fn end((name, mac): (&str, Mac)) -> Result<LinkMessage, Error> {
    let mut message = message(0);
    message.header.flags = LinkFlags::Noarp;
    message.header.change_mask = LinkFlags::Noarp;
    message.attributes.push(LinkAttribute::IfName(ifname::checked(name)?.into()));
    message.attributes.push(LinkAttribute::Address(mac.to_vec()));
    Ok(message)
}
