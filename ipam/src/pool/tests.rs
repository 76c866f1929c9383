use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::family::Family;
use crate::model::{Model, ModelSpec, WIDTH, base};
use crate::spec::SubnetSpec;

#[derive(Debug, Clone)]
enum Op {
    TakeBest(BTreeSet<u128>),
    TakeOneOf(u128, u128),
    TakeAndGiveBack(u128),
    Hold(u128),
    Release(u128),
    SetAside(u128),
    Readmit(u128),
    Respec(Option<ModelSpec>),
}

fn ops() -> impl Strategy<Value = Op> {
    let n = || (0..WIDTH).prop_map(u128::from);
    prop_oneof![
        6 => btree_set(n(), 0..3).prop_map(Op::TakeBest),
        2 => (n(), n()).prop_map(|(a, b)| Op::TakeOneOf(a.min(b), a.max(b))),
        2 => n().prop_map(Op::TakeAndGiveBack),
        2 => n().prop_map(Op::Hold),
        6 => n().prop_map(Op::Release),
        1 => n().prop_map(Op::SetAside),
        1 => n().prop_map(Op::Readmit),
        1 => proptest::option::weighted(0.9, ModelSpec::any()).prop_map(Op::Respec),
    ]
}

fn real_spec(family: Family, spec: &ModelSpec) -> FamilySpec {
    let (cidr, gateway, exclude) = spec.text(family);
    SubnetSpec::parse("net1", &cidr, &gateway, &exclude).unwrap().family(family).unwrap().clone()
}

fn offsets(set: &IntervalSet, base: u128) -> BTreeSet<u128> {
    set.iter().flat_map(|run| run.first() - base..=run.last() - base).collect()
}

fn numbers(offsets: &BTreeSet<u128>, base: u128) -> IntervalSet {
    offsets.iter().map(|&n| Interval::single(base + n)).collect()
}

/// Applies `op` to both and compares the answers.
fn apply(op: &Op, pool: &mut Pool, model: &mut Model, family: Family) -> Result<(), TestCaseError> {
    let base = base(family);
    match op {
        Op::TakeBest(avoid) => {
            let (found, wanted) = (pool.best(&numbers(avoid, base)), model.best(avoid));
            prop_assert_eq!(found.map(|n| n - base), wanted);
            if let Some(n) = wanted {
                prop_assert!(pool.hold(base + n));
                model.hold(n);
            }
        }
        &Op::TakeOneOf(first, last) => {
            let found = pool.first_of(Interval::new(base + first, base + last).unwrap());
            prop_assert_eq!(found.map(|n| n - base), model.first_of(first, last));
            if let Some(n) = found {
                pool.hold(n);
                model.hold(n - base);
            }
        }
        &Op::TakeAndGiveBack(n) if model.is_free(n) => {
            let (before, origin) = (pool.clone(), pool.origin(base + n));
            pool.hold(base + n);
            prop_assert!(pool.give_back(base + n, origin));
            prop_assert_eq!(&*pool, &before);
        }
        Op::TakeAndGiveBack(_) => {}
        &Op::Hold(n) => {
            prop_assert_eq!(pool.hold(base + n), !model.held.contains(&n));
            model.hold(n);
        }
        &Op::Release(n) => {
            prop_assert_eq!(pool.release(base + n), model.held.contains(&n));
            model.release(n);
        }
        &Op::SetAside(n) => {
            pool.set_aside(base + n);
            model.aside.insert(n);
        }
        &Op::Readmit(n) => {
            pool.readmit(base + n);
            model.aside.remove(&n);
        }
        Op::Respec(spec) => {
            pool.respec(spec.as_ref().map(|spec| real_spec(family, spec)));
            model.spec = spec.clone();
        }
    }
    Ok(())
}

