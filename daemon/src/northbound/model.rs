//! What is wanted, what is found, and what to do next. Pure: news come in, one piece of work at a time comes out.
//!
//! Nothing is planned before the objects, the claims and the database's rows are known. Pods' ports wait besides for the
//! name of this node, under which the database knows whose they are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use ovn::diff::{Change, Refusal, diff};
use ovn::owner::{Owner, OwnerKind};
use ovn::snapshot::Snapshot;
use vpc::{Facts, Finding, Object, Plan, PortFact, Ports, Settings, Survey, plan_all, plan_owners};

use super::dirty::Dirty;
use super::heal::Heals;
use super::orphans;
use super::referee::{self, Lost};
use super::verdict;

mod answer;
mod intake;

pub use answer::PortState;

/// One transaction to make, and what to look at again when it fails.
#[derive(Debug)]
pub struct Work {
    /// The change; may be empty.
    pub change: Change,
    /// What could not be planned, and was planned a moment ago, in words.
    pub complaints: Vec<String>,
    /// Whose rows others changed, each with one of them in words.
    pub drifted: BTreeMap<Owner, String>,
    dirty: Dirty,
}

impl Work {
    /// Whose rows it is about; `None` means everybody's.
    fn owners(&self) -> Option<BTreeSet<Owner>> {
        (!self.dirty.all).then(|| self.dirty.owners())
    }
}

/// What is wanted and what is found.
#[derive(Debug, Default)]
pub struct Model {
    facts: Facts,
    survey: Survey,
    found: Snapshot,
    is_current: bool,
    has_objects: bool,
    has_claims: bool,
    /// Something may have been planned.
    has_begun: bool,
    dirty: Dirty,
    /// Owners that others fight about, and when they may be looked at again.
    held: BTreeMap<Owner, (Instant, String)>,
    heals: Heals,
    lost: Lost,
    /// What could not be planned because of what is in the database.
    refused: BTreeMap<Owner, Vec<Refusal>>,
    /// Ports that the planner refuses.
    findings: BTreeMap<Owner, Vec<Finding>>,
    /// Owners whose rows the database itself refuses, and why.
    broken: BTreeMap<Owner, String>,
    /// Owners that are tried one by one, because together they were refused.
    singles: VecDeque<Owner>,
}

impl Model {
    /// Nothing is known yet but the settings.
    pub fn new(settings: Settings) -> Self {
        let facts = Facts { settings, ..Facts::default() };
        Self { facts, found: Snapshot::on(""), ..Self::default() }
    }

