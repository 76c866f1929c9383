//! How long to wait before another attempt to connect.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Waits that double, once all endpoints have been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub shortest: Duration,
    /// The longest wait. A connection that served for as long forgives the attempts before it.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { shortest: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The wait after this many failed attempts: none before the next endpoint, and a longer one after each round of them.
    pub fn delay(&self, attempts: u32, endpoints: NonZeroUsize) -> Duration {
        let endpoints = u32::try_from(endpoints.get()).unwrap_or(u32::MAX);
        if attempts == 0 || !attempts.is_multiple_of(endpoints) {
            return Duration::ZERO;
        }
        let doublings = (attempts / endpoints - 1).min(20);
        self.shortest.saturating_mul(1 << doublings).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(endpoints: usize, attempts: std::ops::Range<u32>) -> Vec<u64> {
        let backoff = Backoff { shortest: Duration::from_secs(1), longest: Duration::from_secs(5) };
        let endpoints = NonZeroUsize::new(endpoints).unwrap();
        attempts.map(|attempt| backoff.delay(attempt, endpoints).as_secs()).collect()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        assert_eq!(delays(1, 0..6), [0, 1, 2, 4, 5, 5]);
        assert_eq!(delays(1, u32::MAX - 1..u32::MAX), [5]);
    }

    #[test]
    fn every_endpoint_is_tried_before_a_wait() {
        assert_eq!(delays(3, 0..8), [0, 0, 0, 1, 0, 0, 2, 0]);
    }
}
