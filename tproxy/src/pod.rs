//! What a pod needs inside so that its answers leave at all: without a default route on the probed interface, or with a
//! gateway that resolves nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink::{Family, Mac, RouteSpec};

use crate::plan::{PROBE_MAC, ProbeAddresses};

/// One family's needs, on the pod's interface in the VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodRoute {
    /// The route to the probe address alone, directly on the interface.
    pub route: RouteSpec,
    /// The probe address, to be a permanent neighbour …
    pub neighbour: IpAddr,
    /// … with this hardware address. Any would do: the answer is caught on the node, and gets its destination there.
    pub mac: Mac,
}

/// What a pod with these addresses needs, per family that it has and that is carried.
pub fn pod_routes(probe: &ProbeAddresses, addresses: &BTreeSet<IpAddr>) -> Vec<PodRoute> {
    let of_pod = |family: &Family| addresses.iter().any(|ip| Family::of(*ip) == *family);
    let probes = probe.families().filter(of_pod).filter_map(|family| probe.of(family));
    probes
        .map(|ip| PodRoute { route: RouteSpec::to(IpNet::from(ip)), neighbour: ip, mac: PROBE_MAC })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_gets_a_host_route_for_each_family_that_it_has_and_that_is_carried() {
        let probe = ProbeAddresses { v4: Some([100, 64, 0, 9].into()), v6: None };
        let both = ["10.0.1.5".parse().unwrap(), "fd00::5".parse().unwrap()].into();

        let routes = pod_routes(&probe, &both);

        assert_eq!(routes.len(), 1);
        assert_eq!(routes[0].route.dst.to_string(), "100.64.0.9/32");
        assert_eq!(routes[0].neighbour.to_string(), "100.64.0.9");
        assert_eq!(pod_routes(&probe, &["fd00::5".parse().unwrap()].into()), []);
    }
}
