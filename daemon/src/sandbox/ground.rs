//! What an interface is made on: the macvlan's parent, or the node's Open vSwitch.

use std::time::Duration;

use daemon_api::Fault;
use netlink::{Handle, Link};

use super::network::Form;
use super::{Sandboxes, wire};
use crate::ledger::Ledger;
use crate::sandbox::observed::kernel;
use crate::vswitch::NodeSettings;

/// What an interface is made on.
#[derive(Debug, Clone, PartialEq)]
pub enum Ground {
    /// Another plugin makes it, on something that we do not know.
    Unknown,
    /// The parent of a macvlan.
    Master(Link),
    /// The node's Open vSwitch.
    Switch {
        /// Its settings.
        settings: NodeSettings,
        /// The largest packet that fits into its tunnels, in bytes.
        pod_mtu: u32,
    },
}

impl Ground {
    /// The interface on the physical network, where duplicates are looked for.
    pub fn master(&self) -> Option<&Link> {
        match self {
            Ground::Master(link) => Some(link),
            Ground::Unknown | Ground::Switch { .. } => None,
        }
    }
}

impl<L: Ledger> Sandboxes<L> {
    /// Looks at what an interface of this form is made on.
    ///
    /// # Errors
    /// [`daemon_api::FaultKind::NotSupportedHere`] when this node does not have it, [`daemon_api::FaultKind::Busy`] when it does not answer now.
    pub async fn ground(&self, form: &Form, within: Duration) -> Result<Ground, Fault> {
        match form.clone() {
            Form::Macvlan(macvlan) => self
                .blocking("master", move || wire::macvlan::master(&macvlan.master))
                .await
                .map(Ground::Master),
            // The other plugin will complain when it is missing.
            Form::Delegated { master: Some(name) } => {
                let found = self.blocking("master", move || wire::macvlan::master(&name)).await;
                Ok(found.map_or(Ground::Unknown, Ground::Master))
            }
            Form::Delegated { master: None } => Ok(Ground::Unknown),
            Form::Veth(_) => {
                let settings = self.vswitch.settings(within).await?;
                let pod_mtu = match self.mtu {
                    Some(mtu) => mtu,
                    None => {
                        let tunnels = settings.clone();
                        let link_mtu = self.blocking("tunnel", move || tunnel_mtu(&tunnels)).await?;
                        settings.pod_mtu(link_mtu)
                    }
                };
                Ok(Ground::Switch { settings, pod_mtu })
            }
        }
    }
}

/// The MTU of the interface that tunnels leave by. Tunnels over loopback join nothing, so it tells nothing.
fn tunnel_mtu(settings: &NodeSettings) -> Result<Option<u32>, Fault> {
    let Some(ip) = settings.encap_ip else { return Ok(None) };
    let look = || Handle::here()?.link_with(ip);
    let link = look().map_err(|e| kernel(&format!("look for the tunnels' address {ip}"), &e))?;
    Ok(link.filter(|link| link.name != "lo").map(|link| link.mtu))
}
