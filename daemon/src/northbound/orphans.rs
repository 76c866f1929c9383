//! Pods whose subnet or VPC nobody defines any more, and whose rows are there from before this daemon started. Pure.
//!
//! While the daemon runs it remembers such objects (`departing`); after a restart only the rows do. They are left as they are
//! until the objects come back or the pods are gone: a file that is lost or broken must not cut off pods that run.

use std::collections::BTreeSet;

use crds::vpc::DEFAULT_VPC;
use ovn::diff::Scope;
use ovn::nb::Table;
use ovn::owner::{Owner, Standing};
use ovn::snapshot::Snapshot;
use vpc::{Facts, Plan, PortFact, Survey};

/// The owners of the scope whose rows are left.
pub(super) fn of(facts: &Facts, survey: &Survey, found: &Snapshot, scope: &Scope) -> BTreeSet<Owner> {
    let mut orphans = BTreeSet::new();
    let mut add = |port: &PortFact| {
        if is_undefined(facts, survey, &port.subnet) {
            let switches = found.named(Table::LogicalSwitch, &port.subnet).filter_map(|uuid| found.row(uuid));
            for standing in switches.map(ovn::snapshot::FoundRow::standing) {
                if let Standing::Owned(vpc) = standing {
                    orphans.extend([vpc.clone(), Owner::pod(&port.namespace, &port.pod)]);
                }
            }
        }
    };
    let pods = |owners: &BTreeSet<Owner>| owners.iter().all(|owner| owner.name().contains('/'));
    match scope {
        Scope::Owners(owners) if pods(owners) => {
            let names = owners.iter().filter_map(|owner| owner.name().split_once('/'));
            names.for_each(|(namespace, pod)| facts.ports.of_pod(namespace, pod).for_each(|port| add(port)));
        }
        Scope::Owners(_) | Scope::Kinds(_) => facts.ports.iter().for_each(|port| add(port)),
    }
    orphans
}

fn is_undefined(facts: &Facts, survey: &Survey, subnet: &str) -> bool {
    if survey.home.contains_key(subnet) {
        return false;
    }
    let vpc = facts.subnets.get(subnet).map(|subnet| subnet.spec.vpc.as_str());
    let vpc = vpc.map(|name| if name.is_empty() { DEFAULT_VPC } else { name });
    vpc.is_none_or(|name| !facts.vpcs.contains_key(name))
}

/// The plan's scope without these owners.
pub(super) fn spare(plan: &Plan, found: &Snapshot, orphans: &BTreeSet<Owner>) -> Scope {
    let mut owners: BTreeSet<Owner> = match &plan.scope {
        Scope::Owners(owners) => owners.clone(),
        Scope::Kinds(_) => {
            let found = found.owners().filter(|owner| plan.scope.covers(owner)).cloned();
            plan.wanted.owners().into_iter().cloned().chain(found).collect()
        }
    };
    owners.retain(|owner| !orphans.contains(owner));
    Scope::Owners(owners)
}
