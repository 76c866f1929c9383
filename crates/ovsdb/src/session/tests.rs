use serde_json::json;

use super::*;
use crate::failure::{Doubt, TransactError, Unsent};
use crate::server::Unfit;

mod bench;
mod promises;

use bench::{Bench, SECOND};

#[test]
fn a_transaction_waits_for_a_server_that_may_serve() {
    let mut bench = Bench::new(1);
    bench.transact(1, 100);
    bench.connect();
    bench.answer("get_schema", None);
    assert!(bench.sent.is_empty());
    bench.answer("monitor_cond_since", None);
    assert!(bench.answer("transact", None));
    assert_eq!(bench.answers, [(1, Ok(1))]);
}

#[test]
fn after_the_end_of_a_connection_the_outcome_is_unknown_and_nothing_is_sent_again() {
    let mut bench = Bench::ready(1);
    bench.transact(1, 100);
    bench.lose();
    let [(1, Err(TransactError::Unknown(Doubt::Lost(_))))] = bench.answers[..] else {
        panic!("{:?}", bench.answers)
    };
    bench.pass(1);
    bench.connect();
    bench.greet();
    assert!(bench.serves() && !bench.answer("transact", None));
}

#[test]
fn time_that_is_over_leaves_doubt_only_about_what_was_sent() {
    let mut bench = Bench::new(1);
    bench.transact(1, 2);
    bench.pass(2);
    assert_eq!(bench.answers, [(1, Err(TransactError::NotSent(Unsent::Overdue)))]);
    let mut bench = Bench::ready(1);
    bench.transact(1, 2);
    bench.pass(2);
    bench.answer("transact", None);
    assert_eq!(bench.answers, [(1, Err(TransactError::Unknown(Doubt::Overdue)))]);
}

#[test]
fn no_more_transactions_wait_than_allowed() {
    let mut bench = Bench::ready(1);
    (1..5).for_each(|ticket| bench.transact(ticket, 100));
    assert_eq!(bench.answers, [(4, Err(TransactError::NotSent(Unsent::Busy { limit: 3 })))]);
    bench.answer("transact", None);
    bench.transact(5, 100);
    assert_eq!(bench.sent.len(), 4);
}

#[test]
fn the_error_of_a_cluster_or_a_cancellation_leaves_doubt_and_others_do_not() {
    let mut bench = Bench::ready(1);
    (1..4).for_each(|ticket| bench.transact(ticket, 100));
    bench.answer("transact", Some(json!([{"error": "cluster error"}])));
    bench.answer("transact", Some(json!([{"error": "timed out"}])));
    let id = *bench.asked.keys().next().unwrap();
    bench.receive(&json!({"id": id, "result": null, "error": "canceled"}));
    let certain: Vec<bool> =
        bench.answers.iter().map(|(_, a)| a.as_ref().unwrap_err().is_certain()).collect();
    assert_eq!(certain, [false, true, false]);
}

#[test]
fn a_follower_is_left_for_the_next_endpoint_at_once() {
    let mut bench = Bench::new(3);
    bench.leader = false;
    bench.connect();
    bench.greet();
    assert_eq!(bench.states, [State::Down(Loss::Unfit(Unfit::NotLeader))]);
    bench.pass(0);
    assert_eq!((bench.up, bench.endpoint), (true, 1));
}

#[test]
fn a_leader_that_steps_down_is_left() {
    let mut bench = Bench::ready(2);
    bench.leader = false;
    let modify = json!({"Database": {Uuid([1; 16]).to_string(): {"modify": {"leader": false}}}});
    bench.receive(&json!({"id": null, "method": "update3", "params": [0, Uuid::ZERO, modify]}));
    assert_eq!(bench.states.last(), Some(&State::Down(Loss::Unfit(Unfit::NotLeader))));
}

#[test]
fn a_server_behind_the_last_one_is_not_taken() {
    let mut bench = Bench::ready(2);
    bench.lose();
    bench.pass(0);
    bench.index = 4;
    bench.connect();
    bench.greet();
    assert_eq!(bench.states.last(), Some(&State::Down(Loss::Unfit(Unfit::Behind { index: 4, seen: 5 }))));
}

#[test]
fn a_silent_server_is_probed_and_then_left() {
    let mut bench = Bench::ready(1);
    assert_eq!(bench.session.wakeup(), Some(bench.now + 5 * SECOND));
    bench.pass(5);
    assert!(bench.answer("echo", None));
    bench.pass(5);
    assert!(bench.asked.values().any(|(method, _)| method == "echo"));
    bench.pass(4);
    bench.session.heard(bench.now, bench.link);
    bench.pass(4);
    assert!(bench.serves(), "a part of a message is a sign of life");
    bench.pass(1);
    bench.pass(5);
    assert_eq!(bench.states.last(), Some(&State::Down(Loss::Silent(5 * SECOND))));
}

