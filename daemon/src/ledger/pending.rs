//! DELs that the plugin left on disk because the daemon could not take them, and their replay.
//!
//! # Flow
//! The plugin writes `<socket>.pending/<hash>.json` and succeeds. The daemon replays the folder before it accepts its
//! first call, whenever a file appears, and, for the interface at hand, at the start of every ADD: a DEL that is older
//! than an ADD must never undo it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon_api::pending::PendingDel;
use daemon_api::{ContainerId, IfName};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::unix::AsyncFd;

use super::Ledger;
use crate::events::{self, Source};
use crate::sandbox::Sandboxes;
use crate::sandbox::attachment::Attachment;

/// Longest file that is read. The plugin's are below the request limit.
const FILE_BYTES: u64 = (daemon_api::route::MAX_BODY_BYTES + daemon_api::route::MAX_CALL_BYTES) as u64;

/// Pause before a DEL that failed is tried again: what it failed for, such as a full disk, tells nobody when it ends.
const RETRY: Duration = Duration::from_secs(5);

/// The folder.
#[derive(Debug, Clone)]
pub struct PendingDels {
    folder: PathBuf,
}

impl PendingDels {
    /// The folder beside `socket`.
    pub fn beside(socket: &Path) -> Self {
        Self { folder: daemon_api::route::pending_dir(socket) }
    }

    /// How many files wait.
    pub fn count(&self) -> usize {
        self.files().len()
    }

    /// The waiting files, oldest first.
    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let mut files: Vec<(std::time::SystemTime, PathBuf)> = entries
            .filter_map(Result::ok)
            .filter(|e| e.path().extension().is_some_and(|x| x == "json"))
            .filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path())))
            .collect();
        files.sort();
        files.into_iter().map(|(_, path)| path).collect()
    }

    /// Reads a file that root wrote. Others are somebody's attempt to free what is not theirs.
    fn read(path: &Path) -> Result<PendingDel, String> {
        let about = std::fs::symlink_metadata(path).map_err(|e| e.to_string())?;
        if !about.is_file() || about.uid() != 0 || about.mode() & 0o022 != 0 {
            return Err("it is not a regular file that only root can write".to_owned());
        }
        if about.len() > FILE_BYTES {
            return Err(format!("it is longer than {FILE_BYTES} bytes"));
        }
        let text = std::fs::read(path).map_err(|e| e.to_string())?;
        serde_json::from_slice(&text).map_err(|e| e.to_string())
    }

    /// Watches the folder, making it if need be.
    fn watch(&self) -> std::io::Result<AsyncFd<Source<Inotify>>> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        inotify.add_watch(&self.folder, AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE)?;
        events::register(inotify)
    }
}

impl<L: Ledger> Sandboxes<L> {
    /// Replays the DEL of one interface, if one waits. The interface's lock is held by the caller.
    pub async fn replay_pending_of(&self, attachment: &Attachment) {
        let name = daemon_api::pending::file_name(&attachment.container, &attachment.interface);
        let path = self.pending.folder.join(name);
        if !path.exists() {
            return;
        }
        match self.del_alone(&attachment.container, &attachment.interface, None).await {
            Ok(_) => drop(std::fs::remove_file(&path)),
            Err(fault) => {
                tracing::warn!(%fault, container = %attachment.container, "replay a DEL before an ADD")
            }
        }
    }

    /// Replays every waiting DEL. Those that fail stay for the next time.
    pub async fn replay_pending(&self) {
        for path in self.pending.files() {
            let del = match PendingDels::read(&path) {
                Ok(del) => del,
                Err(why) => {
                    tracing::error!(file = %path.display(), why, "a pending DEL cannot be used; put aside");
                    let _ = std::fs::rename(&path, path.with_extension("refused"));
                    continue;
                }
            };
            match self.replay(&del, &path).await {
                Ok(freed) => {
                    tracing::info!(container = del.pod.container_id, freed, "replayed a DEL from disk")
                }
                Err(fault) => {
                    tracing::warn!(container = del.pod.container_id, %fault, "a pending DEL stays on disk")
                }
            }
        }
        self.metrics.pending.set(i64::try_from(self.pending.count()).unwrap_or(i64::MAX));
    }

    /// The file is removed under the interface's lock, so that an ADD never meets a DEL that was done already.
    async fn replay(&self, del: &PendingDel, path: &Path) -> Result<usize, daemon_api::Fault> {
        let invalid = |e: daemon_api::InvalidId| {
            daemon_api::Fault::new(daemon_api::FaultKind::BadEnvironment, e.to_string())
        };
        let container = ContainerId::new(&del.pod.container_id).map_err(invalid)?;
        let interface = IfName::new(&del.pod.if_name).map_err(invalid)?;
        let _interface = self.interfaces.hold((container.clone(), interface.clone())).await;
        if !path.exists() {
            return Ok(0);
        }
        let freed = self.del_alone(&container, &interface, Some(&del.pod.provider)).await?;
        let _ = std::fs::remove_file(path);
        self.metrics.replayed.inc();
        Ok(freed.len())
    }

    /// Replays whatever appears in the folder, for ever.
    pub async fn follow_pending(&self) {
        let watch = match self.pending.watch() {
            Ok(watch) => watch,
            Err(error) => {
                tracing::error!(%error, "pending DELs are replayed at the next start only");
                return;
            }
        };
        loop {
            self.replay_pending().await;
            let patience = if self.pending.count() > 0 { RETRY } else { Duration::MAX };
            match tokio::time::timeout(patience, watch.readable()).await {
                Ok(Ok(mut ready)) => {
                    while ready.get_inner().0.read_events().is_ok() {}
                    ready.clear_ready();
                }
                Ok(Err(_)) => return,
                Err(_elapsed) => {}
            }
        }
    }
}
