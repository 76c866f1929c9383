//! Which addresses will do: annotations, the caller's wishes, and what the subnet serves.

use std::net::IpAddr;

use crds::{Key, PodAnnotations};
use daemon_api::{Fault, FaultKind};
use ipam::{DualStack, Request, SubnetSpec, Wish};

use super::asked_mac;
use crate::facts::PodFacts;

/// The wishes to try in order, and whether a person chose an address in them.
///
/// # Errors
/// [`FaultKind::BadAnnotation`] for texts that cannot be read or contradict each other.
pub(super) fn wishes(
    subnet: &SubnetSpec,
    annotations: &PodAnnotations<'_>,
    facts: &PodFacts,
) -> Result<(Vec<Request>, bool), Fault> {
    let pinned = agreed(annotated(annotations)?, facts.asked_addresses, annotations)?;
    let mut request = Request::any_for(subnet);
    if let Some(found) = annotations.found(Key::IpFamily) {
        match found.value.to_ascii_lowercase().as_str() {
            "ipv4" => request.v6 = Wish::None,
            "ipv6" => request.v4 = Wish::None,
            _ => return Err(bad(found.key, found.value, "is neither ipv4 nor ipv6")),
        }
    }
    request.mac = asked_mac(annotations, facts)?;
    if !pinned.is_empty() {
        for (family, &ip) in pinned.iter() {
            request.set(family, Wish::Exactly(ip));
        }
        return Ok((vec![request], true));
    }
    let Some(found) = annotations.found(Key::IpPool) else { return Ok((vec![request], false)) };
    let unusable = |why: String| bad(found.key, found.value, &why).hint(POOL_HINT);
    let items = ipam::parse_ip_pool(found.value).map_err(|e| unusable(e.to_string()))?;
    let wishes = ipam::wishes_from_pool(subnet, &items, facts.workload.ordinal())
        .map_err(|e| unusable(e.to_string()))?
        .into_iter()
        .map(|wish| wish.with_mac(request.mac))
        .collect();
    Ok((wishes, false))
}

const POOL_HINT: &str = "write addresses, ranges a..b or CIDRs of the subnet, separated by ';' (a pair as v4,v6); \
                         the name of an IPPool object needs a cluster";

fn annotated(annotations: &PodAnnotations<'_>) -> Result<DualStack<IpAddr>, Fault> {
    match annotations.found(Key::IpAddress) {
        None => Ok(DualStack { v4: None, v6: None }),
        Some(found) => {
            ipam::parse_ip_address(found.value).map_err(|e| bad(found.key, found.value, &e.to_string()))
        }
    }
}

fn agreed(
    annotated: DualStack<IpAddr>,
    asked: DualStack<IpAddr>,
    annotations: &PodAnnotations<'_>,
) -> Result<DualStack<IpAddr>, Fault> {
    let one = |a: Option<IpAddr>, b: Option<IpAddr>| match (a, b) {
        (Some(a), Some(b)) if a != b => Err(Fault::new(
            FaultKind::BadAnnotation,
            format!("annotation {} says {a}, the runtime asks for {b}", annotations.name(Key::IpAddress)),
        )
        .hint("ask for one of them only")),
        (a, b) => Ok(a.or(b)),
    };
    Ok(DualStack { v4: one(annotated.v4, asked.v4)?, v6: one(annotated.v6, asked.v6)? })
}

fn bad(key: &str, value: &str, why: &str) -> Fault {
    Fault::new(FaultKind::BadAnnotation, format!("annotation {key}: {value:?} {why}"))
        .hint("correct the annotation and create the pod again")
}
