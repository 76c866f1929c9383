//! A set of numbers stored as disjoint runs: its size in memory follows its fragmentation, not its count.

use std::collections::BTreeMap;
use std::fmt;

use crate::family::Family;
use crate::interval::Interval;

/// A set of `u128`. Runs never touch each other, so equal sets are equal values.
///
/// With `r` runs, looking up and changing one run costs `O(log r)`; counting is free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntervalSet {
    /// First number of a run → its last.
    runs: BTreeMap<u128, u128>,
    /// How many numbers, modulo 2^128: zero in a set that is not empty means all of them.
    count: u128,
}

impl IntervalSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many numbers; `u128::MAX` for the whole space, which has one more.
    pub fn count(&self) -> u128 {
        if self.count == 0 && !self.is_empty() { u128::MAX } else { self.count }
    }

    /// How many runs; what memory and printing cost.
    pub fn fragments(&self) -> usize {
        self.runs.len()
    }

    /// The lowest number.
    pub fn first(&self) -> Option<u128> {
        self.runs.first_key_value().map(|(&first, _)| first)
    }

    /// Whether `n` is in it.
    pub fn contains(&self, n: u128) -> bool {
        self.run_of(n).is_some()
    }

    /// The whole run that `n` lies in.
    pub fn run_of(&self, n: u128) -> Option<Interval> {
        let (&first, &last) = self.runs.range(..=n).next_back()?;
        Interval::new(first, last).filter(|run| run.contains(n))
    }

    /// The lowest number that `avoid` does not have.
    pub fn first_outside(&self, avoid: &Self) -> Option<u128> {
        self.iter().find_map(|run| {
            let mut n = run.first();
            while let Some(avoided) = avoid.run_of(n) {
                if avoided.last() >= run.last() {
                    return None;
                }
                n = avoided.last() + 1;
            }
            Some(n)
        })
    }

    /// The runs in ascending order; no two touch.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Interval> {
        self.runs.iter().filter_map(|(&first, &last)| Interval::new(first, last))
    }

    /// Adds every number of `interval`.
    pub fn insert(&mut self, interval: Interval) {
        let (mut first, mut last) = (interval.first(), interval.last());
        if let Some((&below, &end)) = self.runs.range(..=first).next_back()
            && end >= first.saturating_sub(1)
        {
            if end >= last {
                return;
            }
            first = below;
        }
        while let Some((&start, &end)) = self.runs.range(first..=last.saturating_add(1)).next() {
            self.drop_run(start, end);
            last = last.max(end);
        }
        self.put_run(first, last);
    }

    /// Takes out every number of `interval`.
    pub fn remove(&mut self, interval: Interval) {
        let (first, last) = (interval.first(), interval.last());
        if let Some((&below, &end)) = self.runs.range(..first).next_back()
            && end >= first
        {
            self.drop_run(below, end);
            self.put_run(below, first - 1);
            self.put_rest(last, end);
        }
        while let Some((&start, &end)) = self.runs.range(first..=last).next() {
            self.drop_run(start, end);
            self.put_rest(last, end);
        }
    }

    /// Adds `n`.
    pub fn insert_one(&mut self, n: u128) {
        self.insert(Interval::single(n));
    }

    /// Takes out `n`; says whether it was there.
    pub fn remove_one(&mut self, n: u128) -> bool {
        let there = self.contains(n);
        if there {
            self.remove(Interval::single(n));
        }
        there
    }

    /// What is in `self` and not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = self.clone();
        other.iter().for_each(|run| left.remove(run));
        left
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.extend(other.iter());
        both
    }

    /// What of it lies inside `window`.
    #[must_use]
    pub fn clip(&self, window: Interval) -> Self {
        let below = self.run_of(window.first());
        let inside = self.runs.range(window.first()..=window.last());
        let inside = inside.filter_map(|(&first, &last)| Interval::new(first, last));
        below.into_iter().chain(inside).filter_map(|run| run.intersection(window)).collect()
    }

    /// Writes it as addresses of `family` in Kube-OVN's form, `a-b,c`. One run at a time: `O(fragments)`.
    pub fn display(&self, family: Family) -> impl fmt::Display {
        fmt::from_fn(move |f| self.write(f, |run, f| write!(f, "{}", run.display(family))))
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        one: impl Fn(Interval, &mut fmt::Formatter<'_>) -> fmt::Result,
    ) -> fmt::Result {
        for (nth, run) in self.iter().enumerate() {
            if nth > 0 {
                f.write_str(",")?;
            }
            one(run, f)?;
        }
        Ok(())
    }

    fn put_run(&mut self, first: u128, last: u128) {
        self.runs.insert(first, last);
        self.count = self.count.wrapping_add((last - first).wrapping_add(1));
    }

    fn put_rest(&mut self, removed_to: u128, end: u128) {
        if end > removed_to {
            self.put_run(removed_to + 1, end);
        }
    }

    fn drop_run(&mut self, first: u128, last: u128) {
        self.runs.remove(&first);
        self.count = self.count.wrapping_sub((last - first).wrapping_add(1));
    }
}

/// `a-b,c` as plain numbers.
impl fmt::Display for IntervalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, |run, f| write!(f, "{run}"))
    }
}

impl Extend<Interval> for IntervalSet {
    fn extend<I: IntoIterator<Item = Interval>>(&mut self, intervals: I) {
        intervals.into_iter().for_each(|interval| self.insert(interval));
    }
}

impl FromIterator<Interval> for IntervalSet {
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> Self {
        let mut set = Self::new();
        set.extend(intervals);
        set
    }
}

#[cfg(test)]
mod tests;
