//! The smallest batch that makes a table be as wanted.

use std::collections::BTreeSet;

use crate::batch::Batch;
use crate::chain::Chain;
use crate::change::{Change, Step};
use crate::name::Name;
use crate::set::{MapKind, Set, SetFlags};
use crate::table::{Table, TableId};

/// What turns `found` into `wanted`; nothing when they are equal but for counters.
///
/// Sets and maps change element by element. The rules of a chain that differs are replaced as a whole, in the same
/// batch, so no packet sees it half done. A set of another make, or a chain of another hook, is made anew. `found`
/// must be the same table, or `None` when there is none.
pub fn diff(wanted: &Table, found: Option<&Table>) -> Batch {
    let nothing = Table::new(wanted.id.clone());
    let plan = Plan::new(wanted, found.unwrap_or(&nothing));
    let mut batch = Batch::default();
    if found.is_none_or(|found| found.is_dormant) {
        batch.push(change(&wanted.id, Step::AddTable));
    }
    // What refers goes before what is referred to, and comes after it.
    plan.flush_chains(&mut batch);
    plan.remove_elements(&mut batch);
    plan.remove_chains(&mut batch);
    plan.remove_sets(&mut batch);
    plan.add_sets(&mut batch);
    plan.add_chains(&mut batch);
    plan.add_elements(&mut batch);
    plan.add_rules(&mut batch);
    batch
}

/// The whole table anew in one transaction, whatever is there now and whatever it is made of.
pub fn replace(wanted: &Table) -> Batch {
    let mut batch = remove(&wanted.id);
    batch.append(diff(wanted, None));
    batch
}

/// The removal of a table that may not be there.
pub fn remove(table: &TableId) -> Batch {
    // A removal that asks for nothing to be there (`NFT_MSG_DESTROYTABLE`) needs Linux 6.3.
    [change(table, Step::AddTable), change(table, Step::RemoveTable)].into_iter().collect()
}

fn change(table: &TableId, step: Step) -> Change {
    Change { table: table.clone(), step }
}

struct Plan<'a> {
    wanted: &'a Table,
    found: &'a Table,
    /// Found sets that are not wanted, or of another make.
    gone_sets: BTreeSet<&'a Name>,
    /// Found chains that are not wanted, or at another hook.
    gone_chains: BTreeSet<&'a Name>,
    /// Wanted chains whose rules have to be written.
    stale_chains: BTreeSet<&'a Name>,
}

impl<'a> Plan<'a> {
    fn new(wanted: &'a Table, found: &'a Table) -> Self {
        let gone_sets: BTreeSet<_> = (found.sets.iter())
            .filter(|(name, set)| wanted.sets.get(*name).is_none_or(|ours| !ours.is_made_as(set)))
            .map(|(name, _)| name)
            .collect();
        let gone_chains: BTreeSet<_> = (found.chains.iter())
            .filter(|(name, chain)| wanted.chains.get(*name).is_none_or(|ours| ours.base != chain.base))
            .map(|(name, _)| name)
            .collect();
        let is_stale = |name: &Name, chain: &Chain| {
            let same = found.chains.get(name).is_some_and(|theirs| has_same_rules(chain, theirs));
            !same || gone_chains.contains(name) || looks_into(chain, &gone_sets)
        };
        let stale = wanted.chains.iter().filter(|(name, chain)| is_stale(name, chain));
        let stale_chains = stale.map(|(name, _)| name).collect();
        Self { wanted, found, gone_sets, gone_chains, stale_chains }
    }

    fn change(&self, step: Step) -> Change {
        change(&self.wanted.id, step)
    }

    fn flush_chains(&self, batch: &mut Batch) {
        for (name, chain) in &self.found.chains {
            let is_rewritten = self.gone_chains.contains(name) || self.stale_chains.contains(name);
            if is_rewritten && !chain.rules.is_empty() {
                batch.push(self.change(Step::Flush(name.clone())));
            }
        }
    }

    fn remove_elements(&self, batch: &mut Batch) {
        for (name, set) in &self.found.sets {
            if is_anonymous(set) {
                continue;
            }
            let kept = self.wanted.sets.get(name).filter(|_| !self.gone_sets.contains(name));
            let gone = set
                .elements
                .iter()
                .filter(|(key, element)| kept.is_none_or(|kept| kept.elements.get(*key) != Some(*element)));
            // A set that goes takes its elements along, but verdicts must let go of their chains first.
            let gone = gone.filter(|_| kept.is_some() || set.data == Some(MapKind::Verdict));
            let gone = gone.map(|(key, element)| (key.clone(), element.clone()));
            batch.remove_elements(&self.wanted.id, name, set, gone);
        }
    }

    fn remove_chains(&self, batch: &mut Batch) {
        for chain in &self.gone_chains {
            batch.push(self.change(Step::RemoveChain((*chain).clone())));
        }
    }

    fn remove_sets(&self, batch: &mut Batch) {
        for name in &self.gone_sets {
            // An anonymous one went with its rule.
            if self.found.sets.get(*name).is_some_and(|set| !is_anonymous(set)) {
                batch.push(self.change(Step::RemoveSet((*name).clone())));
            }
        }
    }

    fn add_sets(&self, batch: &mut Batch) {
        for (name, set) in &self.wanted.sets {
            if self.kept_set(name).is_none() {
                let set = Set { elements: Default::default(), ..set.clone() };
                batch.push(self.change(Step::AddSet(name.clone(), set)));
            }
        }
    }

    fn add_chains(&self, batch: &mut Batch) {
        for (name, chain) in &self.wanted.chains {
            if !self.found.chains.contains_key(name) || self.gone_chains.contains(name) {
                batch.push(self.change(Step::AddChain(name.clone(), chain.base.clone())));
            }
        }
    }

    fn add_elements(&self, batch: &mut Batch) {
        for (name, set) in &self.wanted.sets {
            let kept = self.kept_set(name);
            let new = set
                .elements
                .iter()
                .filter(|(key, element)| kept.is_none_or(|kept| kept.elements.get(*key) != Some(*element)));
            let new = new.map(|(key, element)| (key.clone(), element.clone()));
            batch.add_elements(&self.wanted.id, name, set, new);
        }
    }

    fn add_rules(&self, batch: &mut Batch) {
        for (name, chain) in &self.wanted.chains {
            if self.stale_chains.contains(name) {
                for rule in &chain.rules {
                    batch.push(self.change(Step::AddRule(name.clone(), rule.clone())));
                }
            }
        }
    }

    /// The found set that stays.
    fn kept_set(&self, name: &Name) -> Option<&'a Set> {
        self.found.sets.get(name).filter(|_| !self.gone_sets.contains(name))
    }
}

fn has_same_rules(ours: &Chain, theirs: &Chain) -> bool {
    ours.rules.len() == theirs.rules.len()
        && ours.rules.iter().zip(&theirs.rules).all(|(ours, theirs)| ours.does_as(theirs))
}

fn looks_into(chain: &Chain, sets: &BTreeSet<&Name>) -> bool {
    let mut exprs = chain.rules.iter().flat_map(|rule| &rule.exprs);
    exprs.any(|expr| expr.set().is_some_and(|set| sets.contains(set)))
}

fn is_anonymous(set: &Set) -> bool {
    set.flags.contains(SetFlags::ANONYMOUS)
}
