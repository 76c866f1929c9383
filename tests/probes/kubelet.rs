//! Probes as the kubelet makes them: a connection of root's on the node, and what it comes to.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use tests::netns::Netns;

/// How long a probe may take; the kubelet's default.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);

/// How long a body may take on a busy machine. Nothing asserts on it.
const TRANSFER: Duration = Duration::from_secs(30);

/// What a `tcpSocket` probe sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Open,
    Refused,
    TimedOut,
    /// The node itself knows no way.
    NoRoute,
    /// Let in and thrown out: the server ended at this moment.
    Reset,
}

/// One probe, from the namespace of this thread.
#[track_caller]
pub(crate) fn connect(to: SocketAddr) -> Verdict {
    match TcpStream::connect_timeout(&to, DEADLINE) {
        Ok(_) => Verdict::Open,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Verdict::Refused,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Verdict::TimedOut,
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Verdict::Reset,
        Err(error) => match error.raw_os_error() {
            // EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH, EACCES of a route that prohibits.
            Some(99 | 101 | 113 | 13) => Verdict::NoRoute,
            _ => panic!("connect to {to}: {error}"),
        },
    }
}

/// One probe of each address, all at once.
#[track_caller]
pub(crate) fn probe(from: &Netns, to: &[SocketAddr]) -> Vec<Verdict> {
    thread::scope(|scope| {
        let one = |to: &SocketAddr| {
            let to = *to;
            scope.spawn(move || from.inside(|| connect(to)))
        };
        let probes: Vec<_> = to.iter().map(one).collect();
        probes.into_iter().map(|probe| probe.join().unwrap()).collect()
    })
}

/// Asserts that a probe of each address comes to this.
#[track_caller]
pub(crate) fn assert_probe(from: &Netns, to: &[SocketAddr], wanted: Verdict) {
    assert!(!to.is_empty());
    assert_eq!(probe(from, to), vec![wanted; to.len()], "{to:?} from {}", from.name());
}

/// Asserts that no address lets a connection in.
#[track_caller]
pub(crate) fn assert_shut(from: &Netns, to: &[SocketAddr]) {
    let found = probe(from, to);
    assert!(!found.is_empty() && !found.contains(&Verdict::Open), "{to:?} from {}: {found:?}", from.name());
}

/// An `httpGet` probe: the body of an answer 200; from the namespace of this thread.
///
/// # Errors
/// Whatever keeps the answer away.
pub(crate) fn get(to: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&to, TRANSFER)?;
    stream.set_read_timeout(Some(TRANSFER))?;
    stream
        .write_all(format!("GET /healthz HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").filter(|(head, _)| head.starts_with("HTTP/1.1 200 "));
    body.map(|(_, body)| body.to_owned()).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, answer))
}

/// Sends bytes from the node, tells the end of them, and returns what comes back until the end.
///
/// # Errors
/// Whatever breaks the connection.
pub(crate) fn exchange(to: SocketAddr, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&to, TRANSFER)?;
    stream.set_read_timeout(Some(TRANSFER))?;
    stream.set_write_timeout(Some(TRANSFER))?;
    stream.write_all(bytes)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
