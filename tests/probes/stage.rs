//! A node of an OVN whose daemon carries probes, with two VPCs of the same range, and probed pods.

use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::lab::{Lab, UPLINK};
use tests::netns::Netns;
use tests::objects;
use tests::ovn::{Node, Ovn};

/// How long something that has to come may take on a busy machine. Nothing asserts on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The source of probes as pods see it, by default.
pub(crate) const PROBE_ADDRESSES: [&str; 2] = ["192.0.0.8", "100::8"];

/// The port that pods of these tests serve and have probed.
pub(crate) const OPEN: u16 = 8080;
/// A probed port on which nobody listens.
pub(crate) const CLOSED: u16 = 8081;

/// A lab whose node has addresses, as every node of a cluster does, and whose folder has the VPCs `a` and `b` with one
/// subnet each, `net-a` and `net-b`, of the same ranges.
#[track_caller]
pub(crate) fn lab() -> Lab {
    let lab = Lab::builder().outside(&["172.18.0.1/16", "fd18::1/64"]).build();
    lab.node.must(&format!("ip addr add 172.18.0.2/16 dev {UPLINK}"));
    lab.node.must(&format!("ip addr add fd18::2/64 dev {UPLINK} nodad"));
    for vpc in ["a", "b"] {
        lab.write_object(&format!("{vpc}.yaml"), &objects::vpc(vpc, &json!({})));
        subnet(&lab, &format!("net-{vpc}"), json!({"vpc": vpc, "cidrBlock": "10.0.1.0/24,fd00:1::/64"}));
    }
    lab
}

/// Puts a Subnet into the folder.
#[track_caller]
pub(crate) fn subnet(lab: &Lab, name: &str, spec: Value) {
    lab.write_object(&format!("{name}.yaml"), &objects::subnet(name, &spec));
}

/// One node of an OVN with our daemon.
pub(crate) struct Stage<'a> {
    // In the order in which they end: who reads before who is read.
    pub(crate) daemon: Daemon<'a>,
    pub(crate) node: Node<'a>,
    pub(crate) ovn: Ovn,
}

impl<'a> Stage<'a> {
    /// Starts OVN and a daemon that carries probes.
    #[track_caller]
    pub(crate) fn start(lab: &'a Lab) -> Self {
        Self::with(lab, &["--enable-tproxy"])
    }

    /// Starts OVN and a daemon with these flags.
    #[track_caller]
    pub(crate) fn with(lab: &'a Lab, flags: &[&str]) -> Self {
        let ovn = Ovn::start(lab);
        let node = ovn.node(lab);
        Self { daemon: node.daemon(flags), node, ovn }
    }

    /// Ends the daemon and starts one with other flags.
    #[track_caller]
    pub(crate) fn restart_with(&mut self, flags: &[&str]) {
        self.daemon.stop();
        self.daemon = self.node.daemon(flags);
    }

    /// Adds a pod of the namespace `ns` that is probed at [`OPEN`] and [`CLOSED`]; the address is any.
    #[track_caller]
    pub(crate) fn pod(&self, name: &str, subnet: &str) -> Pod<'a> {
        self.probed(name, subnet, "8080,8081")
    }

    /// Adds a pod that is probed at these ports.
    #[track_caller]
    pub(crate) fn probed(&self, name: &str, subnet: &str, ports: &str) -> Pod<'a> {
        self.wishing(name, &[("logical_switch", subnet), ("probe_ports", ports)])
    }

    /// Adds a pod with these annotations.
    #[track_caller]
    pub(crate) fn wishing(&self, name: &str, annotations: &[(&str, &str)]) -> Pod<'a> {
        let (netns, call) = self.sandbox(name, annotations);
        self.added(netns, call)
    }

    /// A pod's sandbox, and its ADD with these annotations of the provider `ovn`, not run yet.
    #[track_caller]
    pub(crate) fn sandbox(&self, name: &str, annotations: &[(&str, &str)]) -> (Netns, Call) {
        let netns = self.node.lab().pod(name);
        let written = annotations.iter();
        let written = written.map(|(key, value)| (format!("ovn.kubernetes.io/{key}"), json!(value)));
        let conf = cni::annotated(&self.node.conf(), &Value::Object(written.collect()));
        let call = Call::add(&conf).container(name).ifname("eth0").netns(netns.path()).pod("ns", name);
        (netns, call)
    }

    /// The pod after its ADD, which has to succeed.
    #[track_caller]
    pub(crate) fn added(&self, netns: Netns, call: Call) -> Pod<'a> {
        let lab = self.node.lab();
        let ips = cni::addresses(&call.run(lab).ok());
        let ips = ips.iter().map(|address| address.split('/').next().unwrap().to_owned()).collect();
        Pod { ips, netns, call, lab }
    }
}

/// A pod with its default interface on OVN.
pub(crate) struct Pod<'a> {
    /// Its addresses without prefix lengths, IPv4 first.
    pub(crate) ips: Vec<String>,
    netns: Netns,
    call: Call,
    lab: &'a Lab,
}

impl Pod<'_> {
    /// Its addresses with a port.
    #[track_caller]
    pub(crate) fn at(&self, port: u16) -> Vec<SocketAddr> {
        at(&self.ips, port)
    }

    /// Deletes it as a runtime does, and leaves the sandbox.
    #[track_caller]
    pub(crate) fn delete(&self) {
        self.call.clone().verb("DEL").run(self.lab).ok();
    }
}

impl Deref for Pod<'_> {
    type Target = Netns;

    fn deref(&self) -> &Netns {
        &self.netns
    }
}

/// Addresses with a port.
#[track_caller]
pub(crate) fn at(ips: &[impl AsRef<str>], port: u16) -> Vec<SocketAddr> {
    ips.iter().map(|ip| SocketAddr::new(ip.as_ref().parse().unwrap(), port)).collect()
}
