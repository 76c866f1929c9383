//! The switch port of a pod's interface.

use std::net::IpAddr;

use ovn::address::{PortAddress, Station};
use ovn::nb::{Direction, LogicalSwitchPort, PolicyAction, PortKind, Qos};

use crate::check::Survey;
use crate::checked::{CheckedSubnet, CheckedVpc};
use crate::dhcp;
use crate::facts::{PortFact, Ports};
use crate::finding::{Fault, Reason};
use crate::misfit;

/// The priority of the meters on what pods send. Nothing else meters our ports.
const METER_PRIORITY: u16 = 2003;

/// The meter on what the pod sends through `port`.
pub(crate) fn meter(port: &LogicalSwitchPort, fact: &PortFact) -> Option<Qos> {
    fact.out_of_pod.map(|meter| Qos {
        switch: port.switch.clone(),
        port: port.name.clone(),
        direction: Direction::FromPort,
        priority: METER_PRIORITY,
        rate: meter.rate,
        burst: Some(meter.burst),
    })
}

/// The port, or why there is none.
///
/// `port_security` is on unless the pod forwards the traffic of others, because it says so or because a route of its
/// VPC leads to it: a tenant must not be able to send from a neighbour's address. (Upstream has it off unless an
/// annotation asks for it.)
pub(crate) fn port(survey: &Survey, ports: &Ports, fact: &PortFact) -> Result<LogicalSwitchPort, Fault> {
    let name = fact.name();
    let (vpc, subnet) = home(survey, fact)?;
    may_use(vpc, subnet, fact)?;
    has_name(survey, ports, fact, &name)?;
    has_addresses(subnet, fact)?;
    let mut ips = fact.addresses.clone();
    ips.sort();
    let station = Station { mac: fact.mac, ips };
    let (dhcpv4, dhcpv6) = dhcp::references(subnet);
    Ok(LogicalSwitchPort {
        name,
        switch: subnet.name.clone(),
        kind: PortKind::Station,
        addresses: vec![PortAddress::Station(station.clone())],
        port_security: if fact.port_security && !is_next_hop(vpc, fact) { vec![station] } else { Vec::new() },
        dhcpv4,
        dhcpv6,
        pod: Some((fact.namespace.clone(), fact.pod.clone())),
    })
}

/// Whether routes or policies of the VPC lead to the pod.
fn is_next_hop(vpc: &CheckedVpc, fact: &PortFact) -> bool {
    let leads_to_it = |next_hop: &IpAddr| fact.addresses.contains(next_hop);
    let by_policy = vpc.policies.iter().any(|policy| match &policy.action {
        PolicyAction::Reroute(next_hops) => next_hops.iter().any(leads_to_it),
        PolicyAction::Allow | PolicyAction::Drop => false,
    });
    by_policy || vpc.routes.iter().any(|route| leads_to_it(&route.next_hop))
}

fn home<'a>(survey: &'a Survey, fact: &PortFact) -> Result<(&'a CheckedVpc, &'a CheckedSubnet), Fault> {
    let subnet = &fact.subnet;
    survey.subnet(subnet).ok_or_else(|| {
        let object = crate::finding::Object::Subnet(subnet.clone());
        if survey.about(&object).next().is_some() {
            let message = format!("Subnet {subnet} is itself refused; see its conditions");
            Fault::new(Reason::SubnetRefused, message)
        } else {
            Fault::new(Reason::UnknownSubnet, format!("there is no Subnet {subnet}; create it"))
        }
    })
}

/// Checked here as well as on the node: whoever claims an address on a node must not thereby choose a VPC.
fn may_use(vpc: &CheckedVpc, subnet: &CheckedSubnet, fact: &PortFact) -> Result<(), Fault> {
    let refuser = if fact.is_ours || (vpc.admits(&fact.namespace) && subnet.admits(&fact.namespace)) {
        return Ok(());
    } else if vpc.admits(&fact.namespace) {
        format!("Subnet {}", subnet.name)
    } else {
        format!("Vpc {}", vpc.name)
    };
    let namespace = &fact.namespace;
    Err(Fault::new(
        Reason::NamespaceNotAdmitted,
        format!("{refuser} does not admit namespace {namespace}; add it to namespaces or move the pod"),
    ))
}

fn has_name(survey: &Survey, ports: &Ports, fact: &PortFact, name: &str) -> Result<(), Fault> {
    let holder = match (survey.link(name), ports.of_name(name).first()) {
        (Some(holder), _) => holder.to_owned(),
        (None, Some(first)) if **first != *fact => format!("pod {}", first.pod_ref()),
        (None, _) => return Ok(()),
    };
    Err(Fault::new(
        Reason::PortNameTaken,
        format!("the port of pod {} would be called as that of {holder}; rename the pod", fact.pod_ref()),
    ))
}

fn has_addresses(subnet: &CheckedSubnet, fact: &PortFact) -> Result<(), Fault> {
    for address in &fact.addresses {
        let Some(reason) = misfit::reason(subnet, address) else { continue };
        let message = if reason == Reason::GatewayAddressTaken {
            format!("{address} is the gateway of Subnet {}; give the pod another address", subnet.name)
        } else {
            format!("{address} is no address of Subnet {}; recreate the pod", subnet.name)
        };
        return Err(Fault::new(reason, message));
    }
    if fact.mac == subnet.router_mac {
        let message = format!("{} is the gateway's Ethernet address; give the pod another one", fact.mac);
        return Err(Fault::new(Reason::GatewayAddressTaken, message));
    }
    Ok(())
}
