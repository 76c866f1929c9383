//! A macvlan: made directly inside the sandbox, found there and removed there.

use daemon_api::{Fault, FaultKind, IfName};
use netlink::{Handle, Link, MacvlanMode, Netns};

use crate::ledger::Sandbox;
use crate::sandbox::observed::{self, kernel};
use crate::sandbox::plan::PortPlan;

/// The macvlan's parent on the node.
///
/// # Errors
/// [`FaultKind::NotSupportedHere`] when there is none of that name.
pub fn master(name: &IfName) -> Result<Link, Fault> {
    let node = Handle::here().map_err(|e| kernel("open rtnetlink", &e))?;
    match node.link(name.as_str()).map_err(|e| kernel(&format!("look for interface {name}"), &e))? {
        Some(link) => Ok(link),
        None => Err(Fault::new(FaultKind::NotSupportedHere, format!("this node has no interface {name}"))
            .hint("\"master\" must name the node's interface on the physical network")),
    }
}

/// Makes it, down, on `parent` in this mode and with this MTU (`None` for the parent's).
pub(super) fn add(
    node: &Handle,
    plan: &PortPlan,
    (parent, mode, mtu): (&Link, MacvlanMode, Option<u32>),
    netns: &Netns,
) -> Result<(), Fault> {
    if let Some(mtu) = mtu.filter(|mtu| *mtu > parent.mtu) {
        return Err(Fault::new(
            FaultKind::BadConfig,
            format!("mtu {mtu} is above the {} of master {}", parent.mtu, parent.name),
        )
        .hint("lower the mtu in the configuration or the Subnet, or raise the master's"));
    }
    let (name, parent_index) = (plan.interface.as_str(), parent.index);
    let macvlan = netlink::Macvlan { name, parent_index, mode, mac: plan.mac.0, mtu };
    node.add_macvlan(&macvlan, netns)
        .map_err(|e| kernel(&format!("make macvlan {name} on {} in the sandbox", parent.name), &e))
}

/// Removes a macvlan of that name from the namespace. Nothing to do is success.
///
/// # Errors
/// [`FaultKind::Kernel`].
pub fn remove(netns: &Netns, name: &IfName) -> Result<(), Fault> {
    let failed =
        |e: netlink::Error| kernel(&format!("remove interface {name} from {}", netns.path().display()), &e);
    let inside = Handle::inside(netns).map_err(failed)?;
    match inside.link(name.as_str()).map_err(failed)? {
        Some(link) if link.kind.as_deref() == Some("macvlan") => {
            inside.delete_link(link.index).map(drop).map_err(failed)
        }
        Some(_) | None => Ok(()),
    }
}

/// The same in a sandbox that may be gone.
///
/// # Errors
/// [`FaultKind::Kernel`].
pub fn clean(sandbox: &Sandbox, name: &IfName) -> Result<(), Fault> {
    match observed::living(sandbox) {
        Some(netns) => remove(&netns, name),
        None => Ok(()),
    }
}
