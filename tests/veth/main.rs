//! Pods of OVN, whole: the real plugin and daemon on a real OVN, whose flows carry the traffic.
//!
//! Tests called `kube_ovn_1_17_0_…` show a defect of that version that we do not have. Witnesses are `ip`, `ethtool`,
//! `ping`, `ovs-vsctl`, `ovn-nbctl`, sockets in the pods and `vpcctl`, never code of the product.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod defects;
mod limits;
mod outages;
mod pod;
mod restarts;
mod routes;
mod second;
mod versions;
mod wire;
mod wiring;

use std::time::Duration;

use serde_json::{Value, json};
use tests::lab::Lab;
use tests::objects;
use tests::skip::{Requirement, needs_all};

/// Long enough for a machine that does much else. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab with the Vpc `v1` and its one Subnet `net1`, 10.0.1.0/24; `None`, and a word about it, on a machine that cannot
/// do it.
fn lab() -> Option<Lab> {
    lab_with(&[("net1", json!({"cidrBlock": "10.0.1.0/24"}))])
}

/// A lab with the Vpc `v1` and Subnets of it.
fn lab_with(subnets: &[(&str, Value)]) -> Option<Lab> {
    needs_all(&[Requirement::Root, Requirement::Ovn]).then(|| {
        let lab = Lab::new();
        lab.write_object("v1.yaml", &objects::vpc("v1", &json!({})));
        for (name, spec) in subnets {
            write_subnet(&lab, name, spec);
        }
        lab
    })
}

/// Puts a Subnet of `v1` into the lab's folder.
fn write_subnet(lab: &Lab, name: &str, spec: &Value) {
    let spec = merged(json!({"vpc": "v1"}), spec);
    lab.write_object(&format!("{name}.yaml"), &objects::subnet(name, &spec));
}

/// `conf` with the keys of `more` in place of its own.
fn merged(mut conf: Value, more: &Value) -> Value {
    conf.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    conf
}
