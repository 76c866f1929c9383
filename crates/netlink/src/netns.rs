//! A network namespace held by descriptor: who it is, and how code gets to run inside it.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sched::CloneFlags;
use nix::sys::stat::Mode;
use nix::sys::statfs::{FsType, NSFS_MAGIC, PROC_SUPER_MAGIC, fstatfs};

use crate::errno::Errno;
use crate::netns_error::NetnsError;

/// Which network namespace: device and inode of its nsfs file (namespaces(7)). Unique while somebody holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetnsId {
    dev: u64,
    ino: u64,
}

impl NetnsId {
    /// An id that was stored as its two numbers.
    pub fn from_parts(dev: u64, ino: u64) -> Self {
        Self { dev, ino }
    }

    /// The nsfs device.
    pub fn dev(self) -> u64 {
        self.dev
    }

    /// The inode on that device, the number in `net:[4026531840]`.
    pub fn ino(self) -> u64 {
        self.ino
    }

    /// The namespace that `path` names now; `None` when nothing is there or it is no longer a namespace file.
    ///
    /// For sweepers: nothing is kept open. A plain symlink as last component counts as "no namespace".
    ///
    /// # Errors
    /// [`NetnsError::Io`] when it cannot be told, e.g. for lack of permission.
    pub fn of_path(path: &Path) -> Result<Option<Self>, NetnsError> {
        match locate(path) {
            Ok(place) => Ok(Some(identify(&place, path)?)),
            Err(
                NetnsError::Missing { .. } | NetnsError::Symlink { .. } | NetnsError::NotANamespace { .. },
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for NetnsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.dev, self.ino)
    }
}

/// A network namespace, kept alive by its descriptor whatever happens to the path it was opened by.
#[derive(Debug)]
pub struct Netns {
    fd: OwnedFd,
    id: NetnsId,
    path: PathBuf,
}

impl Netns {
    /// Opens the network namespace at `path`, e.g. `/run/netns/cni-1234` or `/proc/4711/ns/net`.
    ///
    /// Links on the way are followed; one as last component only on procfs, where the kernel makes it. What is not
    /// a namespace file is never opened for real, so a device or a pipe at `path` notices nothing.
    ///
    /// # Errors
    /// One variant of [`NetnsError`] per reason to refuse.
    pub fn open(path: &Path) -> Result<Self, NetnsError> {
        let place = locate(path)?;
        // Through the descriptor: the very file that was looked at, not what the path names by then.
        let reopened = format!("/proc/self/fd/{}", place.as_raw_fd());
        let fd = open(reopened.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
            .map_err(|errno| io_error("open", path, errno))?;
        if !is_network(&fd).map_err(|errno| io_error("ask the type of", path, errno))? {
            return Err(NetnsError::NotNetwork { path: path.into() });
        }
        Ok(Self { id: identify(&fd, path)?, fd, path: path.into() })
    }

    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// As [`Netns::open`], e.g. where `/proc` is not mounted.
    pub fn current() -> Result<Self, NetnsError> {
        Self::open(Path::new("/proc/thread-self/ns/net"))
    }

    /// Which namespace this is.
    pub fn id(&self) -> NetnsId {
        self.id
    }

    /// The path it was opened by; it may name something else since.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `f` inside the namespace and returns what it returns.
    ///
    /// `f` runs on a fresh thread that ends with it and never returns to a pool, so no thread can be left in the
    /// wrong namespace. `f` is synchronous, so no `await` can move it. Sockets that it opens stay inside.
    ///
    /// # Errors
    /// [`NetnsError::Thread`] or [`NetnsError::Enter`]; `f` has not run then.
    ///
    /// # Panics
    /// When `f` does.
    pub fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
        std::thread::scope(|scope| {
            let inside = std::thread::Builder::new().name("netns".into()).spawn_scoped(scope, || {
                self.enter()?;
                Ok(f())
            });
            let inside = inside.map_err(|source| NetnsError::Thread { path: self.path.clone(), source })?;
            inside.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that enters a namespace")]
    fn enter(&self) -> Result<(), NetnsError> {
        nix::sched::setns(&self.fd, CloneFlags::CLONE_NEWNET)
            .map_err(|errno| NetnsError::Enter { path: self.path.clone(), source: errno.into() })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// An `O_PATH` descriptor of the nsfs file at `path`.
fn locate(path: &Path) -> Result<OwnedFd, NetnsError> {
    let here = open_place(path, OFlag::O_NOFOLLOW)?;
    match file_system(&here, path)? {
        NSFS_MAGIC => return Ok(here),
        PROC_SUPER_MAGIC => {}
        _ if is_symlink(&here, path)? => return Err(NetnsError::Symlink { path: path.into() }),
        _ => return Err(NetnsError::NotANamespace { path: path.into() }),
    }
    let behind = open_place(path, OFlag::empty())?;
    match file_system(&behind, path)? {
        NSFS_MAGIC => Ok(behind),
        _ => Err(NetnsError::NotANamespace { path: path.into() }),
    }
}

fn open_place(path: &Path, extra: OFlag) -> Result<OwnedFd, NetnsError> {
    open(path, OFlag::O_PATH | OFlag::O_CLOEXEC | extra, Mode::empty()).map_err(|errno| {
        let error = io::Error::from(errno);
        match (Errno::of(&error), error.kind()) {
            (Errno::NotFound, _) | (_, io::ErrorKind::NotADirectory) => {
                NetnsError::Missing { path: path.into() }
            }
            _ => NetnsError::Io { attempt: "find", path: path.into(), source: error },
        }
    })
}

fn file_system(fd: &OwnedFd, path: &Path) -> Result<FsType, NetnsError> {
    Ok(fstatfs(fd).map_err(|errno| io_error("look at", path, errno))?.filesystem_type())
}

fn metadata(fd: &impl AsFd, path: &Path) -> Result<std::fs::Metadata, NetnsError> {
    let look = || File::from(fd.as_fd().try_clone_to_owned()?).metadata();
    look().map_err(|source| NetnsError::Io { attempt: "look at", path: path.into(), source })
}

fn is_symlink(fd: &OwnedFd, path: &Path) -> Result<bool, NetnsError> {
    Ok(metadata(fd, path)?.is_symlink())
}

fn identify(fd: &OwnedFd, path: &Path) -> Result<NetnsId, NetnsError> {
    let meta = metadata(fd, path)?;
    Ok(NetnsId { dev: meta.dev(), ino: meta.ino() })
}

nix::ioctl_none_bad!(
    /// `NS_GET_NSTYPE`, ioctl_ns(2).
    namespace_type,
    libc::NS_GET_NSTYPE
);

fn is_network(fd: &OwnedFd) -> nix::Result<bool> {
    // SAFETY: NS_GET_NSTYPE takes no argument and only reads the open descriptor; on any other file it is ENOTTY.
    let kind = unsafe { namespace_type(fd.as_raw_fd()) }?;
    Ok(kind == libc::CLONE_NEWNET)
}

fn io_error(attempt: &'static str, path: &Path, errno: nix::Error) -> NetnsError {
    NetnsError::Io { attempt, path: path.into(), source: errno.into() }
}
