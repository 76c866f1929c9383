//! The probed pod's other traffic, with the hook on its device and without.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use netlink::Nft;
use tests::netns::Netns;
use tproxy::plan::Tables;

use super::Ground;
use crate::samples::Samples;

/// With and without the hook.
pub(super) const SENT: [&str; 2] = ["64 bytes of UDP sent", "  without the hook"];
pub(super) const ECHOED: [&str; 2] = ["64 bytes of UDP there and back", "  without the hook, there and back"];
pub(super) const STREAMED: [&str; 2] = ["16 MiB of TCP", "  without the hook, TCP"];

/// Where the other pod listens.
const PORT: u16 = 9000;
/// Datagrams that are sent for one figure, and that go there and back.
const DATAGRAMS: u32 = 2_000;
const ECHOES: u32 = 100;
const STREAM: usize = 16 << 20;
/// Rounds of all; a stream over OVN's userspace datapath takes its time.
const ROUNDS: usize = 20;

/// How long an answer may take before its datagram counts as lost and is sent again.
const ANSWER: Duration = Duration::from_secs(1);

/// Times of single datagrams, and of the stream, from the probed pod to its neighbour.
pub(super) fn measure(ground: &Ground<'_>, rounds: usize) -> Samples {
    let [probed, peer] = &ground.pods;
    let to = ground.peer(PORT);
    serve(peer);
    let hook = Hook::found();
    let mut samples = Samples::default();
    for round in 0..=rounds.min(ROUNDS) {
        // The first round is the warm-up.
        if round == 1 {
            samples.clear();
        }
        for step in 0..2 {
            let at = (round + step) % 2;
            if at == 1 {
                hook.take_away();
            }
            let [sent, echoed, streamed] = probed.inside(|| [sent(to), echoed(to), streamed(to)]);
            hook.put_back();
            samples.add(SENT[at], sent);
            samples.add(ECHOED[at], echoed);
            samples.add(STREAMED[at], streamed);
        }
    }
    samples
}

/// The table of the pods' devices as the daemon made it.
struct Hook {
    nft: Nft,
    table: nft::Table,
}

impl Hook {
    fn found() -> Self {
        let [_, id] = Tables::ids();
        let nft = must(Nft::here());
        let table = must(nft.table(&id)).unwrap_or_else(|| panic!("no table {id}"));
        Self { nft, table }
    }

    fn take_away(&self) {
        must(self.nft.apply(&nft::remove(&self.table.id)));
    }

    fn put_back(&self) {
        must(self.nft.apply(&nft::replace(&self.table)));
    }
}

/// The neighbour: throws away what comes to the port, echoes what comes to the next, and counts streams.
fn serve(peer: &Netns) {
    let sockets = peer.inside(|| (bound(PORT), bound(PORT + 1), TcpListener::bind(everywhere(PORT))));
    let (sink, echo, listener) = (sockets.0, sockets.1, must(sockets.2));
    thread::spawn(move || while sink.recv(&mut [0; 64]).is_ok() {});
    thread::spawn(move || {
        let mut datagram = [0; 64];
        while let Ok((_, from)) = echo.recv_from(&mut datagram) {
            let _ = echo.send_to(&datagram, from);
        }
    });
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = std::io::copy(&mut stream, &mut std::io::sink()).and_then(|_| stream.write_all(b"."));
        }
    });
}

fn sent(to: SocketAddr) -> Duration {
    let socket = bound(0);
    must(socket.connect(to));
    let begin = Instant::now();
    // Nobody counts them: a queue that is full is the datapath's.
    (0..DATAGRAMS).for_each(|_| drop(socket.send(&[0; 64])));
    begin.elapsed() / DATAGRAMS
}

fn echoed(mut to: SocketAddr) -> Duration {
    to.set_port(PORT + 1);
    let socket = bound(0);
    must(socket.connect(to));
    must(socket.set_read_timeout(Some(ANSWER)));
    let mut times: Vec<_> = (0..ECHOES).map(|_| echo(&socket)).collect();
    times.sort();
    times[times.len() / 2]
}

fn echo(socket: &UdpSocket) -> Duration {
    loop {
        let begin = Instant::now();
        must(socket.send(&[0; 64]));
        if socket.recv(&mut [0; 64]).is_ok() {
            return begin.elapsed();
        }
    }
}

fn streamed(to: SocketAddr) -> Duration {
    let begin = Instant::now();
    let mut stream = must(TcpStream::connect(to));
    must(stream.write_all(&vec![0; STREAM]));
    must(stream.shutdown(std::net::Shutdown::Write));
    must(stream.read_exact(&mut [0; 1]));
    begin.elapsed()
}

fn bound(port: u16) -> UdpSocket {
    must(UdpSocket::bind(everywhere(port)))
}

fn everywhere(port: u16) -> SocketAddr {
    ([0, 0, 0, 0], port).into()
}

#[track_caller]
fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}
