//! How news come into the model, and what has to be looked at because of them.

use std::collections::BTreeSet;

use daemon_api::PodRef;
use ovn::owner::Owner;
use ovn::snapshot::Snapshot;
use ovsdb::view::{Batch, Standing};
use vpc::{Facts, PortFact, Ports, Survey};

use super::Model;
use crate::northbound::{departing, incumbents, news, verdict};
use crate::resources::Index;

impl Model {
    /// The objects are these. `now` is the time as RFC 3339 writes it.
    pub fn set_objects(&mut self, index: &Index, now: &str) {
        departing::update(&mut self.facts, index, now);
        self.has_objects = true;
        self.resurvey();
        self.dirty.all = true;
    }

    /// The ports of all pods are these.
    pub fn set_ports(&mut self, ports: impl Iterator<Item = PortFact>) {
        self.has_claims = true;
        let lost = std::mem::take(&mut self.lost);
        self.facts.ports = Ports::default();
        for port in ports {
            match lost.to(&port) {
                Some(rival) => self.lost.add(port.clone(), rival.clone()),
                None => self.facts.ports.insert(port),
            }
        }
        self.resurvey();
        self.dirty.all = true;
    }

    /// The ports of one pod are these. True when the objects have to be read again, because one waited for this pod.
    pub fn set_pod(&mut self, pod: &PodRef, ports: Vec<PortFact>) -> bool {
        let before: Vec<PortFact> =
            self.facts.ports.of_pod(&pod.namespace, &pod.name).map(|port| PortFact::clone(port)).collect();
        self.lost.retain(&pod.namespace, &pod.name, |port| ports.contains(port));
        let now: Vec<PortFact> = ports.into_iter().filter(|port| self.lost.to(port).is_none()).collect();
        self.dirty.facts.insert(Owner::pod(&pod.namespace, &pod.name));
        if before == now {
            return false;
        }
        let subnets: BTreeSet<String> = before.iter().chain(&now).map(|port| port.subnet.clone()).collect();
        let use_of = |facts: &Facts| subnets.iter().map(|s| facts.ports.use_subnet(s)).collect::<Vec<_>>();
        let (used, departs) = (use_of(&self.facts), subnets.iter().any(|name| self.is_departing(name)));
        for port in before.iter().filter(|port| !now.contains(port)) {
            self.facts.ports.remove(port);
            self.namesakes_too(port);
        }
        for port in now.into_iter().filter(|port| !before.contains(port)) {
            self.namesakes_too(&port);
            self.facts.ports.insert(port);
        }
        if used != use_of(&self.facts) || departs {
            self.survey_again();
        }
        departs
    }

    /// Two pods may want a port of one name; the second gets it when the first is gone.
    fn namesakes_too(&mut self, port: &PortFact) {
        let twins = self.facts.ports.of_name(&port.name());
        let owners = twins.iter().map(|twin| Owner::pod(&twin.namespace, &twin.pod));
        self.dirty.facts.extend(owners);
    }

    fn is_departing(&self, subnet: &str) -> bool {
        self.facts.subnets.get(subnet).is_none_or(|subnet| departing::is_departing(subnet))
    }

    /// Before the first plan: whoever is in the database stays, as if it had been accepted by this process.
    pub(super) fn begin(&mut self) {
        if !self.has_begun {
            self.has_begun = true;
            self.facts.accepted = incumbents::of(&self.facts, &self.found);
            self.survey = Survey::of(&self.facts);
        }
    }

    /// Checks the facts anew, and answers what was found before.
    fn resurvey(&mut self) -> Survey {
        // What was thought before the database was known kept nobody's place.
        if self.has_begun {
            self.facts.accepted = self.survey.places();
        }
        std::mem::replace(&mut self.survey, Survey::of(&self.facts))
    }

    /// Which objects exclude each other depends on whether pods use them.
    fn survey_again(&mut self) {
        let before = self.resurvey();
        self.dirty.all |= (&before.vpcs, &before.home) != (&self.survey.vpcs, &self.survey.home);
    }

    /// This node is called so from now on.
    pub fn set_chassis(&mut self, chassis: Option<String>) {
        let mut found = Snapshot::on(chassis.as_deref().unwrap_or_default());
        for (uuid, row) in self.found.rows() {
            found.put(row.table(), uuid, row.read().0.clone());
        }
        self.found = found;
        self.facts.settings.chassis = chassis;
        self.resurvey();
        self.dirty.all = true;
    }

    /// The database's rows have changed.
    pub fn take_rows(&mut self, batch: Batch) {
        let refused = self.refused.values().flatten();
        let in_the_way: BTreeSet<_> =
            refused.flat_map(|refusal| verdict::in_the_way(refusal, &self.found)).collect();
        let touched = news::take_in(&mut self.found, batch.changes, &in_the_way);
        self.is_current = batch.standing == Standing::Current;
        let kinds = self.kinds();
        self.dirty.rows.extend(touched.owners.into_iter().filter(|(owner, _)| kinds.contains(&owner.kind())));
        self.dirty.all |= touched.has_moved;
    }
}
