//! Traffic between namespaces: echo requests, TCP and UDP exchanges, and a stream that has to arrive whole.
//!
//! The sockets are the test's own, made inside the namespaces, so that every answer names who gave it and who asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::netns::Netns;
use crate::wait;

/// How long something that has to come may take on a busy machine. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an exchange may take before it counts as failed.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a flood lasts.
const FLOOD: Duration = Duration::from_millis(1500);

/// How often a server looks whether it is to end.
const GLANCE: Duration = Duration::from_millis(50);

/// How often a server looks for connections. A route that changes between connection and answer costs [`ANSWER`].
const ACCEPT: Duration = Duration::from_millis(5);

/// How many of `count` echo requests, 0.2 s apart, are answered; each within a second.
#[track_caller]
pub fn pings(from: &Netns, address: &str, count: usize) -> usize {
    let done = from.exec(&format!("ping -n -q -c {count} -i 0.2 -W 1 {address}"));
    let text = done.text();
    let words: Vec<_> = text.split_whitespace().collect();
    let received = words.iter().position(|w| w.starts_with("received"));
    received.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

/// Waits until an address answers an echo request.
///
/// # Panics
/// When it does not within a minute.
#[track_caller]
pub fn await_ping(from: &Netns, address: &str) {
    let what = format!("{address} to answer {}", from.name());
    wait::until(&what, PATIENCE, || {
        from.exec(&format!("ping -n -q -c 1 -W 1 {address}")).success().then_some(())
    });
}

/// Waits until an address no longer answers echo requests.
///
/// # Panics
/// When it still does after a minute.
#[track_caller]
pub fn await_silence(from: &Netns, address: &str) {
    let what = format!("{address} not to answer {} any more", from.name());
    wait::until(&what, PATIENCE, || (pings(from, address, 2) == 0).then_some(()));
}

/// Asserts that every echo request is answered.
///
/// # Panics
/// When one is not.
#[track_caller]
pub fn assert_ping(from: &Netns, address: &str) {
    assert_eq!(pings(from, address, 3), 3, "{} pings {address}", from.name());
}

/// Asserts that no echo request is answered. A path that is only not ready yet passes too: ping over it first.
///
/// # Panics
/// When one is.
#[track_caller]
pub fn assert_no_ping(from: &Netns, address: &str) {
    assert_eq!(pings(from, address, 3), 0, "{} pings {address}", from.name());
}

/// A server in a namespace; it answers with its name and the address of who asks: `a 10.0.1.12`. It ends with the value.
#[derive(Debug)]
pub struct Server {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves a TCP port on all addresses of both families. After its answer it counts what else comes until the end of
    /// the stream and tells the number; see [`carries`].
    ///
    /// # Panics
    /// When the port cannot be listened on.
    #[track_caller]
    pub fn tcp(netns: &Netns, name: &str, port: u16) -> Self {
        let listener = netns.inside(|| TcpListener::bind(everywhere(port)));
        let listener = listener.and_then(|l| l.set_nonblocking(true).map(|()| l));
        let listener = listener.unwrap_or_else(|e| panic!("listen on TCP port {port} of {name}: {e}"));
        let name = name.to_owned();
        Self::run(move || {
            if let Ok((stream, peer)) = listener.accept() {
                let answer = answer(&name, peer);
                thread::spawn(move || drop(serve(stream, &answer)));
            } else {
                thread::park_timeout(ACCEPT);
            }
        })
    }

    /// Answers every datagram to a UDP port on all addresses of both families.
    ///
    /// # Panics
    /// When the port cannot be bound.
    #[track_caller]
    pub fn udp(netns: &Netns, name: &str, port: u16) -> Self {
        let socket = netns.inside(|| UdpSocket::bind(everywhere(port)));
        let socket = socket.and_then(|s| s.set_read_timeout(Some(GLANCE)).map(|()| s));
        let socket = socket.unwrap_or_else(|e| panic!("bind UDP port {port} of {name}: {e}"));
        let name = name.to_owned();
        Self::run(move || {
            if let Ok((_, peer)) = socket.recv_from(&mut [0; 2048]) {
                let _ = socket.send_to(answer(&name, peer).as_bytes(), peer);
            }
        })
    }

    fn run(mut step: impl FnMut() + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                step();
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

/// What the server at an address and port answers over TCP.
///
/// # Errors
/// When it does not within 5 s, or refuses.
#[track_caller]
pub fn ask_tcp(from: &Netns, server: &str) -> io::Result<String> {
    let server = address(server);
    from.inside(|| {
        let stream = TcpStream::connect_timeout(&server, ANSWER)?;
        stream.set_read_timeout(Some(ANSWER))?;
        read_line(BufReader::new(&stream))
    })
}

/// What the server at an address and port answers to one datagram.
///
/// # Errors
/// When it does not within 5 s, or refuses.
#[track_caller]
pub fn ask_udp(from: &Netns, server: &str) -> io::Result<String> {
    let server = address(server);
    from.inside(|| {
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(ANSWER))?;
        socket.connect(server)?;
        socket.send(b"?")?;
        let mut answer = [0; 2048];
        let length = whole(|| socket.recv(&mut answer))?;
        Ok(String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned())
    })
}

/// Sends a stream of so many bytes to a [`Server::tcp`] and returns how many it says have arrived: full segments cross the
/// path, which a short answer does not prove.
///
/// # Errors
/// When the stream comes to a halt for 30 s, or is refused.
#[track_caller]
pub fn carries(from: &Netns, server: &str, bytes: usize) -> io::Result<usize> {
    let server = address(server);
    from.inside(|| {
        let mut stream = TcpStream::connect_timeout(&server, ANSWER)?;
        let mut told = BufReader::new(stream.try_clone()?);
        stream.set_read_timeout(Some(6 * ANSWER))?;
        stream.set_write_timeout(Some(6 * ANSWER))?;
        read_line(&mut told)?;
        let block = [7; 64 << 10];
        let mut left = bytes;
        while left > 0 {
            let part = block.get(..left).unwrap_or(&block);
            stream.write_all(part)?;
            left -= part.len();
        }
        stream.shutdown(std::net::Shutdown::Write)?;
        let number = read_line(&mut told)?;
        number.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, number))
    })
}

