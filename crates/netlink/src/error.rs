//! What can go wrong between us and the kernel.

use std::io;

use netlink_packet_core::DecodeError;
use thiserror::Error as ThisError;

use crate::errno::Errno;
use crate::handle::ANSWER_TIMEOUT;
use crate::netns_error::NetnsError;

/// A request that did not succeed. `attempt` says what was asked of what, e.g. `add address 10.0.0.5/24 to index 7`.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The kernel answered no.
    #[error("{attempt}: {}{}", io::Error::from_raw_os_error(*code), Remark(kernel_says))]
    Refused {
        /// What was asked.
        attempt: String,
        /// The class of the answer, for decisions.
        errno: Errno,
        /// The number itself, for people.
        code: i32,
        /// The kernel's own words (extended acknowledgement).
        kernel_says: Option<String>,
    },
    /// No answer came within [`ANSWER_TIMEOUT`]; whether the change was made is not known.
    #[error("{attempt}: no answer from the kernel within {} s", ANSWER_TIMEOUT.as_secs())]
    NoAnswer {
        /// What was asked.
        attempt: String,
    },
    /// The socket failed.
    #[error("{attempt}")]
    Io {
        /// What was asked.
        attempt: String,
        /// The system call's error.
        source: io::Error,
    },
    /// The answer does not have the shape rtnetlink promises.
    #[error("{attempt}: read the kernel's answer")]
    Malformed {
        /// What was asked.
        attempt: String,
        /// Where it breaks the shape.
        source: DecodeError,
    },
    /// A table changed under every one of a bounded number of reads (`NLM_F_DUMP_INTR`).
    #[error("{attempt}: the table kept changing while it was read")]
    Unsettled {
        /// What was asked.
        attempt: String,
    },
    /// The answer does not have the shape nfnetlink promises.
    #[error("{attempt}: read the kernel's answer")]
    UnknownTable {
        /// What was asked.
        attempt: String,
        /// What is wrong with it.
        source: nft::Malformed,
    },
    /// A rule or an element of nftables that no message holds.
    #[error(transparent)]
    TooLong(#[from] nft::TooLong),
    /// A text is no interface name (`dev_valid_name` in the kernel: 1 to 15 bytes, no `/`, `:` or white space).
    #[error("{name:?} is not an interface name")]
    BadName {
        /// The text, cut to 80 characters.
        name: String,
    },
    /// The namespace could not be entered.
    #[error(transparent)]
    Netns(#[from] NetnsError),
}

impl Error {
    /// The kernel's reason, where it gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { errno, .. } => Some(*errno),
            Self::Io { source, .. } => Some(Errno::of(source)),
            Self::NoAnswer { .. }
            | Self::Malformed { .. }
            | Self::Unsettled { .. }
            | Self::UnknownTable { .. }
            | Self::TooLong(_)
            | Self::BadName { .. }
            | Self::Netns(_) => None,
        }
    }

    /// Whether the thing asked about or to be removed is not there.
    pub fn is_not_found(&self) -> bool {
        self.errno() == Some(Errno::NotFound)
    }

    /// Whether the thing to be made is there already.
    pub fn is_exists(&self) -> bool {
        self.errno() == Some(Errno::Exists)
    }
}

/// The kernel's words in brackets, or nothing.
struct Remark<'a>(&'a Option<String>);

impl std::fmt::Display for Remark<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(words) => write!(f, " (kernel says: {words})"),
            None => Ok(()),
        }
    }
}

/// `Ok(true)` for done, `Ok(false)` for a thing that was not there to be removed.
pub(crate) fn removed(result: Result<(), Error>) -> Result<bool, Error> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_reads_attempt_reason_and_the_kernels_words() {
        let error = Error::Refused {
            attempt: "add address 10.0.0.5/24 to index 7".into(),
            errno: Errno::from_raw(libc::EEXIST),
            code: libc::EEXIST,
            kernel_says: Some("Address already assigned".into()),
        };

        let text = error.to_string();

        assert!(text.starts_with("add address 10.0.0.5/24 to index 7: File exists"), "{text}");
        assert!(text.ends_with("(kernel says: Address already assigned)"), "{text}");
    }
}
