//! What the ledger is told of the Subnets: their addresses, and where each address is unique. Pure.

use daemon_api::Provider;
use ipam::Family;
use ipnet::IpNet;

use super::claim::{Segment, Served};
use crate::resources::{Index, check};

/// The subnets that can be meant; the others were reported when their file was read.
pub fn of(index: &Index) -> Vec<Served> {
    index.subnets().filter_map(|subnet| served(subnet)).collect()
}

fn served(subnet: &crds::Subnet) -> Option<Served> {
    let provider = Provider::new(subnet.spec.provider()).ok()?;
    let vpc = subnet.spec.vpc.as_str();
    let segment = if provider.is_ovn() {
        format!("vpc/{}", if vpc.is_empty() { crds::vpc::DEFAULT_VPC } else { vpc })
    } else {
        format!("provider/{provider}")
    };
    Some(Served { spec: check::addresses(subnet).ok()?, segment: Segment(segment) })
}

/// Names of two subnets of one segment that share addresses, each pair once.
pub fn overlaps(all: &[Served]) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    for (nth, one) in all.iter().enumerate() {
        let others = all[..nth].iter().filter(|other| overlap(one, other));
        pairs.extend(others.map(|other| (one.spec.name(), other.spec.name())));
    }
    pairs
}

fn overlap(one: &Served, other: &Served) -> bool {
    let (ours, theirs) = (one.spec.cidrs(), other.spec.cidrs());
    let meet = |(family, net): (Family, &IpNet)| {
        theirs.get(family).is_some_and(|their| their.contains(net) || net.contains(their))
    };
    one.segment == other.segment && ours.iter().any(meet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(name: &str, provider: &str, vpc: &str, cidr: &str) -> crds::Subnet {
        let spec = crds::SubnetSpec {
            provider: provider.into(),
            vpc: vpc.into(),
            cidr_block: cidr.into(),
            ..crds::SubnetSpec::default()
        };
        crds::Subnet::new(name, spec)
    }

    #[test]
    fn a_segment_is_a_vpc_or_the_network_behind_a_provider() {
        let segment = |provider, vpc| served(&subnet("s", provider, vpc, "10.0.0.0/24")).unwrap().segment.0;

        assert_eq!(segment("", ""), "vpc/ovn-cluster");
        assert_eq!(segment("nad.ns.ovn", "tenant"), "vpc/tenant");
        assert_eq!(segment("nad.ns", "tenant"), "provider/nad.ns");
        assert_eq!(served(&subnet("s", "nad.ns", "", "no cidr")), None);
    }

    #[test]
    fn only_subnets_of_one_segment_overlap() {
        let all: Vec<Served> = [
            subnet("a", "x.ns", "", "10.0.0.0/16"),
            subnet("b", "x.ns", "", "10.0.1.0/24"),
            subnet("c", "y.ns", "", "10.0.1.0/24"),
            subnet("d", "x.ns", "", "10.1.0.0/24"),
        ]
        .iter()
        .filter_map(served)
        .collect();

        assert_eq!(overlaps(&all), [("b", "a")]);
    }
}
