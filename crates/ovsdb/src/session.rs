//! The course of a session over all its connections, without any I/O: what happened goes in with the time, actions come out.
//!
//! Promises, held by a test over random orders of events:
//! - every transaction is answered exactly once, at the latest when its time is over;
//! - a transaction goes to a server at most once; when the connection ends before the answer, its outcome is unknown;
//! - nothing is sent before the server has shown that it may serve us (database there, in touch with its cluster, leader
//!   when asked for, not behind one that served us before);
//! - what a server tells of a connection that is over is not heard.
//!
//! An update that a transaction of ours causes is published before that transaction is answered, because the server tells
//! it first.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::failure::{Loss, Unsent};
use crate::monitor::{Beginning, Replica, Watches};
use crate::rpc::{self, Incoming};
use crate::schema::Schema;
use crate::server::{self, Seen};
use crate::value::Uuid;

mod action;
mod backoff;
mod exchange;
mod replies;
mod subscription;
#[cfg(test)]
mod tests;

pub use action::{Action, News, State};
pub use backoff::Backoff;
pub use exchange::Transaction;
use exchange::{Awaited, Exchange};
use subscription::Subscription;

/// How a session behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many endpoints there are; tried in their order.
    pub endpoints: NonZeroUsize,
    /// The database.
    pub database: String,
    /// Whether only the leader of a cluster may serve us. A follower forwards writes, but shows an older state.
    pub leader_only: bool,
    /// How long a connection may take to be made, and then to be ready to serve.
    pub connect_timeout: Duration,
    /// After how long a silence the server is asked for a sign of life, and how long it has for that.
    pub probe_interval: Duration,
    /// How long to wait between attempts.
    pub backoff: Backoff,
    /// How many transactions may wait, to be sent or for their answers.
    pub max_pending: usize,
}

/// The number that stands for the monitor of [`server::DATABASE`]; subscriptions have others.
const SERVER_MONITOR: u64 = 0;

/// The state of one session.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    phase: Phase,
    /// The number of the newest connection.
    link: u64,
    endpoint: usize,
    /// Connections since the last one that held.
    attempts: u32,
    exchange: Exchange,
    subscriptions: BTreeMap<u64, Subscription>,
    server: Replica,
    seen: Seen,
    actions: VecDeque<Action>,
}

#[derive(Debug)]
enum Phase {
    /// Without a connection until then.
    Waiting { until: Instant },
    /// A connection is being made.
    Dialing { until: Instant },
    /// Connected; the server has to show that it may serve us.
    Greeting { until: Instant, life: Life, schema: Option<Arc<Schema>>, described: bool },
    /// In service.
    Ready { since: Instant, life: Life, schema: Arc<Schema> },
    /// At the end.
    Closed,
}

/// When the server was heard last, and whether it was asked for a sign of life since.
#[derive(Debug, Clone, Copy)]
struct Life {
    heard: Instant,
    probed: Option<Instant>,
}

impl Session {
    /// A session that makes its first connection at the first [`Session::tick`].
    pub fn new(settings: Settings, now: Instant) -> Self {
        Self {
            exchange: Exchange::new(settings.max_pending),
            settings,
            phase: Phase::Waiting { until: now },
            link: 0,
            endpoint: 0,
            attempts: 0,
            subscriptions: BTreeMap::new(),
            server: Replica::new(server::shape()),
            seen: Seen::default(),
            actions: VecDeque::new(),
        }
    }

