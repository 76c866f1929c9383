//! TCP connections that the kernel tracks (`conntrack -L`, `conntrack -D`; linux/netfilter/nfnetlink_conntrack.h).

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use netlink_packet_core::DecodeError;
use netlink_sys::{Socket, protocols::NETLINK_NETFILTER};

use crate::attribute::attributes;
use crate::errno::{Errno, would_block};
use crate::error::{Error, removed};
use crate::family::Family;
use crate::handle::{RECEIVE_BYTES, open, receive};
use crate::netns::Netns;
use crate::wire::{Answer, messages};

/// `NFNL_SUBSYS_CTNETLINK << 8` with `IPCTNL_MSG_CT_GET` and `IPCTNL_MSG_CT_DELETE`.
const GET: u16 = 0x101;
const DELETE: u16 = 0x102;
/// `NLM_F_REQUEST` with `NLM_F_DUMP` or `NLM_F_ACK`.
const ALL: u16 = 0x301;
const ONE: u16 = 0x5;
/// `struct nfgenmsg` before the attributes.
const FAMILY_HEADER_LEN: usize = 4;
/// TCP (IANA).
const TCP: u8 = 6;
/// `enum ctattr_type`: the tuples of both directions, status, zone, filter.
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const STATUS: u16 = 3;
const ZONE: u16 = 18;
const FILTER: u16 = 25;
/// `CTA_STATUS_MASK`: which bits of a status are asked for. Kernels before 5.15 do not look at it.
const STATUS_MASK: u16 = 26;
/// `IPS_SEEN_REPLY`.
const SEEN_REPLY: u32 = 2;
/// `CTA_FILTER_ORIG_FLAGS`, and its bit for the protocol. Kernels before 5.8 filter nothing; there is a bit for the
/// destination as well, which up to at least 6.18 is compared the wrong way round in IPv6.
const ORIGINAL_FLAGS: u16 = 1;
const BY_PROTOCOL: u32 = 1 << 3;

/// A socket on connection tracking of one network namespace, usable from any thread; users take turns.
pub struct Conntrack {
    socket: Socket,
    conversation: Mutex<Conversation>,
}

struct Conversation {
    next_sequence: u32,
    incoming: Vec<u8>,
}

/// A TCP connection as it is tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TcpFlow {
    /// Who began it.
    pub source: SocketAddr,
    /// With whom, before any translation.
    pub destination: SocketAddr,
    /// Where answers go: the source, or what it was translated to.
    pub answers_to: SocketAddr,
    /// The zone, if not the common one.
    pub zone: Option<u16>,
}