#[test]
fn the_probes_of_the_server_are_answered() {
    let mut bench = Bench::ready(1);
    let echo = Incoming::read(br#"{"id":"echo","method":"echo","params":[1]}"#).unwrap();
    bench.session.received(bench.now, bench.link, echo);
    let Some(Action::Send { message, .. }) = bench.session.poll_action() else { panic!() };
    assert_eq!(&message[..], br#"{"id":"echo","result":[1],"error":null}"#);
}

#[test]
fn a_connection_has_its_time_to_be_made_and_to_be_ready() {
    let mut bench = Bench::new(1);
    bench.pass(4);
    assert_eq!(bench.states, [State::Down(Loss::Slow(4 * SECOND))]);
    bench.pass(1);
    bench.connect();
    bench.answer("get_schema", None);
    bench.pass(4);
    assert_eq!(bench.states.len(), 2);
}

#[test]
fn attempts_wait_longer_until_a_connection_has_held() {
    let mut bench = Bench::ready(1);
    for wait in [1, 2, 4] {
        bench.lose();
        assert_eq!(bench.session.wakeup(), Some(bench.now + wait * SECOND));
        bench.pass(wait);
        bench.connect();
        bench.greet();
    }
    (0..2).for_each(|_| {
        bench.pass(5);
        bench.answer("echo", None);
    });
    bench.lose();
    assert_eq!(bench.session.wakeup(), Some(bench.now));
}

#[test]
fn a_monitor_goes_on_from_where_it_stopped() {
    let mut bench = Bench::ready(1);
    bench.subscribe(1);
    assert_eq!(bench.asked_params("monitor_cond_since")[3], json!(Uuid::ZERO));
    bench.answer("monitor_cond_since", None);
    let row = Uuid([9; 16]).to_string();
    bench.rows(1, json!({&row: {"insert": {"name": "a"}}}));
    bench.lose();
    bench.pass(1);
    bench.connect();
    bench.greet();
    assert_eq!(bench.asked_params("monitor_cond_since")[3], json!(Uuid([4; 16])));
    bench.answer(
        "monitor_cond_since",
        Some(json!([true, Uuid([5; 16]), {"T": {row: {"modify": {"name": "b"}}}}])),
    );
    let kinds: Vec<usize> = bench
        .news
        .iter()
        .map(|(_, news)| match news {
            News::Changes(changes) => changes.len(),
            News::Stale => 99,
            News::Refused(_) => unreachable!(),
        })
        .collect();
    assert_eq!(kinds, [0, 1, 99, 1]);
}

#[test]
fn rows_that_do_not_fit_are_asked_for_afresh() {
    let mut bench = Bench::ready(1);
    bench.subscribe(1);
    bench.answer("monitor_cond_since", None);
    bench.rows(1, json!({Uuid([9; 16]).to_string(): {"modify": {"name": "a"}}}));
    assert!(matches!(bench.states.last(), Some(State::Down(Loss::Inconsistent(_)))));
    bench.pass(1);
    bench.connect();
    bench.greet();
    assert_eq!(bench.asked_params("monitor_cond_since")[3], json!(Uuid::ZERO));
}

#[test]
fn what_comes_over_a_connection_that_is_over_is_not_heard() {
    let mut bench = Bench::ready(1);
    let old = bench.link;
    bench.lose();
    bench.pass(1);
    bench.session.connected(bench.now, old);
    bench.act();
    assert!(bench.asked.is_empty(), "the new connection has not been made yet");
    bench.connect();
    bench.greet();
    bench.transact(1, 100);
    let id = *bench.asked.keys().next().unwrap();
    let reply = json!({"id": id, "result": [{}], "error": null}).to_string();
    bench.session.received(bench.now, old, Incoming::read(reply.as_bytes()).unwrap());
    bench.session.lost(bench.now, old, "gone".to_owned());
    bench.now += 4 * SECOND;
    bench.session.heard(bench.now, old);
    bench.act();
    assert!(bench.serves() && bench.answers.is_empty());
    assert_eq!(
        bench.session.wakeup(),
        Some(bench.now + SECOND),
        "a sign of life of another connection is none"
    );
}

#[test]
fn an_ended_subscription_is_cancelled_and_not_begun_again() {
    let mut bench = Bench::ready(1);
    bench.subscribe(1);
    bench.session.unsubscribe(1);
    bench.act();
    assert_eq!(bench.asked_params("monitor_cancel"), json!([1]));
    bench.answer("monitor_cond_since", None);
    bench.rows(1, json!({}));
    assert!(bench.serves() && bench.news.is_empty());
}

#[test]
fn a_refused_subscription_stays_refused() {
    let mut bench = Bench::ready(1);
    bench.subscribe(1);
    let id = *bench.asked.keys().next().unwrap();
    bench.receive(&json!({"id": id, "result": null, "error": "syntax error"}));
    assert!(matches!(bench.news[..], [(1, News::Refused(_))]));
    bench.asked.clear();
    bench.lose();
    bench.pass(1);
    bench.connect();
    bench.greet();
    assert!(bench.serves() && bench.asked.is_empty());
}

#[test]
fn nonsense_ends_the_connection() {
    for message in [
        json!({"id": 4711, "result": []}),
        json!({"id": null, "method": "update3", "params": [1]}),
        json!({"id": null, "method": "monitor_canceled", "params": [1]}),
    ] {
        let mut bench = Bench::ready(1);
        bench.receive(&message);
        assert!(!bench.serves(), "{message}");
    }
}
