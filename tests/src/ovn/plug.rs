//! Pods plugged in by hand, without our CNI: what the ground itself is proven with, and what ours is compared with.

use crate::netns::Netns;

use super::{INTEGRATION, Node};

/// The MTU of pods: 1500 less Geneve's headers.
const MTU: u16 = 1400;

/// A pod's interface `eth0` and the logical switch port that it is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Plug<'p> {
    /// The name of the logical switch port, at most 12 bytes.
    pub port: &'p str,
    /// Its MAC.
    pub mac: &'p str,
    /// Its address with the prefix length.
    pub address: &'p str,
    /// The default gateway.
    pub gateway: &'p str,
}

impl Plug<'_> {
    /// The name of the pair's end on the node.
    pub fn host_end(&self) -> String {
        format!("h_{}", self.port)
    }
}

impl Node<'_> {
    /// Makes the pod's interface, gives it to the integration bridge and waits until its flows are installed. The logical
    /// switch port has to exist.
    ///
    /// # Panics
    /// When the kernel, Open vSwitch or OVN does not do it.
    #[track_caller]
    pub fn plug(&self, pod: &Netns, plug: &Plug<'_>) {
        let Plug { port, mac, address, gateway } = plug;
        let host = plug.host_end();
        self.netns()
            .must(&format!("ip link add {host} mtu {MTU} type veth peer name eth0 netns {}", pod.name()));
        self.netns().must(&format!("ip link set {host} up"));
        pod.must(&format!("ip link set eth0 address {mac} mtu {MTU} up"));
        pod.must(&format!("ip addr add {address} dev eth0"));
        pod.must(&format!("ip route add default via {gateway}"));
        // The datapath passes on frames whose checksum nobody has filled in, and the receiver drops them.
        pod.must("ethtool -K eth0 tx off");
        let ids = format!("external_ids:iface-id={port}");
        self.vsctl(&["add-port", INTEGRATION, &host, "--", "set", "Interface", &host, &ids]);
        self.await_installed(&host);
    }

    /// Takes the pod's interface away from the bridge and the kernel.
    ///
    /// # Panics
    /// When it is not there.
    #[track_caller]
    pub fn unplug(&self, plug: &Plug<'_>) {
        let host = plug.host_end();
        self.vsctl(&["del-port", INTEGRATION, &host]);
        self.netns().must(&format!("ip link del {host}"));
    }
}
