//! The `kubeovn.io/v1` objects that tests put into the daemon's folder.

use serde_json::{Value, json};

/// The user guide's external network: 192.168.0.0/24, the first free address is [`GUIDE_FIRST`].
pub const GUIDE: &str = include_str!("../../manifests/examples/external-network.yaml");

/// The first address that the guide's external network gives.
pub const GUIDE_FIRST: &str = "192.168.0.11";

/// A Subnet with this `spec`, in the JSON that is YAML too.
pub fn subnet(name: &str, spec: &Value) -> String {
    object("Subnet", name, spec)
}

/// A Vpc with this `spec`.
pub fn vpc(name: &str, spec: &Value) -> String {
    object("Vpc", name, spec)
}

fn object(kind: &str, name: &str, spec: &Value) -> String {
    json!({"apiVersion": "kubeovn.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}).to_string()
}
