//! A node, two VPCs and pods as network namespaces: a bridge stands for each VPC's switch, since both take frames
//! from a device behind its ingress hook.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "each test file uses its part, panics and prints"
)]

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use netlink::{Handle, Netns, sysctl};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};
use serde_json::Value;
use tproxy::{Carrier, HostSide, Pod, PodKey, ProbeAddresses, Settings, TargetTable};

/// As long as the kubelet waits by default (`timeoutSeconds`: 1).
pub const DEADLINE: Duration = Duration::from_secs(1);
pub const OPEN: u16 = 8080;
pub const CLOSED: u16 = 9999;
pub const PROBE4: &str = "100.64.0.9";
pub const PROBE6: &str = "fd00:64::9";

/// What the kubelet's `tcpSocket` probe would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Open,
    Refused,
    TimedOut,
    Other(io::ErrorKind),
}

/// Whether this process may make namespaces. A test that may not says so, on stderr and in the file that
/// `KUBE_OVN_SKIPPED` names, and returns.
pub fn needs_root() -> bool {
    let is_root = nix::unistd::Uid::effective().is_root();
    if !is_root {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        eprintln!("SKIPPED: needs root: {name}");
        if let Some(list) = std::env::var_os("KUBE_OVN_SKIPPED") {
            let mut list = std::fs::File::options().append(true).create(true).open(list).unwrap();
            writeln!(list, "tproxy {name}: needs root").unwrap();
        }
    }
    is_root
}

/// A named network namespace of this test alone.
pub struct Space {
    pub name: String,
    pub netns: Netns,
}

impl Space {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tpx-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run("ip", &["netns", "add", &name]);
        let netns = Netns::open(&PathBuf::from("/run/netns").join(&name)).unwrap();
        let space = Self { name, netns };
        space.ip("link set lo up");
        space
    }

    /// `ip -n NAME ARGS`, which must succeed.
    pub fn ip(&self, args: &str) {
        run("ip", &[vec!["-n", &self.name], words(args)].concat());
    }

    /// What `ip -j -d -n NAME ARGS` prints.
    pub fn show(&self, args: &str) -> Value {
        let text = run("ip", &[vec!["-j", "-d", "-n", &self.name], words(args)].concat());
        if text.trim().is_empty() { Value::Array(Vec::new()) } else { serde_json::from_str(&text).unwrap() }
    }

    /// The kernel activates a veth's queue from a work queue after both ends are up, and drops frames till then.
    pub fn wait_until_sending(&self, link: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.show(&format!("link show {link}"))[0]["operstate"] != "UP" {
            assert!(Instant::now() < deadline, "{link} does not come up");
        }
    }

    /// What a program prints inside; it must succeed.
    pub fn exec(&self, command: &str) -> String {
        run("ip", &[vec!["netns", "exec", &self.name], words(command)].concat())
    }

    /// Gives `nft` a file.
    pub fn nft(&self, rules: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), rules).unwrap();
        self.exec(&format!("nft -f {}", file.path().display()));
    }

    pub fn set(&self, name: &str, value: &str) {
        let parts: Vec<_> = name.split('/').collect();
        self.netns.run(|| sysctl::set(&parts, value)).unwrap().unwrap();
    }

    pub fn handle(&self) -> Handle {
        Handle::inside(&self.netns).unwrap()
    }

    /// Connects from inside.
    pub fn probe(&self, to: SocketAddr) -> Verdict {
        self.netns.run(|| probe_here(to)).unwrap()
    }

    /// A socket that listens and is not served: the kernel completes handshakes.
    pub fn listen(&self, port: u16) -> TcpListener {
        self.netns.run(|| TcpListener::bind(("::", port))).unwrap().unwrap()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// Connects from the calling thread's namespace.
pub fn probe_here(to: SocketAddr) -> Verdict {
    probe_for(to, DEADLINE)
}

/// The same with another deadline.
pub fn probe_for(to: SocketAddr, deadline: Duration) -> Verdict {
    match TcpStream::connect_timeout(&to, deadline) {
        Ok(_) => Verdict::Open,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Verdict::Refused,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Verdict::TimedOut,
        Err(error) => Verdict::Other(error.kind()),
    }
}

/// A stream socket of the family of `to`.
pub fn stream_socket(to: SocketAddr) -> OwnedFd {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    socket::socket(family, SockType::Stream, SockFlag::empty(), None).unwrap()
}

/// Whether a socket bound to `port` gets a connection within a second.
pub fn connects_from(to: SocketAddr, port: u16) -> bool {
    let socket = stream_socket(to);
    socket::setsockopt(&socket, sockopt::ReuseAddr, &true).unwrap();
    let any = if to.is_ipv4() { format!("0.0.0.0:{port}") } else { format!("[::]:{port}") };
    let any: SocketAddr = any.parse().unwrap();
    socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(any)).unwrap();
    let second = nix::sys::time::TimeVal::new(1, 0);
    socket::setsockopt(&socket, sockopt::SendTimeout, &second).unwrap();
    socket::connect(socket.as_raw_fd(), &SockaddrStorage::from(to)).is_ok()
}

