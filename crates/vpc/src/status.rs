//! The status of a `Vpc` and a `Subnet`, without times and counters: those belong to whoever writes it.

use crds::condition::{READY, VALIDATED};
use crds::{Condition, SubnetStatus, VpcStatus};

use crate::check::{Survey, is_deleted, is_of};
use crate::facts::{Facts, Ports};
use crate::finding::{Effect, Finding, Findings, Object};
use crate::misfit;

/// The condition type that says whether something is wrong.
pub const ERROR: &str = "Error";
/// The condition type that says whether the object does less than its author may think.
pub const WARNING: &str = "Warning";

/// Upstream's reason of `Validated`, which programs look for.
const VALIDATION_FAILED: &str = "ValidateLogicalSwitchFailed";
const VALIDATION_SUCCEEDED: &str = "ValidateLogicalSwitchSuccess";
const PRIVATE: &str = "SetPrivateLogicalSwitchSuccess";
const NOT_PRIVATE: &str = "ResetLogicalSwitchAclSuccess";
const NOT_OVN: &str = "SetNonOvnSubnetSuccess";
const STANDBY: &str = "Standby";

/// The status of a Vpc as far as the plan decides it; the rest is taken from `before`.
///
/// `standby` means that the router is planned; whoever writes the status does so once the database has it. The conditions
/// of a Vpc that the survey has not seen yet stay as they are.
pub fn vpc(survey: &Survey, facts: &Facts, name: &str, before: &VpcStatus) -> VpcStatus {
    let object = Object::Vpc(name.to_owned());
    let findings: Vec<&Finding> = survey.about(&object).collect();
    let checked = survey.vpcs.get(name);
    let mut status = before.clone();
    status.standby = checked.is_some();
    status.default = checked.is_some_and(|vpc| vpc.is_default);
    status.router = checked.map(|vpc| vpc.name.clone()).unwrap_or_default();
    status.subnets = facts
        .subnets
        .values()
        .filter(|subnet| {
            is_of(subnet, name) && (!is_deleted(&subnet.meta) || facts.ports.use_subnet(subnet.name()))
        })
        .map(|subnet| subnet.name().to_owned())
        .collect();
    status.default_logical_switch = default_switch(survey, facts, name);
    status.vpc_peerings = checked
        .map(|vpc| vpc.peerings.iter().map(|peering| peering.remote.clone()).collect())
        .unwrap_or_default();
    if checked.is_some() || !findings.is_empty() {
        status.conditions = conditions(&findings, checked.is_some(), STANDBY, STANDBY);
    }
    status
}

/// The subnet of pods that ask for none: the one the spec names, else in the default VPC the one marked `default`.
fn default_switch(survey: &Survey, facts: &Facts, name: &str) -> String {
    let Some(vpc) = survey.vpcs.get(name) else { return String::new() };
    let named = facts.vpcs.get(name).map(|vpc| vpc.spec.default_subnet.clone()).unwrap_or_default();
    if vpc.subnets.contains_key(&named) {
        return named;
    }
    let is_marked = |subnet: &&String| facts.subnets.get(*subnet).is_some_and(|subnet| subnet.spec.default);
    let marked = vpc.subnets.keys().find(|subnet| vpc.is_default && is_marked(subnet));
    marked.cloned().unwrap_or_default()
}

/// The conditions of a Subnet; counters, DHCP rows and everything else stay as they are in `before`, and so do the
/// conditions of a subnet that the survey has not seen yet. Of `ports` it says which ones the subnet no longer fits.
pub fn subnet(survey: &Survey, ports: &Ports, name: &str, before: &SubnetStatus) -> SubnetStatus {
    let object = Object::Subnet(name.to_owned());
    let mut misfits = Findings::about(object.clone());
    if let Some(fault) = survey.subnet(name).and_then(|(_, subnet)| misfit::of(subnet, ports)) {
        misfits.add(Effect::PartLeftOut, fault);
    }
    let findings: Vec<&Finding> = survey.about(&object).chain(&misfits.list).collect();
    let (is_ready, ready) = match survey.subnet(name) {
        Some((_, subnet)) => (true, if subnet.private { PRIVATE } else { NOT_PRIVATE }),
        None => (survey.unrouted.contains(name), NOT_OVN),
    };
    let mut status = before.clone();
    if !is_ready && findings.is_empty() {
        return status;
    }
    status.conditions = conditions(&findings, is_ready, ready, VALIDATION_SUCCEEDED);
    if let Some(validated) = status.conditions.iter_mut().find(|c| c.kind == VALIDATED && !c.holds()) {
        VALIDATION_FAILED.clone_into(&mut validated.reason);
    }
    status
}

/// `Ready`, `Validated`, `Error` and `Warning`, each with the gravest reason and all messages that belong to it.
fn conditions(findings: &[&Finding], is_ready: bool, ready: &str, validated: &str) -> Vec<Condition> {
    let of = |effects: &[Effect]| -> Vec<&&Finding> {
        findings.iter().filter(|finding| effects.contains(&finding.effect)).collect()
    };
    let refusals = of(&[Effect::Refused]);
    let faults = of(&[Effect::Refused, Effect::PartLeftOut]);
    let notes = of(&[Effect::Note]);
    let told = |kind: &str, holds: bool, about: &[&&Finding], otherwise: &str| {
        let reason = about.first().map_or(otherwise, |finding| finding.reason.as_str());
        let message = about.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ");
        Condition::new(kind, holds, reason, &message)
    };
    let mut conditions = vec![
        told(VALIDATED, faults.is_empty(), &faults, validated),
        told(READY, is_ready && refusals.is_empty(), &refusals, ready),
    ];
    if !faults.is_empty() {
        conditions.push(told(ERROR, true, &faults, ""));
    }
    if !notes.is_empty() {
        conditions.push(told(WARNING, true, &notes, ""));
    }
    conditions
}
