//! One connection: a task that makes it and reads, and another that writes.
//!
//! They must be two. A server that cannot send stops to read; a client that only reads once it has written would then wait for
//! the server for ever, and the server for it.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Config;
use crate::rpc::{Incoming, MessageError, ScanError, Scanner};
use crate::transport::{self, DialError, Reader, Writer};

/// How many messages may wait to be written besides transactions: monitors, probes, answers to the server's probes.
const SPARE_QUEUE: usize = 256;
/// How much is read at once, and how much is written together, in bytes.
const PIECE: usize = 64 << 10;

/// What happened to a connection.
pub(super) enum Event {
    /// It was made.
    Connected { link: u64 },
    /// A message came.
    Received { link: u64, message: Incoming },
    /// It could not be made, or it ended.
    Lost { link: u64, reason: String },
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("cannot read from the server")]
    Read(#[source] std::io::Error),
    #[error("cannot write to the server")]
    Write(#[source] std::io::Error),
    #[error("the server closed the connection")]
    Ended,
    #[error(transparent)]
    Scan(#[from] ScanError),
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// A connection, being made or made; it ends when this is dropped.
pub(super) struct Link {
    number: u64,
    queue: mpsc::Sender<Bytes>,
    read: Arc<AtomicU64>,
    seen: u64,
    /// Its tasks end with it.
    _tasks: JoinSet<()>,
}

impl Link {
    /// Begins to make a connection to the endpoint of this number.
    pub(super) fn start(
        number: u64,
        endpoint: usize,
        config: Arc<Config>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(config.max_pending + SPARE_QUEUE);
        let read = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let counter = read.clone();
        tasks.spawn(async move {
            let Err(error) = converse(number, endpoint, &config, &events, (waiting, counter)).await;
            // The session may have ended.
            let _ = events.send(Event::Lost { link: number, reason: chain(&error) }).await;
        });
        Self { number, queue, read, seen: 0, _tasks: tasks }
    }

    /// Puts a message into the queue; `false` when it is full.
    pub(super) fn send(&self, message: Bytes) -> bool {
        !matches!(self.queue.try_send(message), Err(mpsc::error::TrySendError::Full(_)))
    }

    /// The connection's number when anything came in since one asked.
    pub(super) fn progress(&mut self) -> Option<u64> {
        let read = self.read.load(Ordering::Relaxed);
        let before = std::mem::replace(&mut self.seen, read);
        (before != read).then_some(self.number)
    }
}

async fn converse(
    link: u64,
    endpoint: usize,
    config: &Config,
    events: &mpsc::Sender<Event>,
    (waiting, counter): (mpsc::Receiver<Bytes>, Arc<AtomicU64>),
) -> Result<std::convert::Infallible, LinkError> {
    let (reader, writer) = transport::dial(config.endpoints.get(endpoint), config.tls.as_ref()).await?;
    // The session may have ended; then so does this task.
    let _ = events.send(Event::Connected { link }).await;
    // The writer is polled on its own whenever the reader waits: neither holds the other up.
    let mut writing = JoinSet::new();
    writing.spawn(write(writer, waiting));
    let scanner = Scanner::new(config.max_message);
    tokio::select! {
        ended = read(reader, scanner, counter, |message| events.send(Event::Received { link, message })) => ended,
        Some(Ok(ended)) = writing.join_next() => ended,
    }
}

async fn read<F, T>(
    mut reader: Reader,
    mut scanner: Scanner,
    counter: Arc<AtomicU64>,
    mut deliver: impl FnMut(Incoming) -> F,
) -> Result<std::convert::Infallible, LinkError>
where
    F: Future<Output = T>,
{
    loop {
        scanner.buffer().reserve(PIECE);
        if reader.read_buf(scanner.buffer()).await.map_err(LinkError::Read)? == 0 {
            return Err(LinkError::Ended);
        }
        counter.fetch_add(1, Ordering::Relaxed);
        while let Some(message) = scanner.next_message()? {
            deliver(Incoming::read(&message)?).await;
        }
    }
}

async fn write(
    mut writer: Writer,
    mut waiting: mpsc::Receiver<Bytes>,
) -> Result<std::convert::Infallible, LinkError> {
    let mut together = BytesMut::new();
    while let Some(message) = waiting.recv().await {
        together.extend_from_slice(&message);
        while together.len() < PIECE
            && let Ok(message) = waiting.try_recv()
        {
            together.extend_from_slice(&message);
        }
        while together.has_remaining() {
            writer.write_buf(&mut together).await.map_err(LinkError::Write)?;
        }
        writer.flush().await.map_err(LinkError::Write)?;
    }
    Err(LinkError::Ended)
}

/// An error with its causes, for people.
fn chain(error: &dyn Error) -> String {
    std::iter::successors(error.source(), |cause| (*cause).source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
