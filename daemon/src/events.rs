//! Descriptors whose events wake a task.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use tokio::io::unix::AsyncFd;

/// Something with a descriptor of its own that stays open and the same while it lives.
pub struct Source<T>(pub T);

impl<T: AsFd> AsRawFd for Source<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Registers a descriptor with the runtime. Must be called inside a tokio runtime with I/O enabled.
///
/// `AsyncFd::register`, which came instead of `new`, is `unsafe` because a source might close or replace its descriptor
/// behind tokio's back. Those given here own theirs and do neither.
///
/// # Errors
/// The kernel's, from epoll.
#[expect(deprecated, reason = "this crate forbids unsafe code")]
pub fn register<T: AsFd>(source: T) -> io::Result<AsyncFd<Source<T>>> {
    AsyncFd::new(Source(source))
}
