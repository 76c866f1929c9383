//! GETs that all begin at once.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::kubelet::get;
use crate::samples::{Samples, Spread};

/// How many.
pub(super) const AT_ONCE: usize = 1_000;

/// Room for a probe's frames; a thousand ordinary stacks would do as well.
const STACK: usize = 256 << 10;

/// What became of them.
#[derive(Debug)]
pub(super) struct Crowd {
    /// How many got no answer.
    pub(super) failed: usize,
    /// From the start of all until the last answer.
    pub(super) whole: Duration,
    /// Of those that were answered; `None` when none was.
    pub(super) each: Option<Spread>,
}

/// Starts them in the namespace of this thread.
pub(super) fn gets(to: SocketAddr) -> Crowd {
    let start = Barrier::new(AT_ONCE + 1);
    thread::scope(|scope| {
        let ask = || {
            start.wait();
            get(to)
        };
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, ask))
            .map(|started| started.unwrap_or_else(|e| panic!("start a thread: {e}")))
            .collect();
        start.wait();
        let begin = Instant::now();
        let answers: Vec<_> = threads.into_iter().map(|t| t.join().ok().and_then(Result::ok)).collect();
        let whole = begin.elapsed();
        let mut times = Samples::default();
        answers.iter().flatten().for_each(|took| times.add("GET", *took));
        let failed = answers.iter().filter(|answer| answer.is_none()).count();
        Crowd { failed, whole, each: times.spread("GET") }
    })
}
