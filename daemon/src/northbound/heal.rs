//! How often what others damage is put right. Pure.
//!
//! A person's slip is put right at once. Somebody who changes the same rows again and again gets his way for longer and
//! longer between: a second program that believes it owns the rows must not make both of them busy.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ovn::owner::Owner;

/// This often without a pause.
const AT_ONCE: u32 = 10;
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// After this long without damage all is forgotten.
const QUIET: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Record {
    count: u32,
    last: Instant,
}

impl Record {
    fn pause(&self) -> Duration {
        match self.count.checked_sub(AT_ONCE) {
            None => Duration::ZERO,
            Some(over) => SHORTEST.saturating_mul(1 << over.min(16)).min(LONGEST),
        }
    }
}

/// How often the rows of each owner were put right lately.
#[derive(Debug, Default)]
pub(super) struct Heals(BTreeMap<Owner, Record>);

impl Heals {
    /// When the owner's rows may be put right.
    pub(super) fn not_before(&self, owner: &Owner, now: Instant) -> Instant {
        self.0.get(owner).map_or(now, |record| record.last + record.pause())
    }

    /// The owner's rows were put right. True when from now on it is done less often.
    pub(super) fn healed(&mut self, owner: &Owner, now: Instant) -> bool {
        self.0.retain(|_, record| now.saturating_duration_since(record.last) < QUIET + record.pause());
        let record = self.0.entry(owner.clone()).or_insert(Record { count: 0, last: now });
        record.last = now;
        record.count = record.count.saturating_add(1);
        record.count == AT_ONCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_put_right_at_once_and_a_fight_less_and_less_often() {
        let (mut heals, owner, mut now) = (Heals::default(), Owner::vpc("v"), Instant::now());
        let pauses: Vec<u128> = (0..22)
            .map(|_| {
                let due = heals.not_before(&owner, now);
                let pause = due - now;
                now = due;
                heals.healed(&owner, now);
                pause.as_millis()
            })
            .collect();

        assert_eq!(pauses[..10], [0; 10]);
        assert_eq!(pauses[10..14], [100, 200, 400, 800]);
        assert_eq!(pauses[21], 30_000);
        assert_eq!(heals.not_before(&Owner::vpc("other"), now), now);
    }

    #[test]
    fn it_is_told_once_and_forgotten_after_a_quiet_time() {
        let (mut heals, owner, now) = (Heals::default(), Owner::vpc("v"), Instant::now());
        let told = (0..20).filter(|_| heals.healed(&owner, now)).count();
        assert_eq!(told, 1);

        let later = now + LONGEST + 2 * QUIET;
        heals.healed(&owner, later);
        assert_eq!(heals.not_before(&owner, later), later);
    }
}
