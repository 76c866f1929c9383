//! An address that somebody already uses of whom the ledger does not know.

use std::net::IpAddr;

use daemon_api::{Fault, FaultKind, PodRef};
use prometheus_client::metrics::counter::Counter;

use crate::neighbours::{Answered, Probe};

/// How many addresses that somebody outside answers for an ADD sets aside before it gives up. A whole range in
/// foreign hands is a wrong Subnet, not bad luck.
pub const MOST: usize = 8;

/// Who has an address that the ledger gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rival {
    /// A machine on the physical network.
    Machine(Answered),
    /// A port of the same switch that another node or a person made.
    Port {
        /// The address.
        address: IpAddr,
        /// The port's name.
        name: String,
    },
}

impl Rival {
    /// The address.
    pub fn address(&self) -> IpAddr {
        match self {
            Rival::Machine(answered) => answered.address,
            Rival::Port { address, .. } => *address,
        }
    }

    /// The refusal of the address.
    pub fn fault(&self) -> Fault {
        let address = self.address();
        let (by, hint) = match self {
            Rival::Machine(answered) => {
                let mac = answered.mac.map(|byte| format!("{byte:02x}")).join(":");
                (format!("a machine outside with MAC {mac}"), "take the address off that machine")
            }
            Rival::Port { name, .. } => (
                format!("switch port {name}, which another node or a person made"),
                "give each node that shares the northbound database other addresses (excludeIps)",
            ),
        };
        Fault::new(FaultKind::AddressInUseOutside, format!("address {address} is already used by {by}"))
            .hint(format!("{hint}, or choose another one for the pod"))
    }
}

/// The refusal of a subnet whose addresses are all used outside.
pub fn all_in_use(subnet: &str) -> Fault {
    Fault::new(
        FaultKind::SubnetExhausted,
        format!("{MOST} addresses of subnet {subnet} in a row are used by others"),
    )
    .hint("agree with the network's owner on a range that is really free, and put the rest into excludeIps")
}

/// Reports an answer that comes after the ADD was answered; nobody waits for it.
pub fn report_late(probe: Probe, pod: PodRef, late: Counter) {
    tokio::spawn(async move {
        if let Some(answered) = probe.late().await {
            late.inc();
            let fault = Rival::Machine(answered).fault();
            tracing::error!(%pod, "{}; the pod is already running with it", fault.message);
        }
    });
}
