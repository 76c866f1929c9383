//! What of a claim the kubelet probes. Pure.

use crds::vpc::DEFAULT_VPC;
use daemon_api::PodRef;
use tproxy::{HostSide, Pod, PodKey};

use crate::ledger::{Claim, Link};
use crate::sandbox::plan;

/// The interface whose addresses the kubelet knows.
const PRIMARY: &str = "eth0";

/// Which pod.
pub fn key(pod: &PodRef) -> PodKey {
    PodKey::new(&pod.namespace, &pod.name)
}

/// The VPC of a claim; `None` for the default one, whose pods the node reaches by itself, and for other networks.
pub fn custom_vpc(claim: &Claim) -> Option<&str> {
    claim.segment.0.strip_prefix("vpc/").filter(|vpc| *vpc != DEFAULT_VPC)
}

/// Whether probes are carried into the claim's pod: its primary interface is a veth in a custom VPC, and a port is probed.
pub fn is_probed(claim: &Claim) -> bool {
    claim.link == Link::Veth
        && claim.sandbox.is_some()
        && claim.owner.interface.as_str() == PRIMARY
        && custom_vpc(claim).is_some()
        && !claim.port.probe_ports.is_empty()
}

/// The host's end of the claim's veth.
pub fn device(claim: &Claim) -> Option<String> {
    let sandbox = claim.sandbox.as_ref()?;
    Some(plan::host_name(&sandbox.container, &claim.owner.interface))
}

/// The pod as the carrier is told of it, with the index of its device.
pub fn pod(claim: &Claim, index: u32) -> Option<Pod> {
    if !is_probed(claim) {
        return None;
    }
    Some(Pod {
        key: key(&claim.owner.pod),
        vpc: custom_vpc(claim)?.to_owned(),
        host_side: HostSide::new(&device(claim)?, index).ok()?,
        mac: claim.mac?.0,
        addresses: claim.addresses.iter().copied().collect(),
        ports: claim.port.probe_ports.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use daemon_api::{ContainerId, IfName, NetnsPath, Provider};
    use ipam::Workload;

    use super::*;
    use crate::ledger::{ClaimId, Owner, PortTraits, Sandbox, Segment};

    fn claim(vpc: &str, interface: &str, ports: &[u16]) -> Claim {
        Claim {
            id: ClaimId(1),
            owner: Owner {
                pod: PodRef::new("ns", "web").unwrap(),
                uid: String::new(),
                provider: Provider::new("").unwrap(),
                interface: IfName::new(interface).unwrap(),
            },
            workload: Workload::Pod,
            sandbox: Some(Sandbox {
                container: ContainerId::new("84449a466cca0f5e").unwrap(),
                netns: NetnsPath::new("/run/netns/p").unwrap(),
                netns_id: (4, 1),
            }),
            network: String::new(),
            subnet: "net1".into(),
            segment: Segment(format!("vpc/{vpc}")),
            addresses: vec!["10.0.1.2".parse().unwrap(), "fd00::2".parse().unwrap()],
            mac: Some("02:00:00:00:00:01".parse().unwrap()),
            link: Link::Veth,
            port: PortTraits { probe_ports: ports.iter().copied().collect(), ..PortTraits::default() },
            revision: 1,
            since: 0,
        }
    }

    #[test]
    fn a_pod_is_told_with_its_device_addresses_and_ports() {
        let pod = pod(&claim("a", "eth0", &[80]), 7).unwrap();

        assert_eq!((pod.key.to_string().as_str(), pod.vpc.as_str()), ("ns/web", "a"));
        assert_eq!((pod.host_side.name().as_str(), pod.host_side.index()), ("84449a466cca_h", 7));
        assert_eq!((pod.addresses.len(), pod.ports), (2, BTreeSet::from([80])));
    }

    #[test]
    fn only_probed_ports_of_primary_interfaces_in_custom_vpcs_count() {
        assert!(is_probed(&claim("a", "eth0", &[80])));
        for other in [claim("a", "eth0", &[]), claim("a", "net1", &[80]), claim(DEFAULT_VPC, "eth0", &[80])] {
            assert!(!is_probed(&other), "{other:?}");
        }
        let parked = Claim { sandbox: None, ..claim("a", "eth0", &[80]) };
        assert!(!is_probed(&parked) && pod(&parked, 7).is_none());
    }
}
