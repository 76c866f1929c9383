//! One blocking rtnetlink socket: requests, batches and dumps.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netlink_packet_core::DecodeError;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimeout};
use nix::sys::time::TimeVal;
use thiserror::Error as ThisError;

use crate::errno::{Errno, interrupted, would_block};
use crate::error::Error;
use crate::netns::Netns;
use crate::request::Request;
use crate::wire::{Answer, Refusal, messages};

/// How long an answer may take. Requests run inside `sendmsg`, so this only guards against a lost answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The kernel fills dump datagrams up to this size when it sees such a buffer (`NLMSG_GOODSIZE` limit, 32 KiB).
pub(crate) const RECEIVE_BYTES: usize = 32 << 10;
/// Requests in one `sendmsg`: their acknowledgements must fit the default receive queue of 208 KiB.
const BATCH_LEN: usize = 64;
/// Reads of a table that keeps changing (`NLM_F_DUMP_INTR`).
pub(crate) const DUMP_TRIES: usize = 8;

/// An rtnetlink socket of one network namespace, usable from any thread; concurrent requests take turns.
pub struct Handle {
    socket: Socket,
    conversation: Mutex<Conversation>,
}

/// What a turn on the socket needs and leaves behind.
struct Conversation {
    next_sequence: u32,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// A batch that stopped being a success at one of its requests. Later requests may have been executed.
#[derive(Debug, ThisError)]
#[error("request {index} of the batch")]
pub struct BatchError {
    /// Position of the first refused request.
    pub index: usize,
    /// Its refusal, which names the attempt.
    pub source: Error,
}

impl Handle {
    /// A socket in the calling thread's namespace.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn here() -> Result<Self, Error> {
        let socket = open(NETLINK_ROUTE)
            .map_err(|source| Error::Io { attempt: "open an rtnetlink socket".into(), source })?;
        let conversation =
            Conversation { next_sequence: 1, outgoing: Vec::new(), incoming: vec![0; RECEIVE_BYTES] };
        Ok(Self { socket, conversation: Mutex::new(conversation) })
    }

    /// A socket born inside `netns`; it speaks to that namespace from whatever thread uses it.
    ///
    /// # Errors
    /// [`Error::Netns`] or [`Error::Io`].
    pub fn inside(netns: &Netns) -> Result<Self, Error> {
        netns.run(Self::here)?
    }

    /// Asks for one change and waits for the verdict.
    ///
    /// # Errors
    /// [`Error::Refused`] with the kernel's reason, or the socket's failure.
    pub fn request(&self, request: &Request) -> Result<(), Error> {
        self.batch(std::slice::from_ref(request)).map_err(|error| error.source)
    }

    /// Sends all `requests` in one system call and reads every verdict.
    ///
    /// Not atomic: the kernel executes each request whatever became of the one before, so undo by what is found.
    ///
    /// # Errors
    /// The first refused request, by position and by name.
    pub fn batch(&self, requests: &[Request]) -> Result<(), BatchError> {
        for (chunk, start) in requests.chunks(BATCH_LEN).zip((0..).step_by(BATCH_LEN)) {
            let verdicts = self
                .lock()
                .exchange(&self.socket, chunk, |_| Ok(()))
                .map_err(|error| BatchError { index: start, source: error.naming(chunk) })?;
            if let Some((index, refusal)) = verdicts.first_refusal {
                let source = refused(&chunk[index], refusal);
                return Err(BatchError { index: start + index, source });
            }
        }
        Ok(())
    }

