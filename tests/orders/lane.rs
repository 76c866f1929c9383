//! One pod with two sandboxes: calls the daemon about them and compares with the model.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::cni::GUIDE_PROVIDER;
use tests::lab::{Lab, UPLINK};
use tests::netns::Netns;
use tests::ovn::Node;
use tests::raw;

use crate::inside::Inside;
use crate::model::{Container, Form, Maker, Model, Step};

const INTERFACE: &str = "net1";

/// One pod.
pub(crate) struct Lane<'a> {
    // First, so that nobody is inside when the namespaces are removed.
    inside: [Inside; 2],
    /// The namespaces of its sandboxes.
    pub(crate) netns: [Netns; 2],
    form: Form,
    pod: String,
    socket: PathBuf,
    /// The node of veths.
    node: Option<&'a Node<'a>>,
}

impl<'a> Lane<'a> {
    /// Makes the sandboxes of the pod `db-<number>`.
    pub(crate) fn new(lab: &Lab, node: Option<&'a Node<'a>>, form: Form, number: usize) -> Self {
        let netns = [1, 2].map(|sandbox| lab.pod(&format!("{number}-{sandbox}")));
        let inside = netns.each_ref().map(Inside::of);
        Self { inside, netns, form, pod: format!("db-{number}"), socket: lab.socket(), node }
    }

    /// Plays one order and takes back what is left of it. The state after the first `seen` calls is known from before.
    pub(crate) fn play(&self, model: &mut Model, order: &[Step], seen: usize) {
        for (number, step) in order.iter().enumerate() {
            self.step(model, *step, order);
            if number >= seen {
                self.compare(model, &order[..=number]);
            }
        }
        for container in [Container::C1, Container::C2] {
            self.step(model, Step::Del(container), order);
        }
        self.compare(model, order);
    }

    fn step(&self, model: &mut Model, step: Step, order: &[Step]) {
        match step {
            Step::Add(container) => {
                let answer = self.call("add", container);
                assert_eq!(answer.code(), 200, "{order:?}: {}", String::from_utf8_lossy(&answer.body));
                let reply: Value = serde_json::from_slice(&answer.body).unwrap();
                let address = reply["ips"][0]["ip"].as_str().unwrap().to_owned();
                if let Some(expected) = model.expected(container) {
                    assert_eq!(&address, expected, "{order:?}");
                }
                model.added(container, address);
            }
            Step::Del(container) => {
                let answer = self.call("del", container);
                assert_eq!(answer.code(), 204, "{order:?}: {}", String::from_utf8_lossy(&answer.body));
                model.deleted(container);
            }
        }
    }

    fn compare(&self, model: &Model, calls: &[Step]) {
        assert_eq!(self.claims(), model.claims(), "the claims after {calls:?}");
        for container in [Container::C1, Container::C2] {
            let inside = &self.inside[container as usize];
            let address = model.held_by(container).filter(|_| self.form.maker != Maker::Delegated).cloned();
            assert_eq!(
                inside.has(INTERFACE),
                address.is_some(),
                "the interface of {container:?} after {calls:?}"
            );
            assert_eq!(
                inside.addresses(),
                Vec::from_iter(address),
                "in the sandbox {container:?} after {calls:?}"
            );
        }
        if let Some(node) = self.node {
            let holds = |container: &Container| model.held_by(*container).is_some();
            let holders = [Container::C1, Container::C2].into_iter().filter(holds);
            let wanted: Vec<_> = holders
                .map(|container| self.netns[container as usize].path().display().to_string())
                .collect();
            assert_eq!(self.plugged(node), wanted, "the ports of the pod after {calls:?}");
        }
    }

    /// Where the ports lead that Open vSwitch has of the pod.
    fn plugged(&self, node: &Node<'_>) -> Vec<String> {
        let of_pod = format!("external_ids:pod_name={}", self.pod);
        let told = node.vsctl(&["--bare", "--columns=external_ids", "find", "Interface", &of_pod]);
        let ids = told.split_whitespace();
        let mut netns: Vec<_> =
            ids.filter_map(|id| id.strip_prefix("pod_netns=").map(str::to_owned)).collect();
        netns.sort();
        netns
    }

    /// What the plugin would post.
    fn call(&self, verb: &str, container: Container) -> raw::Answer {
        let number = container as usize;
        let maker = self.form.maker;
        let provider = if maker == Maker::Veth { "ovn" } else { GUIDE_PROVIDER };
        let body = json!({
            "cni_type": if maker == Maker::Delegated { "macvlan" } else { "kube-ovn" },
            "container_id": self.container(container), "if_name": INTERFACE, "net_ns": self.netns[number].path(),
            "pod_name": self.pod, "pod_namespace": "default",
            "provider": provider
        })
        .to_string();
        let pod_type = format!("{provider}.kubernetes.io/pod_type");
        let annotations = if self.form.is_kept { json!({pod_type: "StatefulSet"}) } else { json!({}) };
        let call = json!({
            "network": "net", "pod_uid": self.form.uids[number], "annotations": annotations,
            "macvlan": if maker == Maker::Veth { Value::Null } else { json!({"master": UPLINK, "mode": "bridge"}) }
        });
        let request = format!(
            "POST /api/v1/{verb} HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nkube-ovn-call: {call}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        raw::exchange(&self.socket, request.as_bytes()).unwrap()
    }

    /// Whose sandbox holds which address of the pod, as the daemon tells everybody.
    fn claims(&self) -> Vec<(Option<Container>, String)> {
        let answer =
            raw::exchange(&self.socket, b"GET /api/v1/objects/ip HTTP/1.1\r\nHost: d\r\n\r\n").unwrap();
        let list: Value = serde_json::from_slice(&answer.body).unwrap();
        let specs = list["items"].as_array().unwrap().iter().map(|item| &item["spec"]);
        let mut addresses: Vec<_> = specs.clone().map(|spec| spec["ipAddress"].as_str().unwrap()).collect();
        let all = addresses.len();
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), all, "an address is held twice: {list}");
        let of_pod = specs.filter(|spec| spec["podName"] == self.pod);
        let mut claims: Vec<_> = of_pod
            .map(|spec| {
                let (id, address) = (&spec["containerID"], spec["ipAddress"].as_str().unwrap());
                let user = [Container::C1, Container::C2].into_iter().find(|c| *id == self.container(*c));
                assert!(user.is_some() || *id == "" || id.is_null(), "{spec}");
                (user, address.to_owned())
            })
            .collect();
        claims.sort();
        claims
    }

    fn container(&self, container: Container) -> String {
        format!("{}-{container:?}", self.pod)
    }
}
