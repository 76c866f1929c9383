//! The thread that owns the store: it decides in memory, writes what was decided in one flush, then answers.
//!
//! # Failures
//! What could not be written is taken back in memory too, so that a release that failed is found again when it is
//! tried again. Whether any of it is on disk is in doubt; until the file has been read again nothing is decided.

use std::net::IpAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use super::book::{Book, Change};
use super::claim::{Claim, ClaimRequest, Claimed, ReleaseIf, Served};
use super::error::LedgerError;
use super::feed::Feed;
use super::store::Store;
use super::{Answer, Ledger};
use crate::metrics::LedgerMetrics;

/// Operations that may wait for the thread. Each belongs to a CNI call, whose number the server bounds.
const QUEUE: usize = 1024;
/// Operations that share one flush. Beyond this a batch only makes its first caller wait longer.
const BATCH: usize = 256;
/// How long an address that somebody outside answered for is not handed out, in seconds.
const SET_ASIDE_SECONDS: u64 = 3600;

type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

enum Op {
    Claim(Box<ClaimRequest>, Reply<Claimed>),
    Release(Vec<ReleaseIf>, Reply<Vec<Claim>>),
    SetAside(Box<Claim>, IpAddr, Reply<()>),
    Respec(Vec<Served>, Reply<()>),
    Probe(Reply<()>),
}

/// A ledger in a local file.
#[derive(Clone)]
pub struct LocalLedger {
    book: Arc<Mutex<Book>>,
    queue: SyncSender<Op>,
    feed: Arc<Feed>,
}

impl LocalLedger {
    /// Opens the file and starts the thread. The thread ends when the last handle is dropped.
    ///
    /// # Errors
    /// [`LedgerError::Store`] and [`LedgerError::Record`].
    pub fn open(path: &Path, metrics: LedgerMetrics) -> Result<Self, LedgerError> {
        let opened = Store::open(path)?;
        if let Some(aside) = &opened.set_aside {
            tracing::error!(
                file = %path.display(), kept_as = %aside.display(),
                "the address ledger was damaged: starting with an empty one; addresses of pods that run now may be given \
                 again, so recreate the pods of this node"
            );
        }
        let book = Arc::new(Mutex::new(opened.store.book(Vec::new())?));
        let (queue, ops) = sync_channel(QUEUE);
        let feed = Arc::new(Feed::default());
        let writer = Writer {
            book: book.clone(),
            store: opened.store,
            subnets: Vec::new(),
            broken: None,
            metrics,
            feed: feed.clone(),
        };
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(&ops))
            .map_err(|_| LedgerError::Closed)?;
        Ok(Self { book, queue, feed })
    }

    fn ask<T: Send + 'static>(&self, op: impl FnOnce(Reply<T>) -> Op) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let sent = self.queue.try_send(op(reply)).map_err(|e| match e {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => LedgerError::Closed,
        });
        Box::pin(async move {
            sent?;
            answer.await.map_err(|_| LedgerError::Closed)?
        })
    }
}

impl Ledger for LocalLedger {
    fn claim(&self, request: ClaimRequest) -> Answer<Claimed> {
        self.ask(|reply| Op::Claim(Box::new(request), reply))
    }

    fn release(&self, conditions: Vec<ReleaseIf>) -> Answer<Vec<Claim>> {
        self.ask(|reply| Op::Release(conditions, reply))
    }

    fn set_aside(&self, claim: Claim, address: IpAddr) -> Answer<()> {
        self.ask(|reply| Op::SetAside(Box::new(claim), address, reply))
    }

    fn respec(&self, subnets: Vec<Served>) -> Answer<()> {
        self.ask(|reply| Op::Respec(subnets, reply))
    }

    fn probe(&self) -> Answer<()> {
        self.ask(Op::Probe)
    }

    fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    fn look<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&lock(&self.book))
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct Writer {
    book: Arc<Mutex<Book>>,
    store: Store,
    subnets: Vec<Served>,
    /// Why the store cannot be used, and memory not be believed, until the file is opened again.
    broken: Option<LedgerError>,
    metrics: LedgerMetrics,
    feed: Arc<Feed>,
}

/// What one flush writes, and what takes it back in memory.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    inverses: Vec<Change>,
}

/// What to tell a caller once the batch is on disk, or that it is not.
type Tell = Box<dyn FnOnce(Result<(), LedgerError>)>;

impl Writer {
    fn run(mut self, ops: &Receiver<Op>) {
        while let Ok(first) = ops.recv() {
            let ops = std::iter::once(first).chain(ops.try_iter().take(BATCH - 1));
            if self.broken.is_some() {
                self.reload();
            }
            if let Some(error) = self.broken.clone() {
                ops.for_each(|op| self.refuse(op, error.clone()));
                continue;
            }
            let mut batch = Batch::default();
            let mut tells = Vec::new();
            for op in ops {
                tells.extend(self.decide(op, &mut batch));
            }
            let written = self.write(&batch);
            for tell in tells {
                tell(written.clone());
            }
        }
    }

