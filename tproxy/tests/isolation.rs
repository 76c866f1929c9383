//! Nobody but root's sockets of the node gets in, nothing gets out, and no pod speaks for another.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod ground;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Command;

use ground::{
    CLOSED, DEADLINE, Node, OPEN, Space, Verdict, at, connects_from, needs_root, probe_address, stream_socket,
};
use nix::sys::socket::{self, SockaddrStorage, sockopt};
use tproxy::{Carrier, Counted, Settings};

/// A port of the node's own, such as the kubelet's.
const KUBELET: u16 = 10250;

/// Who asks, and how.
struct Curl<'a> {
    /// Shell commands before.
    before: &'a str,
    uid: u32,
    options: &'a str,
}

const ROOT: Curl<'static> = Curl { before: "", uid: 0, options: "" };
const NOBODY: Curl<'static> = Curl { uid: 65_534, ..ROOT };

impl Curl<'_> {
    /// Whether it gets a connection in the node's network.
    fn connects(&self, node: &Node, to: SocketAddr) -> bool {
        let Self { before, uid, options } = self;
        let script = format!(
            "{before} exec nsenter --net=/run/netns/{} setpriv --reuid={uid} --regid={uid} --clear-groups \
             curl {options} -gs -o /dev/null -w %{{time_connect}} --max-time 1 http://{to}",
            node.space.name
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        // Nobody answers, so the time is over (28) in any case, or there is no way (7).
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(28 | 7)), "{:?} {stderr}", output.status);
        String::from_utf8(output.stdout).unwrap().trim() != "0.000000"
    }
}

#[test]
fn other_users_of_the_node_do_not_get_in() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let _listener = pod.space.listen(OPEN);
    let carrier = node.carrier(&[&pod]);

    for to in at(11, OPEN) {
        assert!(ROOT.connects(&node, to), "root {to}");
        assert!(!NOBODY.connects(&node, to), "nobody {to}");
    }
    assert_eq!(carrier.counters().unwrap().get(Counted::Carried), 2);
}

#[test]
fn root_in_a_pod_on_the_hosts_network_does_not_get_in() {
    if !needs_root() {
        return;
    }
    let trees = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let Some(tree) = trees.iter().find(|tree| std::fs::exists(format!("{tree}/cgroup.procs")).unwrap())
    else {
        println!("SKIPPED: no cgroup v2 here");
        return;
    };
    // Below a group of this test alone, which stands for `/kubelet`.
    let root = Group(format!("{tree}/tpx-{}", std::process::id()));
    let pods = Group(format!("{}/kubepods", root.0));
    let inside = Group(format!("{}/pod1", pods.0));
    [&root, &pods, &inside].iter().for_each(|group| std::fs::create_dir(&group.0).unwrap());
    let view = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&root.0, view.path().join("kubelet")).unwrap();
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let _listener = pod.space.listen(OPEN);
    let settings = Settings { cgroup_root: view.path().into(), ..node.settings() };
    let carrier = Carrier::start(settings, node.netns()).unwrap();
    assert!(carrier.replace_all(ground::table(&[&pod])).unwrap().are_pods_told_apart);

    for to in at(11, OPEN) {
        let before = format!("echo $$ > {}/cgroup.procs;", inside.0);
        let as_pod = Curl { before: &before, ..ROOT };
        assert!(!as_pod.connects(&node, to), "a pod {to}");
        assert!(ROOT.connects(&node, to), "the kubelet {to}");
    }
    drop((inside, pods, root));
}

/// A cgroup, removed with its guard.
struct Group(String);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn who_sets_the_mark_himself_gains_nothing() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let _listener = pod.space.listen(CLOSED);
    let carrier = node.carrier(&[&pod]);

    for to in at(11, CLOSED) {
        assert!(!node.space.netns.run(|| marked(to)).unwrap());
    }

    let counters = carrier.counters().unwrap();
    assert_eq!((counters.get(Counted::Carried), counters.get(Counted::Untargeted)), (0, 0));
}

/// Whether a socket with our mark gets a connection within a second.
fn marked(to: SocketAddr) -> bool {
    let socket = stream_socket(to);
    socket::setsockopt(&socket, sockopt::Mark, &tproxy::MARK).unwrap();
    // The time for the handshake's three seconds of trying is cut.
    let second = nix::sys::time::TimeVal::new(1, 0);
    socket::setsockopt(&socket, sockopt::SendTimeout, &second).unwrap();
    socket::connect(socket.as_raw_fd(), &SockaddrStorage::from(to)).is_ok()
}

