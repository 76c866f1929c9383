//! `net.*` settings of the calling thread's namespace: read, compare, write.
//!
//! `/proc/sys/net` shows each thread its own namespace, so call these inside [`crate::Netns::run`].

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::errno::Errno;

/// What became of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It had another value and was written.
    Changed,
    /// It had the value already.
    Already,
    /// This kernel has no such setting, or does not let us write it (a read-only `/proc/sys` in a container).
    Skipped,
}

/// A setting that could not be read or written.
#[derive(Debug, Error)]
pub enum SysctlError {
    /// A part of the name could lead out of `/proc/sys/net`.
    #[error("{part:?} is no part of a sysctl's name")]
    BadName {
        /// The part, cut to 80 characters.
        part: String,
    },
    /// The file could not be used.
    #[error("{attempt} sysctl net.{name}")]
    Io {
        /// `read` or `write`.
        attempt: &'static str,
        /// The parts of the name, joined by dots.
        name: String,
        /// The system call's error.
        source: io::Error,
    },
}

/// The value of `net.<parts>`, e.g. `["ipv6", "conf", "eth0", "disable_ipv6"]`; `None` when there is no such setting.
///
/// # Errors
/// [`SysctlError::BadName`], or any I/O error but "not there".
pub fn read(parts: &[&str]) -> Result<Option<String>, SysctlError> {
    match std::fs::read_to_string(path(parts)?) {
        Ok(value) => Ok(Some(value.trim().to_owned())),
        Err(error) if Errno::of(&error) == Errno::NotFound => Ok(None),
        Err(source) => Err(SysctlError::Io { attempt: "read", name: parts.join("."), source }),
    }
}

/// Makes `net.<parts>` be `value`. Nothing is written when it is already.
///
/// # Errors
/// [`SysctlError::BadName`], or an I/O error that is not one of those that [`Written::Skipped`] stands for.
pub fn set(parts: &[&str], value: &str) -> Result<Written, SysctlError> {
    match read(parts)? {
        None => return Ok(Written::Skipped),
        Some(found) if found == value => return Ok(Written::Already),
        Some(_) => {}
    }
    match std::fs::write(path(parts)?, value) {
        Ok(()) => Ok(Written::Changed),
        Err(error) if matches!(Errno::of(&error), Errno::NotFound | Errno::NotPermitted) => {
            Ok(Written::Skipped)
        }
        Err(source) => Err(SysctlError::Io { attempt: "write", name: parts.join("."), source }),
    }
}

fn path(parts: &[&str]) -> Result<PathBuf, SysctlError> {
    let mut path = PathBuf::from("/proc/sys/net");
    for part in parts {
        if !is_part(part) {
            return Err(SysctlError::BadName { part: part.chars().take(80).collect() });
        }
        path.push(part);
    }
    Ok(path)
}

/// One path component: a setting's name or an interface's (which may hold dots).
fn is_part(part: &str) -> bool {
    (1..=64).contains(&part.len())
        && part != "."
        && part != ".."
        && part.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_could_leave_the_folder_is_refused() {
        for bad in ["", ".", "..", "a/b", "/", "a\0", "a b"] {
            assert!(matches!(read(&["ipv6", bad]), Err(SysctlError::BadName { .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_setting_this_kernel_lacks_is_skipped() {
        assert_eq!(set(&["ipv4", "no_such_setting"], "1").unwrap(), Written::Skipped);
    }
}
