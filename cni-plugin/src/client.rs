//! The only socket: one request, one answer, one deadline for all of it.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::sockopt::SendTimeout;
use nix::sys::socket::{self, AddressFamily, SetSockOpt, SockFlag, SockType, UnixAddr};
use nix::sys::time::TimeVal;
use thiserror::Error;

use crate::crash;
use crate::http::{self, Answer, HttpError};
use crate::verb::Request;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody accepts the connection.
    #[error("connect to {}", socket.display())]
    Connect {
        /// The daemon's socket.
        socket: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The request could not be written.
    #[error("send the request to {}", socket.display())]
    Send {
        /// The daemon's socket.
        socket: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The answer could not be read.
    #[error("read the answer of {}", socket.display())]
    Receive {
        /// The daemon's socket.
        socket: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What came is not an answer.
    #[error("read the answer of {}", socket.display())]
    Answer {
        /// The daemon's socket.
        socket: PathBuf,
        /// The cause.
        source: HttpError,
    },
    /// The deadline passed.
    #[error("no answer from {} within {} ms", socket.display(), limit.as_millis())]
    TimedOut {
        /// The daemon's socket.
        socket: PathBuf,
        /// The deadline.
        limit: Duration,
    },
}

impl ClientError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "the socket is for root only"
            }
            Self::Connect { .. } => {
                "is kube-ovn-daemon running on this node, and is this its --bind-socket? \
                 look at its pod or service and at its log"
            }
            Self::Send { .. } | Self::Receive { .. } | Self::Answer { .. } => {
                "kube-ovn-daemon may have been restarted or killed; look at its log"
            }
            Self::TimedOut { .. } => "kube-ovn-daemon is busy or waits for something; look at its log",
        }
    }
}

/// Sends `request` and waits for its answer, `limit` long at most from now on.
///
/// # Errors
/// [`ClientError`].
pub fn exchange(socket: &Path, request: &Request, limit: Duration) -> Result<Answer, ClientError> {
    let exchange = Exchange { socket, limit, until: Instant::now() + limit };
    crash::point("plugin-before-connect");
    let stream = exchange.connect()?;
    let sent = exchange.send(&stream, &http::encode(request));
    crash::point("plugin-after-send");
    match sent {
        // A daemon that refuses a request may answer and close before it has read all of it.
        Err(ClientError::Send { socket, source }) => {
            exchange.receive(&stream).map_err(|_| ClientError::Send { socket, source })
        }
        Err(other) => Err(other),
        Ok(()) => exchange.receive(&stream),
    }
}

struct Exchange<'a> {
    socket: &'a Path,
    limit: Duration,
    until: Instant,
}

impl Exchange<'_> {
    fn timed_out(&self) -> ClientError {
        ClientError::TimedOut { socket: self.socket.to_owned(), limit: self.limit }
    }

    fn remaining(&self) -> Result<Duration, ClientError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.timed_out()) } else { Ok(left) }
    }

    /// Connecting waits while the listener's queue is full, no longer than the socket's send timeout (unix(7)), which std
    /// cannot set before it is connected.
    fn connect(&self) -> Result<UnixStream, ClientError> {
        let refused = |e: Errno| ClientError::Connect { socket: self.socket.to_owned(), source: e.into() };
        let address = UnixAddr::new(self.socket).map_err(refused)?;
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None).map_err(refused)?;
        loop {
            // Zero would mean no timeout.
            let left = self.remaining()?.max(Duration::from_micros(1));
            let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
            let limit = TimeVal::new(seconds, left.subsec_micros().into());
            SendTimeout.set(&fd, &limit).map_err(refused)?;
            match socket::connect(fd.as_raw_fd(), &address) {
                Ok(()) => return Ok(fd.into()),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(e) => return Err(refused(e)),
            }
        }
    }

    fn send(&self, mut stream: &UnixStream, mut bytes: &[u8]) -> Result<(), ClientError> {
        let failed = |source| ClientError::Send { socket: self.socket.to_owned(), source };
        while !bytes.is_empty() {
            stream.set_write_timeout(Some(self.remaining()?)).map_err(failed)?;
            match stream.write(bytes) {
                Ok(0) => return Err(failed(io::ErrorKind::WriteZero.into())),
                Ok(n) => bytes = &bytes[n..],
                Err(e) if is_passing(&e) => {}
                Err(e) => return Err(failed(e)),
            }
        }
        Ok(())
    }

    fn receive(&self, mut stream: &UnixStream) -> Result<Answer, ClientError> {
        let failed = |source| ClientError::Receive { socket: self.socket.to_owned(), source };
        let mut received = Vec::new();
        let mut piece = [0; 16 << 10];
        loop {
            stream.set_read_timeout(Some(self.remaining()?)).map_err(failed)?;
            let count = match stream.read(&mut piece) {
                Ok(count) => count,
                Err(e) if is_passing(&e) => continue,
                Err(e) => return Err(failed(e)),
            };
            received.extend_from_slice(&piece[..count]);
            let decoded = http::decode(&received, count == 0);
            let unreadable = |source| ClientError::Answer { socket: self.socket.to_owned(), source };
            if let Some(answer) = decoded.map_err(unreadable)? {
                return Ok(answer);
            }
        }
    }
}

/// A signal, or the time limit, which [`Exchange::remaining`] then reports.
fn is_passing(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