fn agree(pool: &Pool, model: &Model, family: Family) -> Result<(), TestCaseError> {
    let base = base(family);
    prop_assert_eq!(offsets(&pool.available(), base), model.available());
    prop_assert_eq!(offsets(pool.held(), base), model.held.clone());
    prop_assert_eq!(offsets(pool.aside(), base), model.aside.clone());
    prop_assert_eq!(offsets(pool.released_long_ago(), base), model.long_ago.clone());
    prop_assert_eq!(pool.recent().map(|n| n - base).collect::<Vec<_>>(), model.recent.clone());
    let counts = Counts { available: model.available().len() as u128, using: model.held.len() as u128 };
    prop_assert_eq!(pool.counts(), counts);
    for n in 0..WIDTH.into() {
        prop_assert_eq!(pool.place(base + n), model.place(n), "place of {}", n);
    }
    let mut rebuilt = pool.clone();
    rebuilt.respec(pool.spec().cloned());
    prop_assert_eq!(pool, &rebuilt, "the views are what a rebuild makes");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn a_pool_does_what_the_naive_model_does(
        v6 in any::<bool>(),
        spec in ModelSpec::any(),
        limit in prop_oneof![Just(2_usize), Just(RECENT)],
        ops in vec(ops(), 0..120),
    ) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let mut pool = Pool::remembering(Some(real_spec(family, &spec)), limit);
        let mut model = Model::new(Some(spec), limit);
        for op in &ops {
            apply(op, &mut pool, &mut model, family)?;
            agree(&pool, &model, family)?;
        }
    }
}

fn v4_pool(cidr: &str, exclude: &[&str]) -> Pool {
    let exclude = exclude.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>();
    Pool::new(SubnetSpec::parse("net1", cidr, "", &exclude).unwrap().families().v4.clone())
}

fn take_best(pool: &mut Pool) -> Option<u128> {
    let n = pool.best(&IntervalSet::new())?;
    pool.hold(n);
    Some(n)
}

#[test]
fn the_order_is_never_used_then_released_long_ago_then_oldest_release() {
    let mut pool = v4_pool("10.0.0.0/19", &[]);
    let first = base(Family::V4) + 2;
    let taken = (0..5000).map(|_| take_best(&mut pool).unwrap()).collect::<Vec<_>>();
    assert_eq!(taken, (first..first + 5000).collect::<Vec<_>>());
    let released = taken.iter().rev().copied().collect::<Vec<_>>();
    released.iter().for_each(|&n| assert!(pool.release(n)));

    let never_used = first + 5000..base(Family::V4) + 8191;
    let long_ago = released[..5000 - RECENT].iter().rev().copied();
    let lately = released[5000 - RECENT..].iter().copied();
    let wanted = never_used.chain(long_ago).chain(lately).collect::<Vec<_>>();
    let order = std::iter::from_fn(|| take_best(&mut pool)).collect::<Vec<_>>();
    assert_eq!(order, wanted);
}

#[test]
fn what_is_given_back_late_returns_to_its_place_in_the_order() {
    let mut pool = v4_pool("10.0.0.0/29", &[]);
    let taken = std::iter::from_fn(|| take_best(&mut pool)).collect::<Vec<_>>();
    for n in &taken[..4] {
        pool.release(*n);
    }
    let origin = pool.origin(taken[0]);
    assert_eq!(take_best(&mut pool), Some(taken[0]));
    pool.release(taken[4]);
    assert!(pool.give_back(taken[0], origin));
    assert!(!pool.give_back(taken[0], origin), "a second time it is not held any more");
    assert_eq!(std::iter::from_fn(|| take_best(&mut pool)).collect::<Vec<_>>(), taken);
}

#[test]
fn counts_are_exact_at_the_size_of_an_8_and_of_a_64() {
    let mut pool = v4_pool("10.0.0.0/8", &["10.0.0.2..10.0.0.255"]);
    let all = (1 << 24) - 2;
    assert_eq!(pool.counts(), Counts { available: all - 255, using: 0 });
    for _ in 0..1000 {
        take_best(&mut pool);
    }
    assert_eq!(pool.counts(), Counts { available: all - 1255, using: 1000 });
    assert_eq!((pool.available().fragments(), pool.held().fragments()), (1, 1));

    let spec = SubnetSpec::parse("net1", "fd00::/64", "", &[]).unwrap();
    let mut pool = Pool::new(spec.families().v6.clone());
    let all = (1_u128 << 64) - 3;
    assert_eq!(pool.counts().available, all);
    let taken = (0..6000).map(|_| take_best(&mut pool).unwrap()).collect::<Vec<_>>();
    taken.iter().step_by(2).for_each(|&n| _ = pool.release(n));
    assert_eq!(pool.counts(), Counts { available: all - 3000, using: 3000 });
}
