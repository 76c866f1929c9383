//! Makes the planned interface inside the sandbox and removes it. Blocking.

pub mod macvlan;
pub mod settle;
pub mod veth;

use std::net::IpAddr;

use daemon_api::{Fault, FaultKind};
use ipnet::IpNet;
use netlink::{AddrSpec, Handle, Netns, RouteSpec, sysctl};

use super::observed::kernel;
use super::plan::{Device, PortPlan, RouteTo};

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Index of the interface inside the sandbox.
    pub index: u32,
    /// Its MTU in bytes.
    pub mtu: u32,
}

/// Makes the interface in the namespace and configures it. On failure it is removed again.
///
/// An interface of ours that an interrupted ADD left half made is replaced; anybody else's is left alone.
///
/// # Errors
/// [`FaultKind::InterfaceExists`], [`FaultKind::BadConfig`] for an MTU that cannot be, [`FaultKind::Kernel`].
pub fn make(plan: &PortPlan, netns: &Netns) -> Result<Made, Fault> {
    let inside = prepare(plan, netns)?;
    make_way(plan, &inside)?;
    let node = Handle::here().map_err(|e| kernel("open rtnetlink", &e))?;
    match &plan.device {
        Device::Macvlan { parent, mode, mtu } => macvlan::add(&node, plan, (parent, *mode, *mtu), netns)?,
        Device::Veth(wanted) => veth::add((&node, &inside), plan, wanted, netns)?,
    }
    crate::crash::point("wire-link-made");
    let configured = configure(plan, &inside);
    if configured.is_err() {
        let _ = match &plan.device {
            Device::Macvlan { .. } => macvlan::remove(netns, &plan.interface),
            Device::Veth(wanted) => veth::remove(wanted.host_name()).map(drop),
        };
    }
    crate::crash::point("wire-configured");
    configured
}

/// Settings that must hold before the interface comes up, and a socket inside.
fn prepare(plan: &PortPlan, netns: &Netns) -> Result<Handle, Fault> {
    let has_v6 = plan.addresses.iter().any(|net| matches!(net, IpNet::V6(_)));
    let inside = netns.run(move || {
        // A rogue router advertisement must not configure a pod; an interface inherits `default` when it is made.
        let settings: [(&[&str], &str); 3] = [
            (&["ipv6", "conf", "default", "accept_ra"], "0"),
            (&["ipv6", "conf", "all", "disable_ipv6"], "0"),
            (&["ipv6", "conf", "default", "disable_ipv6"], "0"),
        ];
        for (setting, value) in settings.into_iter().take(if has_v6 { 3 } else { 1 }) {
            if let Err(error) = sysctl::set(setting, value) {
                tracing::warn!(error = crate::causes::chain(&error), "set a kernel setting in a sandbox");
            }
        }
        Handle::here()
    });
    inside
        .map_err(netlink::Error::from)
        .and_then(|handle| handle)
        .map_err(|e| kernel(&format!("enter {}", netns.path().display()), &e))
}

fn make_way(plan: &PortPlan, inside: &Handle) -> Result<(), Fault> {
    let name = &plan.interface;
    let found = inside.link(name.as_str()).map_err(|e| kernel(&format!("look for interface {name}"), &e))?;
    let Some(link) = found else { return Ok(()) };
    if link.kind.as_deref() != Some(plan.device.kind()) || link.mac != plan.mac.0 {
        return Err(Fault::new(
            FaultKind::InterfaceExists,
            format!("the sandbox already has an interface {name} that is not ours"),
        )
        .hint("let the runtime delete the sandbox, or give this network another interface name"));
    }
    inside.delete_link(link.index).map(drop).map_err(|e| kernel(&format!("replace interface {name}"), &e))
}

fn configure(plan: &PortPlan, inside: &Handle) -> Result<Made, Fault> {
    let failed = |e: &netlink::Error| kernel(&format!("configure interface {}", plan.interface), e);
    let Some(link) = inside.link(plan.interface.as_str()).map_err(|e| failed(&e))? else {
        return Err(Fault::new(
            FaultKind::Kernel,
            format!("interface {} vanished from the sandbox", plan.interface),
        ));
    };
    // The ledger and our own probe already looked for duplicates, and the kernel's look costs a second.
    let addresses: Vec<AddrSpec> =
        plan.addresses.iter().map(|net| AddrSpec { no_dad: true, ..AddrSpec::new(*net) }).collect();
    let probed = plan.probe_routes.iter().map(|way| way.route);
    let routes: Vec<RouteSpec> =
        plan.routes.iter().map(|route| route_spec(plan, route)).chain(probed).collect();
    inside.configure(link.index, &addresses, &routes).map_err(|e| failed(&e))?;
    for way in &plan.probe_routes {
        inside.set_neighbour(link.index, way.neighbour, way.mac).map_err(|e| failed(&e))?;
    }
    Ok(Made { index: link.index, mtu: link.mtu })
}

/// On a switch of OVN a gateway that no address of the interface covers is a neighbour all the same: whoever asked for it
/// says so. On the physical network the kernel refuses it, as it does for the reference plugins.
fn route_spec(plan: &PortPlan, route: &RouteTo) -> RouteSpec {
    let is_covered = |gateway: IpAddr| plan.addresses.iter().any(|net| net.contains(&gateway));
    RouteSpec {
        gateway: route.gateway,
        on_link: matches!(plan.device, Device::Veth(_))
            && route.gateway.is_some_and(|gateway| !is_covered(gateway)),
        ..RouteSpec::to(route.destination)
    }
}

/// Tells the neighbours who has the addresses now (RFC 5227 section 2.3, RFC 4861 section 7.2.6).
///
/// # Errors
/// [`FaultKind::Kernel`]; the interface works all the same, only old neighbour entries live on.
pub fn announce(netns: &Netns, index: u32, plan: &PortPlan) -> Result<(), Fault> {
    let addresses: Vec<_> = plan.addresses.iter().map(IpNet::addr).collect();
    netlink::announce(netns, index, plan.mac.0, &addresses).map_err(|e| {
        Fault::new(FaultKind::Kernel, format!("announce {}: {}", plan.interface, crate::causes::chain(&e)))
    })
}

/// Removes the default routes of the families for which `routes` brings one, so that the plugin that makes the
/// interface can add its own (upstream's behaviour for a gateway pod's second interface).
///
/// # Errors
/// [`FaultKind::Kernel`].
pub fn clear_defaults(netns: &Netns, routes: &[RouteTo]) -> Result<(), Fault> {
    let inside = Handle::inside(netns).map_err(|e| kernel("open rtnetlink in the sandbox", &e))?;
    for route in routes.iter().filter(|r| r.is_default()) {
        inside
            .delete_default_routes(netlink::Family::of(route.destination.addr()))
            .map_err(|e| kernel("remove the sandbox's default route", &e))?;
    }
    Ok(())
}
