//! Why a path is not a network namespace to be entered.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a network namespace cannot be had.
#[derive(Debug, Error)]
pub enum NetnsError {
    /// Nothing is at the path.
    #[error("no network namespace at {}", path.display())]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// The last component is a symlink that somebody made.
    #[error("{} is a symlink, not a network namespace", path.display())]
    Symlink {
        /// The path asked for.
        path: PathBuf,
    },
    /// Some other file, or a mount point whose namespace is gone.
    #[error("{} is not a namespace", path.display())]
    NotANamespace {
        /// The path asked for.
        path: PathBuf,
    },
    /// A mount, PID, … namespace.
    #[error("{} is a namespace, but not a network namespace", path.display())]
    NotNetwork {
        /// The path asked for.
        path: PathBuf,
    },
    /// A system call failed on it.
    #[error("{attempt} network namespace {}", path.display())]
    Io {
        /// `open`, `look at`, …
        attempt: &'static str,
        /// The path asked for.
        path: PathBuf,
        /// The system call's error.
        source: io::Error,
    },
    /// `setns` was refused (it needs `CAP_SYS_ADMIN`).
    #[error("enter network namespace {}", path.display())]
    Enter {
        /// The path it was opened by.
        path: PathBuf,
        /// The system call's error.
        source: io::Error,
    },
    /// No thread could be started.
    #[error("start a thread for network namespace {}", path.display())]
    Thread {
        /// The path it was opened by.
        path: PathBuf,
        /// The system call's error.
        source: io::Error,
    },
}
