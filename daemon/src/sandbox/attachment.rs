//! Who calls about what: a request's texts, checked once.

use daemon_api::{
    CallContext, ContainerId, Fault, FaultKind, IfName, InvalidId, NetnsPath, NetworkName, PodRef,
    PodRequest, Provider,
};

/// The type of our own plugin; any other means that we only give the addresses.
pub const OWN_TYPE: &str = "kube-ovn";

/// One interface of one sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The sandbox.
    pub container: ContainerId,
    /// The interface inside it.
    pub interface: IfName,
    /// The network's provider.
    pub provider: Provider,
    /// The CNI network's name; empty when the caller is upstream's plugin, which does not say.
    pub network: String,
    /// Another plugin makes the interface.
    pub is_delegated: bool,
}

impl Attachment {
    /// Checks the part that every verb needs.
    ///
    /// # Errors
    /// [`FaultKind::BadEnvironment`] or [`FaultKind::BadConfig`] naming what is wrong with which text.
    pub fn of(request: &PodRequest, call: &CallContext) -> Result<Self, Fault> {
        let network = if call.network.is_empty() {
            String::new()
        } else {
            NetworkName::new(&call.network).map_err(|e| bad_config(&e))?.into()
        };
        Ok(Self {
            container: ContainerId::new(&request.container_id)
                .map_err(|e| bad_environment("CNI_CONTAINERID", &e))?,
            interface: IfName::new(&request.if_name).map_err(|e| bad_environment("CNI_IFNAME", &e))?,
            provider: Provider::new(&request.provider).map_err(|e| bad_config(&e))?,
            network,
            is_delegated: request.cni_type != OWN_TYPE,
        })
    }
}

/// The pod and the network namespace that ADD and CHECK need beside the attachment.
///
/// # Errors
/// [`FaultKind::BadEnvironment`].
pub fn pod_and_netns(request: &PodRequest) -> Result<(PodRef, NetnsPath), Fault> {
    let pod = PodRef::new(&request.pod_namespace, &request.pod_name)
        .map_err(|e| bad_environment("CNI_ARGS", &e))?;
    let netns = NetnsPath::new(&request.net_ns).map_err(|e| bad_environment("CNI_NETNS", &e))?;
    Ok((pod, netns))
}

fn bad_environment(variable: &str, error: &InvalidId) -> Fault {
    Fault::new(FaultKind::BadEnvironment, format!("{variable}: {error}"))
}

fn bad_config(error: &InvalidId) -> Fault {
    Fault::new(FaultKind::BadConfig, error.to_string())
}
