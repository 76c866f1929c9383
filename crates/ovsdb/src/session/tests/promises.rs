//! The session's promises over random orders of events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;

use super::bench::{Bench, SECOND};
use crate::failure::TransactError;
use crate::rpc::Incoming;

#[derive(Debug, Clone)]
enum Step {
    Transact(u32),
    Connect,
    Greet,
    Answer,
    Pass(u32),
    Lose,
    Late,
    Follower,
    Subscribe,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..8u32).prop_map(Step::Transact),
        3 => Just(Step::Connect),
        3 => Just(Step::Greet),
        3 => Just(Step::Answer),
        3 => (0..6u32).prop_map(Step::Pass),
        1 => Just(Step::Lose),
        1 => Just(Step::Late),
        1 => Just(Step::Follower),
        1 => Just(Step::Subscribe),
    ]
}

proptest! {
    /// The bench itself asserts that nothing is sent over a connection that is over or not admitted.
    #[test]
    fn every_transaction_is_answered_once_in_time_and_sent_at_most_once(steps in vec(step(), 0..60)) {
        let mut bench = Bench::new(2);
        let mut due: BTreeMap<u64, Instant> = BTreeMap::new();
        for (ticket, step) in (1000..).zip(steps) {
            match step {
                Step::Transact(seconds) => {
                    due.insert(ticket, bench.now + seconds * SECOND);
                    bench.transact(ticket, seconds);
                }
                Step::Connect => bench.connect(),
                Step::Greet => bench.greet(),
                Step::Answer => drop(bench.answer("transact", None)),
                Step::Pass(seconds) => bench.pass(seconds),
                Step::Lose => bench.lose(),
                Step::Late => {
                    let late = Incoming::read(br#"{"id":3,"result":[{}]}"#).unwrap();
                    bench.session.received(bench.now, bench.link.saturating_sub(1), late);
                    bench.session.lost(bench.now, bench.link.saturating_sub(1), "old".to_owned());
                    bench.act();
                }
                Step::Follower => bench.leader = !bench.leader,
                Step::Subscribe => bench.subscribe(ticket),
            }
            if let Step::Pass(_) = step {
                let answered: BTreeSet<u64> = bench.answers.iter().map(|(ticket, _)| *ticket).collect();
                let late = due.iter().find(|(ticket, due)| **due <= bench.now && !answered.contains(ticket));
                prop_assert_eq!(late, None);
            }
        }
        bench.session.close(bench.now);
        bench.act();
        bench.transact(1, 1);
        due.insert(1, bench.now);
        let mut answered: Vec<u64> = bench.answers.iter().map(|(ticket, _)| *ticket).collect();
        answered.sort_unstable();
        prop_assert_eq!(answered, due.keys().copied().collect::<Vec<_>>());
        prop_assert!(bench.sent.values().all(|times| *times == 1));
        // Certain failures are those of transactions that were never sent.
        for (ticket, answer) in &bench.answers {
            if matches!(answer, Err(TransactError::NotSent(_))) {
                let comment = format!("\"{ticket}\"");
                prop_assert!(!bench.sent.contains_key(&comment));
            }
        }
        prop_assert!(!bench.up && bench.session.wakeup().is_none());
    }
}