    /// Asks a question and decodes each part of the answer; parts that `decode` makes `None` of are left out.
    ///
    /// A dump that the kernel calls inconsistent is read again, a bounded number of times.
    pub(crate) fn ask<T>(
        &self,
        question: &Request,
        decode: impl Fn(&[u8]) -> Result<Option<T>, DecodeError>,
    ) -> Result<Vec<T>, Error> {
        let questions = std::slice::from_ref(question);
        for _ in 0..DUMP_TRIES {
            let mut found = Vec::new();
            let verdicts = self
                .lock()
                .exchange(&self.socket, questions, |body| {
                    found.extend(decode(body)?);
                    Ok(())
                })
                .map_err(|error| error.naming(questions))?;
            if let Some((_, refusal)) = verdicts.first_refusal {
                return Err(refused(question, refusal));
            }
            if !verdicts.is_interrupted {
                return Ok(found);
            }
        }
        Err(Error::Unsettled { attempt: question.attempt().into() })
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        // A panic in a turn leaves at most unread answers, which the next turn skips by their sequence number.
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("fd", &self.socket.as_raw_fd()).finish_non_exhaustive()
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Handle {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// A socket of `protocol` that speaks with the kernel alone, and waits for its answers no longer than
/// [`ANSWER_TIMEOUT`].
pub(crate) fn open(protocol: isize) -> io::Result<Socket> {
    let mut socket = Socket::new(protocol)?;
    socket.set_ext_ack(true)?;
    socket.set_cap_ack(true)?;
    socket.set_netlink_get_strict_chk(true)?;
    let timeout = TimeVal::new(ANSWER_TIMEOUT.as_secs().cast_signed(), 0);
    setsockopt(&socket, ReceiveTimeout, &timeout)?;
    socket.bind_auto()?;
    // Connected to the kernel, a socket takes nothing from anybody else: a container with CAP_NET_ADMIN in its own
    // namespace could otherwise forge answers to the socket we opened there.
    socket.connect(&SocketAddr::new(0, 0))?;
    Ok(socket)
}

/// The outcome of one turn.
struct Verdicts {
    first_refusal: Option<(usize, Refusal)>,
    is_interrupted: bool,
}

/// Why a turn has no outcome.
enum Broken {
    Send(io::Error),
    Receive(io::Error),
    Decode(DecodeError),
}

impl Broken {
    fn naming(self, requests: &[Request]) -> Error {
        let attempt = requests.iter().map(Request::attempt).collect::<Vec<_>>().join(", ");
        match self {
            Self::Receive(source) if would_block(&source) => Error::NoAnswer { attempt },
            Self::Send(source) | Self::Receive(source) => Error::Io { attempt, source },
            Self::Decode(source) => Error::Malformed { attempt, source },
        }
    }
}

impl Conversation {
    /// Sends `requests` and reads until each of them has its verdict, so that no dump is left half read.
    fn exchange(
        &mut self,
        socket: &Socket,
        requests: &[Request],
        mut on_data: impl FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> Result<Verdicts, Broken> {
        let first = self.send(socket, requests).map_err(Broken::Send)?;
        let mut verdicts = Verdicts { first_refusal: None, is_interrupted: false };
        let mut open = requests.len();
        let mut malformed = None;
        while open > 0 {
            let len = self.receive(socket).map_err(Broken::Receive)?;
            let datagram = self.incoming.get(..len).ok_or_else(|| Broken::Decode("cut datagram".into()))?;
            for message in messages(datagram) {
                let message = message.map_err(Broken::Decode)?;
                let index = usize::try_from(message.sequence.wrapping_sub(first)).unwrap_or(usize::MAX);
                if index >= requests.len() {
                    continue;
                }
                verdicts.is_interrupted |= message.is_interrupted;
                match message.answer {
                    Answer::Ignored => {}
                    Answer::Done => open -= 1,
                    Answer::Data(body) => malformed = malformed.or(on_data(body).err()),
                    Answer::Refused(refusal) => {
                        open -= 1;
                        verdicts.first_refusal.get_or_insert((index, refusal));
                    }
                }
            }
        }
        malformed.map_or(Ok(verdicts), |error| Err(Broken::Decode(error)))
    }

    /// The sequence number of the first request.
    fn send(&mut self, socket: &Socket, requests: &[Request]) -> io::Result<u32> {
        let first = self.next_sequence;
        self.outgoing.clear();
        for request in requests {
            request.encode(self.next_sequence, &mut self.outgoing);
            self.next_sequence = self.next_sequence.wrapping_add(1);
        }
        socket.send(&self.outgoing, 0)?;
        Ok(first)
    }

    fn receive(&mut self, socket: &Socket) -> io::Result<usize> {
        receive(socket, &mut self.incoming, 0)
    }
}

/// The true length of the next datagram, which may exceed the buffer; `flags` are of recv(2).
pub(crate) fn receive(socket: &Socket, buffer: &mut [u8], flags: i32) -> io::Result<usize> {
    loop {
        match socket.recv(&mut &mut *buffer, flags | libc::MSG_TRUNC) {
            Err(error) if interrupted(&error) => {}
            outcome => return outcome,
        }
    }
}

fn refused(request: &Request, refusal: Refusal) -> Error {
    Error::Refused {
        attempt: request.attempt().into(),
        errno: Errno::from_raw(refusal.code),
        code: refusal.code,
        kernel_says: refusal.kernel_says,
    }
}
