//! A veth: one end is born inside the sandbox, the other stays here and is found by its name.

use daemon_api::{Fault, FaultKind};
use netlink::{Errno, Handle, Link, Netns};

use crate::sandbox::observed::kernel;
use crate::sandbox::plan::{PortPlan, VethPlan};

/// Makes the pair: the host's end up, the pod's down. A pair of the same name that an interrupted ADD left goes first. The
/// two sockets are the node's and the sandbox's.
pub(super) fn add(
    (node, inside): (&Handle, &Handle),
    plan: &PortPlan,
    wanted: &VethPlan,
    netns: &Netns,
) -> Result<(), Fault> {
    let host_name = wanted.host_name();
    let pair = netlink::Veth {
        host_name,
        pod_name: plan.interface.as_str(),
        pod_mac: plan.mac.0,
        mtu: Some(wanted.mtu),
        is_host_promiscuous: wanted.is_host_promiscuous,
    };
    let added = match node.add_veth(&pair, netns) {
        Err(error) if error.errno() == Some(Errno::Exists) => {
            if remove(host_name)? {
                node.add_veth(&pair, netns)
            } else {
                Err(error)
            }
        }
        outcome => outcome,
    };
    if added.is_err() {
        refuse_foreign(node, host_name)?;
    }
    added
        .map_err(|e| kernel(&format!("make veth {host_name} with {} in the sandbox", plan.interface), &e))?;
    if wanted.has_whole_checksums
        && let Err(error) = inside.set_tx_checksum(plan.interface.as_str(), false)
    {
        let _ = remove(host_name);
        return Err(kernel(&format!("have the pod compute checksums on {}", plan.interface), &error));
    }
    Ok(())
}

/// A device of the name that is no veth is not ours.
fn refuse_foreign(node: &Handle, host_name: &str) -> Result<(), Fault> {
    let found = node.link(host_name).map_err(|e| kernel(&format!("look for {host_name}"), &e))?;
    match found.filter(|link| !is_veth(link)) {
        None => Ok(()),
        Some(link) => Err(Fault::new(
            FaultKind::InterfaceExists,
            format!("{host_name} is a {}, not a veth of ours", link.kind.as_deref().unwrap_or("device")),
        )
        .hint("remove or rename that device of the node")),
    }
}

fn is_veth(link: &Link) -> bool {
    link.kind.as_deref() == Some("veth")
}

/// Removes the pair by the name of its host's end; false when there was none. Another device of that name stays.
///
/// # Errors
/// [`FaultKind::Kernel`].
pub fn remove(host_name: &str) -> Result<bool, Fault> {
    let failed = |e: netlink::Error| kernel(&format!("remove veth {host_name}"), &e);
    let node = Handle::here().map_err(failed)?;
    match node.link(host_name).map_err(failed)?.filter(is_veth) {
        None => Ok(false),
        Some(link) => node.delete_link(link.index).map_err(failed),
    }
}
