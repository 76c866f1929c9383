//! Facts to wanted rows: for everything, one VPC, or one pod.
//!
//! Rows of a VPC and its subnets are owned by `vpc/<name>`, ports of pods by `pod/<namespace>/<pod>`: one changed pod is
//! one row, planned without looking at the others.

use std::collections::BTreeSet;

use ovn::diff::Scope;
use ovn::owner::{Owner, OwnerKind};
use ovn::wanted::{NbRow, Wanted};

use crate::check::Survey;
use crate::checked::CheckedVpc;
use crate::facts::{Facts, PortFact, Ports};
use crate::finding::{Effect, Fault, Finding, Findings, Object, Reason};
use crate::{acl, dhcp, peering, policy_route, port, router, static_route, switch};

/// The rows that should be there, for whom they speak, and what is wrong or worth knowing.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The rows.
    pub wanted: Wanted,
    /// The owners whose other rows are to go.
    pub scope: Scope,
    /// What is wrong or worth knowing, sorted by object, gravest first.
    pub findings: Vec<Finding>,
}

/// Plans everything.
pub fn plan(facts: &Facts) -> Plan {
    plan_all(&Survey::of(facts), &facts.ports, &[OwnerKind::Vpc, OwnerKind::Subnet, OwnerKind::Pod])
}

/// Plans everything that is made for these kinds, from a survey made before.
pub fn plan_all(survey: &Survey, ports: &Ports, kinds: &[OwnerKind]) -> Plan {
    let mut rows = Rows::default();
    if kinds.contains(&OwnerKind::Vpc) {
        survey.vpcs.values().for_each(|vpc| rows.vpc(vpc, survey));
        rows.findings.extend(survey.findings.iter().cloned());
    }
    if kinds.contains(&OwnerKind::Pod) {
        ports.iter().for_each(|fact| rows.port(survey, ports, fact));
    }
    rows.finish(Scope::Kinds(kinds.iter().copied().collect()))
}

/// Plans what is made for these owners and nothing else: the rows of a VPC without the ports of its pods, the ports of a
/// pod. An owner that is gone or refused wants nothing.
pub fn plan_owners(survey: &Survey, ports: &Ports, owners: &BTreeSet<Owner>) -> Plan {
    let mut rows = Rows::default();
    for owner in owners {
        match (owner.kind(), owner.name().split_once('/')) {
            (OwnerKind::Vpc, _) => {
                if let Some(vpc) = survey.vpcs.get(owner.name()) {
                    rows.vpc(vpc, survey);
                }
            }
            (OwnerKind::Pod, Some((namespace, pod))) => {
                ports.of_pod(namespace, pod).for_each(|fact| rows.port(survey, ports, fact));
            }
            (
                OwnerKind::Pod
                | OwnerKind::Subnet
                | OwnerKind::NatGateway
                | OwnerKind::SwitchLbRule
                | OwnerKind::Vip
                | OwnerKind::Node,
                _,
            ) => {}
        }
    }
    rows.finish(Scope::Owners(owners.clone()))
}

/// Plans one VPC with its subnets and the ports in them. A VPC that is gone or refused wants nothing.
///
/// The findings are those about the VPC, its subnets and their ports. A change of one VPC changes no rows of another,
/// except where a subnet moves or gives way; [`Survey::home`] before and after tells.
pub fn plan_vpc(survey: &Survey, ports: &Ports, name: &str) -> Plan {
    let mut rows = Rows::default();
    let mut owners = BTreeSet::from([Owner::vpc(name)]);
    let mut objects = vec![Object::Vpc(name.to_owned())];
    if let Some(vpc) = survey.vpcs.get(name) {
        rows.vpc(vpc, survey);
        for subnet in vpc.subnets.keys() {
            objects.push(Object::Subnet(subnet.clone()));
            for fact in ports.of_subnet(subnet) {
                // Of a pod that is in several VPCs, all ports are planned: they have one owner.
                let is_new = owners.insert(Owner::pod(&fact.namespace, &fact.pod));
                if is_new {
                    ports.of_pod(&fact.namespace, &fact.pod).for_each(|fact| rows.port(survey, ports, fact));
                }
            }
        }
    }
    rows.findings.extend(objects.iter().flat_map(|object| survey.about(object)).cloned());
    rows.finish(Scope::Owners(owners))
}

/// Plans all ports of one pod. A pod that is gone wants nothing.
pub fn plan_pod(survey: &Survey, ports: &Ports, namespace: &str, pod: &str) -> Plan {
    plan_owners(survey, ports, &BTreeSet::from([Owner::pod(namespace, pod)]))
}

/// Rows as they are gathered.
#[derive(Default)]
struct Rows {
    wanted: Wanted,
    findings: Vec<Finding>,
}

impl Rows {
    fn vpc(&mut self, vpc: &CheckedVpc, survey: &Survey) {
        let owner = Owner::vpc(&vpc.name);
        let object = Object::Vpc(vpc.name.clone());
        self.want(&owner, &object, [router::router(vpc)]);
        self.want(&owner, &object, peering::peer_ports(vpc));
        self.want(&owner, &object, static_route::static_routes(vpc));
        self.want(&owner, &object, policy_route::allow_subnets(vpc));
        self.want(&owner, &object, policy_route::policies(vpc));
        for subnet in vpc.subnets.values() {
            let object = Object::Subnet(subnet.name.clone());
            self.want(&owner, &object, [switch::switch(subnet)]);
            self.want(&owner, &object, [switch::router_end(vpc, subnet)]);
            self.want(&owner, &object, [switch::switch_end(vpc, subnet)]);
            self.want(&owner, &object, dhcp::dhcp_options(subnet));
            self.want(&owner, &object, acl::acls(vpc, subnet, &survey.settings));
        }
    }

    fn port(&mut self, survey: &Survey, ports: &Ports, fact: &PortFact) {
        let mut findings = Findings::about(Object::Port(fact.name()));
        let row = findings.require(port::port(survey, ports, fact));
        self.findings.append(&mut findings.list);
        let (owner, object) = (Owner::pod(&fact.namespace, &fact.pod), Object::Port(fact.name()));
        let chassis = survey.settings.chassis.as_deref();
        let meter = row.as_ref().and_then(|row| port::meter(row, fact));
        self.want_on(&owner, chassis, &object, row);
        self.want_on(&owner, chassis, &object, meter);
    }

    /// Adds rows. The checks let no two through that differ under one key; if they ever do, the first one stays and the
    /// object's author is told.
    fn want<R: NbRow>(&mut self, owner: &Owner, object: &Object, rows: impl IntoIterator<Item = R>) {
        self.want_on(owner, None, object, rows);
    }

    fn want_on<R: NbRow>(
        &mut self,
        owner: &Owner,
        chassis: Option<&str>,
        object: &Object,
        rows: impl IntoIterator<Item = R>,
    ) {
        for row in rows {
            if let Err(twice) = self.wanted.want_on(owner, chassis, &row) {
                let mut findings = Findings::about(object.clone());
                findings.add(Effect::PartLeftOut, Fault::new(Reason::Conflict, twice.to_string()));
                self.findings.append(&mut findings.list);
            }
        }
    }

    fn finish(mut self, scope: Scope) -> Plan {
        self.findings.sort();
        self.findings.dedup();
        Plan { wanted: self.wanted, scope, findings: self.findings }
    }
}
