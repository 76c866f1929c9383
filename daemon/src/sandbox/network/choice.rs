//! Which subnet: by annotation, by provider, by namespace. And may the namespace use it.

use std::sync::Arc;

use crds::vpc::DEFAULT_VPC;
use crds::{Key, PodAnnotations, Subnet};
use daemon_api::{Fault, FaultKind, PodRef, Provider};

use crate::resources::Index;
use crate::sandbox::attachment::Attachment;

/// Chooses the subnet of an attachment.
///
/// Order: the annotation `logical_switch`; then, of the provider's subnets, the first by name that lists the pod's
/// namespace; then the default one; then the first that lists no namespace.
///
/// # Errors
/// [`FaultKind::UnknownProvider`], [`FaultKind::UnknownSubnet`], [`FaultKind::NotAdmitted`].
pub(super) fn subnet<'a>(
    index: &'a Index,
    annotations: &PodAnnotations<'_>,
    attachment: &Attachment,
    pod: &PodRef,
) -> Result<&'a Subnet, Fault> {
    let provider = &attachment.provider;
    // The index is ordered by name.
    let candidates = of_provider(index, provider, attachment.interface.as_str());
    if let Some(found) = annotations.found(Key::LogicalSwitch) {
        return named(index, &candidates, found.key, found.value, provider, pod);
    }
    if candidates.is_empty() {
        return Err(unknown_provider(index, provider));
    }
    let lists = |s: &&&Subnet| s.spec.namespaces.contains(&pod.namespace) && admits(index, s, pod);
    let open = |s: &&&Subnet| s.spec.namespaces.is_empty() && admits(index, s, pod);
    candidates
        .iter()
        .find(lists)
        .or_else(|| candidates.iter().filter(open).find(|s| s.spec.default))
        .or_else(|| candidates.iter().find(open))
        .copied()
        .ok_or_else(|| {
            let ways: Vec<String> = candidates.iter().map(|s| who_refuses(index, s, pod)).collect();
            not_admitted(format!("no subnet of provider {provider} admits namespace {}", pod.namespace))
                .hint(format!("one of: {}", ways.join("; ")))
        })
}

/// Upstream lets a provider carry the interface's name behind it: one NAD several times in one pod.
fn of_provider<'a>(index: &'a Index, provider: &Provider, interface: &str) -> Vec<&'a Subnet> {
    let of =
        |provider: &str| index.subnets().map(Arc::as_ref).filter(|s| s.spec.provider() == provider).collect();
    let exact: Vec<&Subnet> = of(provider.as_str());
    let plain = provider.as_str().strip_suffix(interface).and_then(|p| p.strip_suffix('.'));
    match plain.filter(|_| exact.is_empty()) {
        Some(plain) => of(plain),
        None => exact,
    }
}

fn named<'a>(
    index: &'a Index,
    candidates: &[&'a Subnet],
    key: &str,
    name: &str,
    provider: &Provider,
    pod: &PodRef,
) -> Result<&'a Subnet, Fault> {
    let Some(subnet) = index.subnet(name) else {
        let names: Vec<&str> = candidates.iter().map(|s| s.name()).collect();
        return Err(Fault::new(
            FaultKind::UnknownSubnet,
            format!("annotation {key}: there is no subnet {name}"),
        )
        .hint(format!("subnets of provider {provider}: {}", list(&names))));
    };
    let is_of_provider = candidates.iter().any(|s| s.name() == name);
    // The default network's subnets may be lent to an OVN attachment, never to one that only gets addresses.
    let is_lent = provider.is_ovn() && subnet.spec.provider() == Provider::OVN;
    if !is_of_provider && !is_lent {
        return Err(Fault::new(
            FaultKind::NotAdmitted,
            format!(
                "annotation {key}: subnet {name} belongs to provider {}, the network's is {provider}",
                subnet.spec.provider()
            ),
        )
        .hint("name a subnet of the network's own provider"));
    }
    if !admits(index, subnet, pod) {
        return Err(not_admitted(format!(
            "annotation {key}: namespace {} may not use subnet {name}",
            pod.namespace
        ))
        .hint(format!("{}, or choose another subnet", who_refuses(index, subnet, pod))));
    }
    Ok(subnet)
}

/// `namespaces` of the subnet and of its VPC.
fn admits(index: &Index, subnet: &Subnet, pod: &PodRef) -> bool {
    subnet.spec.admits(&pod.namespace) && vpc_admits(index, subnet, pod)
}

/// A VPC that cannot be read admits nobody: nobody knows whom it would.
fn vpc_admits(index: &Index, subnet: &Subnet, pod: &PodRef) -> bool {
    let name = subnet.spec.vpc.as_str();
    match index.vpc(name) {
        Some(vpc) => vpc.spec.namespaces.is_empty() || vpc.spec.namespaces.contains(&pod.namespace),
        None => name.is_empty() || name == DEFAULT_VPC,
    }
}

/// What to change so that the namespace is admitted.
fn who_refuses(index: &Index, subnet: &Subnet, pod: &PodRef) -> String {
    let (name, vpc) = (subnet.name(), &subnet.spec.vpc);
    match (subnet.spec.admits(&pod.namespace), index.vpc(vpc)) {
        (true, None) => format!("define Vpc {vpc} of subnet {name}, or mend its file"),
        (true, Some(_)) => format!("add the namespace to spec.namespaces of Vpc {vpc}"),
        (false, _) if vpc_admits(index, subnet, pod) => {
            format!("add the namespace to spec.namespaces of Subnet {name}")
        }
        (false, _) => format!("add the namespace to spec.namespaces of Subnet {name} and of its Vpc {vpc}"),
    }
}

fn not_admitted(text: String) -> Fault {
    Fault::new(FaultKind::NotAdmitted, text)
}

fn unknown_provider(index: &Index, provider: &Provider) -> Fault {
    let mut known: Vec<&str> = index.subnets().map(|s| s.spec.provider()).collect();
    known.sort_unstable();
    known.dedup();
    Fault::new(FaultKind::UnknownProvider, format!("provider {provider} is not bound to any subnet")).hint(format!(
        "create a Subnet with spec.provider: {provider}, or correct \"provider\" in the network configuration; \
         known providers: {}",
        list(&known)
    ))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
