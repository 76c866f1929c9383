//! Snapshots for everybody who wants the newest one, and each problem in the log once.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::folder::{Folder, FolderError, Snapshot};
use super::problem::{Problem, Severity, not_in};

/// The first snapshot, already in the channel.
pub fn channel(folder: &mut Folder) -> (watch::Sender<Arc<Snapshot>>, watch::Receiver<Arc<Snapshot>>) {
    let first = folder.load();
    log_changes(&Snapshot::default(), &first);
    watch::channel(Arc::new(first))
}

/// Publishes a snapshot after each change of the folder that changes one, until nobody receives any more.
///
/// # Errors
/// When the folder cannot be watched any longer. The last snapshot stays published.
pub async fn follow(mut folder: Folder, sender: watch::Sender<Arc<Snapshot>>) -> Result<(), FolderError> {
    loop {
        tokio::select! {
            changed = folder.changed() => changed?,
            () = sender.closed() => return Ok(()),
        }
        let next = folder.load();
        sender.send_if_modified(|current| {
            let is_new = **current != next;
            if is_new {
                log_changes(current, &next);
                *current = Arc::new(next);
            }
            is_new
        });
    }
}

fn log_changes(before: &Snapshot, now: &Snapshot) {
    for problem in not_in(&now.problems, &before.problems) {
        let Problem { at, severity, what, hint } = problem;
        match severity {
            Severity::Broken => warn!(file = at.file, line = at.line, hint, "resources: {what}"),
            Severity::Ignored => info!(file = at.file, line = at.line, hint, "resources: {what}"),
        }
    }
    for problem in not_in(&before.problems, &now.problems) {
        info!(file = problem.at.file, line = problem.at.line, "resources: no longer: {}", problem.what);
    }
    for (kind, count) in now.index.unused() {
        if before.index.unused().get(kind) != Some(count) {
            debug!(kind, count, "resources: objects that nothing here acts on");
        }
    }
}

#[cfg(test)]
mod tests;
