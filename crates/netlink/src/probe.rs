//! Who else has an address on a link: one long-lived socket that probes and listens.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use crate::bpf::NEIGHBOUR_FILTER;
use crate::closer::close_elsewhere;
use crate::errno::would_block;
use crate::frame::{Mac, probe};
use crate::packet::PacketSocket;
use crate::sighting::{Sighting, of_frame};

/// Long enough for every frame the filter passes.
const FRAME_BYTES: usize = 256;

/// Probes addresses on an interface and sees who has which. Non-blocking; ready to read as its descriptor says.
///
/// It sees what comes in from the link. Frames of this machine are not seen, and a macvlan's frames leave through its
/// parent as this machine's: for two macvlans on one parent something else must keep their addresses apart.
#[derive(Debug)]
pub struct NeighbourWatch {
    /// `Some` until dropped.
    socket: Option<PacketSocket>,
    mac: Mac,
}

impl NeighbourWatch {
    /// Watches the link `index` of the calling thread's namespace; probes are sent from `mac`, the link's own.
    ///
    /// # Errors
    /// The system call's: no such link, no `CAP_NET_RAW`.
    pub fn open(index: u32, mac: Mac) -> io::Result<Self> {
        let socket = PacketSocket::open(index)?;
        socket.receive_all(index, &NEIGHBOUR_FILTER)?;
        Ok(Self { socket: Some(socket), mac })
    }

    /// Asks the link for `ip` without claiming it: an ARP probe (RFC 5227 section 2.1.1) or a neighbour solicitation
    /// from `::` (RFC 4862 section 5.4.2). An answer comes out of [`NeighbourWatch::recv`].
    ///
    /// # Errors
    /// The system call's, e.g. the link is down.
    pub fn send_probe(&self, ip: IpAddr) -> io::Result<()> {
        self.socket().send(&probe(self.mac, ip))
    }

    /// The next sighting; `None` when there is none now.
    ///
    /// Every ARP packet with a sender address, every neighbour advertisement, every solicitation with a source, as long
    /// as it is for everybody or for us: macvlans of one parent answer each other through the parent's taps, and those
    /// answers are addressed to the asking macvlan.
    ///
    /// # Errors
    /// The system call's. "Network is down" is told once when the link goes down; the watch goes on when it comes up.
    pub fn recv(&self) -> io::Result<Option<Sighting>> {
        let mut frame = [0; FRAME_BYTES];
        loop {
            match self.socket().receive(&mut frame) {
                Ok(len) => {
                    if let Some(sighting) = of_frame(&frame[..len]).filter(|_| self.is_for_us(&frame)) {
                        return Ok(Some(sighting));
                    }
                }
                Err(error) if would_block(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn is_for_us(&self, frame: &[u8; FRAME_BYTES]) -> bool {
        let is_group = frame[0] & 1 == 1;
        is_group || frame[..6] == self.mac
    }

    fn socket(&self) -> &PacketSocket {
        self.socket.as_ref().expect("only drop takes the socket")
    }
}

impl AsFd for NeighbourWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsRawFd for NeighbourWatch {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Drop for NeighbourWatch {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            close_elsewhere(socket.into());
        }
    }
}