    /// The next thing to do. To be asked until there is nothing, after each event.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Session::tick`] is due at the latest.
    pub fn wakeup(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Waiting { until } | Phase::Dialing { until } => Some(*until),
            Phase::Greeting { until, life, .. } => Some((*until).min(self.next_probe(*life))),
            Phase::Ready { life, .. } => Some(self.next_probe(*life)),
            Phase::Closed => None,
        };
        [phase, self.exchange.next_deadline()].into_iter().flatten().min()
    }

    fn next_probe(&self, life: Life) -> Instant {
        life.probed.unwrap_or(life.heard) + self.settings.probe_interval
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        match self.phase {
            Phase::Waiting { until } if until <= now => self.dial(now),
            Phase::Dialing { until } | Phase::Greeting { until, .. } if until <= now => {
                self.lose(now, Loss::Slow(self.settings.connect_timeout));
            }
            Phase::Greeting { life, .. } | Phase::Ready { life, .. } if self.next_probe(life) <= now => {
                if life.probed.is_some() {
                    self.lose(now, Loss::Silent(self.settings.probe_interval));
                } else {
                    self.set_life(Life { probed: Some(now), ..life });
                    self.send(Awaited::Probe, "echo", &[(); 0]);
                }
            }
            Phase::Waiting { .. }
            | Phase::Dialing { .. }
            | Phase::Greeting { .. }
            | Phase::Ready { .. }
            | Phase::Closed => {}
        }
        self.exchange.expire(now, &mut self.actions);
    }

    /// The connection of this number has been made.
    pub fn connected(&mut self, now: Instant, link: u64) {
        if link != self.link || !matches!(self.phase, Phase::Dialing { .. }) {
            return;
        }
        let (until, life) = (now + self.settings.connect_timeout, Life { heard: now, probed: None });
        self.phase = Phase::Greeting { until, life, schema: None, described: false };
        let database = self.settings.database.clone();
        self.send(Awaited::Schema, "get_schema", &[database]);
        let (shape, watches) = (server::shape(), server::watches());
        let params = (server::DATABASE, SERVER_MONITOR, shape.request(&watches), Uuid::ZERO);
        self.send(Awaited::Server, "monitor_cond_since", &params);
    }

    /// The connection of this number could not be made, or has ended.
    pub fn lost(&mut self, now: Instant, link: u64, reason: String) {
        if self.is_current(link) {
            self.lose(now, Loss::Transport(reason));
        }
    }

    /// Something came in over the connection of this number, if only a part of a message.
    pub fn heard(&mut self, now: Instant, link: u64) {
        if self.is_current(link) {
            self.set_life(Life { heard: now, probed: None });
        }
    }

    /// A transaction is to be made. The number is the caller's, never used before; its answer will carry it.
    pub fn transact(&mut self, ticket: u64, transaction: Transaction) {
        if matches!(self.phase, Phase::Closed) {
            return self.actions.push_back(exchange::unsent(ticket, Unsent::Closed));
        }
        self.exchange.submit(ticket, transaction, &mut self.actions);
        self.send_queue();
    }

    /// Rows are to be watched. The number is the caller's, never used before and not 0.
    pub fn subscribe(&mut self, number: u64, watches: Watches) {
        self.subscriptions.insert(number, Subscription::new(watches));
        if matches!(self.phase, Phase::Ready { .. }) {
            self.begin(number);
        }
    }

    /// Rows need no longer be watched.
    pub fn unsubscribe(&mut self, number: u64) {
        let begun = self.subscriptions.remove(&number).is_some_and(|subscription| subscription.is_begun());
        if begun && matches!(self.phase, Phase::Ready { .. }) {
            self.send(Awaited::Nothing, "monitor_cancel", &[number]);
        }
    }

    /// The end: everything that waits is answered, and nothing is done afterwards.
    pub fn close(&mut self, now: Instant) {
        self.lose(now, Loss::Closed);
        self.phase = Phase::Closed;
        self.exchange.close(&mut self.actions);
    }

    fn is_current(&self, link: u64) -> bool {
        link == self.link && !matches!(self.phase, Phase::Waiting { .. } | Phase::Closed)
    }

    fn set_life(&mut self, new: Life) {
        if let Phase::Greeting { life, .. } | Phase::Ready { life, .. } = &mut self.phase {
            *life = new;
        }
    }

    fn dial(&mut self, now: Instant) {
        self.link += 1;
        self.phase = Phase::Dialing { until: now + self.settings.connect_timeout };
        self.actions.push_back(Action::Dial { link: self.link, endpoint: self.endpoint });
    }

    /// Ends the connection, if there is one, and plans the next.
    fn lose(&mut self, now: Instant, loss: Loss) {
        let held = match &self.phase {
            Phase::Waiting { .. } | Phase::Closed => return,
            Phase::Ready { since, .. } => {
                now.saturating_duration_since(*since) >= self.settings.backoff.longest
            }
            Phase::Dialing { .. } | Phase::Greeting { .. } => false,
        };
        self.actions.push_back(Action::Hangup { link: self.link });
        self.exchange.lose(&loss, &mut self.actions);
        for (number, subscription) in &mut self.subscriptions {
            if subscription.suspend() {
                self.actions.push_back(Action::Publish { subscription: *number, news: News::Stale });
            }
        }
        self.attempts = if held { 0 } else { self.attempts.saturating_add(1) };
        let endpoints = self.settings.endpoints;
        self.endpoint = (self.endpoint + 1) % endpoints;
        let until = now + self.settings.backoff.delay(self.attempts, endpoints);
        self.phase = Phase::Waiting { until };
        self.actions.push_back(Action::Report(State::Down(loss)));
    }

    /// Serves when everything is known that has to be.
    fn try_serve(&mut self, now: Instant) {
        let Phase::Greeting { schema: Some(schema), life, described: true, .. } = &self.phase else { return };
        let (schema, life) = (schema.clone(), *life);
        self.phase = Phase::Ready { since: now, life, schema: schema.clone() };
        self.actions.push_back(Action::Report(State::Ready { endpoint: self.endpoint, schema }));
        let numbers: Vec<u64> = self.subscriptions.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.begin(number));
        self.send_queue();
    }

    /// Asks for the rows of a subscription, from where it stopped.
    fn begin(&mut self, number: u64) {
        let Phase::Ready { schema, .. } = &self.phase else { return };
        let Some(subscription) = self.subscriptions.get_mut(&number) else { return };
        let Some(since) = subscription.begin(schema) else { return };
        let (shape, watches) = subscription.request();
        let params = (&self.settings.database, number, shape.request(watches), since);
        let id = self.exchange.expect(Awaited::Monitor(number));
        let message = rpc::request(id, "monitor_cond_since", &params);
        self.actions.push_back(Action::Send { link: self.link, message });
    }

    fn send_queue(&mut self) {
        if matches!(self.phase, Phase::Ready { .. }) {
            self.exchange.send_queue(self.link, &mut self.actions);
        }
    }

    fn send(&mut self, awaited: Awaited, method: &str, params: &impl serde::Serialize) {
        let id = self.exchange.expect(awaited);
        self.actions.push_back(Action::Send { link: self.link, message: rpc::request(id, method, params) });
    }

    /// A message came in over the connection of this number.
    pub fn received(&mut self, now: Instant, link: u64, incoming: Incoming) {
        if !self.is_current(link) || matches!(self.phase, Phase::Dialing { .. }) {
            return;
        }
        self.heard(now, link);
        let heard = match incoming {
            Incoming::Request { id, method, params } => {
                let message = rpc::answer(&id, &method, &params);
                self.actions.push_back(Action::Send { link, message });
                Ok(())
            }
            Incoming::Notification { method, params } => self.notified(&method, &params),
            Incoming::Reply { id, result } => self.replied(id, result),
        };
        match heard {
            Ok(()) => self.try_serve(now),
            Err(loss) => self.lose(now, loss),
        }
    }
}
