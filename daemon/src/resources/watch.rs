//! Being told by the kernel that something changed in a folder that may not even exist (inotify(7)).

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use tokio::io::unix::AsyncFd;

use super::files::is_resource_file;
use crate::events::{self, Source};

/// What changes the content of a folder, or its being there.
const CHANGES: AddWatchFlags = AddWatchFlags::IN_CLOSE_WRITE
    .union(AddWatchFlags::IN_CREATE)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_ATTRIB);

/// Events about the watch or the watched folder itself.
const ABOUT_ITSELF: AddWatchFlags = AddWatchFlags::IN_DELETE_SELF
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_UNMOUNT)
    .union(AddWatchFlags::IN_IGNORED)
    .union(AddWatchFlags::IN_Q_OVERFLOW);

/// One arming: what stood there when it was armed. Arm again before each look, so that no change between the look
/// and the next wait is missed.
pub(super) struct Watch {
    source: AsyncFd<Source<Inotify>>,
    folder: PathBuf,
    /// The watch on the folder, when it exists.
    inside: Option<WatchDescriptor>,
    /// The watch on the nearest folder above that exists, and the name below it on the way to ours.
    above: Option<(WatchDescriptor, OsString)>,
}

impl Watch {
    /// Watches `folder`, an absolute path, and the way to it.
    pub(super) fn arm(folder: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let inside = existing(inotify.add_watch(folder, CHANGES))?;
        let above = watch_above(&inotify, folder)?;
        Ok(Self { source: events::register(inotify)?, folder: folder.to_owned(), inside, above })
    }

    /// Returns when something that matters has changed; everything that is queued by then counts as one change.
    pub(super) async fn changed(&self) -> io::Result<()> {
        loop {
            let mut ready = self.source.readable().await?;
            let mut has_changed = false;
            loop {
                match ready.try_io(|source| Ok(source.get_ref().0.read_events()?)) {
                    Ok(Ok(events)) => has_changed |= events.iter().any(|event| self.matters(event)),
                    Ok(Err(error)) => return Err(error),
                    Err(_would_block) => break,
                }
            }
            if has_changed {
                return Ok(());
            }
        }
    }

    fn matters(&self, event: &InotifyEvent) -> bool {
        if event.mask.intersects(ABOUT_ITSELF) {
            return true;
        }
        let Some(name) = event.name.as_deref() else { return self.inside == Some(event.wd) };
        if let Some((above, towards)) = &self.above
            && event.wd == *above
        {
            return name == towards;
        }
        self.inside == Some(event.wd) && is_telling(name) && !self.is_being_written(name, event.mask)
    }

    /// A plain file that was just created is still being written; its closing is the event to wait for. Links are
    /// complete when they appear, and no closing follows.
    fn is_being_written(&self, name: &OsStr, mask: AddWatchFlags) -> bool {
        use std::os::unix::fs::MetadataExt;
        mask.contains(AddWatchFlags::IN_CREATE)
            && self.folder.join(name).symlink_metadata().is_ok_and(|file| file.is_file() && file.nlink() == 1)
    }
}

/// True for names whose change may change the objects: resource files, and the `..data` link that the kubelet swaps
/// to update a mounted ConfigMap.
fn is_telling(name: &OsStr) -> bool {
    name.to_str().is_none_or(|name| is_resource_file(name) || name.starts_with(".."))
}

fn existing(watch: nix::Result<WatchDescriptor>) -> io::Result<Option<WatchDescriptor>> {
    match watch {
        Ok(watch) => Ok(Some(watch)),
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn watch_above(inotify: &Inotify, folder: &Path) -> io::Result<Option<(WatchDescriptor, OsString)>> {
    let mut below = folder;
    while let (Some(above), Some(name)) = (below.parent(), below.file_name()) {
        if let Some(watch) = existing(inotify.add_watch(above, CHANGES))? {
            return Ok(Some((watch, name.to_owned())));
        }
        below = above;
    }
    Ok(None)
}
