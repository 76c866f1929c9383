//! CHECK: is everything that ADD made still there (CNI specification 1.1, section 4)?

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use daemon_api::{CheckRequest, Fault, FaultKind};
use ipnet::IpNet;
use ovn::vswitch::Local;
use serde_json::Value;

use super::Sandboxes;
use super::attachment::{Attachment, pod_and_netns};
use super::observed::{self, Interface};
use super::plan::{self, kind_of};
use crate::ledger::{Claim, Ledger, Link};
use crate::vswitch::NodeSettings;

/// How long the node's Open vSwitch may take to answer.
const ANSWERED: Duration = Duration::from_secs(5);

impl<L: Ledger> Sandboxes<L> {
    /// Compares the ledger, the runtime's `prevResult` and the kernel.
    ///
    /// # Errors
    /// [`FaultKind::CheckFailed`] naming the first thing that is not as ADD made it.
    pub async fn check(&self, request: &CheckRequest) -> Result<(), Fault> {
        let attachment = Attachment::of(&request.pod, &request.call)?;
        let (_, path) = pod_and_netns(&request.pod)?;
        let netns = observed::sandbox(&path, request.call.netns_override)?;
        let (container, name) = (attachment.container.clone(), attachment.interface.clone());
        let _interface = self.interfaces.hold((container.clone(), name.clone())).await;
        let claim = self.ledger.look(|book| {
            let mut claims = book.claims_of_container(container.as_str());
            claims
                .find(|c| {
                    c.is_used_by(container.as_str(), name.as_str()) && c.owner.provider == attachment.provider
                })
                .cloned()
        });
        let Some(claim) = claim else {
            return Err(failed(format!(
                "interface {name} of container {container} holds no address in the ledger"
            )));
        };
        compare_with_result(&claim, &request.prev_result)?;
        if claim.link == Link::Veth {
            compare_with_switch(&claim, &self.vswitch.settings(ANSWERED).await?, &self.vswitch.local())?;
        }
        if claim.link.is_ours() {
            let look = move || Ok((observed::interface(&netns, &name)?, observed::destinations(&netns)?));
            let (found, routed) = self.blocking("observe", look).await?;
            compare_with_kernel(&claim, found.as_ref())?;
            let lost = destinations(&claim.addresses, &request.prev_result).find(|dst| !routed.contains(dst));
            if let Some(dst) = lost {
                return Err(failed(format!("the sandbox has no route to {dst}")));
            }
        }
        Ok(())
    }
}

/// The host's end must be plugged in as the pod's port, and OVN must have taken it up.
fn compare_with_switch(claim: &Claim, settings: &NodeSettings, local: &Local) -> Result<(), Fault> {
    let Some(wanted) = plan::switch_port(&settings.bridge, claim).map(|port| port.interface) else {
        return Ok(());
    };
    let (device, port) = (&wanted.name, &wanted.iface_id);
    let Some((_, found)) = local.interface(device) else {
        return Err(failed(format!("{device} is not plugged into bridge {}", settings.bridge)));
    };
    if !found.is_ours || found.iface_id.as_deref() != Some(port.as_str()) {
        return Err(failed(format!("{device} is plugged in, but not as port {port}")));
    }
    if !found.is_installed {
        return Err(failed(format!("OVN has not installed the flows of port {port} on {device}")));
    }
    Ok(())
}

/// Every address that the ledger gave must be in the result; addresses that other plugins added are theirs.
fn compare_with_result(claim: &Claim, result: &Value) -> Result<(), Fault> {
    let listed = addresses(result);
    match claim.addresses.iter().find(|ip| !listed.contains(ip)) {
        None => Ok(()),
        Some(ip) => Err(failed(format!(
            "the ledger has {ip} for interface {}, prevResult does not",
            claim.owner.interface
        ))),
    }
}

/// Addresses of a result of any version: `ips[].address`, or `ip4.ip` and `ip6.ip` before 0.3.0.
fn addresses(result: &Value) -> BTreeSet<IpAddr> {
    let listed = result["ips"].as_array().into_iter().flatten().map(|ip| &ip["address"]);
    let old = [&result["ip4"]["ip"], &result["ip6"]["ip"]];
    listed.chain(old).filter_map(prefix).map(|net| net.addr()).collect()
}

/// Where the routes of ours lead: those whose next hop is a neighbour of an address of ours. Where a later plugin has
/// them go through is its own business.
fn destinations(ours: &[IpAddr], result: &Value) -> impl Iterator<Item = IpNet> {
    let listed = result["ips"].as_array().into_iter().flatten().filter_map(|ip| prefix(&ip["address"]));
    let links: Vec<IpNet> = listed.filter(|net| ours.contains(&net.addr())).collect();
    result["routes"].as_array().into_iter().flatten().filter_map(move |route| {
        let next_hop: IpAddr = route["gw"].as_str()?.parse().ok()?;
        links.iter().any(|net| net.contains(&next_hop)).then(|| prefix(&route["dst"]))?
    })
}

fn prefix(text: &Value) -> Option<IpNet> {
    text.as_str()?.parse().ok()
}

fn compare_with_kernel(claim: &Claim, found: Option<&Interface>) -> Result<(), Fault> {
    let name = &claim.owner.interface;
    let Some(found) = found else {
        return Err(failed(format!("interface {name} is not in the sandbox")));
    };
    if claim.mac.is_some_and(|mac| !found.is_ours(kind_of(claim.link), mac)) {
        let kind = found.link.kind.as_deref().unwrap_or("device");
        return Err(failed(format!("interface {name} is a {kind} with another MAC than the ledger's")));
    }
    if !found.link.is_up {
        return Err(failed(format!("interface {name} is down")));
    }
    let has = |ip: &&IpAddr| !found.has_address(**ip);
    match claim.addresses.iter().find(has) {
        None => Ok(()),
        Some(ip) => Err(failed(format!("address {ip} is missing on interface {name}"))),
    }
}

fn failed(text: String) -> Fault {
    Fault::new(FaultKind::CheckFailed, text).hint("`vpcctl explain pod NAMESPACE/NAME` shows the whole chain")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_routes_through_neighbours_of_our_addresses_are_ours() {
        let result = json!({
            "ips": [{"address": "10.0.1.5/24"}, {"address": "10.9.0.5/24"}],
            "routes": [
                {"dst": "0.0.0.0/0", "gw": "10.0.1.1"},
                {"dst": "10.0.1.0/24"},
                {"dst": "10.8.0.0/16", "gw": "10.9.0.1"},
                {"dst": "not a prefix", "gw": "10.0.1.1"}
            ]
        });

        let ours: Vec<_> = destinations(&["10.0.1.5".parse().unwrap()], &result).collect();

        assert_eq!(ours, ["0.0.0.0/0".parse().unwrap()]);
    }
}