/// The node: an uplink with default routes to `up`, and a bridge for each VPC. Reverse paths are checked strictly.
pub struct Node {
    pub space: Space,
    pub up: Space,
    pub gateways: Vec<Space>,
}

/// A pod on the node, in VPC `a` or `b`.
pub struct Member {
    pub space: Space,
    pub pod: Pod,
}

impl Node {
    pub fn new() -> Self {
        let (space, up) = (Space::new(), Space::new());
        for name in ["ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv4/conf/all/rp_filter"] {
            space.set(name, "1");
        }
        // What the node sends out by its own routes ends there without a word.
        up.ip("route add blackhole default");
        up.ip("-6 route add blackhole default");
        space.ip(&format!("link add up0 type veth peer name up1 netns {}", up.name));
        space.ip("link set up0 up");
        up.ip("link set up1 up");
        for (space, link, last) in [(&space, "up0", 2), (&up, "up1", 1)] {
            space.ip(&format!("addr add 192.168.50.{last}/24 dev {link}"));
            space.ip(&format!("addr add fd50::{last}/64 dev {link} nodad"));
        }
        space.ip("route add default via 192.168.50.1");
        space.ip("route add default via fd50::1");
        let mut node = Self { space, up, gateways: Vec::new() };
        for vpc in ["a", "b"] {
            node.space.ip(&format!("link add br-{vpc} type bridge forward_delay 0 mcast_snooping 0"));
            node.space.ip(&format!("link set br-{vpc} up"));
            let gateway = node.plug(&format!("gw-{vpc}"), vpc, 1);
            watch(&gateway, "eth0");
            node.gateways.push(gateway);
        }
        watch(&node.up, "up1");
        node
    }

    /// A pod whose addresses end in `last`, with a default route to its VPC's gateway.
    pub fn pod(&self, name: &str, vpc: &str, last: u8, ports: &[u16]) -> Member {
        let device = format!("h-{name}");
        let space = self.plug(&device, vpc, last);
        space.ip("route add default via 10.20.0.1");
        space.ip("route add default via fd20::1");
        for place in ["all", "eth0"] {
            space.set(&format!("ipv4/conf/{place}/rp_filter"), "1");
        }
        let pod = Pod {
            key: PodKey::new("default", name),
            vpc: vpc.into(),
            host_side: self.host_side(&device),
            mac: space.handle().link("eth0").unwrap().unwrap().mac,
            addresses: addresses(last),
            ports: ports.iter().copied().collect(),
        };
        Member { space, pod }
    }

    pub fn host_side(&self, device: &str) -> HostSide {
        HostSide::new(device, self.space.handle().link(device).unwrap().unwrap().index).unwrap()
    }

