//! The addresses released last, oldest first, bounded.

use std::collections::BTreeMap;

/// How many released addresses a pool remembers in order. The next release moves the oldest to those
/// released long ago, which are reused earlier, lowest first.
pub const RECENT: usize = 4096;

/// A queue of distinct numbers out of whose middle one can be taken, and put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recent {
    /// Ticket → number, in the order of release.
    queue: BTreeMap<u64, u128>,
    /// Number → its ticket.
    tickets: BTreeMap<u128, u64>,
    next_ticket: u64,
    limit: usize,
}

impl Recent {
    /// An empty queue for at most `limit` numbers.
    pub(crate) fn new(limit: usize) -> Self {
        Self { queue: BTreeMap::new(), tickets: BTreeMap::new(), next_ticket: 0, limit }
    }

    /// The ticket of `n`, if it is in the queue.
    pub(crate) fn ticket(&self, n: u128) -> Option<u64> {
        self.tickets.get(&n).copied()
    }

    /// The numbers, oldest release first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u128> {
        self.queue.values().copied()
    }

    /// Appends `n`; returns what no longer fits.
    pub(crate) fn push(&mut self, n: u128) -> Option<u128> {
        self.remove(n);
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.put_back(n, ticket)
    }

    /// Puts `n` where `ticket` says; returns what no longer fits.
    pub(crate) fn put_back(&mut self, n: u128, ticket: u64) -> Option<u128> {
        self.queue.insert(ticket, n);
        self.tickets.insert(n, ticket);
        if self.queue.len() <= self.limit {
            return None;
        }
        let (_, oldest) = self.queue.pop_first()?;
        self.tickets.remove(&oldest);
        Some(oldest)
    }

    /// Takes `n` out.
    pub(crate) fn remove(&mut self, n: u128) {
        if let Some(ticket) = self.tickets.remove(&n) {
            self.queue.remove(&ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_leaves_when_the_queue_is_full() {
        let mut recent = Recent::new(RECENT);
        for n in 0..RECENT as u128 {
            assert_eq!(recent.push(n), None);
        }
        assert_eq!(recent.push(9999), Some(0));
        assert_eq!(recent.ticket(0), None);
        assert_eq!(recent.iter().next(), Some(1));
        assert_eq!(recent.iter().last(), Some(9999));
    }

    #[test]
    fn a_number_taken_out_goes_back_to_its_place() {
        let mut recent = Recent::new(RECENT);
        for n in [7, 5, 6] {
            recent.push(n);
        }
        let before = recent.clone();
        let ticket = recent.ticket(5).unwrap();
        recent.remove(5);
        assert_eq!(recent.iter().collect::<Vec<_>>(), [7, 6]);
        recent.put_back(5, ticket);
        assert_eq!(recent, before);
    }

    #[test]
    fn a_number_released_again_moves_to_the_end() {
        let mut recent = Recent::new(RECENT);
        for n in [7, 5, 7] {
            recent.push(n);
        }
        assert_eq!(recent.iter().collect::<Vec<_>>(), [5, 7]);
    }
}
