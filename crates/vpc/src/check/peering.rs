//! The links of a `Vpc` to others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crds::{Vpc, VpcPeering};
use ipnet::IpNet;

use crate::checked::{CheckedPeering, CheckedVpc};
use crate::finding::{Effect, Fault, Findings, Reason};
use crate::net::{items, overlap};

/// Reads the peerings of `vpc`, whose subnets are already there.
///
/// Each side plans its own port from its own spec, so that a broken Vpc takes nothing from its neighbour.
pub(super) fn peerings(
    written: &[VpcPeering],
    vpc: &CheckedVpc,
    vpcs: &BTreeMap<String, Arc<Vpc>>,
    findings: &mut Findings,
) -> Vec<CheckedPeering> {
    let mut accepted: Vec<CheckedPeering> = Vec::new();
    for peering in written {
        let what = format!("vpcPeerings {}", peering.remote_vpc);
        let Some(read) = findings.keep(peering_of(peering, vpc).map_err(|fault| fault.about(&what))) else {
            continue;
        };
        if accepted.iter().any(|other| other.remote == read.remote) {
            let message = format!("{what}: a peering with this Vpc stands before it and stays; remove one");
            findings.add(Effect::PartLeftOut, Fault::new(Reason::Duplicate, message));
            continue;
        }
        if let Some(message) = one_sided(&read, &vpc.name, vpcs) {
            findings.note(Reason::PeeringOneSided, format!("{what}: {message}"));
        }
        accepted.push(read);
    }
    accepted.sort();
    accepted
}

fn peering_of(written: &VpcPeering, vpc: &CheckedVpc) -> Result<CheckedPeering, Fault> {
    let bad = |message: String| Fault::new(Reason::InvalidPeering, message);
    let remote = written.remote_vpc.trim();
    if remote.is_empty() || remote == vpc.name {
        return Err(bad("remoteVpc must name another Vpc".to_owned()));
    }
    let mut networks = Vec::new();
    for text in items(&written.local_connect_ip) {
        let network = network(text).ok_or_else(|| {
            bad(format!(
                "localConnectIP {text:?} is not an address with its prefix length; write it as 169.254.0.1/30"
            ))
        })?;
        if let Some((own, port)) = vpc.networks().find(|(own, _)| overlap(&own.trunc(), &network.trunc())) {
            return Err(bad(format!(
                "localConnectIP {network} overlaps {own} of port {port}; choose another range"
            )));
        }
        networks.push(network);
    }
    if networks.is_empty() {
        return Err(bad("localConnectIP is missing; write this side's address as 169.254.0.1/30".to_owned()));
    }
    networks.sort();
    networks.dedup();
    Ok(CheckedPeering { remote: remote.to_owned(), networks })
}

/// A host's address with its prefix length.
fn network(text: &str) -> Option<IpNet> {
    let network: IpNet = text.parse().ok()?;
    let is_host = network.prefix_len() + 1 >= network.max_prefix_len() || network.addr() != network.network();
    (is_host && network.prefix_len() > 0).then_some(network)
}

/// What is missing at the other end.
fn one_sided(peering: &CheckedPeering, name: &str, vpcs: &BTreeMap<String, Arc<Vpc>>) -> Option<String> {
    let remote = &peering.remote;
    let Some(other) = vpcs.get(remote) else {
        return Some(format!("there is no Vpc {remote}; the link waits for it"));
    };
    let Some(back) = other.spec.vpc_peerings.iter().find(|back| back.remote_vpc.trim() == name) else {
        return Some(format!("Vpc {remote} has no peering with {name}; the link works once it has"));
    };
    let theirs: Vec<IpNet> = items(&back.local_connect_ip).filter_map(network).collect();
    let meets =
        |own: &IpNet| theirs.iter().any(|their| their.trunc() == own.trunc() && their.addr() != own.addr());
    let lonely = peering.networks.iter().find(|own| !meets(own))?;
    Some(format!("Vpc {remote} has no other address in {}; give both ends one", lonely.trunc()))
}
