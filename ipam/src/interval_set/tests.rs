use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The model's numbers: small ones, or the last ones there are, to meet both ends of the space.
const WIDTH: u8 = 40;

fn interval(base: u128, (a, b): (u8, u8)) -> Interval {
    let (a, b) = (u128::from(a.min(b)), u128::from(a.max(b)));
    Interval::new(base + a, base + b).unwrap()
}

fn numbers(set: &IntervalSet) -> BTreeSet<u128> {
    set.iter().flat_map(|run| run.first()..=run.last()).collect()
}

fn build(base: u128, ops: &[(bool, (u8, u8))]) -> (IntervalSet, BTreeSet<u128>) {
    let (mut set, mut model) = (IntervalSet::new(), BTreeSet::new());
    for &(add, ends) in ops {
        let interval = interval(base, ends);
        let range = interval.first()..=interval.last();
        if add {
            set.insert(interval);
            model.extend(range);
        } else {
            set.remove(interval);
            range.for_each(|n| _ = model.remove(&n));
        }
    }
    (set, model)
}

fn ends() -> impl Strategy<Value = (u8, u8)> {
    (0..WIDTH, 0..WIDTH)
}

fn bases() -> impl Strategy<Value = u128> {
    prop_oneof![Just(0), Just(100), Just(u128::MAX - u128::from(WIDTH - 1))]
}

proptest! {
    #[test]
    fn it_holds_what_a_plain_set_holds(base in bases(), ops in vec((any::<bool>(), ends()), 0..40)) {
        let (set, model) = build(base, &ops);
        prop_assert_eq!(numbers(&set), model.clone());
        prop_assert_eq!(set.count(), model.len() as u128);
        prop_assert_eq!(set.first(), model.first().copied());
        for n in base..=base + u128::from(WIDTH - 1) {
            prop_assert_eq!(set.contains(n), model.contains(&n));
        }
        let runs = set.iter().collect::<Vec<_>>();
        prop_assert!(runs.windows(2).all(|two| two[0].last() + 1 < two[1].first()), "{} has runs that touch", set);
        prop_assert_eq!(runs.len(), set.fragments());
    }

    #[test]
    fn equal_contents_are_equal_values(base in bases(), ops in vec((any::<bool>(), ends()), 0..40)) {
        let (set, model) = build(base, &ops);
        prop_assert_eq!(model.into_iter().rev().map(Interval::single).collect::<IntervalSet>(), set);
    }

    #[test]
    fn set_algebra_is_that_of_plain_sets(
        base in bases(),
        left in vec((any::<bool>(), ends()), 0..20),
        right in vec((any::<bool>(), ends()), 0..20),
        window in ends(),
    ) {
        let ((a, a_model), (b, b_model)) = (build(base, &left), build(base, &right));
        prop_assert_eq!(numbers(&a.subtract(&b)), &a_model - &b_model);
        prop_assert_eq!(numbers(&a.union(&b)), &a_model | &b_model);
        let window = interval(base, window);
        let inside = a_model.range(window.first()..=window.last()).copied().collect::<BTreeSet<_>>();
        prop_assert_eq!(numbers(&a.clip(window)), inside);
        prop_assert_eq!(a.first_outside(&b), (&a_model - &b_model).first().copied());
    }
}

#[test]
fn the_whole_space_counts_as_the_greatest_number_and_can_be_cut() {
    let whole = Interval::new(0, u128::MAX).unwrap();
    let mut set = IntervalSet::from_iter([whole]);
    assert_eq!(set.count(), u128::MAX);
    assert!(set.remove_one(7));
    assert_eq!((set.count(), set.fragments()), (u128::MAX, 2));
    set.remove(Interval::new(0, 7).unwrap());
    assert_eq!(set.count(), u128::MAX - 7);
    set.insert(Interval::new(0, 100).unwrap());
    assert_eq!((set.count(), set.fragments()), (u128::MAX, 1));
    set.remove(whole);
    assert_eq!((set.count(), set.is_empty()), (0, true));
}

#[test]
fn it_is_written_as_ranges_of_numbers_or_of_addresses() {
    let set = IntervalSet::from_iter([Interval::new(1, 3).unwrap(), Interval::single(5)]);
    assert_eq!(set.to_string(), "1-3,5");
    assert_eq!(set.display(Family::V4).to_string(), "0.0.0.1-0.0.0.3,0.0.0.5");
    assert_eq!(set.display(Family::V6).to_string(), "::1-::3,::5");
    assert_eq!(IntervalSet::new().display(Family::V6).to_string(), "");
}
