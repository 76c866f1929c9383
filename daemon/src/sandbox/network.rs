//! Facts + resources → [`PodNetwork`]: everything an ADD needs to know, parsed once. Pure.

use std::net::IpAddr;

use crds::{Key, PodAnnotations};
use daemon_api::request::Route;
use daemon_api::{CallContext, Fault, FaultKind, IfName, PodRef, PodRequest};
use ipam::{Mac, Request, SubnetSpec, Workload};
use ipnet::IpNet;

use super::attachment::Attachment;
use super::plan::RouteTo;
use crate::facts::PodFacts;
use crate::ledger::PortTraits;
use crate::resources::{Index, Snapshot, check};

mod addresses;
mod choice;
mod traits;

/// One attachment of one pod, as it is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct PodNetwork {
    /// The subnet, checked.
    pub subnet: SubnetSpec,
    /// Which addresses will do: the first of these that can be had whole.
    pub wishes: Vec<Request>,
    /// A person chose the address, so another one will not do.
    pub is_static: bool,
    /// What kind of workload the pod is part of.
    pub workload: Workload,
    /// Who makes the interface, and how.
    pub form: Form,
    /// The subnet's gateways become default routes of this interface.
    pub has_default_route: bool,
    /// More routes, as they were written: the configuration's, then the annotation's.
    pub route_texts: Vec<Route>,
    /// The same, parsed.
    pub routes: Vec<RouteTo>,
}

/// Who makes the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Another plugin. `master` is its parent interface, when the configuration names one.
    Delegated {
        /// Where to probe for duplicate addresses.
        master: Option<IfName>,
    },
    /// We do, a macvlan.
    Macvlan(Macvlan),
    /// We do, a veth whose host end is a port of OVN.
    Veth(Veth),
}

/// A veth as the Subnet and the pod ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veth {
    /// MTU in bytes; `None` means what fits into the node's tunnels.
    pub mtu: Option<u32>,
    /// What OVN is told of its port.
    pub port: PortTraits,
}

/// A macvlan as the configuration asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Macvlan {
    /// The node's interface.
    pub master: IfName,
    /// How macvlans of one parent see each other.
    pub mode: netlink::MacvlanMode,
    /// MTU in bytes; `None` means the master's.
    pub mtu: Option<u32>,
}

/// Resolves an ADD.
///
/// # Errors
/// A fault that says which fact or resource stands in the way and what to do.
pub fn resolve(
    request: &PodRequest,
    call: &CallContext,
    attachment: &Attachment,
    pod: &PodRef,
    facts: &PodFacts,
    index: &Index,
) -> Result<PodNetwork, Fault> {
    let annotations =
        PodAnnotations::new(&facts.annotations, attachment.provider.as_str(), attachment.interface.as_str());
    for found in annotations.unheeded() {
        tracing::warn!(%pod, annotation = found.key, value = found.value, "nothing here acts on this annotation");
    }
    let chosen = choice::subnet(index, &annotations, attachment, pod)?;
    let subnet = check::addresses(chosen)
        .map_err(|e| Fault::new(FaultKind::UnknownSubnet, format!("use subnet {}: {e}", chosen.name())))?;
    let (wishes, is_static) = addresses::wishes(&subnet, &annotations, facts)?;
    let (route_texts, routes) = routes(request, &annotations)?;
    let form = form(call, attachment, chosen.spec.mtu, &subnet, &annotations)?;
    Ok(PodNetwork {
        has_default_route: match annotations.get(Key::DefaultRoute) {
            Some("true") => true,
            Some("false") => false,
            Some(_) | None => attachment.interface.as_str() == "eth0",
        },
        workload: facts.workload,
        subnet,
        wishes,
        is_static,
        form,
        route_texts,
        routes,
    })
}

/// A provider without a Subnet is most often one whose Subnet cannot be read.
pub fn blame_broken_files(mut fault: Fault, snapshot: &Snapshot) -> Fault {
    let broken = snapshot.problems.iter().find(|problem| problem.is_broken());
    if let Some(problem) = broken.filter(|_| fault.kind == FaultKind::UnknownProvider) {
        let (file, line, what) = (&problem.at.file, problem.at.line, &problem.what);
        fault.hint.push_str(&format!("; but first see {file}:{line}: {what}"));
    }
    fault
}

impl PodNetwork {
    /// The prefix of the subnet that `address` belongs to; `None` for one that the subnet had before it was changed.
    pub fn prefix(&self, address: IpAddr) -> Option<IpNet> {
        self.subnet.cidrs().get(ipam::Family::of(address)).copied().filter(|net| net.contains(&address))
    }

    /// The gateway of the family of `address`.
    pub fn gateway(&self, address: IpAddr) -> Option<IpAddr> {
        self.subnet.gateways().get(ipam::Family::of(address)).copied()
    }
}

