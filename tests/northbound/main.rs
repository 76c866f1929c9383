//! OVN's northbound database as people see it: conditions on the objects, routes, the story of a port, wiped and out of reach.
//!
//! What the rows are and how they heal is tested beside the daemon (`daemon/tests/northbound`), traffic in `vpc` and `veth`.
//! Witnesses are `vpcctl` and `ovn-nbctl`.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod people;
mod refusals;
mod wiped;

use std::time::Duration;

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::ovn::Node;
use tests::skip::{Requirement, needs_all};
use tests::{objects, wait, witness};

/// Long enough for a machine that does much else. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the machine can do it; otherwise it is said.
fn can() -> bool {
    needs_all(&[Requirement::Root, Requirement::Ovn])
}

/// Puts a Vpc into the folder.
#[track_caller]
fn vpc(lab: &Lab, name: &str, spec: &Value) {
    lab.write_object(&format!("vpc-{name}.yaml"), &objects::vpc(name, spec));
}

/// Puts a Subnet into the folder.
#[track_caller]
fn subnet(lab: &Lab, name: &str, spec: &Value) {
    lab.write_object(&format!("subnet-{name}.yaml"), &objects::subnet(name, spec));
}

/// The ADD of a pod, not run yet, and its sandbox.
#[track_caller]
fn sandbox(node: &Node<'_>, name: &str, network: &str) -> (Netns, Call) {
    let (namespace, pod) = name.split_once('/').unwrap();
    let container = name.replace('/', "-");
    let netns = node.lab().pod(&container);
    let conf = cni::annotated(&node.conf(), &json!({"ovn.kubernetes.io/logical_switch": network}));
    let call = Call::add(&conf).container(&container).ifname("eth0").netns(netns.path()).pod(namespace, pod);
    (netns, call)
}

/// Waits for something about an object, as `vpcctl get KIND NAME -o json` tells it.
#[track_caller]
fn await_object<T>(lab: &Lab, kind: &str, name: &str, found: impl Fn(&Value) -> Option<T>) -> T {
    wait::until(&format!("{kind} {name}"), PATIENCE, || {
        let told = witness::vpcctl(lab, &format!("get {kind} {name} -o json"));
        told.success().then(|| told.json()).and_then(|object| found(&object))
    })
}

/// The condition of this type.
fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// Waits until a condition holds or not.
#[track_caller]
fn await_condition(lab: &Lab, kind: &str, name: &str, condition_type: &str, holds: bool) -> Value {
    let status = if holds { "True" } else { "False" };
    await_object(lab, kind, name, |object| {
        condition(object, condition_type).filter(|found| found["status"] == status).cloned()
    })
}
