//! What is really there: a sandbox's namespace, and an interface inside it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use daemon_api::{Fault, FaultKind, IfName, NetnsPath};
use ipam::Mac;
use ipnet::IpNet;
use netlink::{Address, Handle, Link, Netns, NetnsError, NetnsId, Route};

use super::plan::{PortPlan, RouteTo};
use crate::causes::chain;
use crate::ledger::Sandbox;

/// An interface as the kernel has it.
#[derive(Debug, Clone)]
pub struct Interface {
    /// The device.
    pub link: Link,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// Its routes.
    pub routes: Vec<Route>,
}

impl Interface {
    /// True for a device of this kind with this MAC: one that we made.
    pub fn is_ours(&self, kind: &str, mac: Mac) -> bool {
        self.link.kind.as_deref() == Some(kind) && self.link.mac == mac.0
    }

    /// True when the address is on it.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|a| a.net.addr() == ip)
    }

    /// True when nothing that the plan asks for is missing.
    pub fn is_as_planned(&self, plan: &PortPlan) -> bool {
        let has_route = |wanted: &RouteTo| {
            self.routes.iter().any(|r| r.dst == wanted.destination && r.gateway == wanted.gateway)
        };
        self.is_ours(plan.device.kind(), plan.mac)
            && self.link.is_up
            && plan.addresses.iter().all(|net| self.has_address(net.addr()))
            && plan.routes.iter().all(has_route)
    }
}

/// Opens a sandbox's namespace for an ADD or CHECK.
///
/// # Errors
/// [`FaultKind::SandboxGone`] when nothing is there, [`FaultKind::BadEnvironment`] for what is no network namespace, or
/// is the node's own without `may_be_own`.
pub fn sandbox(path: &NetnsPath, may_be_own: bool) -> Result<Netns, Fault> {
    let refused = |error: NetnsError| {
        let kind = match error {
            NetnsError::Missing { .. } => FaultKind::SandboxGone,
            NetnsError::Symlink { .. } | NetnsError::NotANamespace { .. } | NetnsError::NotNetwork { .. } => {
                FaultKind::BadEnvironment
            }
            NetnsError::Io { .. } | NetnsError::Enter { .. } | NetnsError::Thread { .. } => FaultKind::Kernel,
        };
        Fault::new(kind, format!("CNI_NETNS: {}", chain(&error)))
            .hint("CNI_NETNS must be the path of the sandbox's network namespace file")
    };
    let netns = Netns::open(Path::new(path.as_str())).map_err(refused)?;
    let own = Netns::current().map_err(refused)?;
    if netns.id() == own.id() && !may_be_own {
        return Err(Fault::new(
            FaultKind::BadEnvironment,
            format!("CNI_NETNS: {path} is the node's own network namespace"),
        )
        .hint(
            "give the sandbox a network namespace of its own, or set CNI_NETNS_OVERRIDE=1 if this is meant",
        ));
    }
    Ok(netns)
}

/// The namespace of a sandbox that may be gone: `None` when its path now leads elsewhere or nowhere.
pub fn living(sandbox: &Sandbox) -> Option<Netns> {
    let netns = Netns::open(Path::new(sandbox.netns.as_str())).ok()?;
    (netns.id() == id(sandbox)).then_some(netns)
}

/// Whether a sandbox's namespace is there, as far as can be told without doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    Alive,
    /// Its path is gone, or leads to another namespace.
    Gone,
    /// It cannot be told: the folder of its path is not there either, so perhaps we only cannot see it.
    Unknown,
}

/// Looks whether a sandbox's namespace is there, without keeping it open.
pub fn presence(sandbox: &Sandbox) -> Presence {
    let path = Path::new(sandbox.netns.as_str());
    match NetnsId::of_path(path) {
        Ok(Some(found)) if found == id(sandbox) => Presence::Alive,
        Ok(Some(_)) => Presence::Gone,
        Ok(None) if path.starts_with("/proc") || path.parent().is_some_and(Path::is_dir) => Presence::Gone,
        Ok(None) | Err(_) => Presence::Unknown,
    }
}

/// Looks at an interface inside a namespace.
///
/// # Errors
/// [`FaultKind::Kernel`].
pub fn interface(netns: &Netns, name: &IfName) -> Result<Option<Interface>, Fault> {
    let look = || -> Result<Option<Interface>, netlink::Error> {
        let inside = Handle::inside(netns)?;
        let Some(link) = inside.link(name.as_str())? else { return Ok(None) };
        let (addresses, routes) = (inside.addresses(link.index)?, inside.routes(link.index)?);
        Ok(Some(Interface { link, addresses, routes }))
    };
    look().map_err(|e| kernel(&format!("look at interface {name} in {}", netns.path().display()), &e))
}

/// Every destination that a namespace has a unicast route to, through whatever interface.
///
/// # Errors
/// [`FaultKind::Kernel`].
pub fn destinations(netns: &Netns) -> Result<BTreeSet<IpNet>, Fault> {
    let look = || -> Result<BTreeSet<IpNet>, netlink::Error> {
        let inside = Handle::inside(netns)?;
        let mut found = BTreeSet::new();
        for link in inside.links()? {
            found.extend(inside.routes(link.index)?.into_iter().map(|route| route.dst));
        }
        Ok(found)
    };
    look().map_err(|e| kernel(&format!("look at the routes in {}", netns.path().display()), &e))
}

/// A kernel failure as a fault. Busy is the one that passes by itself.
pub fn kernel(attempt: &str, error: &netlink::Error) -> Fault {
    let kind = match error.errno() {
        Some(netlink::Errno::Busy) => FaultKind::Busy,
        Some(_) | None => FaultKind::Kernel,
    };
    Fault::new(kind, format!("{attempt}: {}", chain(error)))
}

fn id(sandbox: &Sandbox) -> NetnsId {
    NetnsId::from_parts(sandbox.netns_id.0, sandbox.netns_id.1)
}
