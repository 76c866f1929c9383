//! What the node's Open vSwitch says about itself: the bridge, the datapath, the tunnels, and the numbers of its
//! configurations. Pure.

use std::net::IpAddr;

use daemon_api::{Fault, FaultKind};
use ovn::cell::Found;
use ovn::vswitch::{Local, LocalTable, OpenVSwitch, next_configuration};
use ovsdb::op::Operation;
use ovsdb::view::View;

/// MTU of a network that nothing is known of (RFC 894).
const ETHERNET: u32 = 1500;
/// The largest MTU of a veth.
const LARGEST: u32 = 65535;

/// The node's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// The chassis name that ovn-controller registers.
    pub chassis: Option<String>,
    /// The bridge that pods are plugged into.
    pub bridge: String,
    /// Packets are forwarded in user space, not by the kernel.
    pub is_in_user_space: bool,
    /// Where tunnels end, when there are any.
    pub encap_ip: Option<IpAddr>,
    /// Bytes that a tunnel adds to a packet.
    pub encap_overhead: u32,
}

impl NodeSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`FaultKind::NotSupportedHere`] when the integration bridge is missing.
    pub fn of(local: &Local) -> Result<Self, Fault> {
        let found = local.settings();
        let Some((_, bridge)) = local.bridge(&found.integration_bridge) else {
            return Err(Fault::new(
                FaultKind::NotSupportedHere,
                format!("the node's Open vSwitch has no bridge {}", found.integration_bridge),
            )
            .hint("ovn-controller makes the integration bridge; see whether it runs on this node"));
        };
        let encap_ip = found.encap_ips.first().and_then(|ip| ip.parse().ok());
        Ok(Self {
            chassis: found.system_id.clone(),
            bridge: bridge.name.clone(),
            is_in_user_space: bridge.is_in_user_space(),
            encap_ip,
            encap_overhead: overhead(&found.encap_types, encap_ip),
        })
    }

    /// The largest packet of a pod that fits into a tunnel over a link of `link_mtu` bytes, upstream's figures.
    pub fn pod_mtu(&self, link_mtu: Option<u32>) -> u32 {
        link_mtu.unwrap_or(ETHERNET).saturating_sub(self.encap_overhead).min(LARGEST)
    }
}

/// The most that any of the tunnels adds.
fn overhead(types: &[String], encap_ip: Option<IpAddr>) -> u32 {
    let of = |kind: &str| match kind {
        "vxlan" => 50,
        "stt" => 72,
        _ => 100,
    };
    let most = types.iter().map(|kind| of(kind)).max().unwrap_or_else(|| of("geneve"));
    // An IPv6 header is 20 bytes longer than the IPv4 one that is counted.
    most + if encap_ip.is_some_and(|ip| ip.is_ipv6()) { 20 } else { 0 }
}

/// The numbers of the configurations that are wanted and carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// The one that is wanted.
    pub next: i64,
    /// The one that ovs-vswitchd has carried out.
    pub current: i64,
}

/// The numbers as they are.
pub fn numbers(local: &Local) -> Numbers {
    let OpenVSwitch { next_cfg, cur_cfg, .. } = local.settings();
    Numbers { next: next_cfg, current: cur_cfg }
}

/// Whether ovs-vswitchd has carried this configuration out.
pub fn has_reached(view: &View, number: i64) -> bool {
    let rows = view.rows(LocalTable::OpenVSwitch.name());
    rows.iter().any(|(_, row)| OpenVSwitch::read(Found(row)).cur_cfg >= number)
}

/// The same operations with a number, when there are any.
pub fn numbered(mut operations: Vec<Operation>) -> Vec<Operation> {
    if !operations.is_empty() {
        operations.push(next_configuration());
    }
    operations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(types: &[&str], ip: &str) -> NodeSettings {
        let types: Vec<String> = types.iter().map(|t| (*t).to_owned()).collect();
        let encap_ip = ip.parse().ok();
        NodeSettings {
            chassis: None,
            bridge: "br-int".into(),
            is_in_user_space: true,
            encap_ip,
            encap_overhead: overhead(&types, encap_ip),
        }
    }

    #[test]
    fn a_pods_packet_fits_into_the_widest_tunnel() {
        assert_eq!(settings(&["geneve"], "172.16.0.1").pod_mtu(Some(1500)), 1400);
        assert_eq!(settings(&["vxlan"], "172.16.0.1").pod_mtu(Some(1500)), 1450);
        assert_eq!(settings(&["vxlan", "geneve"], "172.16.0.1").pod_mtu(Some(9000)), 8900);
        assert_eq!(settings(&[], "fd00::1").pod_mtu(Some(1500)), 1380);
    }

    #[test]
    fn without_a_tunnel_interface_the_network_is_ethernet() {
        assert_eq!(settings(&["geneve"], "").pod_mtu(None), 1400);
        assert_eq!(settings(&["geneve"], "172.16.0.1").pod_mtu(Some(1_000_000)), 65535);
    }
}
