//! In which order calls arrived, so that an ADD never runs after the DEL that followed it.
//!
//! A runtime that gives an ADD up kills the plugin and sends a DEL. A daemon that was stalled meanwhile finds both calls
//! at once and may come to the DEL first; the ADD would then make what nobody deletes any more. The kernel hands out
//! connections in the order in which they were made, so a number taken at accept tells which call came later.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use daemon_api::{ContainerId, IfName};

/// How many DELs are remembered. An entry matters while an older call still waits, and the server has room for fewer
/// connections than this.
const REMEMBERED: usize = 4096;

/// The place of a call in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival(u64);

type Interface = (ContainerId, IfName);

/// The order of arrival, and the last DEL of each interface.
#[derive(Default)]
pub struct Arrivals {
    next: AtomicU64,
    dels: Mutex<Dels>,
}

#[derive(Default)]
struct Dels {
    last: HashMap<Interface, Arrival>,
    /// Oldest first; an interface may stand here more than once.
    order: VecDeque<(Interface, Arrival)>,
}

impl Arrivals {
    /// The next place.
    pub fn arrive(&self) -> Arrival {
        Arrival(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A DEL is being done. The interface's lock is held by the caller.
    pub fn deleted(&self, interface: Interface, at: Arrival) {
        let mut dels = self.dels.lock().unwrap_or_else(PoisonError::into_inner);
        let last = dels.last.entry(interface.clone()).or_insert(at);
        *last = at.max(*last);
        dels.order.push_back((interface, at));
        if dels.order.len() > REMEMBERED
            && let Some((oldest, at)) = dels.order.pop_front()
            && dels.last.get(&oldest) == Some(&at)
        {
            dels.last.remove(&oldest);
        }
    }

    /// True when a DEL of the interface came after `at` and was done already.
    pub fn is_deleted_since(&self, interface: &Interface, at: Arrival) -> bool {
        let dels = self.dels.lock().unwrap_or_else(PoisonError::into_inner);
        dels.last.get(interface).is_some_and(|del| *del > at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(container: usize) -> Interface {
        (ContainerId::new(&format!("c{container}")).unwrap(), IfName::new("eth0").unwrap())
    }

    #[test]
    fn only_a_del_that_came_later_counts() {
        let arrivals = Arrivals::default();
        let (first_add, del, second_add) = (arrivals.arrive(), arrivals.arrive(), arrivals.arrive());

        arrivals.deleted(interface(1), del);

        assert!(arrivals.is_deleted_since(&interface(1), first_add));
        assert!(!arrivals.is_deleted_since(&interface(1), second_add));
        assert!(!arrivals.is_deleted_since(&interface(2), first_add));
    }

    #[test]
    fn dels_done_out_of_order_count_as_the_latest() {
        let arrivals = Arrivals::default();
        let (early, add, late) = (arrivals.arrive(), arrivals.arrive(), arrivals.arrive());

        arrivals.deleted(interface(1), late);
        arrivals.deleted(interface(1), early);

        assert!(arrivals.is_deleted_since(&interface(1), add));
    }

    #[test]
    fn memory_is_bounded() {
        let arrivals = Arrivals::default();
        let first = arrivals.arrive();
        for container in 0..=REMEMBERED {
            arrivals.deleted(interface(container), arrivals.arrive());
        }

        assert!(!arrivals.is_deleted_since(&interface(0), first), "forgotten");
        assert!(arrivals.is_deleted_since(&interface(1), first));
        assert_eq!(arrivals.dels.lock().unwrap().last.len(), REMEMBERED);
    }
}
