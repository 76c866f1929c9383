//! A pod of the namespace `ns1`: its sandbox, and the calls that a runtime makes about one interface of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::cni::{self, Answer, Call};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::ovn::Node;
use tests::witness;

use crate::merged;

/// One sandbox of a pod.
pub(crate) struct Pod<'a> {
    /// The sandbox.
    pub(crate) netns: Netns,
    /// The ADD of `eth0`.
    pub(crate) add: Call,
    lab: &'a Lab,
    conf: Value,
    container: String,
}

impl<'a> Pod<'a> {
    /// A pod without annotations.
    #[track_caller]
    pub(crate) fn new(node: &Node<'a>, name: &str) -> Self {
        Self::of(node, name, &node.conf())
    }

    /// A pod with these annotations.
    #[track_caller]
    pub(crate) fn wishing(node: &Node<'a>, name: &str, annotations: &Value) -> Self {
        Self::of(node, name, &cni::annotated(&node.conf(), annotations))
    }

    /// A pod with this configuration of its network.
    #[track_caller]
    pub(crate) fn of(node: &Node<'a>, name: &str, conf: &Value) -> Self {
        Self::sandbox(node, name, name, conf)
    }

    /// A sandbox, which is called `sandbox`, of the pod `name`.
    #[track_caller]
    pub(crate) fn sandbox(node: &Node<'a>, name: &str, sandbox: &str, conf: &Value) -> Self {
        let lab = node.lab();
        let netns = lab.pod(sandbox);
        // As long as containerd's.
        let container = format!("{sandbox:0<64}");
        let add = Call::add(conf).container(&container).ifname("eth0").netns(netns.path()).pod("ns1", name);
        Self { netns, add, lab, conf: conf.clone(), container }
    }

    /// Runs the ADD, which has to succeed, and returns the result.
    #[track_caller]
    pub(crate) fn added(&self) -> Value {
        self.add.run(self.lab).ok()
    }

    /// The same pod after its ADD.
    #[track_caller]
    pub(crate) fn plugged(self) -> Self {
        self.added();
        self
    }

    /// The ADD that has to fail: its error object.
    #[track_caller]
    pub(crate) fn refused(&self) -> Value {
        self.add.run(self.lab).error()
    }

    /// Runs the DEL, which has to succeed.
    #[track_caller]
    pub(crate) fn deleted(&self) {
        assert_eq!(self.del().run(self.lab).ok(), Value::Null);
    }

    /// The DEL that follows the ADD.
    pub(crate) fn del(&self) -> Call {
        self.add.clone().verb("DEL")
    }

    /// Runs the CHECK that follows the ADD.
    #[track_caller]
    pub(crate) fn checked(&self, result: &Value) -> Answer {
        let conf = merged(self.conf.clone(), &json!({"prevResult": result}));
        self.add.clone().verb("CHECK").stdin(conf.to_string()).run(self.lab)
    }

    /// The name of the pair's end on the node.
    pub(crate) fn host_end(&self) -> String {
        format!("{}_h", &self.container[..12])
    }

    /// The addresses of `eth0` without prefix lengths.
    #[track_caller]
    pub(crate) fn ips(&self) -> Vec<String> {
        let addresses = witness::addresses(&self.netns, "eth0");
        addresses.iter().map(|address| address.split('/').next().unwrap().to_owned()).collect()
    }

    /// The first of them.
    #[track_caller]
    pub(crate) fn ip(&self) -> String {
        self.ips().swap_remove(0)
    }

    /// The interface as the kernel has it.
    #[track_caller]
    pub(crate) fn link(&self) -> Value {
        witness::link(&self.netns, "eth0").unwrap()
    }

    /// What tells the device from another one of the same name: both ends' indexes and the MAC. How far the kernel has
    /// come with the link's state is no part of it.
    #[track_caller]
    pub(crate) fn device(&self) -> [Value; 3] {
        let link = self.link();
        ["ifindex", "link_index", "address"].map(|key| link[key].clone())
    }

    /// Asserts that the sandbox has no interface.
    #[track_caller]
    pub(crate) fn assert_bare(&self) {
        assert_eq!(witness::link_names(&self.netns), Vec::<String>::new());
    }
}

/// The `external_ids` of an interface of Open vSwitch but those that ovn-controller adds.
#[track_caller]
pub(crate) fn external_ids(node: &Node<'_>, device: &str) -> BTreeMap<String, String> {
    let told = node.vsctl(&["--format=json", "--columns=external_ids", "list", "Interface", device]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let pairs = told["data"][0][0][1].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut ids: BTreeMap<_, _> = pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    ids.retain(|key, _| !key.starts_with("ovn-installed"));
    ids
}

/// The names of the switch ports of pods in the northbound database, sorted.
#[track_caller]
pub(crate) fn switch_ports(ovn: &tests::ovn::Ovn) -> Vec<String> {
    let names = ovn.nb(&["--bare", "--columns=name", "find", "Logical_Switch_Port", "type=\"\""]);
    let mut names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
    names.sort();
    names
}
