//! What went wrong, for three readers: the runtime (CNI code), upstream's plugin (HTTP status and text), a person.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing a caller can tell from another. The table is [`FaultKind::row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The request is not what the protocol asks for.
    BadRequest,
    /// A `CNI_*` variable (or the request's copy of it) is missing or unusable.
    BadEnvironment,
    /// The network configuration is valid JSON but cannot be meant.
    BadConfig,
    /// No Subnet has the provider.
    UnknownProvider,
    /// The Subnet that is asked for does not exist.
    UnknownSubnet,
    /// The subnet has no free address left.
    SubnetExhausted,
    /// An address that is asked for lies outside the subnet, or is its gateway, network or broadcast address.
    AddressNotUsable,
    /// An address (or MAC) that is asked for is held by somebody else.
    AddressTaken,
    /// Somebody outside our ledger answers for an address that is asked for.
    AddressInUseOutside,
    /// Two sources ask for different addresses, or an annotation cannot be read.
    BadAnnotation,
    /// The namespace may not use the subnet or VPC.
    NotAdmitted,
    /// The sandbox's network namespace does not exist (any more).
    SandboxGone,
    /// The interface name is taken inside the sandbox.
    InterfaceExists,
    /// What CHECK found differs from what ADD made.
    CheckFailed,
    /// This node cannot do it as it is set up (no OVN, no such master interface).
    NotSupportedHere,
    /// The kernel refused a step.
    Kernel,
    /// The ledger could not be written or read.
    Ledger,
    /// The daemon is starting, draining or over its limit; the same call may succeed later.
    Busy,
    /// STATUS: an ADD would fail now.
    NotAvailable,
    /// The peer of the socket is not root.
    PeerNotRoot,
}

/// A row of the fault table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRow {
    /// HTTP status of the reply.
    pub http_status: u16,
    /// CNI error code. 1 to 99 are the specification's, from 100 on ours.
    pub cni_code: u32,
    /// Would the same call succeed later without anybody doing anything?
    pub is_retryable: bool,
}

impl FaultKind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 20] = [
        Self::BadRequest,
        Self::BadEnvironment,
        Self::BadConfig,
        Self::UnknownProvider,
        Self::UnknownSubnet,
        Self::SubnetExhausted,
        Self::AddressNotUsable,
        Self::AddressTaken,
        Self::AddressInUseOutside,
        Self::BadAnnotation,
        Self::NotAdmitted,
        Self::SandboxGone,
        Self::InterfaceExists,
        Self::CheckFailed,
        Self::NotSupportedHere,
        Self::Kernel,
        Self::Ledger,
        Self::Busy,
        Self::NotAvailable,
        Self::PeerNotRoot,
    ];

    /// The one table from kind to HTTP status, CNI code and "would trying again help".
    pub const fn row(self) -> FaultRow {
        let (http_status, cni_code, is_retryable) = match self {
            Self::BadRequest => (400, 6, false),
            Self::BadEnvironment => (400, 4, false),
            Self::BadConfig => (400, 7, false),
            Self::UnknownProvider => (400, 7, false),
            Self::UnknownSubnet => (400, 101, false),
            Self::SubnetExhausted => (500, 102, false),
            Self::AddressNotUsable => (400, 103, false),
            Self::AddressTaken => (409, 104, false),
            Self::AddressInUseOutside => (409, 105, false),
            Self::BadAnnotation => (400, 106, false),
            Self::NotAdmitted => (403, 107, false),
            Self::SandboxGone => (400, 3, false),
            Self::InterfaceExists => (409, 108, false),
            Self::CheckFailed => (409, 109, false),
            Self::NotSupportedHere => (500, 110, false),
            Self::Kernel => (500, 111, false),
            Self::Ledger => (500, 11, true),
            Self::Busy => (503, 11, true),
            Self::NotAvailable => (503, 50, true),
            Self::PeerNotRoot => (403, 112, false),
        };
        FaultRow { http_status, cni_code, is_retryable }
    }

    /// The label used in metrics and logs, the same text as in JSON.
    pub const fn label(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::BadEnvironment => "bad-environment",
            Self::BadConfig => "bad-config",
            Self::UnknownProvider => "unknown-provider",
            Self::UnknownSubnet => "unknown-subnet",
            Self::SubnetExhausted => "subnet-exhausted",
            Self::AddressNotUsable => "address-not-usable",
            Self::AddressTaken => "address-taken",
            Self::AddressInUseOutside => "address-in-use-outside",
            Self::BadAnnotation => "bad-annotation",
            Self::NotAdmitted => "not-admitted",
            Self::SandboxGone => "sandbox-gone",
            Self::InterfaceExists => "interface-exists",
            Self::CheckFailed => "check-failed",
            Self::NotSupportedHere => "not-supported-here",
            Self::Kernel => "kernel",
            Self::Ledger => "ledger",
            Self::Busy => "busy",
            Self::NotAvailable => "not-available",
            Self::PeerNotRoot => "peer-not-root",
        }
    }
}

/// A failure as the caller sees it: what was attempted on what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which of the known things went wrong.
    pub kind: FaultKind,
    /// What was attempted, on what, and why it failed. The whole chain of causes, joined by `: `.
    pub message: String,
    /// What a person can do. Empty when there is nothing to do but wait.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

impl Fault {
    /// A fault without a hint.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: String::new() }
    }

    /// The same fault with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_codes_start_at_100_and_only_passing_conditions_are_retryable() {
        for kind in FaultKind::ALL {
            let row = kind.row();
            assert!(matches!(row.cni_code, 3 | 4 | 6 | 7 | 11 | 50 | 100..=198), "{kind:?}");
            assert_eq!(row.is_retryable, matches!(row.cni_code, 11 | 50), "{kind:?}");
            assert!((400..=599).contains(&row.http_status), "{kind:?}");
        }
    }

    #[test]
    fn labels_are_the_json_names() {
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.label());
        }
    }

    #[test]
    fn own_codes_are_distinct() {
        let mut own: Vec<u32> =
            FaultKind::ALL.iter().map(|k| k.row().cni_code).filter(|c| *c >= 100).collect();
        own.sort_unstable();
        let count = own.len();
        own.dedup();
        assert_eq!(own.len(), count);
    }
}
