//! What was measured: times by name, their quantiles and ratios.

use std::time::Duration;

/// Times in the order in which their names were first seen.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    rows: Vec<(&'static str, Vec<Duration>)>,
}

/// The middle and the edges of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(crate) median: Duration,
    pub p10: Duration,
    pub p90: Duration,
    pub p99: Duration,
}

impl Samples {
    pub(crate) fn add(&mut self, name: &'static str, took: Duration) {
        match self.rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, times)) => times.push(took),
            None => self.rows.push((name, vec![took])),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    /// `None` when nothing was measured under that name.
    pub(crate) fn spread(&self, name: &str) -> Option<Spread> {
        let (_, times) = self.rows.iter().find(|(known, _)| *known == name)?;
        let mut sorted = times.clone();
        sorted.sort();
        let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
        Some(Spread { median: at(50), p10: at(10), p90: at(90), p99: at(99) })
    }

    /// How many times that of `reference` the median of `name` is, and the same of the p10s.
    pub(crate) fn ratios(&self, name: &str, reference: &str) -> Option<(f64, f64)> {
        let (own, other) = (self.spread(name)?, self.spread(reference)?);
        let ratio = |of: fn(&Spread) -> Duration| of(&own).as_secs_f64() / of(&other).as_secs_f64();
        Some((ratio(|s| s.median), ratio(|s| s.p10)))
    }
}
