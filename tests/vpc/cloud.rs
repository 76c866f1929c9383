//! A node with OVN and our daemon, and pods that were added by our plugin.

use std::ops::Deref;
use std::time::Duration;

use serde_json::{Value, json};
use tests::cni::{self, Answer, Call};
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::netns::Netns;
use tests::ovn::{Node, Ovn};
use tests::{objects, wait, witness};

/// How long something that has to come may take on a busy machine. Nothing asserts on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One node of an OVN with our daemon.
pub(crate) struct Cloud<'a> {
    // In the order in which they end: who reads before who is read.
    pub(crate) daemon: Daemon<'a>,
    pub(crate) node: Node<'a>,
    pub(crate) ovn: Ovn,
}

impl<'a> Cloud<'a> {
    /// Starts OVN and the daemon. What the lab's folder has by now is known to both as soon as a pod is added.
    #[track_caller]
    pub(crate) fn start(lab: &'a Lab) -> Self {
        let ovn = Ovn::start(lab);
        let node = ovn.node(lab);
        Self { daemon: node.daemon(&[]), node, ovn }
    }

    /// Adds a pod to a subnet; `ip` is empty, or `v4`, `v6` or `v4,v6`.
    #[track_caller]
    pub(crate) fn pod(&self, name: &str, subnet: &str, ip: &str) -> Pod<'a> {
        pod(&self.node, name, subnet, ip)
    }

    /// Waits until the northbound database has, or no longer has, a row whose line in the dump holds all these words.
    #[track_caller]
    pub(crate) fn await_row(&self, is_there: bool, words: &[&str]) {
        let what = format!("a row with {words:?}: {is_there}");
        wait::until(&what, PATIENCE, || (has_row(&self.ovn, words) == is_there).then_some(()));
    }
}

/// Whether the northbound database has a row whose line in the dump holds all these words.
#[track_caller]
pub(crate) fn has_row(ovn: &Ovn, words: &[&str]) -> bool {
    ovn.dump().lines().iter().any(|line| words.iter().all(|word| line.contains(word)))
}

/// Puts a Vpc into the folder.
#[track_caller]
pub(crate) fn vpc(lab: &Lab, name: &str, spec: Value) {
    lab.write_object(&format!("vpc-{name}.yaml"), &objects::vpc(name, &spec));
}

/// Puts a Subnet into the folder.
#[track_caller]
pub(crate) fn subnet(lab: &Lab, name: &str, spec: Value) {
    lab.write_object(&format!("subnet-{name}.yaml"), &objects::subnet(name, &spec));
}

/// Waits until an object (`vpc` or `subnet`) has the condition, and it holds or not as its type promises: `Ready` and
/// `Validated` false, others true.
#[track_caller]
pub(crate) fn condition(lab: &Lab, kind: &str, name: &str, wanted: &str) -> Value {
    let answer = if matches!(wanted, "Ready" | "Validated") { "False" } else { "True" };
    wait::until(&format!("condition {wanted} of {kind} {name}"), PATIENCE, || {
        let told = witness::vpcctl(lab, &format!("get {kind} {name} -o json"));
        let object = told.success().then(|| told.json())?;
        let mut conditions = object["status"]["conditions"].as_array()?.iter();
        conditions.find(|c| c["type"] == wanted && c["status"] == answer).cloned()
    })
}

/// A pod with its default interface on OVN.
#[derive(Debug)]
pub(crate) struct Pod<'a> {
    netns: Netns,
    call: Call,
    lab: &'a Lab,
    /// What the plugin answered.
    pub(crate) result: Value,
}

/// The ADD of a pod called `NAMESPACE/NAME` with these annotations of the provider `ovn`, not run yet, and its sandbox.
#[track_caller]
pub(crate) fn sandbox(node: &Node<'_>, name: &str, annotations: &[(&str, &str)]) -> (Netns, Call) {
    let (namespace, pod) = name.split_once('/').unwrap();
    let container = name.replace('/', "-");
    let netns = node.lab().pod(&container);
    let written = annotations.iter().filter(|(_, value)| !value.is_empty());
    let written = written.map(|(key, value)| (format!("ovn.kubernetes.io/{key}"), json!(value)));
    let conf = cni::annotated(&node.conf(), &Value::Object(written.collect()));
    let call = Call::add(&conf).container(&container).ifname("eth0").netns(netns.path()).pod(namespace, pod);
    (netns, call)
}

/// Adds a pod to a subnet of a node; see [`Cloud::pod`].
#[track_caller]
pub(crate) fn pod<'a>(node: &Node<'a>, name: &str, subnet: &str, ip: &str) -> Pod<'a> {
    let (netns, call) = sandbox(node, name, &[("logical_switch", subnet), ("ip_address", ip)]);
    let result = call.run(node.lab()).ok();
    Pod { netns, call, lab: node.lab(), result }
}

/// Tries to add a pod to a subnet.
#[track_caller]
pub(crate) fn try_pod(node: &Node<'_>, name: &str, subnet: &str) -> Answer {
    let (_netns, call) = sandbox(node, name, &[("logical_switch", subnet)]);
    call.run(node.lab())
}

impl Pod<'_> {
    /// Its address of a family (4 or 6), without the prefix length.
    #[track_caller]
    pub(crate) fn ip(&self, family: u8) -> String {
        let all = cni::addresses(&self.result);
        let of_family = |text: &&String| text.contains(':') == (family == 6);
        let found = all.iter().find(of_family).unwrap();
        found.split('/').next().unwrap().to_owned()
    }

    /// Deletes it as a runtime does.
    #[track_caller]
    pub(crate) fn delete(self) {
        self.call.clone().verb("DEL").run(self.lab).ok();
    }
}

impl Deref for Pod<'_> {
    type Target = Netns;

    fn deref(&self) -> &Netns {
        &self.netns
    }
}