#[test]
fn what_the_node_forwards_does_not_get_in_with_or_without_a_default_route() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let _listener = pod.space.listen(OPEN);
    let carrier = node.carrier(&[&pod]);
    node.up.ip("route add 10.20.0.0/24 via 192.168.50.2");
    node.up.ip("route add fd20::/64 via fd50::2");

    let verdicts = || at(11, OPEN).map(|to| node.up.probe(to));
    assert!(!verdicts().contains(&Verdict::Open));
    node.space.ip("route del default");
    node.space.ip("-6 route del default");
    assert!(!verdicts().contains(&Verdict::Open));

    assert_eq!(carrier.counters().unwrap().get(Counted::Carried), 0);
    // The node itself still gets in.
    assert_eq!(node.probe(11, OPEN), [Verdict::Open; 2]);
}

#[test]
fn a_pod_cannot_begin_a_connection_to_the_node() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let carrier = node.carrier(&[&pod]);
    let _kubelet = node.space.listen(KUBELET);

    for to in probe_address(KUBELET) {
        assert_ne!(pod.space.probe(to), Verdict::Open, "from any port to {to}");
        assert!(!pod.space.netns.run(|| connects_from(to, OPEN)).unwrap(), "from the probe port to {to}");
    }

    let counters = carrier.counters().unwrap();
    assert!(counters.get(Counted::NotOwn) >= 2, "{counters:?}");
    assert!(counters.get(Counted::Begun) >= 2, "{counters:?}");
    assert_eq!(node.leaked(), 0);
}

#[test]
fn a_pod_cannot_speak_for_another_of_its_vpc_or_of_another() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pods = [
        node.pod("p1", "a", 11, &[OPEN]),
        node.pod("p2", "a", 12, &[OPEN]),
        node.pod("p3", "b", 11, &[8081]),
    ];
    let carrier = node.carrier(&[&pods[0], &pods[1], &pods[2]]);
    let before = carrier.counters().unwrap();

    // The second takes the first one's addresses; the third has them.
    pods[1].space.ip("addr add 10.20.0.11/32 dev eth0");
    pods[1].space.ip("addr add fd20::11/128 dev eth0 nodad");
    for forger in [&pods[1].space, &pods[2].space] {
        forge(forger);
    }

    let counters = carrier.counters().unwrap();
    assert_eq!(counters.get(Counted::Begun), before.get(Counted::Begun), "forged frames came to the node");
    assert_eq!(counters.get(Counted::Stray), before.get(Counted::Stray), "forged frames came to the node");
    assert!(counters.get(Counted::NotOwn) >= 4, "{counters:?}");
}

/// Sends segments with the source 10.20.0.11 or fd20::11 and the probed port.
fn forge(forger: &Space) {
    let send = || {
        for (from, to) in at(11, OPEN).into_iter().zip(probe_address(40_000)) {
            let socket = stream_socket(to);
            socket::setsockopt(&socket, sockopt::ReuseAddr, &true).unwrap();
            socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(from)).unwrap();
            let short = nix::sys::time::TimeVal::new(0, 100_000);
            socket::setsockopt(&socket, sockopt::SendTimeout, &short).unwrap();
            assert!(socket::connect(socket.as_raw_fd(), &SockaddrStorage::from(to)).is_err());
        }
    };
    forger.netns.run(send).unwrap();
}

#[test]
fn answers_that_come_by_another_device_are_dropped() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let carrier = node.carrier(&[&pod]);
    node.up.ip("route add 100.64.0.9/32 via 192.168.50.2");
    node.up.ip("route add fd00:64::9/128 via fd50::2");

    for to in probe_address(KUBELET) {
        assert_ne!(node.up.probe(to), Verdict::Open);
    }

    assert!(carrier.counters().unwrap().get(Counted::Elsewhere) >= 2);
}

#[test]
fn another_users_socket_with_the_kubelets_port_is_no_part_of_its_connection() {
    if !needs_root() {
        return;
    }
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    // Nobody answers, so the entry in connection tracking stays when the kubelet gives up.
    pod.space.nft("table inet fw { chain in { type filter hook input priority 0; tcp dport 8080 drop; }\n }");
    let _carrier = node.carrier(&[&pod]);
    let [to, _] = at(11, OPEN);
    assert!(!node.space.netns.run(|| connects_from(to, 40_001)).unwrap());
    pod.space.exec("nft flush ruleset");
    let _listener: TcpListener = pod.space.listen(OPEN);

    let same_port = Curl { options: "--local-port 40001", ..NOBODY };
    assert!(!same_port.connects(&node, to));
    assert!(node.space.netns.run(|| TcpStream::connect_timeout(&to, DEADLINE)).unwrap().is_ok());
}