fn routes(
    request: &PodRequest,
    annotations: &PodAnnotations<'_>,
) -> Result<(Vec<Route>, Vec<RouteTo>), Fault> {
    let mut texts = request.routes.clone().unwrap_or_default();
    if let Some(found) = annotations.found(Key::Routes) {
        let more: Vec<Route> = serde_json::from_str(found.value).map_err(|e| {
            Fault::new(FaultKind::BadAnnotation, format!("annotation {}: {e}", found.key))
                .hint("write a JSON list like [{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.0.0.1\"}]")
        })?;
        texts.extend(more);
    }
    let parsed = texts.iter().map(route).collect::<Result<_, _>>()?;
    Ok((texts, parsed))
}

fn route(text: &Route) -> Result<RouteTo, Fault> {
    let bad = |what: &str, value: &str| {
        Fault::new(
            FaultKind::BadConfig,
            format!("route {{dst: {:?}, gw: {:?}}}: {what} {value:?}", text.dst, text.gw),
        )
    };
    let gateway: Option<IpAddr> = match text.gw.as_str() {
        "" => None,
        gw => Some(gw.parse().map_err(|_| bad("no IP address:", gw))?),
    };
    let destination: IpNet = match (text.dst.as_str(), gateway) {
        ("", None) => return Err(bad("neither a destination nor a gateway", "")),
        ("", Some(gw)) => RouteTo::everywhere(gw),
        (dst, _) => dst.parse().map_err(|_| bad("no CIDR:", dst))?,
    };
    if gateway.is_some_and(|gw| gw.is_ipv4() != destination.addr().is_ipv4()) {
        return Err(bad("destination and gateway are of different families:", &text.gw));
    }
    Ok(RouteTo { destination: destination.trunc(), gateway })
}

fn form(
    call: &CallContext,
    attachment: &Attachment,
    subnet_mtu: u32,
    subnet: &SubnetSpec,
    annotations: &PodAnnotations<'_>,
) -> Result<Form, Fault> {
    let bad = |text: String| Fault::new(FaultKind::BadConfig, text);
    let conf = call.macvlan.as_ref().filter(|c| !c.master.is_empty());
    let master = conf.map(|c| IfName::new(&c.master)).transpose().map_err(|e| bad(format!("master: {e}")))?;
    if attachment.is_delegated {
        return Ok(Form::Delegated { master });
    }
    let (Some(conf), Some(master)) = (conf, master) else {
        if !attachment.provider.is_ovn() {
            return Err(no_maker(attachment));
        }
        let mtu = mtu(&[subnet_mtu], subnet)?;
        return Ok(Form::Veth(Veth { mtu, port: traits::traits(annotations, &call.tcp_ports)? }));
    };
    let mode = match conf.mode.as_str() {
        "" | "bridge" => netlink::MacvlanMode::Bridge,
        "private" => netlink::MacvlanMode::Private,
        "vepa" => netlink::MacvlanMode::Vepa,
        "passthru" => netlink::MacvlanMode::Passthru,
        other => return Err(bad(format!("mode {other:?} is not one of bridge, private, vepa, passthru"))),
    };
    Ok(Form::Macvlan(Macvlan { master, mode, mtu: mtu(&[conf.mtu, subnet_mtu], subnet)? }))
}

/// The first MTU that is given.
fn mtu(given: &[u32], subnet: &SubnetSpec) -> Result<Option<u32>, Fault> {
    let mtu = given.iter().copied().find(|mtu| *mtu > 0);
    match mtu.filter(|mtu| *mtu < 68 || (*mtu < 1280 && subnet.cidrs().v6.is_some())) {
        None => Ok(mtu),
        Some(mtu) => Err(Fault::new(
            FaultKind::BadConfig,
            format!("mtu {mtu} is below 68 (IPv4, RFC 791) or 1280 (IPv6, RFC 8200)"),
        )),
    }
}

fn no_maker(attachment: &Attachment) -> Fault {
    let Attachment { interface, provider, .. } = attachment;
    Fault::new(FaultKind::NotSupportedHere, format!("wire interface {interface} for provider {provider}: nobody makes it"))
        .hint(
            "OVN makes interfaces of the providers ovn and NAME.NAMESPACE.ovn; for this one give the configuration a \
             \"master\" (and \"mode\": \"bridge\") for a macvlan, or let another plugin make the interface with \
             \"ipam\": {\"type\": \"kube-ovn\"}",
        )
}

/// The MAC that is asked for, by annotation or by the caller.
fn asked_mac(annotations: &PodAnnotations<'_>, facts: &PodFacts) -> Result<Option<Mac>, Fault> {
    let annotated = annotations
        .found(Key::MacAddress)
        .map(|found| {
            found.value.parse::<Mac>().map_err(|_| {
                Fault::new(
                    FaultKind::BadAnnotation,
                    format!("annotation {}: {:?} is no MAC", found.key, found.value),
                )
            })
        })
        .transpose()?;
    match (annotated, facts.asked_mac) {
        (Some(a), Some(b)) if a != b => Err(Fault::new(
            FaultKind::BadAnnotation,
            format!("annotation {} says {a}, the runtime asks for {b}", annotations.name(Key::MacAddress)),
        )),
        (a, b) => Ok(a.or(b)),
    }
}

#[cfg(test)]
mod tests;
