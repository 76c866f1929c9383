//! Names of rows and interfaces, the same as upstream's, so that people's habits and tools keep working.
//!
//! A router is called as its `Vpc`, a switch as its `Subnet`. Names that are put together collide by construction
//! (`a-b` + `c` and `a` + `b-c`): [`NameIndex`] tells.

mod clash;
mod host;

pub use clash::{NameClash, NameIndex, Use};
pub use host::host_name;

/// The provider of a pod's own network; its ports carry no provider in their name.
pub const DEFAULT_PROVIDER: &str = "ovn";

/// The router's end of the link between a router and a switch: `<router>-<switch>`.
pub fn router_port(router: &str, switch: &str) -> String {
    format!("{router}-{switch}")
}

/// The switch's end of the link between a router and a switch: `<switch>-<router>`.
pub fn switch_port(switch: &str, router: &str) -> String {
    format!("{switch}-{router}")
}

/// The port by which `router` is linked to the router `remote` of another VPC: `<router>-<remote>`.
pub fn peer_port(router: &str, remote: &str) -> String {
    format!("{router}-{remote}")
}

/// The port of a switch to the physical network: `localnet.<switch>`.
pub fn localnet_port(switch: &str) -> String {
    format!("localnet.{switch}")
}

/// A pod's switch port, also `iface-id` of its interface and name of its `IP` object: `<pod>.<namespace>`, followed by
/// `.<provider>` when that is not the default one.
///
/// `provider` may end in `.<interface>` when a pod is attached to one network several times.
pub fn pod_port(pod: &str, namespace: &str, provider: &str) -> String {
    if provider.is_empty() || provider == DEFAULT_PROVIDER {
        format!("{pod}.{namespace}")
    } else {
        format!("{pod}.{namespace}.{provider}")
    }
}

/// A pod's switch port when its pod is attached to the network `provider` several times: [`pod_port`] followed by
/// `.<interface>`.
pub fn pod_interface_port(pod: &str, namespace: &str, provider: &str, interface: &str) -> String {
    format!("{}.{interface}", pod_port(pod, namespace, provider))
}

/// A protocol that load balancers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        }
    }
}

/// A load balancer of a VPC: `vpc-<vpc>-<protocol>-load`, with session affinity `vpc-<vpc>-<protocol>-sess-load`.
pub fn load_balancer(vpc: &str, protocol: Protocol, affinity: bool) -> String {
    let session = if affinity { "sess-" } else { "" };
    format!("vpc-{vpc}-{}-{session}load", protocol.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ends_of_a_link_are_named_crosswise() {
        assert_eq!(router_port("test-vpc-1", "net1"), "test-vpc-1-net1");
        assert_eq!(switch_port("net1", "test-vpc-1"), "net1-test-vpc-1");
    }

    #[test]
    fn a_pod_port_names_its_provider_unless_it_is_the_default_one() {
        assert_eq!(pod_port("web1", "ns1", "ovn"), "web1.ns1");
        assert_eq!(pod_port("web1", "ns1", ""), "web1.ns1");
        assert_eq!(pod_port("two1", "ns1", "att1.ns1.ovn"), "two1.ns1.att1.ns1.ovn");
        assert_eq!(pod_interface_port("dup1", "ns1", "att1.ns1.ovn", "net1"), "dup1.ns1.att1.ns1.ovn.net1");
    }

    #[test]
    fn load_balancers_are_named_as_upstream_names_them() {
        assert_eq!(load_balancer("test-vpc-1", Protocol::Tcp, true), "vpc-test-vpc-1-tcp-sess-load");
        assert_eq!(load_balancer("test-vpc-2", Protocol::Sctp, false), "vpc-test-vpc-2-sctp-load");
    }
}
