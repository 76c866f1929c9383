//! Duplicate-address probes on the external network. They cost an ADD no wait: a probe leaves as soon as an address is
//! chosen, and is judged when the work that had to be done anyway is done.
//!
//! One packet socket per parent interface lives as long as the interface, because closing one costs milliseconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netlink::{Link, NeighbourWatch};
use tokio::io::unix::AsyncFd;

use crate::events::{self, Source};

/// How long after an ADD an answer is still listened for, to be reported. RFC 5227 section 2.1.1: PROBE_WAIT is 1 s.
pub const LATE: Duration = Duration::from_secs(1);

/// The probes of this node.
#[derive(Clone, Default)]
pub struct Neighbours(Arc<Mutex<HashMap<u32, Arc<Watch>>>>);

/// Who answered for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The address.
    pub address: IpAddr,
    /// The answering machine's MAC.
    pub mac: [u8; 6],
}

/// One interface that is listened on.
pub struct Watch {
    socket: NeighbourWatch,
    interests: Mutex<Vec<(IpAddr, Arc<Verdict>)>>,
}

#[derive(Default)]
struct Verdict {
    answered: Mutex<Option<Answered>>,
    notify: tokio::sync::Notify,
}

/// A probe under way. Dropping it ends the interest in answers.
pub struct Probe {
    watch: Arc<Watch>,
    verdict: Arc<Verdict>,
}

impl Neighbours {
    /// Listens on `parent` from now on. `None`, and a warning, when the kernel does not allow it.
    pub fn watch(&self, parent: &Link) -> Option<Arc<Watch>> {
        let mut watches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watches.get(&parent.index) {
            return Some(watch.clone());
        }
        let opened = NeighbourWatch::open(parent.index, parent.mac)
            .map_err(|e| crate::causes::chain(&e))
            .and_then(|socket| {
                let watch = Arc::new(Watch { socket, interests: Mutex::default() });
                let descriptor = events::register(Listening(watch.clone())).map_err(|e| e.to_string())?;
                Ok((watch, descriptor))
            });
        match opened {
            Ok((watch, descriptor)) => {
                watches.insert(parent.index, watch.clone());
                tokio::spawn(listen(self.clone(), parent.index, descriptor));
                Some(watch)
            }
            Err(error) => {
                tracing::warn!(interface = parent.name, error, "duplicate addresses cannot be probed for");
                None
            }
        }
    }

    fn forget(&self, index: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&index);
    }
}

struct Listening(Arc<Watch>);

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

/// Hands out answers until the interface is gone.
async fn listen(neighbours: Neighbours, index: u32, descriptor: AsyncFd<Source<Listening>>) {
    loop {
        let Ok(mut ready) = descriptor.readable().await else { break };
        if let Err(error) = ready.get_inner().0.0.drain() {
            tracing::info!(index, %error, "stopped listening for duplicate addresses");
            break;
        }
        ready.clear_ready();
    }
    neighbours.forget(index);
}

impl Watch {
    /// Registers an interest in `addresses` that are not known yet.
    pub fn prepare(self: &Arc<Self>) -> Probe {
        Probe { watch: self.clone(), verdict: Arc::default() }
    }

    fn drain(&self) -> std::io::Result<()> {
        while let Some(sighting) = self.socket.recv()? {
            let interests = self.interests.lock().unwrap_or_else(PoisonError::into_inner);
            for (_, verdict) in interests.iter().filter(|(address, _)| *address == sighting.ip) {
                let answered = Answered { address: sighting.ip, mac: sighting.mac };
                verdict.answered.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(answered);
                verdict.notify.notify_one();
            }
        }
        Ok(())
    }
}

impl Probe {
    /// Sends a probe for each address. Does not block.
    pub fn send(&self, addresses: &[IpAddr]) {
        let mut interests = self.watch.interests.lock().unwrap_or_else(PoisonError::into_inner);
        interests.extend(addresses.iter().map(|address| (*address, self.verdict.clone())));
        drop(interests);
        for address in addresses {
            if let Err(error) = self.watch.socket.send_probe(*address) {
                tracing::debug!(%address, %error, "send a duplicate-address probe");
            }
        }
    }

    /// Whoever has answered so far.
    pub fn answered(&self) -> Option<Answered> {
        // The listener may not have had its turn yet.
        let _ = self.watch.drain();
        *self.verdict.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a late answer. Cancel safe.
    pub async fn late(self) -> Option<Answered> {
        let _ = tokio::time::timeout(LATE, self.verdict.notify.notified()).await;
        self.answered()
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        Self { watch: self.watch.clone(), verdict: self.verdict.clone() }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let mut interests = self.watch.interests.lock().unwrap_or_else(PoisonError::into_inner);
        let others = Arc::strong_count(&self.verdict)
            - interests.iter().filter(|(_, verdict)| Arc::ptr_eq(verdict, &self.verdict)).count();
        if others <= 1 {
            interests.retain(|(_, verdict)| !Arc::ptr_eq(verdict, &self.verdict));
        }
    }
}
