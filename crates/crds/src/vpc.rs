//! `Vpc`: a network of subnets, apart from all other VPCs.

use serde::{Deserialize, Serialize};

use crate::column::{Column, json_list};
use crate::condition::Condition;
use crate::lenient::{is_false, null_is_default};
use crate::object::{Object, Other, Spec};

/// The VPC of subnets that name none.
pub const DEFAULT_VPC: &str = "ovn-cluster";

/// A VPC.
pub type Vpc = Object<VpcSpec>;

/// What is wanted of a VPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcSpec {
    /// The subnet of pods that do not ask for one and whose namespace is listed in `namespaces`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub default_subnet: String,
    /// The namespaces that may use the VPC; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub namespaces: Vec<String>,
    /// Routes by destination or source.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub static_routes: Vec<StaticRoute>,
    /// Rules on the traffic between the subnets and to the outside.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub policy_routes: Vec<PolicyRoute>,
    /// Direct links to other VPCs.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub vpc_peerings: Vec<VpcPeering>,
    /// Connect the VPC to the default external subnet.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub enable_external: bool,
    /// More external subnets to connect the VPC to.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub extra_external_subnets: Vec<String>,
    /// Watch external next hops with BFD.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub enable_bfd: bool,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

/// A route of a VPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StaticRoute {
    /// `policyDst` (by destination) or `policySrc` (by source); empty means `policyDst`.
    #[serde(deserialize_with = "null_is_default")]
    pub policy: String,
    /// Which addresses; a bare address means itself alone.
    #[serde(deserialize_with = "null_is_default")]
    pub cidr: String,
    /// Where to.
    #[serde(rename = "nextHopIP", deserialize_with = "null_is_default")]
    pub next_hop_ip: String,
    /// `ecmp_symmetric_reply`: answers take the way the question came.
    #[serde(deserialize_with = "null_is_default")]
    pub ecmp_mode: String,
    /// The BFD session that keeps the route alive.
    #[serde(deserialize_with = "null_is_default")]
    pub bfd_id: String,
    /// The table; empty means the main table.
    #[serde(deserialize_with = "null_is_default")]
    pub route_table: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

/// A rule of a VPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyRoute {
    /// From 0 to 32767; the highest rule that matches decides.
    #[serde(deserialize_with = "null_is_default")]
    pub priority: i64,
    /// Which traffic, as an OVN expression.
    #[serde(rename = "match", deserialize_with = "null_is_default")]
    pub match_expression: String,
    /// `allow`, `drop` or `reroute`.
    #[serde(deserialize_with = "null_is_default")]
    pub action: String,
    /// Where `reroute` sends it; several, separated by commas, share the load.
    #[serde(
        rename = "nextHopIP",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub next_hop_ip: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

/// A direct link to another VPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcPeering {
    /// The other VPC.
    #[serde(deserialize_with = "null_is_default")]
    pub remote_vpc: String,
    /// This side's addresses on the link, in CIDR form.
    #[serde(rename = "localConnectIP", deserialize_with = "null_is_default")]
    pub local_connect_ip: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

/// What is observed of a VPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcStatus {
    /// What is known about the VPC.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
    /// True when the VPC is ready for pods.
    #[serde(deserialize_with = "null_is_default")]
    pub standby: bool,
    /// True for the default VPC.
    #[serde(deserialize_with = "null_is_default")]
    pub default: bool,
    /// The default subnet's switch.
    #[serde(deserialize_with = "null_is_default")]
    pub default_logical_switch: String,
    /// The northbound router.
    #[serde(deserialize_with = "null_is_default")]
    pub router: String,
    /// The northbound TCP load balancer.
    #[serde(deserialize_with = "null_is_default")]
    pub tcp_load_balancer: String,
    /// The northbound UDP load balancer.
    #[serde(deserialize_with = "null_is_default")]
    pub udp_load_balancer: String,
    /// The northbound SCTP load balancer.
    #[serde(deserialize_with = "null_is_default")]
    pub sctp_load_balancer: String,
    /// The northbound TCP load balancer with session affinity.
    #[serde(deserialize_with = "null_is_default")]
    pub tcp_session_load_balancer: String,
    /// The northbound UDP load balancer with session affinity.
    #[serde(deserialize_with = "null_is_default")]
    pub udp_session_load_balancer: String,
    /// The northbound SCTP load balancer with session affinity.
    #[serde(deserialize_with = "null_is_default")]
    pub sctp_session_load_balancer: String,
    /// The subnets of the VPC, sorted.
    #[serde(deserialize_with = "null_is_default")]
    pub subnets: Vec<String>,
    /// The VPCs linked to this one.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub vpc_peerings: Vec<String>,
    /// Whether it is connected to the default external subnet.
    #[serde(deserialize_with = "null_is_default")]
    pub enable_external: bool,
    /// The other external subnets it is connected to.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub extra_external_subnets: Vec<String>,
    /// Whether BFD is on.
    #[serde(deserialize_with = "null_is_default")]
    pub enable_bfd: bool,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

impl VpcSpec {
    /// True when `namespace` may use the VPC.
    pub fn admits(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|admitted| admitted == namespace)
    }
}

impl Spec for VpcSpec {
    const KIND: &'static str = "Vpc";
    const PLURAL: &'static str = "vpcs";
    const SINGULAR: &'static str = "vpc";
    const SHORT_NAMES: &'static [&'static str] = &["vpc"];
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("NAME", |v| v.meta.name.clone()),
        Column::new("ENABLEEXTERNAL", |v| v.status.enable_external.to_string()),
        Column::new("ENABLEBFD", |v| v.status.enable_bfd.to_string()),
        Column::new("STANDBY", |v| v.status.standby.to_string()),
        Column::new("SUBNETS", |v| json_list(&v.status.subnets)),
        Column::new("EXTRAEXTERNALSUBNETS", |v| json_list(&v.status.extra_external_subnets)),
        Column::new("NAMESPACES", |v| json_list(&v.spec.namespaces)),
        Column::new("DEFAULTSUBNET", |v| v.status.default_logical_switch.clone()),
        Column::wide("ROUTER", |v| v.status.router.clone()),
    ];
    type Status = VpcStatus;

    fn other(&self) -> &Other {
        &self.other
    }
}
