//! What passes an interface, as `tcpdump` tells it.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tests::netns::Netns;
use tests::wait;

use crate::stage::{PATIENCE, at};

/// The port of datagrams that show how far a capture has come.
const MARKER: u16 = 4242;

/// A running `tcpdump`; it ends with the value.
pub(crate) struct Capture {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Capture {
    /// Starts it on an interface with a filter of pcap's, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(netns: &Netns, interface: &str, filter: &str) -> Self {
        let mut command = netns.command("tcpdump");
        command.args(["-i", interface, "-Z", "root", "-nnltq", "--immediate-mode"]);
        command.arg(format!("({filter}) or udp port {MARKER}"));
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(told.any(|line| line.unwrap().contains("listening on")), "tcpdump ended");
        let (tell, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        // Its pipe must not fill.
        thread::spawn(move || told.map_while(Result::ok).count());
        Self { child, lines, seen: Vec::new() }
    }

    /// The packets that passed before now: sends datagrams from `from` to an address behind the interface until one is
    /// seen.
    #[track_caller]
    pub(crate) fn until_marked(self, from: &Netns, to: &str) -> Vec<String> {
        let any = if to.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
        let to = at(&[to], MARKER)[0];
        let socket = from.inside(|| UdpSocket::bind(any).unwrap());
        self.until(&format!(".{MARKER}: "), || drop(socket.send_to(b"marker", to)))
    }

    /// The packets that passed before now: makes another one, again and again, until a line with this text shows it. Lines
    /// with the text are not among the answer.
    #[track_caller]
    pub(crate) fn until(mut self, text: &str, mut make: impl FnMut()) -> Vec<String> {
        wait::until("the capture to come this far", PATIENCE, || {
            make();
            self.seen.extend(self.lines.try_iter());
            self.seen.iter().any(|line| line.contains(text)).then_some(())
        });
        self.seen.retain(|line| !line.contains(text));
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
