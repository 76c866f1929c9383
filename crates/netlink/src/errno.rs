//! What the kernel refused, in the terms a caller decides on: the only match on error numbers.

use std::io;

/// A class of kernel error. The exact number stays in the error text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Errno {
    /// The link, address, route, table or file is not there.
    NotFound,
    /// Something of that name or value is there already.
    Exists,
    /// In use by something else; may pass.
    Busy,
    /// Missing capability, or a setting (such as `disable_ipv6`) forbids it.
    NotPermitted,
    /// Out of memory, descriptors or table space.
    NoSpace,
    /// The gateway is not on the link, or the link is down.
    Unreachable,
    /// The kernel understood the request and finds it wrong.
    Invalid,
    /// This kernel cannot do that at all.
    NotSupported,
    /// Any other number of `errno(3)`.
    Raw(i32),
}

impl Errno {
    /// Classifies a positive `errno(3)` number.
    pub fn from_raw(code: i32) -> Self {
        match code {
            libc::ENOENT | libc::ENODEV | libc::ESRCH | libc::ENXIO | libc::EADDRNOTAVAIL => Self::NotFound,
            libc::EEXIST => Self::Exists,
            libc::EBUSY | libc::EAGAIN | libc::EADDRINUSE => Self::Busy,
            libc::EPERM | libc::EACCES | libc::EROFS => Self::NotPermitted,
            libc::ENOSPC | libc::ENOMEM | libc::ENOBUFS | libc::EMFILE | libc::ENFILE => Self::NoSpace,
            libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN => Self::Unreachable,
            libc::EINVAL | libc::ERANGE => Self::Invalid,
            libc::EOPNOTSUPP
            | libc::EAFNOSUPPORT
            | libc::EPROTONOSUPPORT
            | libc::ENOPROTOOPT
            | libc::ENOSYS => Self::NotSupported,
            other => Self::Raw(other),
        }
    }

    /// Classifies an I/O error; one without a number is `Raw(0)`.
    pub fn of(error: &io::Error) -> Self {
        Self::from_raw(error.raw_os_error().unwrap_or(0))
    }
}

/// Whether `error` says that the descriptor has nothing to read now.
pub(crate) fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Whether a signal cut the system call short, so that it must be made again.
pub(crate) fn interrupted(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted
}

/// Whether a datagram was refused for its length.
pub(crate) fn is_too_big(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EMSGSIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_be_absent_is_not_found() {
        for code in [libc::ENOENT, libc::ENODEV, libc::ESRCH, libc::EADDRNOTAVAIL] {
            assert_eq!(Errno::from_raw(code), Errno::NotFound);
        }
    }

    #[test]
    fn unknown_number_is_kept() {
        assert_eq!(Errno::from_raw(libc::EXDEV), Errno::Raw(libc::EXDEV));
    }
}
