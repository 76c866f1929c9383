//! What people read: the effective routes of a VPC.

use serde::{Deserialize, Serialize};

/// The answer to `GET /api/v1/routes/{vpc}`: what the VPC's router does with a packet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTable {
    /// The VPC.
    pub vpc: String,
    /// By table, the main one first; then the one that is tried first.
    pub routes: Vec<RouteRow>,
    /// The one that is tried first, first. They come after the routes and override them.
    pub policies: Vec<PolicyRow>,
    /// What is wrong or worth knowing, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// One route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteRow {
    /// The table; empty for the main one. Connected routes of the main table hold in every table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// Which address of a packet it looks at: `dst-ip` or `src-ip`.
    pub policy: String,
    /// The range, as a CIDR.
    pub prefix: String,
    /// Where to; several share the traffic. Empty for connected networks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_hops: Vec<String>,
    /// The router's port, for connected networks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub port: String,
    /// Where it comes from: `connected` or `static`.
    pub origin: String,
}

/// One policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRow {
    /// The highest that matches decides.
    pub priority: u16,
    /// The expression.
    #[serde(rename = "match")]
    pub match_text: String,
    /// `allow`, `drop` or `reroute`.
    pub action: String,
    /// Where `reroute` sends it; several share the traffic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_hops: Vec<String>,
    /// Where it comes from: `policy`, or `subnet` with its name for those that we make.
    pub origin: String,
}
