//! A DEL that the daemon could not take, left on disk beside its socket for the daemon to replay.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use daemon_api::pending::{self, PendingDel};
use daemon_api::route;
use thiserror::Error;

use crate::crash;
use crate::env::Sandbox;

/// The request could not be left on disk.
#[derive(Debug, Error)]
#[error("{step} {}", path.display())]
pub struct PendingError {
    /// What was attempted.
    pub step: &'static str,
    /// On what.
    pub path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

fn failed<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> PendingError + 'a {
    move |source| PendingError { step, path: path.to_owned(), source }
}

/// Leaves `del` for the daemon of `socket`, durably, in place of an earlier one of the same attachment.
///
/// # Errors
/// [`PendingError`]; nothing is left behind then but perhaps the folder.
pub fn leave(socket: &Path, sandbox: &Sandbox, del: &PendingDel) -> Result<PathBuf, PendingError> {
    let folder = route::pending_dir(socket);
    make_folder(&folder)?;
    let name = pending::file_name(&sandbox.container_id, &sandbox.ifname);
    let path = folder.join(&name);
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let written = write_draft(&draft, &del.encode())
        .and_then(|()| fs::rename(&draft, &path).map_err(failed("rename a draft to", &path)));
    if let Err(e) = written {
        // Best effort: the daemon ignores drafts, and the cause is what counts.
        let _ = fs::remove_file(&draft);
        return Err(e);
    }
    File::open(&folder).and_then(|f| f.sync_all()).map_err(failed("sync the folder", &folder))?;
    crash::point("plugin-pending-written");
    Ok(path)
}

/// After a reboot runtimes undo their old sandboxes before anything of ours has run: the socket's own folder may not be
/// there yet.
fn make_folder(folder: &Path) -> Result<(), PendingError> {
    if let Some(parent) = folder.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)
            .map_err(failed("make the folder", parent))?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(folder).map_err(failed("look at the folder", folder))?;
            let is_folder = if found.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) };
            is_folder.map_err(failed("use the folder", folder))
        }
        made @ (Ok(()) | Err(_)) => made.map_err(failed("make the folder", folder)),
    }
}

fn write_draft(draft: &Path, bytes: &[u8]) -> Result<(), PendingError> {
    // One of a process that died with our id.
    let _ = fs::remove_file(draft);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
        .map_err(failed("make", draft))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", draft))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use daemon_api::{CallContext, ContainerId, IfName, PodRequest};

    use super::*;

    fn sandbox() -> Sandbox {
        Sandbox {
            container_id: ContainerId::new("c1").unwrap(),
            ifname: IfName::new("eth0").unwrap(),
            netns: None,
            args: String::new(),
            netns_override: false,
        }
    }

    fn del(name: &str) -> PendingDel {
        let pod = PodRequest { pod_name: name.into(), ..PodRequest::default() };
        PendingDel { pod, call: CallContext::default() }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_del_is_left_for_root_only_and_replaces_its_own_entry() {
        let lab = tempfile::tempdir().unwrap();
        let socket = lab.path().join("not/yet/there/d.sock");

        leave(&socket, &sandbox(), &del("first")).unwrap();
        let path = leave(&socket, &sandbox(), &del("second")).unwrap();

        let folder = route::pending_dir(&socket);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
        assert_eq!(PendingDel::decode(&fs::read(&path).unwrap()), Ok(del("second")));
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn a_folder_that_is_a_link_or_a_file_is_refused() {
        let lab = tempfile::tempdir().unwrap();
        let socket = lab.path().join("d.sock");
        let folder = route::pending_dir(&socket);

        symlink(lab.path(), &folder).unwrap();
        let error = leave(&socket, &sandbox(), &del("p")).unwrap_err();
        assert_eq!((error.step, error.path), ("use the folder", folder.clone()));

        fs::remove_file(&folder).unwrap();
        fs::write(&folder, "").unwrap();
        assert!(leave(&socket, &sandbox(), &del("p")).is_err());
    }
}
