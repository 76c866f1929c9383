//! Why the ledger refused or failed, and what the caller is told.

use std::net::IpAddr;
use std::sync::Arc;

use daemon_api::{Fault, FaultKind};
use ipam::PickError;
use thiserror::Error;

use super::claim::Owner;
use crate::causes::chain;

/// A refusal or a failure of the ledger.
#[derive(Debug, Clone, Error)]
pub enum LedgerError {
    /// The subnet is not (or no longer) defined.
    #[error("claim an address of subnet {subnet}: there is no such subnet")]
    NoSuchSubnet {
        /// Its name.
        subnet: String,
    },
    /// The subnet cannot serve the wish.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// Another pod of this node has the address in another VPC, and a probe port in common.
    #[error(
        "give {address} to pod {}: it and a probe port are those of pod {} in another VPC on this node",
        owner.pod, holder.pod
    )]
    ProbeClash {
        /// Who asks.
        owner: Box<Owner>,
        /// The address.
        address: IpAddr,
        /// Who has it.
        holder: Box<Owner>,
    },
    /// The store could not be read or written. Nothing was changed.
    #[error("write the address ledger {path}")]
    Store {
        /// The file.
        path: String,
        /// The reason.
        source: Arc<redb::Error>,
    },
    /// A stored record cannot be read.
    #[error("read record {key} of the address ledger")]
    Record {
        /// The record's key.
        key: String,
        /// The reason.
        source: Arc<serde_json::Error>,
    },
    /// The store already has another owner for the address: memory and disk disagree, and disk wins.
    #[error("claim {address}: the ledger on disk already has it for claim {held_by}")]
    Double {
        /// The address.
        address: String,
        /// The claim that has it.
        held_by: u64,
    },
    /// The ledger's thread has ended.
    #[error("ask the address ledger: it is shutting down")]
    Closed,
}

/// A wish that a subnet cannot serve.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The subnet.
    pub subnet: String,
    /// Who holds the address, when it is held.
    pub holder: Option<Owner>,
    /// Why.
    pub reason: PickError,
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        let text = chain(&error);
        match &error {
            LedgerError::NoSuchSubnet { .. } => Self::new(FaultKind::UnknownSubnet, text),
            LedgerError::Refused(refusal) => refused(refusal),
            LedgerError::ProbeClash { .. } => Self::new(FaultKind::AddressTaken, text).hint(
                "the kubelet's probes of the two could not be told apart; choose another address or another port, or another node",
            ),
            LedgerError::Store { .. } | LedgerError::Record { .. } | LedgerError::Double { .. } => {
                Self::new(FaultKind::Ledger, text)
                    .hint("see the daemon's log; is the disk full or read-only?")
            }
            LedgerError::Closed => Self::new(FaultKind::Busy, text),
        }
    }
}

fn refused(Refusal { subnet, holder, reason }: &Refusal) -> Fault {
    let mut text = reason.to_string();
    if let Some(owner) = holder {
        text.push_str(&format!(" by pod {} (interface {})", owner.pod, owner.interface));
    }
    match reason {
        PickError::Exhausted { .. } => Fault::new(FaultKind::SubnetExhausted, text).hint(format!(
            "free addresses, shorten excludeIps or enlarge the subnet; `vpcctl get ip` shows who holds {subnet}'s"
        )),
        PickError::PoolExhausted { .. } => Fault::new(FaultKind::SubnetExhausted, text)
            .hint("put more addresses into the pod's ip_pool annotation, or delete the pods that hold them"),
        PickError::OutsideSubnet { .. }
        | PickError::IsGateway { .. }
        | PickError::IsNetworkOrBroadcast { .. }
        | PickError::FamilyNotServed { .. } => Fault::new(FaultKind::AddressNotUsable, text)
            .hint("ask for an address inside the subnet's cidrBlock that is not its gateway"),
        PickError::Held { .. } | PickError::MacHeld { .. } => Fault::new(FaultKind::AddressTaken, text)
            .hint("choose another, or delete that pod first; an address kept for a StatefulSet stays its own while it has no pod"),
        PickError::Stale { .. } => Fault::new(FaultKind::Busy, text),
        PickError::NothingAsked { .. } => Fault::new(FaultKind::BadAnnotation, text)
            .hint("the annotation ip_family leaves no family that the subnet serves"),
        PickError::SetAside { .. } => Fault::new(FaultKind::AddressInUseOutside, text)
            .hint("a machine outside answered for it within the last hour; take it off that machine and wait, or choose another address"),
        PickError::MacNotUnicast { .. } => Fault::new(FaultKind::AddressNotUsable, text)
            .hint("a pod's MAC must be unicast and not all zero"),
    }
}
