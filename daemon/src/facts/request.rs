//! Pod facts out of the CNI request itself: no API server is asked.
//!
//! Precedence, after the CNI conventions: `runtimeConfig` over `args.cni` over `CNI_ARGS`. Two of them that name
//! different addresses of one family are refused when `runtimeConfig` is one of the two, since then a person and a
//! program want different things; `args.cni` silently beats `CNI_ARGS`, as the convention says.

use std::net::IpAddr;

use crds::{Key, PodAnnotations};
use daemon_api::call::Asked;
use daemon_api::{CallContext, Fault, FaultKind, PodRef};
use ipam::{DualStack, Mac, Workload};

use super::PodFacts;

/// Reads the facts for one interface of a pod.
///
/// # Errors
/// [`FaultKind::BadAnnotation`] for a text that cannot be read and for sources that contradict each other.
pub fn facts(call: &CallContext, pod: &PodRef, provider: &str, interface: &str) -> Result<PodFacts, Fault> {
    let annotations = PodAnnotations::new(&call.annotations, provider, interface);
    Ok(PodFacts {
        asked_addresses: asked_addresses(&call.ips)?,
        asked_mac: asked_mac(&call.macs)?,
        workload: workload(annotations.get(Key::PodType), annotations.get(Key::VirtualMachine), pod)?,
        annotations: call.annotations.clone(),
    })
}

fn workload(pod_type: Option<&str>, machine: Option<&str>, pod: &PodRef) -> Result<Workload, Fault> {
    match (pod_type, machine) {
        (Some("VirtualMachine"), _) | (None, Some(_)) => Ok(Workload::VirtualMachine),
        (Some("StatefulSet"), _) => match Workload::ordinal_of(&pod.name) {
            Some(ordinal) => Ok(Workload::StatefulSet { ordinal }),
            None => Err(bad(format!(
                "pod {pod} says it is part of a StatefulSet, but its name ends in no ordinal"
            ))),
        },
        (None, None) => Ok(Workload::Pod),
        (Some(other), _) => Err(bad(format!(
            "pod {pod} has pod_type {other:?}, which is neither StatefulSet nor VirtualMachine"
        ))),
    }
}

fn asked_addresses(asked: &Asked) -> Result<DualStack<IpAddr>, Fault> {
    let [run, args, env] = [
        addresses("runtimeConfig.ips", &asked.runtime_config)?,
        addresses("args.cni.ips", &asked.args)?,
        addresses("CNI_ARGS IP", &asked.cni_args)?,
    ];
    Ok(DualStack { v4: one_of(run.v4, args.v4, env.v4)?, v6: one_of(run.v6, args.v6, env.v6)? })
}

fn one_of<T: PartialEq + Copy + std::fmt::Display>(
    run: Option<T>,
    args: Option<T>,
    env: Option<T>,
) -> Result<Option<T>, Fault> {
    let lower = args.or(env);
    match (run, lower) {
        (Some(run), Some(lower)) if run != lower => {
            Err(bad(format!("runtimeConfig asks for {run}, CNI arguments ask for {lower}"))
                .hint("ask for one of them only"))
        }
        (run, lower) => Ok(run.or(lower)),
    }
}

/// Addresses with or without a prefix length, at most one per family.
fn addresses(source: &str, texts: &[String]) -> Result<DualStack<IpAddr>, Fault> {
    let mut found = DualStack { v4: None, v6: None };
    for text in texts.iter().flat_map(|t| t.split(',')).map(str::trim).filter(|t| !t.is_empty()) {
        let bare = text.split('/').next().unwrap_or(text);
        let ip: IpAddr =
            bare.parse().map_err(|_| bad(format!("{source} asks for {text:?}, which is no IP address")))?;
        let slot = if ip.is_ipv4() { &mut found.v4 } else { &mut found.v6 };
        if let Some(before) = slot.replace(ip).filter(|before| *before != ip) {
            return Err(bad(format!(
                "{source} asks for {before} and {ip}: one address per family is possible"
            )));
        }
    }
    Ok(found)
}

fn asked_mac(asked: &Asked) -> Result<Option<Mac>, Fault> {
    let parse = |source: &str, texts: &[String]| match texts.first() {
        None => Ok(None),
        Some(text) => text
            .parse::<Mac>()
            .map(Some)
            .map_err(|_| bad(format!("{source} asks for {text:?}, which is no MAC address"))),
    };
    one_of(
        parse("runtimeConfig.mac", &asked.runtime_config)?,
        parse("args.cni.mac", &asked.args)?,
        parse("CNI_ARGS MAC", &asked.cni_args)?,
    )
}

fn bad(text: String) -> Fault {
    Fault::new(FaultKind::BadAnnotation, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(run: &[&str], args: &[&str], env: &[&str]) -> Asked {
        let list = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
        Asked { runtime_config: list(run), args: list(args), cni_args: list(env) }
    }

    #[test]
    fn args_beat_cni_args_and_prefix_lengths_are_ignored() {
        let found = asked_addresses(&asked(&[], &["10.0.0.5/24", "fd00::5/64"], &["10.0.0.9"])).unwrap();

        assert_eq!(found.v4, Some("10.0.0.5".parse().unwrap()));
        assert_eq!(found.v6, Some("fd00::5".parse().unwrap()));
    }

    #[test]
    fn runtime_config_and_arguments_must_agree() {
        assert!(asked_addresses(&asked(&["10.0.0.5"], &[], &["10.0.0.5/24"])).is_ok());
        let fault = asked_addresses(&asked(&["10.0.0.5"], &["10.0.0.6"], &[])).unwrap_err();
        assert_eq!(fault.message, "runtimeConfig asks for 10.0.0.5, CNI arguments ask for 10.0.0.6");
    }

    #[test]
    fn unreadable_texts_name_their_source() {
        let text = |a: Asked| asked_addresses(&a).unwrap_err().message;

        assert!(text(asked(&[], &[], &["x"])).starts_with("CNI_ARGS IP asks for \"x\""));
        assert!(text(asked(&["10.0.0.5", "10.0.0.6"], &[], &[])).contains("one address per family"));
        assert!(asked_mac(&asked(&["zz"], &[], &[])).unwrap_err().message.contains("no MAC address"));
    }

    #[test]
    fn a_stateful_pod_needs_an_ordinal() {
        let pod = |name: &str| PodRef::new("ns", name).unwrap();

        assert_eq!(
            workload(Some("StatefulSet"), None, &pod("db-3")).unwrap(),
            Workload::StatefulSet { ordinal: 3 }
        );
        assert_eq!(workload(None, Some("vm1"), &pod("x")).unwrap(), Workload::VirtualMachine);
        assert_eq!(workload(None, None, &pod("db-3")).unwrap(), Workload::Pod);
        assert!(workload(Some("StatefulSet"), None, &pod("db")).is_err());
        assert!(workload(Some("Job"), None, &pod("db")).is_err());
    }
}
