//! Readiness as values: the daemon is not ready while somebody holds a named guard.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What readiness still waits for.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, usize>>>);

/// Blocks readiness until it is dropped.
pub struct NotReady {
    readiness: Readiness,
    name: &'static str,
}

impl Readiness {
    /// Blocks readiness under a name that an operator understands.
    pub fn block(&self, name: &'static str) -> NotReady {
        *self.names().entry(name).or_default() += 1;
        NotReady { readiness: self.clone(), name }
    }

    /// The names that block, in alphabetical order; empty when ready.
    pub fn waits_for(&self) -> Vec<&'static str> {
        self.names().keys().copied().collect()
    }

    fn names(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NotReady {
    fn drop(&mut self) {
        let mut names = self.readiness.names();
        if let Some(count) = names.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                names.remove(self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_once_every_guard_is_dropped() {
        let readiness = Readiness::default();
        let (a, b, again) = (readiness.block("a"), readiness.block("b"), readiness.block("a"));

        drop(a);
        assert_eq!(readiness.waits_for(), ["a", "b"]);
        drop(b);
        drop(again);
        assert!(readiness.waits_for().is_empty());
    }
}
