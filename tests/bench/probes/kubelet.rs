//! Probes one after the other, in batches that take turns between the paths.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{CLOSED, Ground, OPEN, PATHS};
use crate::samples::Samples;

/// Probes of each kind per path and round. More than 20,000 connections a minute to one server would measure the client's
/// search for a free port.
const BATCH: usize = 40;

/// Longer than the kubelet's second: what is slow is measured, what fails is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// Times by path.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// `connect` to a port with a server, until it returns.
    pub(super) connect: Samples,
    /// `connect` to a port without.
    pub(super) refused: Samples,
    /// From the connect until the answer has been read whole.
    pub(super) get: Samples,
}

pub(super) fn measure(ground: &Ground<'_>, rounds: usize) -> Times {
    let (open, closed) = (ground.probed(OPEN), ground.probed(CLOSED));
    let mut times = Times::default();
    // The first round is the warm-up.
    for round in 0..=rounds {
        if round == 1 {
            times = Times::default();
        }
        for step in 0..PATHS.len() {
            let path = PATHS[(round + step) % PATHS.len()];
            let batch = ground.on(path, || {
                (0..BATCH).map(|_| [connect(open), refused(closed), must(get(open))]).collect::<Vec<_>>()
            });
            for [connect, refused, get] in batch {
                times.connect.add(path, connect);
                times.refused.add(path, refused);
                times.get.add(path, get);
            }
        }
    }
    times
}

fn connect(to: SocketAddr) -> Duration {
    let begin = Instant::now();
    let connected = TcpStream::connect_timeout(&to, PATIENCE);
    let took = begin.elapsed();
    drop(must(connected));
    took
}

fn refused(to: SocketAddr) -> Duration {
    let begin = Instant::now();
    let connected = TcpStream::connect_timeout(&to, PATIENCE);
    let took = begin.elapsed();
    let kind = connected.err().map(|e| e.kind());
    assert_eq!(kind, Some(io::ErrorKind::ConnectionRefused), "nobody listens at {to}");
    took
}

/// One `httpGet` probe.
///
/// # Errors
/// Whatever keeps a good answer away.
pub(super) fn get(to: SocketAddr) -> io::Result<Duration> {
    let begin = Instant::now();
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let took = begin.elapsed();
    let is_good = answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok");
    if is_good { Ok(took) } else { Err(io::Error::new(io::ErrorKind::InvalidData, answer)) }
}

#[track_caller]
fn must<T>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("a probe of a healthy pod: {e}"))
}
