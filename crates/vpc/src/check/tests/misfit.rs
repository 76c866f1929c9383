//! A subnet that is edited under its pods says whose addresses are lost.

use super::*;
use crate::status;
use crds::condition::READY;
use crds::{Condition, SubnetStatus};

/// What `Error` says of net1 with this spec, which pods have these addresses of.
fn error(spec: &str, pods: &[(&str, &str)]) -> Option<(String, String)> {
    let text = format!("{{metadata: {{name: net1}}, spec: {{vpc: v, {spec}}}}}");
    let mut facts = facts(&[V], &[&text]);
    for (pod, ips) in pods {
        let addresses = ips.split(',').map(|ip| ip.parse().unwrap()).collect();
        facts.ports.insert(PortFact { addresses, ..port(pod, "net1", "10.0.1.2") });
    }
    let status = status::subnet(&Survey::of(&facts), &facts.ports, "net1", &SubnetStatus::default());
    assert!(Condition::find(&status.conditions, READY).unwrap().holds(), "other pods go on");
    let error = Condition::find(&status.conditions, status::ERROR)?;
    Some((error.reason.clone(), error.message.clone()))
}

#[test]
fn a_gateway_that_is_moved_onto_a_pod_is_told() {
    assert_eq!(
        error("cidrBlock: 10.0.1.0/24, gateway: 10.0.1.2", &[("a", "10.0.1.2"), ("b", "10.0.1.3")]),
        Some((
            "GatewayAddressTaken".into(),
            "pod ns1/a has addresses that are not of the subnet any more (10.0.1.2 is its gateway); delete it so that it \
             is made again"
                .into()
        ))
    );
}

#[test]
fn pods_outside_of_a_new_range_are_counted_and_the_first_are_named() {
    let pods: Vec<(String, String)> = (2..7).map(|n| (format!("p{n}"), format!("10.0.1.{n}"))).collect();
    let pods: Vec<(&str, &str)> = pods.iter().map(|(pod, ip)| (&**pod, &**ip)).collect();
    assert_eq!(
        error("cidrBlock: 10.0.2.0/24", &pods),
        Some((
            "AddressOutsideSubnet".into(),
            "pods ns1/p2, ns1/p3 and 3 more have addresses that are not of the subnet any more (10.0.1.2 is not in \
             10.0.2.0/24); delete them so that they are made again"
                .into()
        ))
    );
    assert_eq!(error("cidrBlock: 10.0.1.0/24", &pods), None);
}

#[test]
fn a_family_that_is_dropped_is_told_by_the_pods_that_have_it() {
    let (_, said) = error("cidrBlock: 10.0.1.0/24", &[("a", "10.0.1.2,fd00::2"), ("b", "10.0.1.3")]).unwrap();
    assert!(said.contains("pod ns1/a has") && said.contains("fd00::2 is not in 10.0.1.0/24"), "{said}");
}
