//! Calling a CNI plugin as a runtime does: exactly the `CNI_*` environment, the configuration on standard input.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::command::{self, Done, LIMIT, Running};
use crate::lab::{Lab, UPLINK};

/// The provider of the guide's external network.
pub const GUIDE_PROVIDER: &str = "ovn-vpc-external-network.kube-system";

/// The guide's attachment definition, as Multus hands it over: reference macvlan with our addresses.
pub fn guide_nad(socket: &Path) -> Value {
    json!({
        "cniVersion": "0.3.0",
        "name": "ovn-vpc-external-network",
        "type": "macvlan",
        "master": UPLINK,
        "mode": "bridge",
        "ipam": {"type": "kube-ovn", "server_socket": socket, "provider": GUIDE_PROVIDER}
    })
}

/// The same network with our plugin making the macvlan interface itself.
pub fn own_macvlan(socket: &Path) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "ovn-vpc-external-network",
        "type": "kube-ovn",
        "server_socket": socket,
        "provider": GUIDE_PROVIDER,
        "master": UPLINK,
        "mode": "bridge"
    })
}

/// A pod's interface on OVN: our plugin without a `master`. The default network has no provider; those of further
/// interfaces end in `.ovn` (`NAD.NAMESPACE.ovn`).
pub fn own_ovn(socket: &Path) -> Value {
    json!({"cniVersion": "1.0.0", "name": "kube-ovn", "type": "kube-ovn", "server_socket": socket})
}

/// A configuration with the pod's annotations, as containerd hands them over.
#[must_use]
pub fn annotated(conf: &Value, annotations: &Value) -> Value {
    let mut conf = conf.clone();
    conf["runtimeConfig"]["io.kubernetes.cri.pod-annotations"] = annotations.clone();
    conf
}

/// Reference macvlan on the node's `eth1` with addresses of reference host-local, to prove the ground itself.
pub fn reference_macvlan(lab: &Lab) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "reference",
        "type": "macvlan",
        "master": UPLINK,
        "mode": "bridge",
        "ipam": {
            "type": "host-local",
            "dataDir": lab.dir().join("host-local"),
            "ranges": [[{"subnet": "192.168.0.0/24", "rangeStart": "192.168.0.100", "gateway": "192.168.0.1"}]],
            "routes": [{"dst": "0.0.0.0/0"}]
        }
    })
}

/// A configuration of one plugin as a list of one, the form that runtimes read.
pub fn conflist(conf: &Value) -> Value {
    let mut plugin = conf.clone();
    if let Some(keys) = plugin.as_object_mut() {
        keys.remove("cniVersion");
        keys.remove("name");
    }
    json!({"cniVersion": conf["cniVersion"], "name": conf["name"], "plugins": [plugin]})
}

/// `CNI_ARGS` as containerd passes them.
pub fn kubernetes_args(namespace: &str, pod: &str, uid: &str, container: &str) -> String {
    format!(
        "IgnoreUnknown=1;K8S_POD_NAMESPACE={namespace};K8S_POD_NAME={pod};K8S_POD_INFRA_CONTAINER_ID={container};K8S_POD_UID={uid}"
    )
}

/// One call of a plugin. Without further words it is for container `c1`, interface `net1`, no netns and no args.
#[derive(Debug, Clone)]
pub struct Call {
    verb: String,
    plugin: String,
    stdin: Vec<u8>,
    container: String,
    ifname: String,
    netns: PathBuf,
    args: String,
    environment: Vec<(String, String)>,
    removed: Vec<String>,
    mounts_of: Option<u32>,
}

impl Call {
    /// A call of the plugin that `conf` names in `type`.
    pub fn new(verb: &str, conf: &Value) -> Self {
        Self {
            verb: verb.to_owned(),
            plugin: conf["type"].as_str().unwrap_or(crate::binaries::PLUGIN).to_owned(),
            stdin: conf.to_string().into_bytes(),
            container: "c1".into(),
            ifname: "net1".into(),
            netns: PathBuf::new(),
            args: String::new(),
            environment: Vec::new(),
            removed: Vec::new(),
            mounts_of: None,
        }
    }

    /// `ADD`.
    pub fn add(conf: &Value) -> Self {
        Self::new("ADD", conf)
    }

    /// `DEL`.
    pub fn del(conf: &Value) -> Self {
        Self::new("DEL", conf)
    }

    /// `CHECK`, with the result of the `ADD`.
    pub fn check(conf: &Value, previous: &Value) -> Self {
        let mut conf = conf.clone();
        conf["prevResult"] = previous.clone();
        Self::new("CHECK", &conf)
    }

    /// `STATUS`; the other variables are present and empty, as containerd 2 passes them.
    pub fn status(conf: &Value) -> Self {
        Self::new("STATUS", conf).container("").ifname("")
    }

    /// `GC` with the attachments that live on, as (container, interface); variables as in [`Call::status`].
    pub fn gc(conf: &Value, living: &[(&str, &str)]) -> Self {
        let living: Vec<_> = living.iter().map(|(c, i)| json!({"containerID": c, "ifname": i})).collect();
        let mut conf = conf.clone();
        conf["cni.dev/valid-attachments"] = json!(living);
        conf["cni.dev/attachments"] = json!(living);
        Self::new("GC", &conf).container("").ifname("")
    }

