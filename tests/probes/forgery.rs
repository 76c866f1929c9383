//! No pod speaks for another, and none begins a connection through the path.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};
use nix::sys::time::TimeVal;
use tests::netns::Netns;

use crate::capture::Capture;
use crate::kubelet::{Verdict, assert_probe, connect};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, PROBE_ADDRESSES, Stage, at};

/// The end of the pair that is the node's; what a pod says to the node comes by it.
const PROBE_LINK: &str = "prb0";
/// A port of the node, in no use but for forged segments.
const TARGET: u16 = 40_000;

/// Whether a socket with this source gets a connection in a moment.
#[track_caller]
fn speaks(from: &Netns, source: SocketAddr, to: SocketAddr) -> bool {
    from.inside(|| {
        let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let socket = socket::socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        socket::setsockopt(&socket, sockopt::ReuseAddr, &true).unwrap();
        // It holds for connect() as well (socket(7)); the first segment has left by then.
        socket::setsockopt(&socket, sockopt::SendTimeout, &TimeVal::new(0, 300_000)).unwrap();
        socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(source)).unwrap();
        socket::connect(socket.as_raw_fd(), &SockaddrStorage::from(to)).is_ok()
    })
}

#[test]
fn forged_segments_of_neighbours_and_of_the_other_vpc_never_come_to_the_node() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let probed = stage.pod("p", "net-a");
    let forgers = [stage.pod("same", "net-a"), stage.pod("other", "net-b")];
    let _kubelet = Server::web(&lab.node, "kubelet", TARGET);
    for forger in &forgers {
        for ip in &probed.ips {
            let (length, nodad) = if ip.contains(':') { (128, "nodad") } else { (32, "") };
            forger.must(&format!("ip addr add {ip}/{length} dev eth0 {nodad}"));
        }
    }
    let capture = Capture::start(&lab.node, PROBE_LINK, &format!("tcp port {TARGET} or tcp port {CLOSED}"));

    for forger in &forgers {
        for (source, to) in probed.at(OPEN).into_iter().zip(at(&PROBE_ADDRESSES, TARGET)) {
            assert!(!speaks(forger, source, to), "{} as {source}", forger.name());
        }
    }

    // The pod's own refusals do pass.
    let [closed, _] = probed.at(CLOSED)[..] else { panic!() };
    let ask = || assert_eq!(lab.node.inside(|| connect(closed)), Verdict::Refused);
    assert_eq!(capture.until(&format!(".{CLOSED}"), ask), Vec::<String>::new());
}

#[test]
fn a_probed_pod_begins_no_connection_to_the_node_or_beyond_not_even_from_its_probe_port() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _kubelet = Server::web(&lab.node, "kubelet", TARGET);
    // The node forwards, and the probe address is somebody's behind it: whatever came by the path would go there.
    let _outside = Server::web(&lab.outside, "outside", TARGET);
    for (probe, [key, gateway]) in PROBE_ADDRESSES
        .iter()
        .zip([["net.ipv4.ip_forward", "172.18.0.1"], ["net.ipv6.conf.all.forwarding", "fd18::1"]])
    {
        lab.outside.must(&format!("ip addr add {probe} dev lo"));
        lab.node.sysctl(key, "1");
        lab.node.must(&format!("ip route add {probe} via {gateway}"));
    }
    let capture = Capture::start(&lab.outside, lab.outside.interface(), &format!("tcp port {TARGET}"));

    for source in [0, OPEN, CLOSED] {
        for (source, to) in pod.at(source).into_iter().zip(at(&PROBE_ADDRESSES, TARGET)) {
            assert!(!speaks(&pod, source, to), "from {source} to {to}");
        }
    }

    assert_eq!(capture.until_marked(&lab.node, "172.18.0.1"), Vec::<String>::new());

    // The same sockets reach a neighbour.
    let neighbour = stage.pod("n", "net-a");
    let _server = Server::web(&neighbour, "n", OPEN);
    for (source, to) in pod.at(OPEN).into_iter().zip(neighbour.at(OPEN)) {
        assert_probe(&pod, &[to], Verdict::Open);
        assert!(speaks(&pod, source, to), "from {source} to {to}");
    }
}
