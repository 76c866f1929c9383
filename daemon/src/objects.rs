//! The objects people read: what the resource files say, with the status that the ledger gives them. Nothing here is
//! kept; every answer is computed from the one ledger.

use std::net::IpAddr;

use crds::condition::{READY, VALIDATED};
use crds::{
    Condition, Counter, Ip, IpSpec, List, Subnet, SubnetSpec, SubnetStatus, VpcSpec, VpcStatus, annotation,
};
use ipam::{DualStack, Usage, Workload};

use crate::ledger::{Claim, Ledger};
use crate::metrics::Metrics;
use crate::sandbox::Sandboxes;

/// Every subnet.
pub fn subnets<L: Ledger>(all: &Sandboxes<L>) -> List<SubnetSpec> {
    let snapshot = all.snapshot();
    let items = snapshot.index.subnets().map(|subnet| {
        let usage = all.ledger.look(|book| book.subnet(subnet.name()).map(ipam::Subnet::usage));
        Subnet { status: subnet_status(subnet, usage), ..Subnet::clone(subnet) }
    });
    List { items: items.collect() }
}

fn subnet_status(subnet: &Subnet, usage: Option<DualStack<Usage>>) -> SubnetStatus {
    let served = usage.is_some();
    let usage = usage.unwrap_or_default();
    let (v4, v6) = (usage.v4.unwrap_or_default(), usage.v6.unwrap_or_default());
    let unread = subnet.unread();
    let conditions = vec![
        Condition::new(VALIDATED, served, if served { "Valid" } else { "Invalid" }, ""),
        match (served, unread.is_empty()) {
            (true, true) => Condition::new(READY, true, "AddressesServed", ""),
            (true, false) => Condition::new(
                READY,
                true,
                "AddressesServed",
                &format!("no effect here: {}", unread.join(", ")),
            ),
            (false, _) => Condition::new(READY, false, "NotServed", "see the daemon's log for file and line"),
        },
    ];
    SubnetStatus {
        conditions,
        v4_available_ips: Counter(v4.available),
        v4_available_ip_range: v4.available_ranges,
        v4_using_ips: Counter(v4.using),
        v4_using_ip_range: v4.using_ranges,
        v6_available_ips: Counter(v6.available),
        v6_available_ip_range: v6.available_ranges,
        v6_using_ips: Counter(v6.using),
        v6_using_ip_range: v6.using_ranges,
        ..SubnetStatus::default()
    }
}

/// Every VPC, with the subnets that name it.
pub fn vpcs<L: Ledger>(all: &Sandboxes<L>) -> List<VpcSpec> {
    let snapshot = all.snapshot();
    let items = snapshot.index.vpcs().map(|vpc| {
        let members = snapshot.index.subnets().filter(|s| s.spec.vpc == vpc.name());
        let status =
            VpcStatus { subnets: members.map(|s| s.name().to_owned()).collect(), ..vpc.status.clone() };
        crds::Vpc { status, ..crds::Vpc::clone(vpc) }
    });
    List { items: items.collect() }
}

/// Every claim, as upstream's `IP`.
pub fn ips<L: Ledger>(all: &Sandboxes<L>) -> List<IpSpec> {
    let node = all.metrics.node_name().to_owned();
    let mut claims: Vec<Claim> = all.ledger.look(|book| book.claims().cloned().collect());
    claims.sort_by(|a, b| (&a.subnet, &a.addresses).cmp(&(&b.subnet, &b.addresses)));
    List { items: claims.iter().map(|claim| ip(claim, &node)).collect() }
}

fn ip(claim: &Claim, node: &str) -> Ip {
    let of = |is_v4: bool| {
        let found = claim.addresses.iter().find(|ip| ip.is_ipv4() == is_v4);
        found.map_or_else(String::new, IpAddr::to_string)
    };
    let mut object = Ip::new(
        ip_name(claim),
        IpSpec {
            pod_name: claim.owner.pod.name.clone(),
            namespace: claim.owner.pod.namespace.clone(),
            subnet: claim.subnet.clone(),
            node_name: claim.sandbox.as_ref().map_or_else(String::new, |_| node.to_owned()),
            ip_address: claim.addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(","),
            v4_ip_address: of(true),
            v6_ip_address: of(false),
            mac_address: claim.mac.map_or_else(String::new, |mac| mac.to_string()),
            container_id: claim.sandbox.as_ref().map_or_else(String::new, |s| s.container.to_string()),
            pod_type: match claim.workload {
                Workload::Pod => "",
                Workload::StatefulSet { .. } => "StatefulSet",
                Workload::VirtualMachine => "VirtualMachine",
            }
            .to_owned(),
            ..IpSpec::default()
        },
    );
    object.meta.labels.insert(annotation::LABEL_SUBNET.to_owned(), claim.subnet.clone());
    object.meta.labels.insert(annotation::LABEL_NODE_NAME.to_owned(), node.to_owned());
    object
}

/// `pod.namespace`, for other providers than `ovn` `pod.namespace.provider`, and the interface behind it when it is
/// not the pod's first (upstream's names).
fn ip_name(claim: &Claim) -> String {
    let owner = &claim.owner;
    let mut name = format!("{}.{}", owner.pod.name, owner.pod.namespace);
    if owner.provider.as_str() != daemon_api::Provider::OVN {
        name.push_str(&format!(".{}", owner.provider));
    }
    if owner.interface.as_str() != "eth0" {
        name.push_str(&format!(".{}", owner.interface));
    }
    name
}

/// Brings the gauges of the subnets up to date.
pub fn measure<L: Ledger>(all: &Sandboxes<L>, metrics: &Metrics) {
    metrics.clear_subnets();
    let snapshot = all.snapshot();
    metrics.resource_problems.set(i64::try_from(snapshot.problems.len()).unwrap_or(i64::MAX));
    metrics.pending.set(i64::try_from(all.pending.count()).unwrap_or(i64::MAX));
    all.ledger.look(|book| {
        for subnet in snapshot.index.subnets().filter_map(|s| book.subnet(s.name())) {
            for (family, counts) in subnet.counts().iter() {
                let cidr = subnet.spec().cidrs().get(family).map_or_else(String::new, ToString::to_string);
                let protocol = match family {
                    ipam::Family::V4 => "IPv4",
                    ipam::Family::V6 => "IPv6",
                };
                metrics.subnet(subnet.spec().name(), protocol, &cidr, counts.using, counts.available);
            }
        }
    });
}
