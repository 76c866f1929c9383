use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::failure::{Doubt, TransactError, Unsent};
use crate::monitor::Watch;
use crate::op::Operation;
use crate::server::Unfit;

const SECOND: Duration = Duration::from_secs(1);

fn settings(endpoints: usize) -> Settings {
    Settings {
        endpoints: NonZeroUsize::new(endpoints).unwrap(),
        database: "D".to_owned(),
        leader_only: true,
        connect_timeout: 4 * SECOND,
        probe_interval: 5 * SECOND,
        backoff: Backoff { shortest: SECOND, longest: 8 * SECOND },
        max_pending: 3,
    }
}

/// A session with a server that answers when told to.
struct Bench {
    session: Session,
    now: Instant,
    /// Requests of the newest connection that are not answered: method and parameters by id.
    asked: BTreeMap<u64, (String, Json)>,
    link: u64,
    endpoint: usize,
    up: bool,
    answers: Vec<(u64, Result<usize, TransactError>)>,
    news: Vec<(u64, News)>,
    states: Vec<State>,
    /// How often each transaction was sent, by its comment.
    sent: BTreeMap<String, u32>,
    index: i64,
    leader: bool,
}

impl Bench {
    fn new(endpoints: usize) -> Self {
        let now = Instant::now();
        let session = Session::new(settings(endpoints), now);
        let (asked, sent) = (BTreeMap::new(), BTreeMap::new());
        let (answers, news, states) = (Vec::new(), Vec::new(), Vec::new());
        let mut bench = Self {
            session,
            now,
            asked,
            link: 0,
            endpoint: 0,
            up: false,
            answers,
            news,
            states,
            sent,
            index: 5,
            leader: true,
        };
        bench.session.tick(now);
        bench.act();
        bench
    }

    fn ready(endpoints: usize) -> Self {
        let mut bench = Self::new(endpoints);
        bench.connect();
        bench.greet();
        assert!(bench.serves(), "{:?}", bench.states);
        bench
    }

    fn serves(&self) -> bool {
        matches!(self.states.last(), Some(State::Ready { .. }))
    }

    fn act(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Dial { link, endpoint } => {
                    assert!(link > self.link && !self.up, "one connection at a time");
                    (self.link, self.endpoint, self.up) = (link, endpoint, true);
                }
                Action::Hangup { link } => {
                    assert_eq!((link, self.up), (self.link, true));
                    self.up = false;
                    self.asked.clear();
                }
                Action::Send { link, message } => {
                    assert_eq!((link, self.up), (self.link, true), "sent over a connection that is over");
                    self.note(serde_json::from_slice(&message).unwrap());
                }
                Action::Answer { ticket, answer } => {
                    self.answers.push((ticket, answer.map(|list| list.len())))
                }
                Action::Publish { subscription, news } => self.news.push((subscription, news)),
                Action::Report(state) => self.states.push(state),
            }
        }
    }

    fn note(&mut self, message: Json) {
        let Some(method) = message["method"].as_str() else { return };
        if method == "transact" {
            assert!(self.serves(), "a transaction before the server has shown that it may serve us");
            *self.sent.entry(message["params"][1]["comment"].to_string()).or_default() += 1;
        }
        self.asked.insert(message["id"].as_u64().unwrap(), (method.to_owned(), message["params"].clone()));
    }

    fn connect(&mut self) {
        self.session.connected(self.now, self.link);
        self.act();
    }

    fn receive(&mut self, message: &Json) {
        let incoming = Incoming::read(message.to_string().as_bytes()).unwrap();
        self.session.received(self.now, self.link, incoming);
        self.act();
    }

    fn database_row(&self) -> Json {
        json!({"name": "D", "model": "clustered", "connected": true, "leader": self.leader,
               "index": self.index, "cid": ["uuid", Uuid([7; 16])]})
    }

    /// Answers the oldest request of this method; `false` when there is none.
    fn answer(&mut self, method: &str, result: Option<Json>) -> bool {
        let found = self.asked.iter().find(|(_, (asked, _))| asked == method).map(|(id, _)| *id);
        let Some(id) = found else { return false };
        let (_, params) = self.asked.remove(&id).unwrap();
        let result = result.unwrap_or_else(|| self.usual(method, &params));
        self.receive(&json!({"id": id, "result": result, "error": null}));
        true
    }

    fn usual(&self, method: &str, params: &Json) -> Json {
        match method {
            "get_schema" => json!({"name": "D", "version": "1.0.0",
                "tables": {"T": {"columns": {"name": {"type": "string"}}}}}),
            "monitor_cond_since" if params[0] == "_Server" => {
                json!([false, Uuid::ZERO, {"Database": {Uuid([1; 16]).to_string(): {"initial": self.database_row()}}}])
            }
            "monitor_cond_since" => json!([false, Uuid([3; 16]), {}]),
            "transact" => json!([{}]),
            _ => json!([]),
        }
    }

    fn greet(&mut self) {
        self.answer("get_schema", None);
        self.answer("monitor_cond_since", None);
    }

    fn transact(&mut self, ticket: u64, seconds: u32) {
        let operation = Operation::Comment { comment: ticket.to_string() };
        let transaction = Transaction::new("D", &[operation], self.now + seconds * SECOND);
        self.session.transact(ticket, transaction);
        self.act();
    }

    fn pass(&mut self, seconds: u32) {
        self.now += seconds * SECOND;
        self.session.tick(self.now);
        self.act();
    }

    fn lose(&mut self) {
        self.session.lost(self.now, self.link, "gone".to_owned());
        self.act();
    }

    fn subscribe(&mut self, number: u64) {
        self.session.subscribe(number, Watches::from([("T".to_owned(), Watch::all())]));
        self.act();
    }

    fn rows(&mut self, monitor: u64, rows: Json) {
        self.receive(
            &json!({"id": null, "method": "update3", "params": [monitor, Uuid([4; 16]), {"T": rows}]}),
        );
    }

    fn asked_params(&self, method: &str) -> Json {
        self.asked.values().find(|(asked, _)| asked == method).unwrap().1.clone()
    }
}

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
