//! A way out of a VPC: a pod that forwards, and a network behind it.

use tests::netns::Netns;
use tests::traffic::Server;

use crate::cloud::{Cloud, Pod};

/// The host outside, the same behind every exit: who answers tells which way a packet took.
pub(crate) const OUTSIDE: &str = "203.0.113.9";
/// The same host.
pub(crate) const OUTSIDE_V6: &str = "2001:db8:113::9";

/// A forwarding pod and the host behind it, which serves TCP port 8080 under the name of the exit.
pub(crate) struct Exit<'a> {
    _server: Server,
    /// The host outside.
    pub(crate) host: Netns,
    /// The pod.
    pub(crate) pod: Pod<'a>,
}

impl<'a> Exit<'a> {
    /// Makes the pod `NAMESPACE/NAME`, and the outside behind it.
    #[track_caller]
    pub(crate) fn open(cloud: &Cloud<'a>, name: &str, subnet: &str, ip: &str) -> Self {
        let pod = cloud.pod(name, subnet, ip);
        let short = name.rsplit('/').next().unwrap();
        let host = cloud.node.lab().pod(&format!("out-{short}"));
        pod.must(&format!("ip link add out mtu 1300 type veth peer name in mtu 1300 netns {}", host.name()));
        for (netns, link, own) in [(&*pod, "out", 1), (&host, "in", 2)] {
            netns.must(&format!("ip link set {link} up"));
            netns.must(&format!("ip addr add 198.18.0.{own}/30 dev {link}"));
            netns.must(&format!("ip addr add fd00:198::{own}/126 dev {link} nodad"));
        }
        for (host_address, inside, gateway) in [
            (format!("{OUTSIDE}/32"), "198.18.0.2", "198.18.0.1"),
            (format!("{OUTSIDE_V6}/128"), "fd00:198::2", "fd00:198::1"),
        ] {
            host.must(&format!("ip addr add {host_address} dev lo"));
            host.must(&format!("ip route add default via {gateway}"));
            pod.must(&format!("ip route add {host_address} via {inside}"));
        }
        pod.sysctl("net.ipv4.ip_forward", "1");
        pod.sysctl("net.ipv6.conf.all.forwarding", "1");
        Self { _server: Server::tcp(&host, short, 8080), host, pod }
    }
}
