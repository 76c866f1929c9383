//! `Subnet`: a range of addresses, who may use it, and how its pods are connected.

use serde::{Deserialize, Serialize};

use crate::column::{Column, json_list};
use crate::condition::Condition;
use crate::counter::Counter;
use crate::lenient::{is_default, is_false, null_is_default};
use crate::object::{Object, Other, Spec};

/// A subnet.
pub type Subnet = Object<SubnetSpec>;

/// What is wanted of a subnet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubnetSpec {
    /// The VPC that the subnet belongs to. Empty means the default VPC `ovn-cluster` for an OVN provider; a subnet of
    /// another provider belongs to none.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub vpc: String,
    /// Who wires interfaces of this subnet. Empty or `ovn`: the default network; `<nad>.<namespace>.ovn`: an OVN
    /// attachment; `<nad>.<namespace>`: addresses only, for macvlan and the like.
    #[serde(deserialize_with = "null_is_default")]
    pub provider: String,
    /// The addresses: one CIDR, or an IPv4 and an IPv6 one separated by a comma.
    #[serde(deserialize_with = "null_is_default")]
    pub cidr_block: String,
    /// `IPv4`, `IPv6` or `Dual`. Told by `cidrBlock`; a contradicting value has no effect.
    #[serde(deserialize_with = "null_is_default")]
    pub protocol: String,
    /// The gateway of each family, in the form of `cidrBlock`. Empty means the first usable address.
    #[serde(deserialize_with = "null_is_default")]
    pub gateway: String,
    /// Addresses that are never given out by chance, as `a` or `a..b` (both included). A pod may still ask for one.
    #[serde(deserialize_with = "null_is_default")]
    pub exclude_ips: Vec<String>,
    /// The namespaces whose pods get this subnet without asking. When not empty, no other namespace may use it.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub namespaces: Vec<String>,
    /// True when pods without a subnet of their own get this one.
    #[serde(deserialize_with = "null_is_default")]
    pub default: bool,
    /// The route table of the VPC that the subnet uses; empty means the main table.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub route_table: String,
    /// True when only the subnet itself and `allowSubnets` may reach its pods.
    #[serde(deserialize_with = "null_is_default")]
    pub private: bool,
    /// CIDRs that may reach the pods of a private subnet.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub allow_subnets: Vec<String>,
    /// Pods of the subnet may always reach each other, whatever `acls` says.
    #[serde(
        rename = "allowEWTraffic",
        skip_serializing_if = "is_false",
        deserialize_with = "null_is_default"
    )]
    pub allow_ew_traffic: bool,
    /// Rules on the packets of the subnet's ports; the highest that matches decides.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub acls: Vec<SubnetAcl>,
    /// Default VPC only: `distributed` (each node sends its own pods' traffic out) or `centralized`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub gateway_type: String,
    /// Default VPC only: traffic that leaves the cluster gets the node's address.
    #[serde(deserialize_with = "null_is_default")]
    pub nat_outgoing: bool,
    /// The Vlan object that connects the subnet to a physical network.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub vlan: String,
    /// Vlan subnets: the gateway is a logical one instead of a physical router.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub logical_gateway: bool,
    /// Largest packet of the pod's interface, in bytes; 0 means what the network under it allows.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub mtu: u32,
    /// Do not wait for the gateway to answer before a pod starts.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub disable_gateway_check: bool,
    /// Do not announce the subnet to other clusters (OVN interconnection).
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub disable_inter_connection: bool,
    /// Answer DHCP requests of the pods.
    #[serde(rename = "enableDHCP", skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub enable_dhcp: bool,
    /// DHCPv4 options beside the ones the subnet tells, as `key=value,key=value` (OVN's names).
    #[serde(
        rename = "dhcpV4Options",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub dhcp_v4_options: String,
    /// DHCPv6 options, in the same form.
    #[serde(
        rename = "dhcpV6Options",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub dhcp_v6_options: String,
    /// Send IPv6 router advertisements to the pods.
    #[serde(rename = "enableIPv6RA", skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub enable_ipv6_ra: bool,
    /// How to send them, as `key=value,key=value` (OVN's `ipv6_ra_configs`); empty means upstream's defaults.
    #[serde(
        rename = "ipv6RAConfigs",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub ipv6_ra_configs: String,
    /// Serve cluster IPs on the subnet's switch; absent means yes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "null_is_default")]
    pub enable_lb: Option<bool>,
    /// Connect a vlan subnet to the VPC's router beside its physical gateway.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub u2o_interconnection: bool,
    /// The address used for that; empty means any.
    #[serde(
        rename = "u2oInterconnectionIP",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub u2o_interconnection_ip: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

/// A rule on the packets of a subnet's ports.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubnetAcl {
    /// `from-lport` (out of a pod) or `to-lport` (into a pod).
    #[serde(deserialize_with = "null_is_default")]
    pub direction: String,
    /// From 0 to 32767; the highest rule that matches decides.
    #[serde(deserialize_with = "null_is_default")]
    pub priority: i64,
    /// Which packets, as an OVN expression.
    #[serde(rename = "match", deserialize_with = "null_is_default")]
    pub match_expression: String,
    /// `allow`, `allow-related`, `allow-stateless`, `drop`, `reject` or `pass`.
    #[serde(deserialize_with = "null_is_default")]
    pub action: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

