//! What the pod's annotations say about its port: how much may pass it, and from whom. Pure.

use std::collections::BTreeSet;

use crds::{Key, PodAnnotations};
use daemon_api::{Fault, FaultKind};

use crate::ledger::{Limit, PortTraits};

/// Reads them; rates are in Mbit/s and bursts in Mbit, as upstream writes them.
///
/// # Errors
/// [`FaultKind::BadAnnotation`] for what is no whole number, and for a burst without its rate.
pub(super) fn traits(annotations: &PodAnnotations<'_>, tcp_ports: &[u16]) -> Result<PortTraits, Fault> {
    Ok(PortTraits {
        is_per_interface: annotations.is_per_interface(),
        forwards: forwards(annotations)?,
        into_pod: limit(annotations, Key::IngressRate, Key::IngressBurst)?,
        out_of_pod: limit(annotations, Key::EgressRate, Key::EgressBurst)?,
        probe_ports: probe_ports(annotations, tcp_ports)?,
    })
}

fn forwards(annotations: &PodAnnotations<'_>) -> Result<bool, Fault> {
    match annotations.found(Key::PortSecurity).map(|found| (found.key, found.value)) {
        None | Some((_, "true")) => Ok(false),
        Some((_, "false")) => Ok(true),
        Some((key, value)) => Err(Fault::new(
            FaultKind::BadAnnotation,
            format!("annotation {key}: {value:?} is neither true nor false"),
        )),
    }
}

/// The ports that the annotation lists, else those that the pod asks for.
fn probe_ports(annotations: &PodAnnotations<'_>, asked: &[u16]) -> Result<BTreeSet<u16>, Fault> {
    let Some(found) = annotations.found(Key::ProbePorts) else {
        return Ok(asked.iter().copied().filter(|port| *port > 0).collect());
    };
    let port = |text: &str| match text.trim().parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        Ok(_) | Err(_) => Err(Fault::new(
            FaultKind::BadAnnotation,
            format!("annotation {}: {text:?} is no port from 1 to 65535", found.key),
        )
        .hint("list numbers, separated by commas; names of ports are not known here")),
    };
    found.value.split(',').map(port).collect()
}

fn limit(annotations: &PodAnnotations<'_>, rate: Key, burst: Key) -> Result<Option<Limit>, Fault> {
    match (number(annotations, rate)?, number(annotations, burst)?) {
        (Some(rate), burst) => Ok(Some(Limit { rate, burst })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Fault::new(
            FaultKind::BadAnnotation,
            format!(
                "annotation {} has no effect without {}",
                annotations.name(burst),
                annotations.name(rate)
            ),
        )),
    }
}

/// A number above zero; zero is the same as none.
fn number(annotations: &PodAnnotations<'_>, key: Key) -> Result<Option<u32>, Fault> {
    let Some(found) = annotations.found(key) else { return Ok(None) };
    let number: u32 = found.value.parse().map_err(|_| {
        Fault::new(
            FaultKind::BadAnnotation,
            format!("annotation {}: {:?} is no whole number of Mbit", found.key, found.value),
        )
        .hint("correct the annotation and create the pod again")
    })?;
    Ok((number > 0).then_some(number))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(annotations: &[(&str, &str)]) -> Result<PortTraits, Fault> {
        let all: BTreeMap<String, String> =
            annotations.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        traits(&PodAnnotations::new(&all, "ovn", "eth0"), &[80, 0, 443])
    }

    #[test]
    fn rates_of_both_directions_are_read_and_zero_is_none() {
        let found = read(&[
            ("ovn.kubernetes.io/ingress_rate", "3"),
            ("ovn.kubernetes.io/egress_rate", "0"),
            ("ovn.kubernetes.io/ingress_burst", "2"),
        ]);

        assert_eq!(
            found.unwrap(),
            PortTraits {
                into_pod: Some(Limit { rate: 3, burst: Some(2) }),
                probe_ports: BTreeSet::from([80, 443]),
                ..PortTraits::default()
            }
        );
    }

    #[test]
    fn the_annotation_lists_the_probed_ports() {
        let found = read(&[("ovn.kubernetes.io/probe_ports", "8080, 9090,8080")]).unwrap();

        assert_eq!(found.probe_ports, BTreeSet::from([8080, 9090]));
        for bad in ["http", "0", "70000", "80,,90"] {
            let fault = read(&[("ovn.kubernetes.io/probe_ports", bad)]).unwrap_err();
            assert!(fault.message.contains("is no port"), "{fault}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let text = |annotations| read(annotations).unwrap_err().message;

        assert!(text(&[("ovn.kubernetes.io/egress_rate", "fast")]).contains("egress_rate: \"fast\""));
        assert!(
            text(&[("ovn.kubernetes.io/egress_burst", "3")])
                .ends_with("without ovn.kubernetes.io/egress_rate")
        );
    }
}
