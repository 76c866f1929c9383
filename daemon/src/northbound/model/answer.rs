//! What the model tells: to an ADD that waits for its port, and to people.

use daemon_api::{Fault, FaultKind, PodRef};
use ovn::names::{router_port, switch_port};
use ovn::nb::Table;
use ovn::owner::{Owner, Standing};
use ovn::snapshot::FoundRow;
use ovn::wanted::Key;
use vpc::{Facts, Object, Survey};

use super::Model;
use crate::northbound::{Published, verdict};

/// How a switch port stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortState {
    /// The database has it, with these addresses.
    InPlace(Vec<std::net::IpAddr>),
    /// It is still to be made.
    Awaited,
    /// It gave way to another port with its address, or it cannot be.
    Refused(Fault),
}

impl Model {
    /// The objects and ports that are planned from.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What can be planned, and what is wrong or worth knowing.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Whether the database has the VPC's router, and it is ours.
    pub fn has_router(&self, vpc: &str) -> bool {
        self.found.named(Table::LogicalRouter, vpc).any(|uuid| self.is_of(uuid, &Owner::vpc(vpc)))
    }

    /// The UUID of the DHCP options of a subnet, for each family that has any; `4` and `6` tell which.
    pub fn dhcp_row(&self, subnet: &str, family: ovn::nb::Family) -> Option<String> {
        let key = ovn::nb::DhcpOptions::key_of(&ovn::nb::DhcpFor::Switch(subnet.to_owned()), family);
        self.found.named(Table::DhcpOptions, &key.name).next().map(|uuid| uuid.to_string())
    }

    /// What keeps rows of this VPC from being made, in words.
    pub fn troubles_of_vpc(&self, vpc: &str) -> Vec<String> {
        let owner = Owner::vpc(vpc);
        let refused = self.refused.get(&owner).into_iter().flatten().map(ToString::to_string);
        refused.chain(self.broken.get(&owner).cloned()).collect()
    }

    /// What keeps the subnet's switch, or its link to the router, from being made, in words.
    pub fn troubles_of_subnet(&self, subnet: &str) -> Vec<String> {
        let Some(vpc) = self.survey.home.get(subnet) else { return Vec::new() };
        let owner = Owner::vpc(vpc);
        let link = router_port(vpc, subnet);
        let needed = [
            (Table::LogicalRouter, vpc.as_str()),
            (Table::LogicalSwitch, subnet),
            (Table::LogicalRouterPort, &link),
            (Table::LogicalSwitchPort, &switch_port(subnet, vpc)),
        ];
        let is_needed = |key: &Key| needed.contains(&(key.table, &key.name));
        let refused = self.refused.get(&owner).into_iter().flatten();
        let refused = refused.filter(|refusal| verdict::not_made(refusal).is_some_and(is_needed));
        // What the database does not take is often a route; subnets that are there go on.
        let is_there = self.found.named(Table::LogicalRouterPort, &link).any(|uuid| self.is_of(uuid, &owner));
        let broken = self.broken.get(&owner).filter(|_| !is_there);
        refused.map(ToString::to_string).chain(broken.cloned()).collect()
    }

    /// How a pod's switch port stands.
    pub fn port(&self, pod: &PodRef, port: &str) -> PortState {
        let owner = Owner::pod(&pod.namespace, &pod.name);
        if let Some(rival) = self.lost.to_name(port) {
            let message = format!("port {} of the same switch has {}, too", rival.name, rival.address);
            return PortState::Refused(Fault::new(FaultKind::AddressInUseOutside, message));
        }
        let rows = self.found.named(Table::LogicalSwitchPort, port);
        if let Some(row) = rows.filter(|uuid| self.is_of(*uuid, &owner)).find_map(|uuid| self.found.row(uuid))
        {
            return PortState::InPlace(row.addresses().to_vec());
        }
        self.trouble(&owner, pod, port).map_or(PortState::Awaited, PortState::Refused)
    }

    fn trouble(&self, owner: &Owner, pod: &PodRef, port: &str) -> Option<Fault> {
        let fact = self.facts.ports.of_pod(&pod.namespace, &pod.name).find(|fact| fact.name() == port);
        let Some(fact) = fact else {
            return Some(Fault::new(
                FaultKind::Busy,
                format!("the addresses of port {port} were released meanwhile"),
            ));
        };
        let is_about = |finding: &&vpc::Finding| finding.object == Object::Port(port.to_owned());
        let finding = self.findings.get(owner).into_iter().flatten().find(is_about);
        if let Some(finding) = finding {
            return Some(verdict::of_finding(finding, &fact.subnet, &self.survey));
        }
        let mut refused = self.refused.get(owner).into_iter().flatten();
        if let Some(refusal) = refused.find(|refusal| verdict::is_about(refusal, port)) {
            return Some(verdict::of_refusal(refusal));
        }
        let why = self.broken.get(owner)?;
        Some(Fault::new(
            FaultKind::NotSupportedHere,
            format!("the northbound database refuses port {port}: {why}"),
        ))
    }

    /// The answer to an ADD that waits for its port; `None` while there is none. A port that is in place is judged first.
    pub fn answer(&mut self, pod: &PodRef, port: &str) -> Option<Result<Published, Fault>> {
        let owner = Owner::pod(&pod.namespace, &pod.name);
        let is_settled = self.is_ready() && self.keeps(owner.kind()) && !self.dirty.covers(&owner);
        if !is_settled || self.singles.contains(&owner) {
            return None;
        }
        match self.port(pod, port) {
            PortState::InPlace(_) => {
                let fact =
                    self.facts.ports.of_name(port).iter().find(|fact| fact.pod_ref() == pod.to_string());
                match fact.map(|fact| vpc::PortFact::clone(fact)) {
                    Some(fact) if self.judge(&fact) => None,
                    _ => Some(Ok(Published::Done)),
                }
            }
            PortState::Awaited => None,
            PortState::Refused(_) if self.come_again(port) => None,
            PortState::Refused(fault) => Some(match self.lost.to_name(port) {
                Some(rival) => Ok(Published::AddressTaken { address: rival.address, by: rival.name.clone() }),
                None => Err(fault),
            }),
        }
    }

    fn is_of(&self, uuid: ovsdb::value::Uuid, owner: &Owner) -> bool {
        let standing = self.found.row(uuid).map(FoundRow::standing);
        matches!(standing, Some(Standing::Owned(found)) if found == owner)
    }
}