/// The rate in Mbit/s at which datagrams arrive at an address and port of `to`, where nobody else listens, while `from`
/// sends as many as it can for 1.5 s.
///
/// # Panics
/// When none arrives.
#[track_caller]
pub fn flood(from: &Netns, to: &Netns, server: &str) -> f64 {
    let server = address(server);
    let socket = to.inside(|| UdpSocket::bind(server));
    let socket = socket.and_then(|s| s.set_read_timeout(Some(ANSWER / 5)).map(|()| s));
    let socket = socket.unwrap_or_else(|e| panic!("bind UDP {server} of {}: {e}", to.name()));
    let counted = thread::spawn(move || count(&socket));
    from.inside(|| {
        let sender = UdpSocket::bind(if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
        sender.connect(server)?;
        let end = Instant::now() + FLOOD;
        while Instant::now() < end {
            // What the queues do not take is part of the flood.
            let _ = sender.send(&[7; 1200]);
        }
        Ok::<_, io::Error>(())
    })
    .unwrap_or_else(|e| panic!("send from {} to {server}: {e}", from.name()));
    let rate = counted.join().unwrap_or_else(|e| std::panic::resume_unwind(e));
    rate.unwrap_or_else(|| panic!("no datagram from {} arrives at {server}", from.name()))
}

/// The rate in Mbit/s from the first datagram to the last, after which none comes for a second.
fn count(socket: &UdpSocket) -> Option<f64> {
    let mut block = [0; 2048];
    // The first one may be long in coming: it waits for the neighbour's MAC.
    whole(|| socket.recv(&mut block)).ok()?;
    let begin = Instant::now();
    let (mut bytes, mut last) = (0, begin);
    while let Ok(length) = whole(|| socket.recv(&mut block)) {
        bytes += length;
        last = Instant::now();
    }
    Some(megabits(bytes, last - begin))
}

/// The rate in Mbit/s at which a stream of so many bytes arrives at a [`Server::tcp`].
///
/// # Panics
/// When it does not arrive whole.
#[track_caller]
pub fn stream(from: &Netns, server: &str, bytes: usize) -> f64 {
    let begin = Instant::now();
    match carries(from, server, bytes) {
        Ok(arrived) if arrived == bytes => megabits(bytes, begin.elapsed()),
        outcome => panic!("a stream of {bytes} bytes from {} to {server}: {outcome:?}", from.name()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is not a number of bytes")]
fn megabits(bytes: usize, within: Duration) -> f64 {
    bytes as f64 * 8e-6 / within.as_secs_f64().max(1e-3)
}

/// The server's side of one connection.
fn serve(mut stream: TcpStream, answer: &str) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(6 * ANSWER))?;
    stream.write_all(format!("{answer}\n").as_bytes())?;
    let mut arrived = 0;
    let mut block = [0; 64 << 10];
    loop {
        match whole(|| stream.read(&mut block))? {
            0 => break,
            length => arrived += length,
        }
    }
    stream.write_all(format!("{arrived}\n").as_bytes())
}

/// A call with a time limit does not go on by itself when the process was stopped and continued (signal(7)).
fn whole<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn read_line(mut from: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    line.strip_suffix('\n').map(str::to_owned).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn answer(name: &str, peer: SocketAddr) -> String {
    format!("{name} {}", peer.ip().to_canonical())
}

fn everywhere(port: u16) -> SocketAddr {
    (IpAddr::from([0_u16; 8]), port).into()
}

#[track_caller]
fn address(text: &str) -> SocketAddr {
    text.parse().unwrap_or_else(|e| panic!("`{text}` is no address with a port: {e}"))
}
