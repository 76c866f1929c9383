//! When to try again after the database did not do what it was asked. Pure.

use std::time::{Duration, Instant};

use ovsdb::failure::TransactError;

/// Attempts at once after rows had changed meanwhile: the newer rows are there already.
const AT_ONCE: u32 = 8;
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);

/// What a failure means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Rows had changed: plan again from the newer ones.
    Outdated,
    /// Nothing is wrong with the transaction: the same may succeed later, or have succeeded already. The rows tell.
    Later,
    /// The database will never have it.
    Never,
}

/// What a failure means.
pub(super) fn meaning(error: &TransactError) -> Meaning {
    match error {
        TransactError::Refused(refusal) if refusal.is_unmet_wait() => Meaning::Outdated,
        TransactError::Refused(refusal) if is_passing(&refusal.error) => Meaning::Later,
        TransactError::Refused(_) => Meaning::Never,
        TransactError::Rejected(_) | TransactError::NotSent(_) | TransactError::Unknown(_) => Meaning::Later,
    }
}

/// Errors of RFC 7047 section 3.1 and ovsdb-server(7) that speak of the server, not of what it was asked.
fn is_passing(error: &str) -> bool {
    matches!(
        error,
        "resources exhausted" | "I/O error" | "not leader" | "aborted" | "cluster error" | "not allowed"
    )
}

/// How often it failed in a row.
#[derive(Debug, Default)]
pub(super) struct Retry {
    failures: u32,
    due: Option<Instant>,
}

impl Retry {
    /// Not before this.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it may be tried now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_none_or(|due| due <= now)
    }

    /// It succeeded.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// It failed. True when somebody should hear of it: the first time it is going to take long.
    pub(super) fn failed(&mut self, meaning: &Meaning, now: Instant) -> bool {
        let free = if *meaning == Meaning::Outdated { AT_ONCE } else { 0 };
        let doublings = self.failures.saturating_sub(free).min(16);
        let pause = if self.failures < free {
            Duration::ZERO
        } else {
            SHORTEST.saturating_mul(1 << doublings).min(LONGEST)
        };
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + pause);
        self.failures == free + 1
    }
}

#[cfg(test)]
mod tests {
    use ovsdb::failure::Unsent;
    use ovsdb::outcome::Refusal;

    use super::*;

    fn refused(error: &str) -> TransactError {
        TransactError::Refused(Refusal { operation: None, error: error.into(), details: None })
    }

    #[test]
    fn only_what_speaks_of_the_transaction_itself_is_for_good() {
        assert_eq!(meaning(&refused("timed out")), Meaning::Outdated);
        assert_eq!(meaning(&refused("constraint violation")), Meaning::Never);
        assert_eq!(meaning(&refused("not leader")), Meaning::Later);
        assert_eq!(meaning(&TransactError::NotSent(Unsent::Overdue)), Meaning::Later);
    }

    #[test]
    fn outdated_plans_are_made_again_at_once_and_the_rest_with_growing_pauses() {
        let (mut retry, now) = (Retry::default(), Instant::now());
        for _ in 0..AT_ONCE {
            assert!(!retry.failed(&Meaning::Outdated, now) && retry.is_due(now));
        }
        assert!(retry.failed(&Meaning::Outdated, now) && !retry.is_due(now));
        retry.succeeded();
        assert!(retry.is_due(now));

        let pauses: Vec<u128> = (0..12)
            .map(|_| {
                retry.failed(&Meaning::Later, now);
                (retry.due().unwrap() - now).as_millis()
            })
            .collect();
        assert_eq!((pauses[0], pauses[1], pauses[11]), (50, 100, 10_000));
    }
}
