//! Facts to what can be planned and to findings: a broken object is left out or keeps what works, the rest is untouched.

mod names;
mod option_kind;
mod options;
mod peering;
mod policy;
mod rank;
mod route;
mod subnet;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use crds::vpc::DEFAULT_VPC;
use crds::{Subnet, SubnetSpec, Vpc};
use ovn::names::{peer_port, router_port, switch_port};

use crate::checked::{CheckedSubnet, CheckedVpc};
use crate::facts::{Facts, Place, Settings};
use crate::finding::{Effect, Fault, Finding, Findings, Object, Reason};
use crate::net::overlap;
use rank::{by_rank, namesakes};

/// What can be planned, and what is wrong or worth knowing.
///
/// Owns what it needs, so that it can be kept until a Vpc, a Subnet or a setting changes. Ports count in one place only:
/// of two new subnets that exclude each other, the one that pods use stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survey {
    /// The accepted VPCs, by name.
    pub vpcs: BTreeMap<String, CheckedVpc>,
    /// Which VPC each accepted subnet is in.
    pub home: BTreeMap<String, String>,
    /// The accepted subnets of other providers: addresses only, no rows.
    pub unrouted: BTreeSet<String>,
    /// What is wrong or worth knowing, sorted by object, gravest first.
    pub findings: Vec<Finding>,
    /// What holds for the whole cluster.
    pub settings: Settings,
    /// The names of the ports that link routers with switches and with each other.
    links: BTreeMap<String, String>,
}

impl Survey {
    /// Checks everything.
    pub fn of(facts: &Facts) -> Self {
        let mut survey = Self { settings: facts.settings.clone(), ..Self::default() };
        let unwanted = namesakes(facts);
        survey.take_vpcs(facts, &unwanted);
        survey.take_subnets(facts, &unwanted);
        survey.drop_deleted_vpcs(facts);
        survey.take_details(facts);
        survey.miss_subnets(facts);
        survey.findings.sort();
        survey.findings.dedup();
        survey
    }

    /// The subnet of this name, when it was accepted, and its VPC.
    pub fn subnet(&self, name: &str) -> Option<(&CheckedVpc, &CheckedSubnet)> {
        let vpc = self.vpcs.get(self.home.get(name)?)?;
        Some((vpc, vpc.subnets.get(name)?))
    }

    /// Where each subnet was accepted, for the next survey.
    pub fn places(&self) -> BTreeMap<String, Place> {
        let place = |name: &String| {
            let (vpc, subnet) = self.subnet(name)?;
            let ranges = subnet.nets.iter().map(|net| net.cidr).collect();
            Some((name.clone(), Place { vpc: vpc.name.clone(), ranges }))
        };
        self.home.keys().filter_map(place).collect()
    }

    /// What is known about one object.
    pub fn about<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a Finding> {
        let first = self.findings.partition_point(|finding| finding.object < *object);
        self.findings.iter().skip(first).take_while(move |finding| finding.object == *object)
    }

    /// Who has the link port of this name, in words.
    pub fn link(&self, port: &str) -> Option<&str> {
        self.links.get(port).map(String::as_str)
    }

    fn take_vpcs(&mut self, facts: &Facts, unwanted: &BTreeMap<Object, Fault>) {
        let default_is_wanted =
            facts.subnets.values().any(|s| is_ovn(&s.spec) && vpc_of(&s.spec) == DEFAULT_VPC);
        if default_is_wanted && !facts.vpcs.contains_key(DEFAULT_VPC) {
            self.vpcs.insert(DEFAULT_VPC.to_owned(), bare(&Vpc::new(DEFAULT_VPC, crds::VpcSpec::default())));
        }
        for (name, vpc) in &facts.vpcs {
            let object = Object::Vpc(name.clone());
            let mut findings = Findings::about(object.clone());
            let namesake = unwanted.get(&object).cloned().map_or(Ok(()), Err);
            if findings.require(check_name(name).and(namesake)).is_some() {
                unused::of_vpc(vpc, &mut findings);
                self.vpcs.insert(name.clone(), bare(vpc));
            }
            self.findings.append(&mut findings.list);
        }
    }

