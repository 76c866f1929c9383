//! A session with a server that answers when told to, and the promises that hold at each step.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::failure::TransactError;
use crate::monitor::Watch;
use crate::op::Operation;
use crate::session::*;

pub(super) const SECOND: Duration = Duration::from_secs(1);

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

/// The session, what it asked of the server, and what it told.
pub(super) struct Bench {
    pub(super) session: Session,
    pub(super) now: Instant,
    /// Requests of the newest connection that are not answered: method and parameters by id.
    pub(super) asked: BTreeMap<u64, (String, Json)>,
    pub(super) link: u64,
    pub(super) endpoint: usize,
    pub(super) up: bool,
    pub(super) answers: Vec<(u64, Result<usize, TransactError>)>,
    pub(super) news: Vec<(u64, News)>,
    pub(super) states: Vec<State>,
    /// How often each transaction was sent, by its comment.
    pub(super) sent: BTreeMap<String, u32>,
    pub(super) index: i64,
    pub(super) leader: bool,
}

impl Bench {
    pub(super) fn new(endpoints: usize) -> Self {
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

    pub(super) fn ready(endpoints: usize) -> Self {
        let mut bench = Self::new(endpoints);
        bench.connect();
        bench.greet();
        assert!(bench.serves(), "{:?}", bench.states);
        bench
    }

    pub(super) fn serves(&self) -> bool {
        matches!(self.states.last(), Some(State::Ready { .. }))
    }

    pub(super) fn act(&mut self) {
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

    pub(super) fn note(&mut self, message: Json) {
        let Some(method) = message["method"].as_str() else { return };
        if method == "transact" {
            assert!(self.serves(), "a transaction before the server has shown that it may serve us");
            *self.sent.entry(message["params"][1]["comment"].to_string()).or_default() += 1;
        }
        self.asked.insert(message["id"].as_u64().unwrap(), (method.to_owned(), message["params"].clone()));
    }

    pub(super) fn connect(&mut self) {
        self.session.connected(self.now, self.link);
        self.act();
    }

    pub(super) fn receive(&mut self, message: &Json) {
        let incoming = Incoming::read(message.to_string().as_bytes()).unwrap();
        self.session.received(self.now, self.link, incoming);
        self.act();
    }

    pub(super) fn database_row(&self) -> Json {
        json!({"name": "D", "model": "clustered", "connected": true, "leader": self.leader,
               "index": self.index, "cid": ["uuid", Uuid([7; 16])]})
    }

    /// Answers the oldest request of this method; `false` when there is none.
    pub(super) fn answer(&mut self, method: &str, result: Option<Json>) -> bool {
        let found = self.asked.iter().find(|(_, (asked, _))| asked == method).map(|(id, _)| *id);
        let Some(id) = found else { return false };
        let (_, params) = self.asked.remove(&id).unwrap();
        let result = result.unwrap_or_else(|| self.usual(method, &params));
        self.receive(&json!({"id": id, "result": result, "error": null}));
        true
    }

    pub(super) fn usual(&self, method: &str, params: &Json) -> Json {
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

    pub(super) fn greet(&mut self) {
        self.answer("get_schema", None);
        self.answer("monitor_cond_since", None);
    }

    pub(super) fn transact(&mut self, ticket: u64, seconds: u32) {
        let operation = Operation::Comment { comment: ticket.to_string() };
        let transaction = Transaction::new("D", &[operation], self.now + seconds * SECOND);
        self.session.transact(ticket, transaction);
        self.act();
    }

    pub(super) fn pass(&mut self, seconds: u32) {
        self.now += seconds * SECOND;
        self.session.tick(self.now);
        self.act();
    }

    pub(super) fn lose(&mut self) {
        self.session.lost(self.now, self.link, "gone".to_owned());
        self.act();
    }

    pub(super) fn subscribe(&mut self, number: u64) {
        self.session.subscribe(number, Watches::from([("T".to_owned(), Watch::all())]));
        self.act();
    }

    pub(super) fn rows(&mut self, monitor: u64, rows: Json) {
        self.receive(
            &json!({"id": null, "method": "update3", "params": [monitor, Uuid([4; 16]), {"T": rows}]}),
        );
    }

    pub(super) fn asked_params(&self, method: &str) -> Json {
        self.asked.values().find(|(asked, _)| asked == method).unwrap().1.clone()
    }
}
