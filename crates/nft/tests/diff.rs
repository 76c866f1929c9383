//! A difference, carried out on a model of the kernel that minds what refers to what, gives the wanted table.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod ground;

use nft::{Batch, Chain, Change, Data, Expr, Name, Set, Step, Table, diff, remove, replace};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_difference_leads_from_found_to_wanted(wanted in ground::tables(), found in ground::tables()) {
        let after = carried_out(Some(found.clone()), &diff(&wanted, Some(&found)));
        prop_assert_eq!(after, Some(wanted));
    }

    #[test]
    fn equal_tables_differ_in_nothing(table in ground::tables()) {
        prop_assert!(diff(&table, Some(&table.clone())).is_empty());
    }

    #[test]
    fn replacement_and_removal_do_not_mind_what_is_there(wanted in ground::tables(), found in ground::tables()) {
        for found in [None, Some(found)] {
            prop_assert_eq!(carried_out(found.clone(), &replace(&wanted)), Some(wanted.clone()));
            prop_assert_eq!(carried_out(found, &remove(&wanted.id)), None);
        }
    }
}

/// The model: refuses, by a panic, what the kernel would.
fn carried_out(found: Option<Table>, batch: &Batch) -> Option<Table> {
    batch.changes().iter().fold(found, carry_out)
}

fn carry_out(found: Option<Table>, change: &Change) -> Option<Table> {
    let Some(mut table) = found else {
        assert_eq!(change.step, Step::AddTable, "no table for {change}");
        return Some(Table::new(change.table.clone()));
    };
    match &change.step {
        Step::AddTable => table.is_dormant = false,
        Step::RemoveTable => return None,
        Step::AddChain(name, base) => {
            let chain = Chain { base: base.clone(), rules: Vec::new() };
            assert!(table.chains.insert(name.clone(), chain).is_none(), "{change}");
        }
        Step::RemoveChain(name) => {
            assert!(!verdicts(&table).any(|chain| chain == name), "{change}: in use");
            assert!(table.chains.remove(name).unwrap().rules.is_empty(), "{change}: not empty");
        }
        Step::Flush(name) => table.chains.get_mut(name).unwrap().rules.clear(),
        Step::AddRule(name, rule) => {
            for expr in &rule.exprs {
                assert!(
                    !matches!(expr, Expr::Lookup { set, .. } if !table.sets.contains_key(set)),
                    "{change}"
                );
            }
            table.chains.get_mut(name).unwrap().rules.push(rule.clone());
        }
        Step::AddSet(name, set) => {
            assert!(table.sets.insert(name.clone(), set.clone()).is_none(), "{change}");
        }
        Step::RemoveSet(name) => {
            assert!(!lookups(&table).any(|set| set == name), "{change}: in use");
            table.sets.remove(name).unwrap();
        }
        Step::AddElements(elements) => {
            let set: &mut Set = table.sets.get_mut(elements.set()).unwrap();
            for (key, element) in elements.iter() {
                assert!(set.elements.insert(key.clone(), element.clone()).is_none(), "{change}");
            }
        }
        Step::RemoveElements(elements) => {
            let set = table.sets.get_mut(elements.set()).unwrap();
            elements.iter().for_each(|(key, _)| assert!(set.elements.remove(key).is_some(), "{change}"));
        }
    }
    let missing = verdicts(&table).find(|chain| !table.chains.contains_key(*chain));
    assert_eq!(missing, None, "{change}");
    Some(table)
}

/// The chains that rules and elements lead to.
fn verdicts(table: &Table) -> impl Iterator<Item = &Name> {
    let exprs = table.chains.values().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.exprs);
    let of_rules =
        exprs.filter_map(|expr| if let Expr::Verdict(verdict) = expr { verdict.chain() } else { None });
    let elements = table.sets.values().flat_map(|set| set.elements.values());
    let of_elements = elements.filter_map(|element| match &element.data {
        Some(Data::Verdict(verdict)) => verdict.chain(),
        _ => None,
    });
    of_rules.chain(of_elements)
}

fn lookups(table: &Table) -> impl Iterator<Item = &Name> {
    let exprs = table.chains.values().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.exprs);
    exprs.filter_map(|expr| if let Expr::Lookup { set, .. } = expr { Some(set) } else { None })
}