    /// The kinds of owners whose rows are ours to keep now.
    fn kinds(&self) -> &'static [OwnerKind] {
        match self.facts.settings.chassis {
            Some(_) => &[OwnerKind::Vpc, OwnerKind::Subnet, OwnerKind::Pod],
            None => &[OwnerKind::Vpc, OwnerKind::Subnet],
        }
    }

    fn keeps(&self, kind: OwnerKind) -> bool {
        self.kinds().contains(&kind)
    }

    /// Whether anything may be planned.
    pub fn is_ready(&self) -> bool {
        self.is_current && self.has_objects && self.has_claims
    }

    /// How much there is to look at.
    pub fn backlog(&self) -> usize {
        self.dirty.size()
    }

    /// Whether all that is known has been looked at.
    pub fn is_idle(&self) -> bool {
        self.dirty.is_clean() && self.singles.is_empty()
    }

    /// How many rows cannot be made because of what is in the database.
    pub fn refusals(&self) -> usize {
        self.refused.values().map(Vec::len).sum()
    }

    /// When there may be something to do without any news.
    pub fn wake(&self) -> Option<Instant> {
        self.held.values().map(|(due, _)| *due).min()
    }

    /// The next piece of work; `None` when there is nothing to do, or nothing can be done now.
    pub fn next(&mut self, now: Instant) -> Option<Work> {
        if !self.is_ready() {
            return None;
        }
        self.begin();
        let drifted = self.drifted(now);
        if drifted.keys().any(|owner| owner.kind() != OwnerKind::Pod) {
            // References into a VPC's rows are the pods', who are found by a look at all of them.
            self.dirty.all = true;
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.rows.clone_from(&drifted);
        if dirty.is_clean()
            && let Some(owner) = self.singles.pop_front()
        {
            dirty.facts.insert(owner);
        }
        if dirty.is_clean() {
            return None;
        }
        self.give_way(&dirty);
        let plan = self.plan(&dirty);
        let change = diff(&plan.wanted, &self.found, &plan.scope);
        let complaints = self.note(&dirty, &plan, &change);
        Some(Work { change, complaints, drifted, dirty })
    }

    fn plan(&self, dirty: &Dirty) -> Plan {
        let nothing = Ports::default();
        let ports = if self.keeps(OwnerKind::Pod) { &self.facts.ports } else { &nothing };
        let mut plan = if dirty.all {
            plan_all(&self.survey, ports, self.kinds())
        } else {
            let mut owners = dirty.owners();
            owners.retain(|owner| self.keeps(owner.kind()));
            plan_owners(&self.survey, ports, &owners)
        };
        let orphans = orphans::of(&self.facts, &self.survey, &self.found, &plan.scope);
        if !orphans.is_empty() {
            plan.scope = orphans::spare(&plan, &self.found, &orphans);
        }
        plan
    }

    /// Sorts out whose rows are no longer as they should be, and may be put right now.
    fn drifted(&mut self, now: Instant) -> BTreeMap<Owner, String> {
        let mut rows = std::mem::take(&mut self.dirty.rows);
        let due = self.held.extract_if(.., |_, (due, _)| *due <= now);
        rows.extend(due.map(|(owner, (_, row))| (owner, row)));
        if self.dirty.all || rows.is_empty() || self.is_as_wanted(rows.keys()) {
            return BTreeMap::new();
        }
        rows.retain(|owner, row| {
            let due = self.heals.not_before(owner, now);
            if self.is_as_wanted(std::iter::once(owner)) {
                return false;
            }
            if due > now {
                self.held.insert(owner.clone(), (due, std::mem::take(row)));
            }
            due <= now
        });
        rows
    }

    fn is_as_wanted<'a>(&self, owners: impl Iterator<Item = &'a Owner>) -> bool {
        let dirty = Dirty { facts: owners.cloned().collect(), ..Dirty::default() };
        let plan = self.plan(&dirty);
        let change = diff(&plan.wanted, &self.found, &plan.scope);
        change.is_empty() && change.refusals.is_empty()
    }

    /// Keeps ports out whose address another one has, rather than to have both for a moment.
    fn give_way(&mut self, dirty: &Dirty) {
        // As long as this node has no name, its own ports look like others'.
        if !self.keeps(OwnerKind::Pod) {
            return;
        }
        for (namespace, pod) in dirty.facts.iter().filter_map(|owner| owner.name().split_once('/')) {
            let ports: Vec<PortFact> =
                self.facts.ports.of_pod(namespace, pod).map(|port| PortFact::clone(port)).collect();
            for port in ports {
                if !referee::is_in(&self.found, &port.name()) {
                    self.judge(&port);
                }
            }
        }
    }

    /// Takes a port back when another one has its address. True when it does.
    fn judge(&mut self, port: &PortFact) -> bool {
        let Some(rival) = referee::rival(&self.found, port) else { return false };
        self.facts.ports.remove(port);
        self.lost.add(port.clone(), rival);
        self.dirty.facts.insert(Owner::pod(&port.namespace, &port.pod));
        true
    }

    /// Lets a port that gave way come again when nobody has its address any more. True when it does.
    fn come_again(&mut self, name: &str) -> bool {
        let Some(port) = self.lost.take_if(name, |port| referee::rival(&self.found, port).is_none()) else {
            return false;
        };
        self.dirty.facts.insert(Owner::pod(&port.namespace, &port.pod));
        self.facts.ports.insert(port);
        true
    }

    /// Remembers what could not be planned, and says what is new of it.
    fn note(&mut self, dirty: &Dirty, plan: &Plan, change: &Change) -> Vec<String> {
        let owners = dirty.owners();
        let is_past = |owner: &Owner| dirty.all || owners.contains(owner);
        let before: BTreeSet<Refusal> = self
            .refused
            .extract_if(.., |owner, _| is_past(owner))
            .flat_map(|(_, refusals)| refusals)
            .collect();
        self.findings.retain(|owner, _| !is_past(owner));
        self.broken.retain(|owner, _| !is_past(owner));
        for refusal in &change.refusals {
            if let Some(owner) = verdict::owner_of(refusal, &plan.wanted, &self.found) {
                self.refused.entry(owner).or_default().push(refusal.clone());
            }
        }
        for finding in &plan.findings {
            if let Object::Port(name) = &finding.object {
                let holder = plan.wanted.get(&ovn::nb::LogicalSwitchPort::key_of(name)).map(|row| &row.owner);
                let owners = self.facts.ports.of_name(name).iter().map(|p| Owner::pod(&p.namespace, &p.pod));
                for owner in owners.filter(|owner| holder != Some(owner) && is_past(owner)) {
                    self.findings.entry(owner).or_default().push(finding.clone());
                }
            }
        }
        change.refusals.iter().filter(|refusal| !before.contains(refusal)).map(ToString::to_string).collect()
    }

    /// The work is done. Answers the rows of which others now get their way for a while.
    pub fn done(&mut self, work: &Work, now: Instant) -> Vec<String> {
        if work.change.is_empty() {
            return Vec::new();
        }
        let fought = work.drifted.iter().filter(|(owner, _)| self.heals.healed(owner, now));
        fought.map(|(_, row)| row.clone()).collect()
    }

    /// The work came to nothing, and is to be planned again.
    pub fn undone(&mut self, work: Work) {
        self.dirty.join(work.dirty);
    }

    /// The database will not have it. What is about one owner is left until that one changes; what is about several is
    /// tried one by one, so that nobody suffers from another's.
    pub fn refused(&mut self, work: Work, why: &str) {
        let owners = work.owners().unwrap_or_else(|| self.owners());
        let is_alone = owners.len() <= 1;
        for owner in owners {
            if is_alone {
                self.broken.insert(owner, why.to_owned());
            } else {
                self.singles.push_back(owner);
            }
        }
    }

    /// Everybody that has or wants rows, VPCs first.
    fn owners(&self) -> BTreeSet<Owner> {
        let vpcs = self.survey.vpcs.keys().map(Owner::vpc);
        let pods = self.facts.ports.iter().map(|port| Owner::pod(&port.namespace, &port.pod));
        let found = self.found.owners().filter(|owner| self.keeps(owner.kind())).cloned();
        vpcs.chain(pods).chain(found).collect()
    }
}

#[cfg(test)]
mod tests;
