//! The objects people read: what the resource files say, with the status that the ledger gives them. Nothing here is
//! kept; every answer is computed from the one ledger.

mod status;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crds::{Counter, Ip, IpSpec, List, Subnet, SubnetSpec, SubnetStatus, Vpc, VpcSpec, annotation};
use ipam::{DualStack, Usage, Workload};

use crate::ledger::{Claim, Ledger};
use crate::metrics::Metrics;
use crate::resources::files::Refused;
use crate::sandbox::Sandboxes;
use status::Known;

/// Every subnet: those in effect, those whose file is gone while pods use them, and those that cannot be meant.
pub fn subnets<L: Ledger>(all: &Sandboxes<L>) -> List<SubnetSpec> {
    let snapshot = all.snapshot();
    let outage = all.northbound.outage();
    let items = all.northbound.look(|model| {
        let known = Known { model, outage: outage.as_deref() };
        let mut items: Vec<Subnet> = snapshot.index.subnets().map(|s| with_status(all, &known, s)).collect();
        let departing = model.into_iter().flat_map(|model| model.facts().subnets.values());
        let departing = departing.filter(|subnet| snapshot.index.subnet(subnet.name()).is_none());
        items.extend(departing.map(|subnet| with_status(all, &known, subnet)));
        items
    });
    List { items: with_refused(items, &snapshot.refused) }
}

fn with_status<L: Ledger>(all: &Sandboxes<L>, known: &Known<'_>, subnet: &Subnet) -> Subnet {
    let usage = all.ledger.look(|book| book.subnet(subnet.name()).map(ipam::Subnet::usage));
    let is_served = usage.is_some();
    let status = known.subnet(subnet, is_served, counters(usage.unwrap_or_default()));
    Subnet { status, ..subnet.clone() }
}

fn counters(usage: DualStack<Usage>) -> SubnetStatus {
    let (v4, v6) = (usage.v4.unwrap_or_default(), usage.v6.unwrap_or_default());
    SubnetStatus {
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

fn with_refused(mut items: Vec<Subnet>, refused: &[Refused]) -> Vec<Subnet> {
    for refused in refused {
        match items.iter_mut().find(|subnet| subnet.name() == refused.subnet.name()) {
            Some(in_effect) => status::outdated(&mut in_effect.status, refused),
            None => items.push(Subnet { status: status::refused(refused), ..Subnet::clone(&refused.subnet) }),
        }
    }
    items.sort_by(|a, b| a.name().cmp(b.name()));
    items
}

/// Every VPC: those in effect, those whose file is gone while they have subnets, and the default one when it is used.
pub fn vpcs<L: Ledger>(all: &Sandboxes<L>) -> List<VpcSpec> {
    let snapshot = all.snapshot();
    let outage = all.northbound.outage();
    let items = all.northbound.look(|model| {
        let known = Known { model, outage: outage.as_deref() };
        let mut vpcs: BTreeMap<String, Arc<Vpc>> =
            snapshot.index.vpcs().map(|vpc| (vpc.name().to_owned(), vpc.clone())).collect();
        if let Some(model) = model {
            for vpc in model.facts().vpcs.values() {
                vpcs.entry(vpc.name().to_owned()).or_insert_with(|| vpc.clone());
            }
            for name in model.survey().vpcs.keys() {
                vpcs.entry(name.clone()).or_insert_with(|| Arc::new(Vpc::new(&**name, VpcSpec::default())));
            }
        }
        let members = |name: &str| {
            let members = snapshot.index.subnets().filter(|s| s.spec.vpc == name);
            members.map(|subnet| subnet.name().to_owned()).collect()
        };
        let item = |vpc: &Arc<Vpc>| Vpc { status: known.vpc(vpc, members(vpc.name())), ..Vpc::clone(vpc) };
        vpcs.values().map(item).collect()
    });
    List { items }
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
    if let Some(carrier) = all.probes.carrier() {
        metrics.probes.measure(carrier);
    }
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
