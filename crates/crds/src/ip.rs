//! `IP`: who holds which address of which subnet.

use serde::{Deserialize, Serialize};

use crate::column::Column;
use crate::lenient::null_is_default;
use crate::object::{Object, Other, Spec};

/// The addresses of one interface. Named `pod.namespace`, for other providers than `ovn`
/// `pod.namespace.provider`, and with the interface's name after that when the provider serves several of one pod.
pub type Ip = Object<IpSpec>;

/// Who holds which address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IpSpec {
    /// The pod that holds the address; the virtual machine's name for its pods; the node's name for a node.
    #[serde(deserialize_with = "null_is_default")]
    pub pod_name: String,
    /// The pod's namespace; empty for a node.
    #[serde(deserialize_with = "null_is_default")]
    pub namespace: String,
    /// The subnet.
    #[serde(deserialize_with = "null_is_default")]
    pub subnet: String,
    /// Not used; kept for compatibility.
    #[serde(deserialize_with = "null_is_default")]
    pub attach_subnets: Vec<String>,
    /// The node where the pod runs; empty for an address that is kept without one.
    #[serde(deserialize_with = "null_is_default")]
    pub node_name: String,
    /// All addresses: `v4`, `v6` or `v4,v6`.
    #[serde(deserialize_with = "null_is_default")]
    pub ip_address: String,
    /// The IPv4 address.
    #[serde(deserialize_with = "null_is_default")]
    pub v4_ip_address: String,
    /// The IPv6 address.
    #[serde(deserialize_with = "null_is_default")]
    pub v6_ip_address: String,
    /// Not used; kept for compatibility.
    #[serde(deserialize_with = "null_is_default")]
    pub attach_ips: Vec<String>,
    /// The MAC; empty when somebody else makes the interface.
    #[serde(deserialize_with = "null_is_default")]
    pub mac_address: String,
    /// Not used; kept for compatibility.
    #[serde(deserialize_with = "null_is_default")]
    pub attach_macs: Vec<String>,
    /// The sandbox. Upstream leaves it empty.
    #[serde(rename = "containerID", deserialize_with = "null_is_default")]
    pub container_id: String,
    /// `StatefulSet` or `VirtualMachine` when the address outlives the pod, else empty.
    #[serde(deserialize_with = "null_is_default")]
    pub pod_type: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

/// `IP` has no status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoStatus {}

impl Spec for IpSpec {
    const KIND: &'static str = "IP";
    const PLURAL: &'static str = "ips";
    const SINGULAR: &'static str = "ip";
    const SHORT_NAMES: &'static [&'static str] = &["ip"];
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("NAME", |i| i.meta.name.clone()),
        Column::new("V4IP", |i| i.spec.v4_ip_address.clone()),
        Column::new("V6IP", |i| i.spec.v6_ip_address.clone()),
        Column::new("MAC", |i| i.spec.mac_address.clone()),
        Column::new("NODE", |i| i.spec.node_name.clone()),
        Column::new("SUBNET", |i| i.spec.subnet.clone()),
        Column::wide("NAMESPACE", |i| i.spec.namespace.clone()),
        Column::wide("POD", |i| i.spec.pod_name.clone()),
        Column::wide("PODTYPE", |i| i.spec.pod_type.clone()),
        Column::wide("CONTAINER", |i| i.spec.container_id.clone()),
    ];
    type Status = NoStatus;

    fn other(&self) -> &Other {
        &self.other
    }
}
