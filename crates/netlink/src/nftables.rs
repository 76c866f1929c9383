//! The nftables of one network namespace: one batch applied as a whole, one table read back.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use netlink_sys::{Socket, protocols::NETLINK_NETFILTER};
use nft::{Batch, Listing, Query, Table, TableId};
use nix::sys::socket::{setsockopt, sockopt};

use crate::errno::{Errno, is_too_big, would_block};
use crate::error::Error;
use crate::handle::{DUMP_TRIES, RECEIVE_BYTES, open, receive};
use crate::netns::Netns;
use crate::wire::{Answer, Refusal, messages};

/// An nfnetlink socket of one network namespace, usable from any thread; concurrent users take turns.
///
/// Blocking, but only for as long as the kernel works: it has answered when `sendmsg` returns. A batch that removes
/// chains of devices takes some milliseconds, as the kernel waits for packets under way.
pub struct Nft {
    socket: Socket,
    conversation: Mutex<Conversation>,
}

/// What a turn on the socket needs and leaves behind.
struct Conversation {
    next_sequence: u32,
    incoming: Vec<u8>,
}

impl Nft {
    /// A socket in the calling thread's namespace.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn here() -> Result<Self, Error> {
        let socket = open(NETLINK_NETFILTER).and_then(|socket| {
            // Of refusals too many for the queue the first are enough.
            socket.set_no_enobufs(true)?;
            Ok(socket)
        });
        let socket =
            socket.map_err(|source| Error::Io { attempt: "open an nfnetlink socket".into(), source })?;
        let conversation = Conversation { next_sequence: 1, incoming: vec![0; RECEIVE_BYTES] };
        Ok(Self { socket, conversation: Mutex::new(conversation) })
    }

    /// A socket born inside `netns`; it speaks to that namespace from whatever thread uses it.
    ///
    /// # Errors
    /// [`Error::Netns`] or [`Error::Io`].
    pub fn inside(netns: &Netns) -> Result<Self, Error> {
        netns.run(Self::here)?
    }

    /// Makes all changes of `batch`, or none. Packets see the ruleset before or after it, nothing between.
    ///
    /// # Errors
    /// [`Error::Refused`] naming the first change that the kernel refuses, with its reason; the batch as a whole where
    /// no change is to blame. After [`Error::NoAnswer`] read the table back.
    pub fn apply(&self, batch: &Batch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut turn = self.lock();
        let encoded = batch.encode(turn.next_sequence)?;
        turn.next_sequence = encoded.sequences.end;
        let whole = || match batch.changes() {
            [only] => only.to_string(),
            changes => format!("{} changes of nftables from \"{}\" on", changes.len(), changes[0]),
        };
        send(&self.socket, &encoded.bytes).map_err(|source| Error::Io { attempt: whole(), source })?;
        match turn.verdict(&self.socket, &encoded.sequences) {
            Verdict::Done => Ok(()),
            Verdict::None => Err(Error::NoAnswer { attempt: whole() }),
            Verdict::Refused(position, refusal) => {
                // The message before the first change begins the batch.
                let change = position.checked_sub(1).and_then(|index| batch.changes().get(index));
                Err(refused(change.map_or_else(whole, ToString::to_string), refusal))
            }
        }
    }

    /// Removes the table with all that is in it, if it is there.
    ///
    /// # Errors
    /// As [`Nft::apply`].
    pub fn remove_table(&self, id: &TableId) -> Result<(), Error> {
        self.apply(&nft::remove(id))
    }

    /// The table as it was at one moment; `None` when there is none.
    ///
    /// The kernel gives it in parts, and numbers the states of a namespace's ruleset: a reading during which the number
    /// changed is made again, a bounded number of times.
    ///
    /// # Errors
    /// [`Error::Unsettled`] when the ruleset never kept still; [`Error::UnknownTable`] for what the crate `nft` cannot
    /// read, such as a chain of a kind of its own; else as the kernel refuses.
    pub fn table(&self, id: &TableId) -> Result<Option<Table>, Error> {
        let mut turn = self.lock();
        for _ in 0..DUMP_TRIES {
            let before = turn.generation(&self.socket, id)?;
            let found = turn.read(&self.socket, id);
            if turn.generation(&self.socket, id)? == before {
                return found;
            }
        }
        Err(Error::Unsettled { attempt: format!("read table {id}") })
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        // A panic in a turn leaves at most unread answers, which the next turn skips by their sequence number.
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Nft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nft").finish_non_exhaustive()
    }
}

/// What became of a batch.
enum Verdict {
    Done,
    /// The position of the message, and why.
    Refused(usize, Refusal),
    None,
}

