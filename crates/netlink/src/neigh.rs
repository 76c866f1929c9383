//! Neighbours that never expire: `ip neighbour replace … nud permanent`.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::route::RouteType;

use crate::error::{Error, removed};
use crate::family::Family;
use crate::frame::Mac;
use crate::handle::Handle;
use crate::request::Request;

impl Handle {
    /// Pins `ip` to `mac` on a link. `ip neighbour replace IP lladdr MAC dev INDEX nud permanent`
    ///
    /// # Errors
    /// The request's failure.
    pub fn set_neighbour(&self, index: u32, ip: IpAddr, mac: Mac) -> Result<(), Error> {
        self.request(&neighbour(index, ip, mac))
    }

    /// Removes the neighbour entry of `ip` on a link; `false` when it was not there.
    ///
    /// # Errors
    /// The request's failure.
    pub fn delete_neighbour(&self, index: u32, ip: IpAddr) -> Result<bool, Error> {
        let attempt = format!("delete neighbour {ip} on link {index}");
        removed(self.request(&Request::change(
            attempt,
            0,
            RouteNetlinkMessage::DelNeighbour(message(index, ip)),
        )))
    }
}

impl Request {
    /// The change of [`Handle::set_neighbour`], for a batch.
    pub fn set_neighbour(index: u32, ip: IpAddr, mac: Mac) -> Self {
        neighbour(index, ip, mac)
    }
}

fn neighbour(index: u32, ip: IpAddr, mac: Mac) -> Request {
    let mut message = message(index, ip);
    message.header.state = NeighbourState::Permanent;
    message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
    Request::change(
        format!("set neighbour {ip} on link {index}"),
        NLM_F_CREATE | NLM_F_REPLACE,
        RouteNetlinkMessage::NewNeighbour(message),
    )
}

fn message(index: u32, ip: IpAddr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = Family::of(ip).into();
    message.header.ifindex = index;
    message.header.kind = RouteType::Unspec;
    message.attributes.push(NeighbourAttribute::Destination(ip.into()));
    message
}