    fn plug(&self, device: &str, vpc: &str, last: u8) -> Space {
        let pod = Space::new();
        self.space.ip(&format!("link add {device} type veth peer name eth0 netns {}", pod.name));
        self.space.ip(&format!("link set {device} master br-{vpc} up"));
        pod.ip("link set eth0 up");
        pod.ip(&format!("addr add 10.20.0.{last}/24 dev eth0"));
        pod.ip(&format!("addr add fd20::{last}/64 dev eth0 nodad"));
        self.space.wait_until_sending(device);
        pod.wait_until_sending("eth0");
        pod
    }

    pub fn settings(&self) -> Settings {
        Settings {
            probe: ProbeAddresses { v4: Some(PROBE4.parse().unwrap()), v6: Some(PROBE6.parse().unwrap()) },
            cgroup_root: "/no/such/tree".into(),
        }
    }

    pub fn netns(&self) -> Netns {
        Netns::open(&PathBuf::from("/run/netns").join(&self.space.name)).unwrap()
    }

    /// A carrier that carries to these pods.
    pub fn carrier(&self, pods: &[&Member]) -> Carrier {
        let carrier = Carrier::start(self.settings(), self.netns()).unwrap();
        carrier.replace_all(table(pods)).unwrap();
        carrier
    }

    /// What the kubelet would see in each family.
    pub fn probe(&self, last: u8, port: u16) -> [Verdict; 2] {
        at(last, port).map(|to| self.space.probe(to))
    }

    /// How many packets with the probe address came to the host outside, or to a VPC's gateway.
    pub fn leaked(&self) -> u64 {
        let witnesses = self.gateways.iter().chain([&self.up]);
        let listings = witnesses.map(|space| space.exec("nft -j list table netdev witness"));
        let counts = listings.map(|text| {
            let listing: Value = serde_json::from_str(&text).unwrap();
            let rules = listing["nftables"].as_array().unwrap().iter().filter_map(|item| item.get("rule"));
            let exprs = rules.flat_map(|rule| rule["expr"].as_array().unwrap());
            exprs.filter_map(|expr| expr["counter"]["packets"].as_u64()).sum::<u64>()
        });
        counts.sum()
    }

    /// All that is left of the path, in words of `nft` and `ip`.
    pub fn left(&self) -> Vec<String> {
        let mut left: Vec<_> = self.space.exec("nft list tables").lines().map(str::to_owned).collect();
        for version in ["-4", "-6"] {
            for what in ["rule show table 10001", "route show table 10001"] {
                let command = format!("{version} -n {} {what}", self.space.name);
                // A table that never was is an error to ip.
                let output = Command::new("ip").args(words(&command)).output().unwrap();
                left.extend(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned));
            }
        }
        let links = self.space.show("link show");
        let names = links.as_array().unwrap().iter().map(|link| link["ifname"].as_str().unwrap());
        left.extend(names.filter(|name| name.starts_with("prb")).map(str::to_owned));
        left
    }
}

/// Counts what comes in with the probe address.
fn watch(space: &Space, device: &str) {
    let rules = [("ip", PROBE4), ("ip6", PROBE6)]
        .map(|(family, probe)| format!("{family} saddr {probe} counter\n{family} daddr {probe} counter\n"));
    space.nft(&format!(
        "table netdev witness {{ chain in {{ type filter hook ingress device {device} priority 0\n{} }}\n }}",
        rules.concat()
    ));
}

pub fn table(pods: &[&Member]) -> TargetTable {
    pods.iter().map(|member| member.pod.clone()).collect()
}

/// The addresses that end in `last`.
pub fn addresses(last: u8) -> BTreeSet<IpAddr> {
    at(last, 0).map(|address| address.ip()).into()
}

/// The sockets of a pod whose addresses end in `last`.
pub fn at(last: u8, port: u16) -> [SocketAddr; 2] {
    [SocketAddr::from(([10, 20, 0, last], port)), format!("[fd20::{last}]:{port}").parse().unwrap()]
}

pub fn probe_address(port: u16) -> [SocketAddr; 2] {
    [PROBE4, PROBE6].map(|ip| SocketAddr::new(ip.parse().unwrap(), port))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// What a program prints; it must succeed.
pub fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