    /// `VERSION` as podman asks it, dummies included.
    pub fn version(plugin: &str) -> Self {
        let conf = json!({"cniVersion": "1.0.0"});
        Self::new("VERSION", &conf).plugin(plugin).container("").ifname("dummy").netns("dummy")
    }

    /// The same call with another verb, for example the `DEL` of an `ADD`.
    #[must_use]
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = verb.to_owned();
        self
    }

    /// Another plugin than `type` says.
    #[must_use]
    pub fn plugin(mut self, name: &str) -> Self {
        self.plugin = name.to_owned();
        self
    }

    /// Other bytes on standard input than the configuration.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// `CNI_CONTAINERID`.
    #[must_use]
    pub fn container(mut self, id: &str) -> Self {
        self.container = id.to_owned();
        self
    }

    /// `CNI_IFNAME`.
    #[must_use]
    pub fn ifname(mut self, name: &str) -> Self {
        self.ifname = name.to_owned();
        self
    }

    /// `CNI_NETNS`.
    #[must_use]
    pub fn netns(mut self, path: impl Into<PathBuf>) -> Self {
        self.netns = path.into();
        self
    }

    /// `CNI_ARGS`.
    #[must_use]
    pub fn args(mut self, args: &str) -> Self {
        self.args = args.to_owned();
        self
    }

    /// `CNI_ARGS` of a pod, as containerd passes them; the uid is made of the names.
    #[must_use]
    pub fn pod(self, namespace: &str, name: &str) -> Self {
        let args = kubernetes_args(namespace, name, &format!("uid-{namespace}-{name}"), &self.container);
        self.args(&args)
    }

    /// Sets a further variable, or another value of a `CNI_*` one.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a variable out.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.removed.push(key.to_owned());
        self
    }

    /// Runs the plugin in the mount namespace of a process.
    #[must_use]
    pub fn mounts_of(mut self, pid: u32) -> Self {
        self.mounts_of = Some(pid);
        self
    }

    /// Runs the plugin on the lab's node to its end.
    ///
    /// # Panics
    /// When it cannot be started or hangs.
    #[track_caller]
    pub fn run(&self, lab: &Lab) -> Answer {
        Answer { done: self.spawn(lab).wait(LIMIT) }
    }

    /// Starts the plugin on the lab's node, for example to kill it on the way.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(&self, lab: &Lab) -> Running {
        command::start(self.command(lab), &self.stdin)
    }

    #[track_caller]
    fn command(&self, lab: &Lab) -> Command {
        let plugin = lab.plugins().join(&self.plugin);
        assert!(plugin.exists(), "no plugin {}: run `make test`", plugin.display());
        let mut command = match self.mounts_of {
            None => lab.node.command(plugin),
            Some(pid) => {
                let mut command = lab.node.command("/usr/bin/nsenter");
                command.arg(format!("--mount=/proc/{pid}/ns/mnt")).arg("--").arg(plugin);
                command
            }
        };
        command
            .current_dir(lab.dir())
            .env_clear()
            .env("CNI_COMMAND", &self.verb)
            .env("CNI_CONTAINERID", &self.container)
            .env("CNI_NETNS", &self.netns)
            .env("CNI_IFNAME", &self.ifname)
            .env("CNI_ARGS", &self.args)
            .env("CNI_PATH", lab.plugins())
            .envs(self.environment.iter().map(|(k, v)| (k, v)));
        for key in &self.removed {
            command.env_remove(key);
        }
        command
    }
}

/// What a plugin answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The whole outcome.
    pub done: Done,
}

impl Answer {
    /// The result of a call that has to succeed; `null` when there is none.
    ///
    /// # Panics
    /// When the call failed.
    #[track_caller]
    pub fn ok(self) -> Value {
        self.done.json()
    }

    /// The error object of a call that has to fail.
    ///
    /// # Panics
    /// When the call succeeded, or failed without an error object of the specification.
    #[track_caller]
    pub fn error(self) -> Value {
        let Done { line, stderr, .. } = &self.done;
        let text = self.done.text();
        assert!(!self.done.success(), "`{line}` succeeded: {text}");
        let error: Value = serde_json::from_str(&text)
            .unwrap_or_else(|e| panic!("`{line}` failed without an error object: {e}\n{text}\n{stderr}"));
        assert!(error["code"].is_u64() && error["msg"].is_string(), "`{line}`: {error}");
        error
    }

    /// The code of a call that has to fail.
    ///
    /// # Panics
    /// As [`Answer::error`].
    #[track_caller]
    pub fn code(self) -> u64 {
        self.error()["code"].as_u64().unwrap_or_default()
    }

    /// The addresses of a result with their prefix lengths, as the result orders them.
    ///
    /// # Panics
    /// When the call failed.
    #[track_caller]
    pub fn addresses(self) -> Vec<String> {
        addresses(&self.ok())
    }
}

/// The addresses of a result of version 0.3.0 or later with their prefix lengths.
pub fn addresses(result: &Value) -> Vec<String> {
    let ips = result["ips"].as_array().into_iter().flatten();
    ips.filter_map(|ip| ip["address"].as_str().map(str::to_owned)).collect()
}