    fn take_subnets(&mut self, facts: &Facts, unwanted: &BTreeMap<Object, Fault>) {
        for subnet in by_rank(facts) {
            let name = subnet.name();
            let object = Object::Subnet(name.to_owned());
            let mut findings = Findings::about(object.clone());
            let ports = facts.ports.count_of_subnet(name);
            if is_deleted(&subnet.meta) {
                if ports == 0 {
                    continue;
                }
                let message = format!("the deletion waits for {ports} ports; delete their pods");
                findings.note(Reason::InUse, message);
            }
            if !is_ovn(&subnet.spec) {
                if findings.require(subnet::addresses(&subnet.spec, &facts.settings)).is_some() {
                    self.unrouted.insert(name.to_owned());
                }
            } else if findings.require(unwanted.get(&object).cloned().map_or(Ok(()), Err)).is_some()
                && let Some(read) = subnet::read(subnet, &facts.settings, &mut findings)
                && findings.require(self.fits(subnet, &read, facts)).is_some()
            {
                unused::of_subnet(subnet, vpc_of(&subnet.spec) == DEFAULT_VPC, &mut findings);
                self.place(vpc_of(&subnet.spec), read);
            }
            self.findings.append(&mut findings.list);
        }
    }

    /// Whether a subnet that is right by itself has a place among those that came before it.
    fn fits(&self, subnet: &Subnet, read: &CheckedSubnet, facts: &Facts) -> Result<(), Fault> {
        let vpc_name = vpc_of(&subnet.spec);
        let Some(vpc) = self.vpcs.get(vpc_name) else {
            return Err(match facts.vpcs.get(vpc_name) {
                None => Fault::new(
                    Reason::UnknownVpc,
                    format!("there is no Vpc {vpc_name}; create it, or correct spec.vpc"),
                ),
                Some(_) => {
                    let message = format!("Vpc {vpc_name} is itself refused; see its conditions");
                    Fault::new(Reason::VpcRefused, message)
                }
            });
        };
        let strangers: Vec<&str> =
            read.namespaces.iter().map(String::as_str).filter(|namespace| !vpc.admits(namespace)).collect();
        if !strangers.is_empty() {
            let strangers = strangers.join(", ");
            let message = format!(
                "Vpc {vpc_name} does not admit namespace {strangers}; add it to the Vpc's namespaces or remove it here"
            );
            return Err(Fault::new(Reason::NamespaceNotAdmitted, message));
        }
        for other in vpc.subnets.values() {
            let clash =
                |own: &crate::net::Net| other.nets.iter().find(|their| overlap(&own.cidr, &their.cidr));
            if let Some((own, their)) = read.nets.iter().find_map(|own| Some((own, clash(own)?))) {
                let message = format!(
                    "{} overlaps {} of Subnet {} in Vpc {vpc_name}, which stays; choose another range or another Vpc",
                    own.cidr, their.cidr, other.name
                );
                return Err(Fault::new(Reason::CidrOverlap, message));
            }
        }
        self.free_names(&link_names(vpc_name, &read.name))
    }

    fn free_names(&self, names: &[String]) -> Result<(), Fault> {
        match names.iter().find_map(|name| Some((name, self.links.get(name)?))) {
            None => Ok(()),
            Some((name, holder)) => Err(Fault::new(
                Reason::PortNameTaken,
                format!("its port would be called {name}, as that of {holder}; choose another name"),
            )),
        }
    }

    fn place(&mut self, vpc: &str, subnet: CheckedSubnet) {
        let holder = format!("Subnet {} in Vpc {vpc}", subnet.name);
        let names = link_names(vpc, &subnet.name);
        self.links.extend(names.into_iter().map(|name| (name, holder.clone())));
        self.home.insert(subnet.name.clone(), vpc.to_owned());
        if let Some(vpc) = self.vpcs.get_mut(vpc) {
            vpc.subnets.insert(subnet.name.clone(), subnet);
        }
    }

    /// A deleted Vpc stays as long as it has subnets.
    fn drop_deleted_vpcs(&mut self, facts: &Facts) {
        for (name, _) in facts.vpcs.iter().filter(|(_, vpc)| is_deleted(&vpc.meta)) {
            let subnets: Vec<&str> =
                facts.subnets.values().filter(|s| is_of(s, name)).map(|s| s.name()).collect();
            if subnets.is_empty() {
                self.vpcs.remove(name);
                self.findings.retain(|finding| finding.object != Object::Vpc(name.clone()));
            } else if self.vpcs.contains_key(name) {
                let mut findings = Findings::about(Object::Vpc(name.clone()));
                let message = format!("the deletion waits for Subnet {}; delete it", subnets.join(", "));
                findings.note(Reason::InUse, message);
                self.findings.append(&mut findings.list);
            }
        }
    }

