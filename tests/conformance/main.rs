//! The CNI checklist of `docs/cni-checklist.md` on the real plugin, daemon and kernel, standalone, with macvlan.
//!
//! Tests called `kube_ovn_1_17_0_…` or after an issue (`k6420_…`: kubeovn/kube-ovn, `w75_…`: whereabouts) show a defect
//! of those that we do not have. Witnesses are `ip`, `ping`, `tcpdump`, `curl` and `vpcctl`, never code of the product.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod admission;
mod annotations;
mod asked;
mod checklist;
mod checks;
mod conflicts;
mod dels;
mod garbage;
mod interfaces;
mod lost;
mod repeats;
mod results;
mod status;
mod versions;

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::objects;
use tests::skip::{Requirement, needs_all};

/// A lab with the guide's Subnet; `None`, and a word about it, on a machine that cannot do it.
fn guide() -> Option<Lab> {
    let lab = bare()?;
    lab.write_object("guide.yaml", objects::GUIDE);
    Some(lab)
}

/// A lab without any Subnet.
fn bare() -> Option<Lab> {
    needs_all(&[Requirement::Root, Requirement::Macvlan, Requirement::ReferencePlugins]).then(Lab::new)
}

/// A lab with one Subnet of the guide's provider and this `spec` beside it.
fn with_subnet(spec: Value) -> Option<Lab> {
    let lab = bare()?;
    lab.write_object("net.yaml", &subnet("net", spec));
    Some(lab)
}

/// A Subnet of the guide's provider.
fn subnet(name: &str, mut spec: Value) -> String {
    spec["provider"] = cni::GUIDE_PROVIDER.into();
    objects::subnet(name, &spec)
}

/// Our own macvlan with further keys.
fn own(lab: &Lab, keys: Value) -> Value {
    merged(cni::own_macvlan(&lab.socket()), keys)
}

/// `conf` with the keys of `more` in place of its own.
fn merged(mut conf: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    conf.as_object_mut().unwrap().extend(more);
    conf
}

/// Pod annotations as containerd hands them over.
fn annotated(annotations: Value) -> Value {
    json!({"runtimeConfig": {"io.kubernetes.cri.pod-annotations": annotations}})
}

/// The ADD of the pod `name` in `default`, whose container is called as it is.
fn add(conf: &Value, netns: &Netns, name: &str) -> Call {
    Call::add(conf).container(name).netns(netns.path()).pod("default", name)
}

/// The CHECK that follows an ADD.
fn check(add: &Call, conf: &Value, result: &Value) -> Call {
    add.clone().verb("CHECK").stdin(merged(conf.clone(), json!({"prevResult": result})).to_string())
}

/// The DEL that follows an ADD.
fn del(add: &Call) -> Call {
    add.clone().verb("DEL")
}
