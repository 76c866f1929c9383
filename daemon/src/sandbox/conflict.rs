//! An address that a machine outside already uses.

use daemon_api::{Fault, FaultKind, PodRef};
use prometheus_client::metrics::counter::Counter;

use crate::neighbours::{Answered, Probe};

/// How many addresses that somebody outside answers for an ADD sets aside before it gives up. A whole range in
/// foreign hands is a wrong Subnet, not bad luck.
pub const MOST: usize = 8;

/// The refusal of one address.
pub fn in_use(answered: &Answered) -> Fault {
    let mac = answered.mac.map(|byte| format!("{byte:02x}")).join(":");
    Fault::new(
        FaultKind::AddressInUseOutside,
        format!("address {} is already used by a machine outside with MAC {mac}", answered.address),
    )
    .hint("take the address off that machine, or choose another one for the pod")
}

/// The refusal of a subnet whose addresses are all used outside.
pub fn all_in_use(subnet: &str) -> Fault {
    Fault::new(
        FaultKind::SubnetExhausted,
        format!("{MOST} addresses of subnet {subnet} in a row are answered for by machines outside"),
    )
    .hint("agree with the network's owner on a range that is really free, and put the rest into excludeIps")
}

/// Reports an answer that comes after the ADD was answered; nobody waits for it.
pub fn report_late(probe: Probe, pod: PodRef, late: Counter) {
    tokio::spawn(async move {
        if let Some(answered) = probe.late().await {
            late.inc();
            tracing::error!(%pod, "{}; the pod is already running with it", in_use(&answered).message);
        }
    });
}
