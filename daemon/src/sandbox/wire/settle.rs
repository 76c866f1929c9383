//! Waits for the kernel to take the addresses of a new interface in. Blocking.
//!
//! It says yes to an IPv6 address before it has worked it off, also without duplicate address detection; on a busy
//! machine the first packets to the pod, the kubelet's first probe for one, would be lost.

use std::thread;
use std::time::{Duration, Instant};

use daemon_api::Fault;
use ipnet::IpNet;
use netlink::{Family, Handle, Netns};

use crate::sandbox::observed::kernel;
use crate::sandbox::plan::PortPlan;

/// The routing table of an interface's own addresses (`RT_TABLE_LOCAL`).
const LOCAL: u32 = 255;
/// Commonly it takes less than a millisecond, and nobody tells when it is done.
const PAUSE: Duration = Duration::from_millis(1);
/// No address is worth a longer wait: the interface works, and the packets that are lost are sent again.
const PATIENCE: Duration = Duration::from_millis(500);

/// Returns when the kernel delivers what comes for every address, `false` when it does not yet and the time is over.
///
/// # Errors
/// [`daemon_api::FaultKind::Kernel`].
pub fn settle(netns: &Netns, plan: &PortPlan) -> Result<bool, Fault> {
    let v6 = plan.addresses.iter().map(IpNet::addr).filter(std::net::IpAddr::is_ipv6);
    let wanted: Vec<IpNet> = v6.map(IpNet::from).collect();
    if wanted.is_empty() {
        return Ok(true);
    }
    let failed = |e: &netlink::Error| kernel(&format!("look for the addresses of {}", plan.interface), e);
    let inside = Handle::inside(netns).map_err(|e| failed(&e))?;
    let end = Instant::now() + PATIENCE;
    loop {
        let routes = inside.routes_of_table(Family::V6, LOCAL).map_err(|e| failed(&e))?;
        if wanted.iter().all(|net| routes.iter().any(|route| route.dst == *net)) {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        thread::park_timeout(PAUSE);
    }
}
