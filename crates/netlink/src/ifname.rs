//! The kernel's rule for interface names (`dev_valid_name` in net/core/dev.c).

use crate::error::Error;

/// `name` itself when it is an interface name.
pub(crate) fn checked(name: &str) -> Result<&str, Error> {
    if is_valid(name) { Ok(name) } else { Err(Error::BadName { name: name.chars().take(80).collect() }) }
}

/// 1 to 15 bytes, not `.` or `..`, no `/`, `:`, white space or control byte.
///
/// The kernel allows other control bytes; no one needs them and they garble logs.
pub(crate) fn is_valid(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name != "."
        && name != ".."
        && name.bytes().all(|b| b > b' ' && b != 0x7f && b != b'/' && b != b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_folder_or_exceed_the_kernels_field_are_refused() {
        for bad in ["", ".", "..", "a/b", "a:b", "a b", "a\nb", "abcdefghijklmnop"] {
            assert!(!is_valid(bad), "{bad:?}");
        }
        for good in ["eth0", "net1", "a.100", "abcdefghijklmno", "br-int"] {
            assert!(is_valid(good), "{good:?}");
        }
    }
}
