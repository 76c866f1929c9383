//! What kind of workload asks for an address, as far as it matters for keeping it.

use serde::{Deserialize, Serialize};

/// The workload a pod belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Workload {
    /// A pod nobody will make again under the same name.
    Pod,
    /// A pod of a StatefulSet.
    StatefulSet {
        /// The number at the end of the pod's name.
        ordinal: u32,
    },
    /// A virtual machine; its pods come and go, it stays.
    VirtualMachine,
}

impl Workload {
    /// Whether the addresses stay claimed while no pod runs.
    pub fn keeps_addresses(self) -> bool {
        match self {
            Self::Pod => false,
            Self::StatefulSet { .. } | Self::VirtualMachine => true,
        }
    }

    /// The StatefulSet ordinal, which numbers the items of an `ip_pool`.
    pub fn ordinal(self) -> Option<u32> {
        match self {
            Self::StatefulSet { ordinal } => Some(ordinal),
            Self::Pod | Self::VirtualMachine => None,
        }
    }

    /// The `N` of a pod name that ends in `-N`, as the StatefulSet controller writes it (no leading zeros).
    pub fn ordinal_of(pod_name: &str) -> Option<u32> {
        let (set, digits) = pod_name.rsplit_once('-')?;
        let canonical =
            digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        if set.is_empty() || !canonical {
            return None;
        }
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinal_is_the_trailing_number_of_the_pod_name() {
        let cases = [
            ("web-0", Some(0)),
            ("my-web-12", Some(12)),
            ("web", None),
            ("web-", None),
            ("-3", None),
            ("web-01", None),
            ("web-+1", None),
            ("web-4294967295", Some(u32::MAX)),
            ("web-4294967296", None),
            ("web-7d9f-x1", None),
        ];
        for (name, want) in cases {
            assert_eq!(Workload::ordinal_of(name), want, "{name}");
        }
    }

    #[test]
    fn stateful_sets_and_virtual_machines_keep_their_addresses() {
        assert!(!Workload::Pod.keeps_addresses());
        assert!(Workload::StatefulSet { ordinal: 2 }.keeps_addresses());
        assert!(Workload::VirtualMachine.keeps_addresses());
        assert_eq!(Workload::StatefulSet { ordinal: 2 }.ordinal(), Some(2));
        assert_eq!(Workload::VirtualMachine.ordinal(), None);
    }
}