    /// Peerings, routes and policies: they need to know all subnets of their VPC.
    fn take_details(&mut self, facts: &Facts) {
        let names: Vec<String> = self.vpcs.keys().cloned().collect();
        for name in names {
            let Some(object) = facts.vpcs.get(&name) else { continue };
            let Some(mut vpc) = self.vpcs.remove(&name) else { continue };
            let mut findings = Findings::about(Object::Vpc(name.clone()));
            for peering in peering::peerings(&object.spec.vpc_peerings, &vpc, &facts.vpcs, &mut findings) {
                let port = peer_port(&name, &peering.remote);
                if findings.keep(self.free_names(std::slice::from_ref(&port))).is_some() {
                    self.links.insert(port, format!("Vpc {name} to Vpc {}", peering.remote));
                    vpc.peerings.push(peering);
                }
            }
            vpc.routes = route::routes(&object.spec.static_routes, &vpc, &mut findings);
            vpc.policies = policy::policies(&object.spec.policy_routes, &vpc, &mut findings);
            self.vpcs.insert(name, vpc);
            self.findings.append(&mut findings.list);
        }
    }

    /// Subnets that are gone while pods use them.
    fn miss_subnets(&mut self, facts: &Facts) {
        for name in facts.ports.subnets().filter(|name| !facts.subnets.contains_key(*name)) {
            let mut findings = Findings::about(Object::Subnet(name.to_owned()));
            let ports = facts.ports.count_of_subnet(name);
            let message = format!("it is gone while {ports} ports use it; put it back or delete their pods");
            findings.add(Effect::Refused, Fault::new(Reason::InUse, message));
            self.findings.append(&mut findings.list);
        }
    }
}

/// The VPC that a subnet says it is in.
pub(crate) fn vpc_of(spec: &SubnetSpec) -> &str {
    if spec.vpc.is_empty() { DEFAULT_VPC } else { &spec.vpc }
}

/// True for subnets whose interfaces are ports of a switch: provider `ovn` or `<attachment>.<namespace>.ovn`.
pub(crate) fn is_ovn(spec: &SubnetSpec) -> bool {
    let parts: Vec<&str> = spec.provider().split('.').collect();
    matches!(parts.as_slice(), ["ovn"] | [_, _, "ovn"])
}

/// True for the OVN subnets that name `vpc`.
pub(crate) fn is_of(subnet: &Subnet, vpc: &str) -> bool {
    is_ovn(&subnet.spec) && vpc_of(&subnet.spec) == vpc
}

/// True when somebody has asked for the deletion of the object.
pub(crate) fn is_deleted(meta: &crds::Meta) -> bool {
    meta.other.get("deletionTimestamp").is_some_and(|time| !time.is_null())
}

fn link_names(vpc: &str, subnet: &str) -> [String; 2] {
    [router_port(vpc, subnet), switch_port(subnet, vpc)]
}

fn bare(vpc: &Vpc) -> CheckedVpc {
    CheckedVpc {
        name: vpc.name().to_owned(),
        is_default: vpc.name() == DEFAULT_VPC,
        namespaces: vpc.spec.namespaces.clone(),
        subnets: BTreeMap::new(),
        routes: Vec::new(),
        policies: Vec::new(),
        peerings: Vec::new(),
    }
}

/// Names of objects come from files too, where no API server has looked at them.
fn check_name(name: &str) -> Result<(), Fault> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_name = name.len() <= 253
        && name.chars().all(is_inner)
        && is_edge(name.chars().next())
        && is_edge(name.chars().last());
    if is_name {
        return Ok(());
    }
    let message = "the name is not one of lower-case letters, digits, - and . (RFC 1123); rename the object";
    Err(Fault::new(Reason::InvalidName, message))
}

/// A priority of OVN's: 0 to 32767.
fn priority(written: i64) -> Option<u16> {
    u16::try_from(written).ok().filter(|priority| *priority <= 32767)
}

#[cfg(test)]
mod tests;
