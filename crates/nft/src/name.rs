//! The name of a table, chain, set or device.

use std::borrow::Cow;
use std::fmt;

use crate::error::BadName;

/// `NFT_NAME_MAXLEN` without the closing NUL.
const MAX_LEN: usize = 255;

/// 1 to 255 bytes without NUL, so that the kernel reads exactly this name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Cow<'static, str>);

impl Name {
    /// A name known when the program is built.
    ///
    /// # Panics
    /// When `text` is none; use it in a `const`, where that is an error of the compiler.
    pub const fn of(text: &'static str) -> Self {
        assert!(is_name(text), "not a name for nftables");
        Self(Cow::Borrowed(text))
    }

    /// A name made while the program runs.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn new(text: impl Into<String>) -> Result<Self, BadName> {
        let text = text.into();
        if is_name(&text) {
            Ok(Self(Cow::Owned(text)))
        } else {
            Err(BadName { text: text.chars().take(80).collect() })
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == 0 {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= MAX_LEN
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_a_long_and_a_cut_name_are_refused() {
        for bad in [String::new(), "a".repeat(256), "a\0b".into()] {
            assert!(Name::new(bad).is_err());
        }
        assert_eq!(Name::new("a".repeat(255)).unwrap().as_str().len(), 255);
        assert_eq!(Name::new("probe").unwrap(), Name::of("probe"));
    }
}
