//! Probes say what the pod says: open, refused, hung and filtered, in both families.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod ground;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use ground::{CLOSED, Node, OPEN, Verdict, at, needs_root, probe_for};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, SockaddrIn6};
use tproxy::Counted;

const HUNG: u16 = 7777;
const FILTERED: u16 = 6666;
const REJECTED: u16 = 5555;

#[test]
fn open_is_open_and_closed_is_refused_at_once() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN, CLOSED]);
    let _listener = pod.space.listen(OPEN);
    assert_eq!(node.probe(11, OPEN), [Verdict::TimedOut; 2], "the node has no way of its own");

    let carrier = node.carrier(&[&pod]);

    assert_eq!(node.probe(11, OPEN), [Verdict::Open; 2]);
    let begin = Instant::now();
    assert_eq!(node.probe(11, CLOSED), [Verdict::Refused; 2]);
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    assert_eq!(carrier.counters().unwrap().get(Counted::Carried), 4);
    assert_eq!(node.leaked(), 0);
}

#[test]
fn a_full_backlog_and_a_filtered_port_time_out_and_a_rejected_one_is_refused() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[HUNG, FILTERED, REJECTED]);
    pod.space.nft(&format!(
        "table inet fw {{ chain in {{ type filter hook input priority 0
           tcp dport {FILTERED} drop
           tcp dport {REJECTED} reject with icmpx port-unreachable
         }}
         }}"
    ));
    let hung = pod.space.netns.run(|| {
        let hung = socket::socket(AddressFamily::Inet6, SockType::Stream, SockFlag::empty(), None).unwrap();
        let any = SockaddrIn6::from(format!("[::]:{HUNG}").parse::<std::net::SocketAddrV6>().unwrap());
        socket::bind(hung.as_raw_fd(), &any).unwrap();
        socket::listen(&hung, Backlog::new(0).unwrap()).unwrap();
        hung
    });
    // The queue takes one more than it is long.
    let full = pod.space.netns.run(|| TcpStream::connect(("::1", HUNG)));
    let _carrier = node.carrier(&[&pod]);

    assert_eq!(node.probe(11, HUNG), [Verdict::TimedOut; 2]);
    assert_eq!(node.probe(11, FILTERED), [Verdict::TimedOut; 2]);
    // An ICMP error that comes while connect() still holds the socket is only remembered: the second SYN's counts.
    let patient = Duration::from_secs(3);
    let verdicts = at(11, REJECTED).map(|to| node.space.netns.run(|| probe_for(to, patient)).unwrap());
    assert_eq!(verdicts, [Verdict::Refused; 2]);
    assert_eq!(node.leaked(), 0);
    drop((hung, full));
}

#[test]
fn same_address_in_two_vpcs_with_different_ports_reaches_the_right_pod() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let (a, b) = (node.pod("a1", "a", 11, &[OPEN]), node.pod("b1", "b", 11, &[OPEN, 8081]));
    let (_a, _b) = (a.space.listen(OPEN), b.space.listen(8081));
    let carrier = node.carrier(&[&a, &b]);

    assert_eq!(node.probe(11, OPEN), [Verdict::Open; 2]);
    assert_eq!(node.probe(11, 8081), [Verdict::Open; 2]);
    let clashes = carrier.clashes();
    assert_eq!(clashes.len(), 2, "{clashes:?}");
    assert!(clashes.iter().all(|c| (c.carried.name.as_str(), c.refused.name.as_str()) == ("a1", "b1")));

    assert!(carrier.remove(&a.pod.key).unwrap());

    // Now the same endpoint is the other pod's, where nobody listens.
    assert_eq!(node.probe(11, OPEN), [Verdict::Refused; 2]);
    assert_eq!(node.probe(11, 8081), [Verdict::Open; 2]);
    assert!(carrier.clashes().is_empty());
}

#[test]
fn bodies_pass_in_both_directions_and_half_closed() {
    if !needs_root() {
        return;
    }
    const LEN: usize = 3 << 20;
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let listener = pod.space.listen(OPEN);
    let _carrier = node.carrier(&[&pod]);
    for to in at(11, OPEN) {
        std::thread::scope(|scope| {
            let server = scope.spawn(|| {
                let (mut stream, from) = listener.accept().unwrap();
                let mut body = Vec::new();
                stream.read_to_end(&mut body).unwrap();
                stream.write_all(&body).unwrap();
                from.ip().to_canonical()
            });
            let mut stream = node.space.netns.run(|| TcpStream::connect(to)).unwrap().unwrap();
            stream.write_all(&vec![7; LEN]).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();

            assert_eq!(answer.len(), LEN);
            assert_eq!(server.join().unwrap(), ground::probe_address(0)[usize::from(to.is_ipv6())].ip());
        });
    }
}

#[test]
fn a_server_that_closes_after_the_client_leaves_no_socket_and_no_leak() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let listener = pod.space.listen(OPEN);
    let _carrier = node.carrier(&[&pod]);
    for to in at(11, OPEN) {
        let stream = node.space.netns.run(|| TcpStream::connect(to)).unwrap().unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        drop(stream);
        // The end of the client's stream: its socket is closed, and the last acknowledgement has no owner.
        assert_eq!(accepted.read(&mut [0]).unwrap(), 0);
    }

    let deadline = Instant::now() + Duration::from_secs(3);
    let open = || pod.space.exec("ss -Htan state last-ack");
    while !open().is_empty() {
        assert!(Instant::now() < deadline, "{}", open());
    }
    assert_eq!(node.leaked(), 0);
}
