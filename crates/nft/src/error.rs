//! What cannot be encoded or decoded.

use thiserror::Error;

/// A text that is no name of a table, chain, set or device: 1 to 255 bytes without NUL (`NFT_NAME_MAXLEN`).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a name for nftables")]
pub struct BadName {
    /// The text, cut to 80 characters.
    pub text: String,
}

/// A change that does not fit the 65,535 bytes of a netlink attribute.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{change}: too long for a netlink attribute")]
pub struct TooLong {
    /// The change, in words.
    pub change: String,
}

/// A message of the kernel that lacks what its kind must have, or holds it in an unknown form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} in nfnetlink message {kind}")]
pub struct Malformed {
    /// What is missing or wrong.
    pub what: &'static str,
    /// `NFT_MSG_*`.
    pub kind: u16,
}
