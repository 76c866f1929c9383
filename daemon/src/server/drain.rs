//! The end of the daemon as a value: holding a [`Busy`] delays it, a [`Drain`] hears that it has begun.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// Hears that the daemon ends.
#[derive(Clone)]
pub struct Drain(watch::Receiver<bool>);

/// Delays the end until it is dropped.
#[derive(Clone)]
pub struct Busy(#[expect(dead_code, reason = "dropping it is its use")] mpsc::Sender<()>);

/// The one who ends the daemon.
pub struct Drainer {
    begin: watch::Sender<bool>,
    idle: mpsc::Receiver<()>,
}

/// A drainer, what hears it, and what delays it.
pub fn new() -> (Drainer, Drain, Busy) {
    let (begin, begun) = watch::channel(false);
    let (busy, idle) = mpsc::channel(1);
    (Drainer { begin, idle }, Drain(begun), Busy(busy))
}

impl Drain {
    /// Returns once the end has begun. Cancel safe.
    pub async fn started(&mut self) {
        // An error means that the drainer is gone, which is an end too.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}

impl Drainer {
    /// Begins the end and waits until nobody is busy. False when somebody still is after `limit`.
    pub async fn drain(mut self, limit: Duration) -> bool {
        let _ = self.begin.send(true);
        tokio::time::timeout(limit, self.idle.recv()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_the_busy_and_no_longer_than_the_limit() {
        let (drainer, mut drain, busy) = new();
        let worker = tokio::spawn(async move {
            drain.started().await;
            drop(busy);
        });

        assert!(drainer.drain(Duration::from_secs(60)).await);
        worker.await.unwrap();

        let (drainer, _drain, _busy) = new();
        assert!(!drainer.drain(Duration::ZERO).await);
    }
}
