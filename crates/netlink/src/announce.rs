//! Telling the link that an address has moved here: gratuitous ARP and unsolicited neighbour advertisements.

use std::net::IpAddr;

use crate::closer::close_elsewhere;
use crate::error::Error;
use crate::frame::{Mac, announcement};
use crate::netns::Netns;
use crate::packet::PacketSocket;

/// Sends one announcement per address on the link `index` of `netns`, so that caches and switches learn of `mac`.
///
/// An ARP request with sender and target alike for IPv4 (RFC 5227 section 2.3), an unsolicited neighbour
/// advertisement with the override flag to all nodes for IPv6 (RFC 4861 section 7.2.6). They are whole frames, so
/// that an IPv6 address may still be tentative. Best effort by nature: nobody acknowledges them, and the kernel drops
/// them silently on a veth in the milliseconds between its other end coming up and its queue being activated.
///
/// # Errors
/// The first address whose frame could not be sent, after the others were tried; the link must be up.
pub fn announce(netns: &Netns, index: u32, mac: Mac, ips: &[IpAddr]) -> Result<(), Error> {
    if ips.is_empty() {
        return Ok(());
    }
    let io_error = |attempt: String| move |source| Error::Io { attempt, source };
    let socket = netns
        .run(|| PacketSocket::open(index))?
        .map_err(io_error(format!("open a packet socket on link {index}")))?;
    let mut outcome = Ok(());
    for ip in ips {
        let sent = socket.send(&announcement(mac, *ip));
        outcome = outcome.and(sent.map_err(io_error(format!("announce {ip} on link {index}"))));
    }
    close_elsewhere(socket.into());
    outcome
}
