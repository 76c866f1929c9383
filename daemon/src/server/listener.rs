//! The CNI socket: bound once, 0600, and bound again when somebody removes its file.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingUnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use thiserror::Error;
use tokio::io::unix::AsyncFd;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::drain::{Busy, Drain};
use crate::events::{self, Source};

/// Connections at once. A node has some 250 pods; more than twice that at once is a fault somewhere else.
const CONNECTIONS: usize = 512;
/// Pause after a failed accept (no descriptors left): long enough not to spin, short against any deadline.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The socket cannot be made.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another daemon answers on it.
    #[error(
        "listen on {path}: another process is listening there; stop it, or give --bind-socket another path"
    )]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// A step failed.
    #[error("{step} {path}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// A bound socket.
pub struct Listener {
    path: PathBuf,
    socket: UnixListener,
    inode: u64,
    folder: AsyncFd<Source<Inotify>>,
}

impl Listener {
    /// Makes the folder, removes a stale file, binds and closes the socket to everyone but its owner.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind(path: &Path) -> Result<Self, ListenError> {
        let failed = |step| move |source| ListenError::Io { step, path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
            .and_then(|i| {
                i.add_watch(folder, AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM).map(|_| i)
            })
            .map_err(io::Error::from)
            .and_then(events::register)
            .map_err(failed("watch the folder of"))?;
        let (socket, inode) = bind(path)?;
        Ok(Self { path: path.to_owned(), socket, inode, folder: watch })
    }

    /// Accepts until the daemon drains, then removes the socket's file. `serve` gets each connection with its peer's
    /// user id (`SO_PEERCRED`, as it was when the peer connected).
    pub async fn run<F, S>(mut self, mut drain: Drain, busy: Busy, serve: F)
    where
        F: Fn(UnixStream, u32) -> S,
        S: Future<Output = ()> + Send + 'static,
    {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            // The semaphore is never closed.
            let Ok(slot) = slots.clone().acquire_owned().await else { break };
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = drain.started() => break,
                () = removed(&self.folder, &self.path) => {
                    self.bind_again();
                    continue;
                }
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "accept on the CNI socket");
                    tokio::time::interval_at(tokio::time::Instant::now() + ACCEPT_PAUSE, ACCEPT_PAUSE)
                        .tick()
                        .await;
                    continue;
                }
            };
            let uid = match stream.peer_cred() {
                Ok(peer) => peer.uid(),
                Err(error) => {
                    tracing::debug!(%error, "a peer left before it was looked at");
                    continue;
                }
            };
            let (work, busy) = (serve(stream, uid), busy.clone());
            tokio::spawn(async move {
                work.await;
                drop((slot, busy));
            });
        }
        self.remove();
    }

    fn bind_again(&mut self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|m| m.ino() == self.inode) {
            return;
        }
        match bind(&self.path) {
            Ok((socket, inode)) => {
                (self.socket, self.inode) = (socket, inode);
                tracing::warn!(socket = %self.path.display(), "the socket's file was removed; bound it again");
            }
            Err(error) => tracing::error!(error = crate::causes::chain(&error), "bind the socket again"),
        }
    }

    fn remove(&self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|m| m.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn bind(path: &Path) -> Result<(UnixListener, u64), ListenError> {
    let failed = |step| move |source| ListenError::Io { step, path: path.to_owned(), source };
    match BlockingUnixStream::connect(path) {
        Ok(_) => return Err(ListenError::Taken { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(_) => std::fs::remove_file(path).map_err(failed("remove the stale socket"))?,
    }
    // The process runs with umask 0077, so nobody else can connect even before the mode is set.
    let socket = UnixListener::bind(path).map_err(failed("bind"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(failed("set the mode of"))?;
    let inode = std::fs::symlink_metadata(path).map_err(failed("look at"))?.ino();
    Ok((socket, inode))
}

/// Returns when the file of `path` has been removed from its folder. Cancel safe.
async fn removed(folder: &AsyncFd<Source<Inotify>>, path: &Path) {
    let name = path.file_name().unwrap_or(OsStr::new(""));
    loop {
        let Ok(mut ready) = folder.readable().await else { return std::future::pending().await };
        match ready.get_inner().0.read_events() {
            Ok(events) if events.iter().any(|e| e.name.as_deref() == Some(name)) => return,
            Ok(_) => {}
            Err(_) => ready.clear_ready(),
        }
    }
}
