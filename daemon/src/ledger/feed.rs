//! Which pods' claims have changed since somebody last asked: each pod once, however often it changed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daemon_api::PodRef;
use tokio::sync::Notify;

/// The pods that have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// These.
    Pods(BTreeSet<PodRef>),
    /// Perhaps any.
    All,
}

/// A set of changed pods that one reader takes. It cannot overflow: it is no larger than the number of pods.
#[derive(Debug)]
pub struct Feed {
    changed: Mutex<Changed>,
    news: Notify,
}

impl Default for Feed {
    /// Nobody has read anything yet.
    fn default() -> Self {
        Self { changed: Mutex::new(Changed::All), news: Notify::new() }
    }
}

impl Feed {
    /// Adds pods.
    pub fn changed<'a>(&self, pods: impl Iterator<Item = &'a PodRef>) {
        if let Changed::Pods(all) = &mut *self.lock() {
            all.extend(pods.cloned());
        }
        self.news.notify_one();
    }

    /// Adds every pod.
    pub fn all_changed(&self) {
        *self.lock() = Changed::All;
        self.news.notify_one();
    }

    /// Waits for news and takes it. Nothing is lost when this is given up half-way.
    pub async fn next(&self) -> Changed {
        loop {
            if let Some(changed) = self.take() {
                return changed;
            }
            self.news.notified().await;
        }
    }

    /// Takes what there is, without waiting.
    pub fn take(&self) -> Option<Changed> {
        let mut changed = self.lock();
        let is_news = *changed != Changed::Pods(BTreeSet::new());
        is_news.then(|| std::mem::replace(&mut *changed, Changed::Pods(BTreeSet::new())))
    }

    fn lock(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> PodRef {
        PodRef::new("ns", name).unwrap()
    }

    #[tokio::test]
    async fn the_first_reader_hears_of_everything_and_then_of_each_pod_once() {
        let feed = Feed::default();
        feed.changed([&pod("early")].into_iter());

        assert_eq!(feed.next().await, Changed::All);
        feed.changed([&pod("b"), &pod("a")].into_iter());
        feed.changed([&pod("b")].into_iter());
        assert_eq!(feed.next().await, Changed::Pods(BTreeSet::from([pod("a"), pod("b")])));
        assert_eq!(feed.take(), None);
    }

    #[tokio::test]
    async fn after_a_reload_any_pod_may_have_changed() {
        let feed = Feed::default();
        feed.take();
        feed.changed([&pod("a")].into_iter());
        feed.all_changed();

        assert_eq!(feed.next().await, Changed::All);
    }
}