impl Conversation {
    /// The first refusal, or the acknowledgement of the last change. Everything is in the queue by now.
    fn verdict(&mut self, socket: &Socket, sequences: &Range<u32>) -> Verdict {
        let len = sequences.end.wrapping_sub(sequences.start);
        let mut verdict = Verdict::None;
        while let Ok(read) = receive(socket, &mut self.incoming, libc::MSG_DONTWAIT) {
            let datagram = &self.incoming[..read.min(self.incoming.len())];
            for message in messages(datagram).flatten() {
                let position = message.sequence.wrapping_sub(sequences.start);
                match message.answer {
                    Answer::Refused(refusal)
                        if position < len && !matches!(verdict, Verdict::Refused(..)) =>
                    {
                        verdict = Verdict::Refused(usize::try_from(position).unwrap_or(usize::MAX), refusal);
                    }
                    Answer::Done if position < len && matches!(verdict, Verdict::None) => {
                        verdict = Verdict::Done;
                    }
                    Answer::Done | Answer::Data(_) | Answer::Refused(_) | Answer::Ignored => {}
                }
            }
        }
        verdict
    }

    fn generation(&mut self, socket: &Socket, id: &TableId) -> Result<u32, Error> {
        let mut listing = Listing::new(id.clone());
        self.ask(socket, &Query::Generation, &mut listing)?;
        let missing = || Error::Malformed {
            attempt: Query::Generation.to_string(),
            source: "an answer without a generation".into(),
        };
        listing.generation().ok_or_else(missing)
    }

    /// The table, part by part.
    fn read(&mut self, socket: &Socket, id: &TableId) -> Result<Option<Table>, Error> {
        let mut listing = Listing::new(id.clone());
        match self.ask(socket, &Query::Table(id.clone()), &mut listing) {
            Err(error) if error.is_not_found() => return Ok(None),
            outcome => outcome?,
        }
        for query in [Query::Chains(id.clone()), Query::Rules(id.clone()), Query::Sets(id.clone())] {
            self.ask(socket, &query, &mut listing)?;
        }
        let sets: Vec<_> = listing.set_names().cloned().collect();
        for set in sets {
            self.ask(socket, &Query::Elements(id.clone(), set), &mut listing)?;
        }
        Ok(Some(listing.into_table()))
    }

    /// Asks one question and gives the answers to `listing`.
    fn ask(&mut self, socket: &Socket, query: &Query, listing: &mut Listing) -> Result<(), Error> {
        let attempt = || query.to_string();
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        send(socket, &query.encode(sequence)?).map_err(|source| Error::Io { attempt: attempt(), source })?;
        let mut malformed = None;
        loop {
            let read =
                receive(socket, &mut self.incoming, 0).map_err(|source| match would_block(&source) {
                    true => Error::NoAnswer { attempt: attempt() },
                    false => Error::Io { attempt: attempt(), source },
                })?;
            let cut = || Error::Malformed { attempt: attempt(), source: "cut datagram".into() };
            for message in messages(self.incoming.get(..read).ok_or_else(cut)?) {
                let message = message.map_err(|source| Error::Malformed { attempt: attempt(), source })?;
                match message.answer {
                    _ if message.sequence != sequence => {}
                    Answer::Ignored => {}
                    // Read on to the end, so that nothing is left in the queue.
                    Answer::Data(body) => malformed = malformed.or(listing.take(message.kind, body).err()),
                    Answer::Refused(refusal) => return Err(refused(attempt(), refusal)),
                    Answer::Done => {
                        let unknown = |source| Err(Error::UnknownTable { attempt: attempt(), source });
                        return malformed.map_or(Ok(()), unknown);
                    }
                }
            }
        }
    }
}

/// One datagram, for which the socket's buffer grows if need be.
fn send(socket: &Socket, bytes: &[u8]) -> io::Result<()> {
    match socket.send(bytes, 0) {
        Err(error) if is_too_big(&error) => {
            // Beyond the limit of net.core.wmem_max where we may; the kernel counts its own overhead in.
            let room = bytes.len() + RECEIVE_BYTES;
            setsockopt(socket, sockopt::SndBufForce, &room)
                .or_else(|_| setsockopt(socket, sockopt::SndBuf, &room))?;
            socket.send(bytes, 0)?;
        }
        outcome => {
            outcome?;
        }
    }
    Ok(())
}

fn refused(attempt: String, refusal: Refusal) -> Error {
    let Refusal { code, kernel_says } = refusal;
    Error::Refused { attempt, errno: Errno::from_raw(code), code, kernel_says }
}
