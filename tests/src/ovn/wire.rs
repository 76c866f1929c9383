//! The wire between two nodes over which Geneve runs.

use crate::netns::Netns;

use super::Node;

/// The port of the wire on either node.
pub(super) const PORT: &str = "phy0";
/// The bridge that owns the tunnels' address: the userspace datapath finds a remote end only through an internal port of
/// another userspace bridge.
pub(super) const BRIDGE: &str = "br-phy";

/// A wire between two nodes.
#[derive(Debug)]
pub struct Wire<'a> {
    // The namespace and not the node, whose processes a test wants to end meanwhile.
    end: &'a Netns,
}

impl<'a> Wire<'a> {
    /// Lays a wire between two nodes and gives each its address for tunnels.
    ///
    /// # Panics
    /// When the kernel or Open vSwitch refuses.
    #[track_caller]
    pub fn between(a: &Node<'a>, b: &Node<'_>) -> Self {
        a.netns().must(&format!("ip link add {PORT} type veth peer name {PORT} netns {}", b.netns().name()));
        attach(a);
        attach(b);
        Self { end: a.netns() }
    }

    /// Takes the wire down, as if it had been pulled out.
    #[track_caller]
    pub fn cut(&self) {
        self.end.must(&format!("ip link set {PORT} down"));
    }

    /// Takes it up again.
    #[track_caller]
    pub fn heal(&self) {
        self.end.must(&format!("ip link set {PORT} up"));
    }
}

#[track_caller]
fn attach(node: &Node<'_>) {
    let netns = node.netns();
    netns.must(&format!("ip link set {PORT} mtu 1500 up"));
    let line =
        format!("add-br {BRIDGE} -- set Bridge {BRIDGE} datapath_type=netdev -- add-port {BRIDGE} {PORT}");
    node.vsctl(&line.split_whitespace().collect::<Vec<_>>());
    netns.must(&format!("ip addr add {}/24 dev {BRIDGE}", node.encapsulation()));
    netns.must(&format!("ip link set {BRIDGE} up"));
    // The datapath passes on frames whose checksum nobody has filled in, and the receiver drops them.
    netns.must(&format!("ethtool -K {BRIDGE} tx off"));
}