    /// Says why the store cannot be used. The subnets are not in it: they change all the same.
    fn refuse(&mut self, op: Op, error: LedgerError) {
        match op {
            Op::Claim(_, reply) => drop(reply.send(Err(error))),
            Op::Release(_, reply) => drop(reply.send(Err(error))),
            Op::SetAside(_, _, reply) | Op::Probe(reply) => drop(reply.send(Err(error))),
            Op::Respec(subnets, reply) => {
                self.subnets.clone_from(&subnets);
                lock(&self.book).respec(subnets);
                drop(reply.send(Ok(())));
            }
        }
    }

    fn decide(&mut self, op: Op, batch: &mut Batch) -> Option<Tell> {
        let mut book = lock(&self.book);
        match op {
            Op::Claim(mut request, reply) => {
                book.readmit(seconds_now().saturating_sub(SET_ASIDE_SECONDS));
                let decision = match book.decide(&request) {
                    Ok(decision) => decision,
                    Err(error) => return answer(reply, Err(error)),
                };
                keep(&mut book, batch, decision.changes);
                drop(book);
                if let Some(on_chosen) = request.on_chosen.take().filter(|_| decision.claimed.is_fresh) {
                    on_chosen(&decision.claimed.claim.addresses);
                }
                tell(reply, decision.claimed)
            }
            Op::Release(conditions, reply) => {
                let decided = book.decide_release(&conditions);
                let claims = decided.iter().map(|(Change::Put(c) | Change::Remove(c))| c.clone()).collect();
                keep(&mut book, batch, decided);
                tell(reply, claims)
            }
            Op::SetAside(claim, address, reply) => {
                let decided = book.decide_release(&[ReleaseIf::undo(&claim)]);
                keep(&mut book, batch, decided);
                book.set_aside(&claim.segment, address, seconds_now());
                tell(reply, ())
            }
            Op::Respec(subnets, reply) => {
                self.subnets.clone_from(&subnets);
                book.respec(subnets);
                drop(book);
                let replayed = self.replay_released();
                answer(reply, replayed)
            }
            Op::Probe(reply) => {
                drop(book);
                let touched = self.store.touch();
                self.broken = self.broken.take().or_else(|| touched.clone().err());
                answer(reply, touched)
            }
        }
    }

    /// Pools that were made just now do not know which addresses were used before.
    fn replay_released(&self) -> Result<(), LedgerError> {
        let released = self.store.released()?;
        let mut book = lock(&self.book);
        for (segment, address) in released {
            book.remember_released(&segment, address);
        }
        Ok(())
    }

    fn write(&mut self, Batch { changes, inverses }: &Batch) -> Result<(), LedgerError> {
        if changes.is_empty() {
            return Ok(());
        }
        crate::crash::point("ledger-before-write");
        let started = std::time::Instant::now();
        let written = self.store.write(changes);
        self.metrics.flushed(changes.len(), started.elapsed(), written.is_ok());
        crate::crash::point("ledger-after-write");
        self.feed.changed(changes.iter().map(|(Change::Put(c) | Change::Remove(c))| &c.owner.pod));
        if let Err(error) = &written {
            tracing::error!(error = crate::causes::chain(error), "the address ledger could not be written");
            let mut book = lock(&self.book);
            inverses.iter().rev().for_each(|change| book.apply(change));
            drop(book);
            self.reload();
        }
        written
    }

    /// Memory said more than the disk would take: the disk is right.
    fn reload(&mut self) {
        let book = self.store.reopen().and_then(|()| self.store.book(self.subnets.clone()));
        self.broken = match book {
            Ok(mut read) => {
                let mut book = lock(&self.book);
                for (segment, address, aside) in book.set_aside_addresses() {
                    read.set_aside(segment, address, aside.since);
                }
                *book = read;
                drop(book);
                self.feed.all_changed();
                None
            }
            Err(error) => {
                tracing::error!(error = crate::causes::chain(&error), "the address ledger cannot be read");
                Some(error)
            }
        };
    }
}

fn keep(book: &mut Book, batch: &mut Batch, decided: Vec<Change>) {
    for change in decided {
        batch.inverses.push(book.inverse(&change));
        book.apply(&change);
        batch.changes.push(change);
    }
}

fn tell<T: Send + 'static>(reply: Reply<T>, value: T) -> Option<Tell> {
    Some(Box::new(move |written| {
        let _ = reply.send(written.map(|()| value));
    }))
}

/// Answers at once: nothing is to be written.
fn answer<T>(reply: Reply<T>, answer: Result<T, LedgerError>) -> Option<Tell> {
    let _ = reply.send(answer);
    None
}

/// Now, in seconds since 1970.
pub fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