/// What is observed of a subnet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubnetStatus {
    /// What is known about the subnet: `Ready`, `Validated`, `Error`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
    /// IPv4 addresses that can still be given out.
    #[serde(rename = "v4availableIPs", deserialize_with = "null_is_default")]
    pub v4_available_ips: Counter,
    /// The same addresses, as `a-b,c`.
    #[serde(rename = "v4availableIPrange", deserialize_with = "null_is_default")]
    pub v4_available_ip_range: String,
    /// IPv4 addresses that are held.
    #[serde(rename = "v4usingIPs", deserialize_with = "null_is_default")]
    pub v4_using_ips: Counter,
    /// The same addresses, as `a-b,c`.
    #[serde(rename = "v4usingIPrange", deserialize_with = "null_is_default")]
    pub v4_using_ip_range: String,
    /// IPv6 addresses that can still be given out.
    #[serde(rename = "v6availableIPs", deserialize_with = "null_is_default")]
    pub v6_available_ips: Counter,
    /// The same addresses, as `a-b,c`.
    #[serde(rename = "v6availableIPrange", deserialize_with = "null_is_default")]
    pub v6_available_ip_range: String,
    /// IPv6 addresses that are held.
    #[serde(rename = "v6usingIPs", deserialize_with = "null_is_default")]
    pub v6_using_ips: Counter,
    /// The same addresses, as `a-b,c`.
    #[serde(rename = "v6usingIPrange", deserialize_with = "null_is_default")]
    pub v6_using_ip_range: String,
    /// The node that is the centralized gateway now.
    #[serde(deserialize_with = "null_is_default")]
    pub activate_gateway: String,
    /// The northbound row of the IPv4 DHCP options.
    #[serde(rename = "dhcpV4OptionsUUID", deserialize_with = "null_is_default")]
    pub dhcp_v4_options_uuid: String,
    /// The northbound row of the IPv6 DHCP options.
    #[serde(rename = "dhcpV6OptionsUUID", deserialize_with = "null_is_default")]
    pub dhcp_v6_options_uuid: String,
    /// The address that connects a vlan subnet to its VPC.
    #[serde(rename = "u2oInterconnectionIP", deserialize_with = "null_is_default")]
    pub u2o_interconnection_ip: String,
    /// The MAC of that address.
    #[serde(rename = "u2oInterconnectionMAC", deserialize_with = "null_is_default")]
    pub u2o_interconnection_mac: String,
    /// The VPC it is connected to.
    #[serde(rename = "u2oInterconnectionVPC", deserialize_with = "null_is_default")]
    pub u2o_interconnection_vpc: String,
    /// The address of the multicast querier.
    #[serde(rename = "mcastQuerierIP", deserialize_with = "null_is_default")]
    pub mcast_querier_ip: String,
    /// The MAC of the multicast querier.
    #[serde(rename = "mcastQuerierMAC", deserialize_with = "null_is_default")]
    pub mcast_querier_mac: String,
    /// Fields that nobody here reads.
    #[serde(flatten)]
    pub other: Other,
}

impl SubnetSpec {
    /// The provider, with its default.
    pub fn provider(&self) -> &str {
        if self.provider.is_empty() { "ovn" } else { &self.provider }
    }

    /// True when pods of `namespace` may use the subnet, as far as the subnet says.
    pub fn admits(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|admitted| admitted == namespace)
    }
}

impl Spec for SubnetSpec {
    const KIND: &'static str = "Subnet";
    const PLURAL: &'static str = "subnets";
    const SINGULAR: &'static str = "subnet";
    const SHORT_NAMES: &'static [&'static str] = &["subnet"];
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("NAME", |s| s.meta.name.clone()),
        Column::new("PROVIDER", |s| s.spec.provider.clone()),
        Column::new("VPC", |s| s.spec.vpc.clone()),
        Column::new("VLAN", |s| s.spec.vlan.clone()),
        Column::new("PROTOCOL", |s| s.spec.protocol.clone()),
        Column::new("CIDR", |s| s.spec.cidr_block.clone()),
        Column::new("PRIVATE", |s| s.spec.private.to_string()),
        Column::new("NAT", |s| s.spec.nat_outgoing.to_string()),
        Column::new("DEFAULT", |s| s.spec.default.to_string()),
        Column::new("GATEWAYTYPE", |s| s.spec.gateway_type.clone()),
        Column::new("V4USED", |s| s.status.v4_using_ips.to_string()),
        Column::new("V4AVAILABLE", |s| s.status.v4_available_ips.to_string()),
        Column::new("V6USED", |s| s.status.v6_using_ips.to_string()),
        Column::new("V6AVAILABLE", |s| s.status.v6_available_ips.to_string()),
        Column::new("EXCLUDEIPS", |s| json_list(&s.spec.exclude_ips)),
        Column::new("U2OINTERCONNECTIONIP", |s| s.status.u2o_interconnection_ip.clone()),
        Column::wide("GATEWAY", |s| s.spec.gateway.clone()),
        Column::wide("NAMESPACES", |s| json_list(&s.spec.namespaces)),
    ];
    type Status = SubnetStatus;

    fn other(&self) -> &Other {
        &self.other
    }
}