impl Conntrack {
    /// A socket in the calling thread's namespace.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn here() -> Result<Self, Error> {
        let socket = open(NETLINK_NETFILTER).map_err(|source| io_error("open a ctnetlink socket", source))?;
        let conversation = Conversation { next_sequence: 1, incoming: vec![0; RECEIVE_BYTES] };
        Ok(Self { socket, conversation: Mutex::new(conversation) })
    }

    /// A socket born inside `netns`.
    ///
    /// # Errors
    /// [`Error::Netns`] or [`Error::Io`].
    pub fn inside(netns: &Netns) -> Result<Self, Error> {
        netns.run(Self::here)?
    }

    /// The TCP connections of a family that nobody has answered yet. The kernel looks through its whole table, of all
    /// namespaces, which takes it some 10 ms even when there is nothing to find.
    ///
    /// # Errors
    /// [`Error::Refused`], also where the kernel has no connection tracking.
    pub fn unanswered_tcp(&self, family: Family) -> Result<Vec<TcpFlow>, Error> {
        let attempt = format!("list unanswered {family} connections");
        let any = family.any();
        let body = [
            tuple(None, SocketAddr::new(any, 0)),
            nested(FILTER, &attribute(ORIGINAL_FLAGS, &BY_PROTOCOL.to_ne_bytes())),
            attribute(STATUS, &0u32.to_be_bytes()),
            attribute(STATUS_MASK, &SEEN_REPLY.to_be_bytes()),
        ];
        let mut flows = Vec::new();
        self.exchange(&attempt, (GET, ALL), any, &body.concat(), |body| flows.extend(decode(body)))?;
        Ok(flows)
    }

    /// Forgets a connection; `false` when it was forgotten before.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn delete(&self, flow: &TcpFlow) -> Result<bool, Error> {
        let mut body = tuple(Some(flow.source), flow.destination);
        body.extend(flow.zone.iter().flat_map(|zone| attribute(ZONE, &zone.to_be_bytes())));
        let attempt = format!("forget the connection from {} to {}", flow.source, flow.destination);
        removed(self.exchange(&attempt, (DELETE, ONE), flow.destination.ip(), &body, |_| {}))
    }

    /// Sends one request and reads to the end of its answer.
    fn exchange(
        &self,
        attempt: &str,
        (kind, flags): (u16, u16),
        family_of: IpAddr,
        body: &[u8],
        mut on_data: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        // A panic in a turn leaves at most unread answers, which the next turn skips by their sequence number.
        let mut turn = self.conversation.lock().unwrap_or_else(PoisonError::into_inner);
        let sequence = turn.next_sequence;
        turn.next_sequence = sequence.wrapping_add(1);
        let request = message(kind, flags, sequence, family_of, body);
        self.socket.send(&request, 0).map_err(|source| io_error(attempt, source))?;
        loop {
            let read = receive(&self.socket, &mut turn.incoming, 0).map_err(|source| {
                if would_block(&source) {
                    Error::NoAnswer { attempt: attempt.into() }
                } else {
                    io_error(attempt, source)
                }
            })?;
            let malformed = |source| Error::Malformed { attempt: attempt.into(), source };
            let datagram =
                turn.incoming.get(..read).ok_or_else(|| malformed(DecodeError::from("cut datagram")))?;
            for message in messages(datagram) {
                let message = message.map_err(malformed)?;
                match message.answer {
                    _ if message.sequence != sequence => {}
                    Answer::Ignored => {}
                    Answer::Data(body) => on_data(body),
                    Answer::Done => return Ok(()),
                    Answer::Refused(refusal) => {
                        return Err(Error::Refused {
                            attempt: attempt.into(),
                            errno: Errno::from_raw(refusal.code),
                            code: refusal.code,
                            kernel_says: refusal.kernel_says,
                        });
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Conntrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conntrack").finish_non_exhaustive()
    }
}

fn io_error(attempt: &str, source: io::Error) -> Error {
    Error::Io { attempt: attempt.into(), source }
}

fn message(kind: u16, flags: u16, sequence: u32, family_of: IpAddr, body: &[u8]) -> Vec<u8> {
    let family = if family_of.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let family = u8::try_from(family).expect("AF_INET and AF_INET6 are below 256");
    let len = crate::wire::HEADER_LEN + FAMILY_HEADER_LEN + body.len();
    let mut bytes = u32::try_from(len).expect("a request is some hundred bytes long").to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend([family, 0, 0, 0]);
    bytes.extend(body);
    bytes
}

/// The tuple of a connection's first direction; without a source for a filter.
fn tuple(source: Option<SocketAddr>, destination: SocketAddr) -> Vec<u8> {
    // CTA_IP_V4_SRC and _DST are 1 and 2, CTA_IP_V6_SRC and _DST are 3 and 4.
    let address = |ip: IpAddr, kind: u16| match ip {
        IpAddr::V4(v4) => attribute(kind, &v4.octets()),
        IpAddr::V6(v6) => attribute(kind + 2, &v6.octets()),
    };
    let mut ips: Vec<u8> = source.map(|source| address(source.ip(), 1)).unwrap_or_default();
    ips.extend(address(destination.ip(), 2));
    // CTA_PROTO_NUM, _SRC_PORT, _DST_PORT.
    let mut protocol = attribute(1, &[TCP]);
    if let Some(source) = source {
        protocol.extend(attribute(2, &source.port().to_be_bytes()));
        protocol.extend(attribute(3, &destination.port().to_be_bytes()));
    }
    nested(ORIGINAL, &[nested(1, &ips), nested(2, &protocol)].concat())
}

/// `NLA_F_NESTED`.
fn nested(kind: u16, value: &[u8]) -> Vec<u8> {
    attribute(kind | 0x8000, value)
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(4 + value.len()).expect("a value is some hundred bytes long");
    let mut bytes = len.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A TCP connection without an answer; `None` for any other.
fn decode(body: &[u8]) -> Option<TcpFlow> {
    let (mut original, mut reply, mut status, mut zone) = (None, None, 0, None);
    for (kind, value) in attributes(body.get(FAMILY_HEADER_LEN..)?) {
        match kind {
            ORIGINAL => original = Some(ends(value)?),
            REPLY => reply = Some(ends(value)?),
            STATUS => status = u32::from_be_bytes(value.try_into().ok()?),
            ZONE => zone = Some(u16::from_be_bytes(value.try_into().ok()?)),
            _ => {}
        }
    }
    let ((source, destination), (_, answers_to)) = (original?, reply?);
    let flow = TcpFlow { source, destination, answers_to, zone };
    Some(flow).filter(|_| status & SEEN_REPLY == 0)
}

/// Source and destination of a TCP tuple.
fn ends(tuple: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let part = |wanted| attributes(tuple).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let (mut source, mut destination) = (None, None);
    for (kind, value) in attributes(part(1)?) {
        let ip = match value.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(value).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(value).ok()?),
        };
        match kind {
            1 | 3 => source = Some(ip),
            2 | 4 => destination = Some(ip),
            _ => {}
        }
    }
    let (mut is_tcp, mut ports) = (false, [0; 2]);
    for (kind, value) in attributes(part(2)?) {
        match kind {
            1 => is_tcp = value == [TCP],
            2 => ports[0] = u16::from_be_bytes(value.try_into().ok()?),
            3 => ports[1] = u16::from_be_bytes(value.try_into().ok()?),
            _ => {}
        }
    }
    let [from, to] = ports;
    is_tcp.then_some((SocketAddr::new(source?, from), SocketAddr::new(destination?, to)))
}
