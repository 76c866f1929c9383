//! One verb at a time per sandbox interface, and per owner: keyed locks that vanish when nobody holds or awaits them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Locks by key.
pub struct Locks<K: Hash + Eq + Clone>(Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>);

/// Holds the lock of one key until it is dropped.
pub struct Held<K: Hash + Eq + Clone> {
    locks: Arc<Locks<K>>,
    key: K,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Hash + Eq + Clone> Default for Locks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone> Locks<K> {
    /// Waits for the lock of `key`. Waiters are served in order. Cancel safe.
    pub async fn hold(self: &Arc<Self>, key: K) -> Held<K> {
        let lock = self.map().entry(key.clone()).or_default().clone();
        let mut held = Held { locks: self.clone(), key, guard: None };
        held.guard = Some(lock.lock_owned().await);
        held
    }

    /// True while somebody holds or awaits the lock of `key`.
    pub fn is_held(&self, key: &K) -> bool {
        self.map().contains_key(key)
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> Drop for Held<K> {
    fn drop(&mut self) {
        let mut map = self.locks.map();
        self.guard = None;
        // Only the map's own reference is left: nobody holds it and nobody waits.
        if map.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            map.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_held_by_one_at_a_time_and_forgotten_after() {
        let locks = Arc::new(Locks::<&str>::default());
        let first = locks.hold("a").await;
        let other = locks.hold("b").await;
        let waiting = tokio::spawn({
            let locks = locks.clone();
            async move { drop(locks.hold("a").await) }
        });
        tokio::task::yield_now().await;

        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        drop(other);
        assert!(locks.map().is_empty());
    }

    #[tokio::test]
    async fn giving_up_waiting_leaves_nothing_behind() {
        let locks = Arc::new(Locks::<&str>::default());
        let held = locks.hold("a").await;
        let waiting = tokio::spawn({
            let locks = locks.clone();
            async move { drop(locks.hold("a").await) }
        });
        tokio::task::yield_now().await;

        waiting.abort();
        let _ = waiting.await;
        drop(held);

        assert!(locks.map().is_empty());
    }
}
