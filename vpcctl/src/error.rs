//! Why a command did not do what it was asked, and the exit code for it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// All is well.
pub(crate) const OK: u8 = 0;
/// Something was found, or was not.
pub(crate) const FINDING: u8 = 1;
/// The daemon could not be asked.
pub(crate) const UNREACHABLE: u8 = 2;
/// The command line is wrong (`EX_USAGE` of sysexits.h).
pub(crate) const USAGE: u8 = 64;

/// A command that did not end well.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// Nobody answers at the socket.
    #[error("ask the daemon at {socket:?}")]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The daemon did not answer in time.
    #[error("ask the daemon at {socket:?}: no answer within {seconds} s")]
    Late {
        /// The socket.
        socket: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// What came back is no answer to what was asked.
    #[error("read the answer of {socket:?} to {path}: {why}")]
    BadAnswer {
        /// The socket.
        socket: PathBuf,
        /// What was asked.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The daemon refused.
    #[error("the daemon refused {path} with status {status}: {message}")]
    Refused {
        /// What was asked.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What the daemon says.
        message: String,
    },
    /// What was asked for is not there.
    #[error("{message}")]
    NotFound {
        /// What is not where.
        message: String,
    },
    /// The answer cannot be written down.
    #[error("write the output")]
    Output {
        /// The cause.
        #[from]
        source: io::Error,
    },
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NotFound { .. } | Self::Output { .. } => FINDING,
            Self::Unreachable { .. } | Self::Late { .. } | Self::BadAnswer { .. } | Self::Refused { .. } => {
                UNREACHABLE
            }
        }
    }

    /// What a person can do; empty when the message says it all.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root: only root may ask the daemon"
            }
            Self::Unreachable { .. } => {
                "start kube-ovn-daemon on this node, or name its socket with --socket or KUBE_OVN_SOCKET"
            }
            Self::Late { .. } => "look at the daemon's log",
            Self::BadAnswer { .. } => "is that the socket of a kube-ovn-daemon of this version?",
            Self::Refused { .. } | Self::NotFound { .. } | Self::Output { .. } => "",
        }
    }
}

/// The error and its causes, joined by `: `.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
