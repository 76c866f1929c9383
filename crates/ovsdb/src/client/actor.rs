//! The task that drives a session: commands, news of the connection and time go in, its actions are carried out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};

use super::link::{Event, Link};
use super::{Answer, Command, Config};
use crate::session::{Action, Session, State};
use crate::view::Publisher;

/// How many pieces of news a connection may be ahead of the session; then it stops reading.
const EVENTS: usize = 64;
/// How many reasons for one outage are told; each once, however often it is tried again.
const REASONS: usize = 16;

pub(super) struct Actor {
    session: Session,
    config: Arc<Config>,
    reports: watch::Sender<State>,
    events: mpsc::Sender<Event>,
    news: mpsc::Receiver<Event>,
    link: Option<Link>,
    answers: HashMap<u64, oneshot::Sender<Answer>>,
    publishers: HashMap<u64, Publisher>,
    /// The last number given to a transaction or a subscription.
    last: u64,
    /// Why there is no service, as far as it was told since there was.
    told: BTreeSet<String>,
}

impl Actor {
    pub(super) fn new(session: Session, config: Arc<Config>, reports: watch::Sender<State>) -> Self {
        let (events, news) = mpsc::channel(EVENTS);
        let (answers, publishers) = (HashMap::new(), HashMap::new());
        Self {
            session,
            config,
            reports,
            events,
            news,
            link: None,
            answers,
            publishers,
            last: 0,
            told: BTreeSet::new(),
        }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
        loop {
            self.act();
            let wakeup = self.session.wakeup().map(tokio::time::Instant::from_std);
            tokio::select! {
                command = orders.recv() => match command {
                    Some(Command::Transact { transaction, answer }) => {
                        self.last += 1;
                        self.answers.insert(self.last, answer);
                        self.session.transact(self.last, transaction);
                    }
                    Some(Command::Watch { watches, publisher }) => {
                        self.last += 1;
                        self.publishers.insert(self.last, publisher);
                        self.session.subscribe(self.last, watches);
                    }
                    Some(Command::Close { done }) => return self.close(Some(done)),
                    None => return self.close(None),
                },
                Some(event) = self.news.recv() => self.heard(event),
                () = sleep_until(wakeup) => {
                    if let Some(number) = self.link.as_mut().and_then(Link::progress) {
                        self.session.heard(Instant::now(), number);
                    }
                    self.session.tick(Instant::now());
                }
            }
        }
    }

    fn heard(&mut self, event: Event) {
        let now = Instant::now();
        match event {
            Event::Connected { link } => self.session.connected(now, link),
            Event::Received { link, message } => self.session.received(now, link, message),
            Event::Lost { link, reason } => self.session.lost(now, link, reason),
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Dial { link, endpoint } => {
                    self.link = Some(Link::start(link, endpoint, self.config.clone(), self.events.clone()));
                }
                Action::Send { link, message } => {
                    let sent = self.link.as_ref().is_none_or(|open| open.send(message));
                    if !sent {
                        let reason = "the server does not read what we send".to_owned();
                        self.session.lost(Instant::now(), link, reason);
                    }
                }
                Action::Hangup { .. } => self.link = None,
                Action::Answer { ticket, answer } => {
                    if let Some(asker) = self.answers.remove(&ticket) {
                        // Whoever asked may have gone.
                        let _ = asker.send(answer);
                    }
                }
                Action::Publish { subscription, news } => match self.publishers.get(&subscription) {
                    Some(publisher) if publisher.is_wanted() => publisher.publish(news),
                    _ => {
                        self.publishers.remove(&subscription);
                        self.session.unsubscribe(subscription);
                    }
                },
                Action::Report(state) => self.report(state),
            }
        }
    }

    fn report(&mut self, state: State) {
        match &state {
            State::Starting => {}
            State::Ready { endpoint, .. } => {
                let endpoint = self.config.endpoints.get(*endpoint);
                tracing::info!(database = self.config.database, %endpoint, "in service");
                self.told.clear();
            }
            State::Down(loss) => {
                let (database, reason) = (&self.config.database, loss.to_string());
                if self.told.len() < REASONS && !self.told.contains(&reason) {
                    tracing::warn!(database, reason, "out of service");
                    self.told.insert(reason);
                } else {
                    tracing::debug!(database, reason, "out of service");
                }
            }
        }
        self.reports.send_replace(state);
    }

    fn close(mut self, done: Option<oneshot::Sender<()>>) {
        self.session.close(Instant::now());
        self.act();
        drop(self);
        if let Some(done) = done {
            // Whoever waits may have gone.
            let _ = done.send(());
        }
    }
}

async fn sleep_until(wakeup: Option<tokio::time::Instant>) {
    match wakeup {
        Some(wakeup) => tokio::time::sleep_until(wakeup).await,
        None => std::future::pending().await,
    }
}
