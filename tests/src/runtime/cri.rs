//! A very small kubelet: asks a runtime for pod sandboxes over its Container Runtime Interface.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use prost::Message;
use serde_json::Value;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic_prost::ProstCodec;

use super::messages::{
    Empty, LinuxConfig, ListResponse, Metadata, RunRequest, SandboxConfig, SandboxId, SandboxStatusRequest,
    SandboxStatusResponse, StatusResponse,
};

/// The kubelet's default `runtimeRequestTimeout`.
const DEADLINE: Duration = Duration::from_secs(120);

/// A pod as the kubelet would describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
    /// How often the sandbox was made before.
    pub attempt: u32,
    /// The pod's annotations.
    pub annotations: HashMap<String, String>,
    /// The runtime handler, which chooses the network; empty for the default one.
    pub handler: String,
    /// After this time the kubelet gives up, and the runtime kills the plugin.
    pub deadline: Duration,
}

impl Pod {
    /// A pod of namespace `default` with a uid made of its name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            namespace: "default".into(),
            uid: format!("uid-{name}"),
            attempt: 0,
            annotations: HashMap::new(),
            handler: String::new(),
            deadline: DEADLINE,
        }
    }

    /// Adds an annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Chooses the network by its runtime handler.
    #[must_use]
    pub fn handler(mut self, name: &str) -> Self {
        self.handler = name.to_owned();
        self
    }

    fn config(&self, folder: &str, cgroup: &str) -> SandboxConfig {
        SandboxConfig {
            metadata: Some(Metadata {
                name: self.name.clone(),
                uid: self.uid.clone(),
                namespace: self.namespace.clone(),
                attempt: self.attempt,
            }),
            hostname: self.name.clone(),
            log_directory: folder.to_owned(),
            labels: HashMap::new(),
            annotations: self.annotations.clone(),
            linux: Some(LinuxConfig { cgroup_parent: cgroup.to_owned() }),
        }
    }
}

/// A sandbox as the runtime tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sandbox {
    /// Its id, the plugin's `CNI_CONTAINERID`.
    pub id: String,
    /// True until it is stopped.
    pub ready: bool,
    /// Its addresses, the first one first.
    pub ips: Vec<String>,
    /// The runtime's verbose information, with `cniResult` and `runtimeSpec`.
    pub info: Value,
}

impl Sandbox {
    /// The file of its network namespace.
    pub fn netns(&self) -> Option<&str> {
        let namespaces = self.info["runtimeSpec"]["linux"]["namespaces"].as_array()?;
        namespaces.iter().find(|n| n["type"] == "network")?["path"].as_str()
    }
}

/// A refusal of the runtime, with the gRPC code as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For example `Unknown`.
    pub code: String,
    /// The runtime's words.
    pub message: String,
}

/// A client of a runtime's socket. Calls may be made from several threads at once.
#[derive(Debug)]
pub struct Cri {
    runtime: tokio::runtime::Runtime,
    channel: Channel,
    folder: String,
    cgroup: String,
}

impl Cri {
    /// A client that connects to `socket` when it is first used.
    ///
    /// `folder` takes the pods' logs, `cgroup` is the parent of their control groups.
    ///
    /// # Panics
    /// When the machine gives no threads or the path is no URI.
    #[track_caller]
    pub fn new(socket: &Path, folder: &Path, cgroup: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap_or_else(|e| panic!("start a tokio runtime: {e}"));
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display()));
        let endpoint = endpoint.unwrap_or_else(|e| panic!("{} as an endpoint: {e}", socket.display()));
        let channel = runtime.block_on(async { endpoint.connect_lazy() });
        Self { runtime, channel, folder: folder.display().to_string(), cgroup: cgroup.to_owned() }
    }

    /// `RunPodSandbox`, then what is known of the sandbox.
    ///
    /// # Errors
    /// The runtime's refusal.
    pub fn run(&self, pod: &Pod) -> Result<Sandbox, Refused> {
        let request = RunRequest {
            config: Some(pod.config(&self.folder, &self.cgroup)),
            runtime_handler: pod.handler.clone(),
        };
        let made: SandboxId = self.call("RunPodSandbox", request, pod.deadline)?;
        self.status(&made.id)
    }

    /// `PodSandboxStatus`, verbose.
    ///
    /// # Errors
    /// The runtime's refusal.
    pub fn status(&self, id: &str) -> Result<Sandbox, Refused> {
        let request = SandboxStatusRequest { id: id.to_owned(), verbose: true };
        let answer: SandboxStatusResponse = self.call("PodSandboxStatus", request, DEADLINE)?;
        let status = answer.status.unwrap_or_default();
        let network = status.network.unwrap_or_default();
        let first = (!network.ip.is_empty()).then_some(network.ip);
        let info = answer.info.get("info").and_then(|text| serde_json::from_str(text).ok());
        Ok(Sandbox {
            id: status.id,
            ready: status.state == 0,
            ips: first.into_iter().chain(network.further.into_iter().map(|f| f.ip)).collect(),
            info: info.unwrap_or_default(),
        })
    }

    /// `StopPodSandbox`.
    ///
    /// # Errors
    /// The runtime's refusal, for example because a DEL failed.
    pub fn stop(&self, id: &str) -> Result<(), Refused> {
        self.call::<_, Empty>("StopPodSandbox", SandboxId { id: id.to_owned() }, DEADLINE).map(drop)
    }

    /// `RemovePodSandbox`.
    ///
    /// # Errors
    /// The runtime's refusal.
    pub fn remove(&self, id: &str) -> Result<(), Refused> {
        self.call::<_, Empty>("RemovePodSandbox", SandboxId { id: id.to_owned() }, DEADLINE).map(drop)
    }

    /// The ids of all sandboxes, sorted.
    ///
    /// # Errors
    /// The runtime's refusal.
    pub fn list(&self) -> Result<Vec<String>, Refused> {
        let answer: ListResponse = self.call("ListPodSandbox", Empty {}, DEADLINE)?;
        let mut ids: Vec<_> = answer.items.into_iter().map(|s| s.id).collect();
        ids.sort();
        Ok(ids)
    }

    /// The conditions of the runtime that do not hold, as `Type: message`; empty when it is ready for pods.
    ///
    /// # Errors
    /// The runtime's refusal.
    pub fn unready(&self) -> Result<Vec<String>, Refused> {
        let answer: StatusResponse = self.call("Status", Empty {}, DEADLINE)?;
        let conditions = answer.status.unwrap_or_default().conditions;
        Ok(conditions.iter().filter(|c| !c.status).map(|c| format!("{}: {}", c.kind, c.message)).collect())
    }

    fn call<Q, A>(&self, method: &str, request: Q, within: Duration) -> Result<A, Refused>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let path: Uri = format!("/runtime.v1.RuntimeService/{method}")
            .parse()
            .unwrap_or_else(|e| panic!("{method} as a path: {e}"));
        let path = path.into_parts().path_and_query.unwrap_or_else(|| panic!("{method} has no path"));
        let mut request = tonic::Request::new(request);
        request.set_timeout(within);
        let mut client = Grpc::new(self.channel.clone());
        let answer = self.runtime.block_on(async {
            client.ready().await.map_err(|e| tonic::Status::unavailable(e.to_string()))?;
            client.unary(request, path, ProstCodec::<Q, A>::default()).await
        });
        answer.map(tonic::Response::into_inner).map_err(|status| Refused {
            code: format!("{:?}", status.code()),
            message: status.message().to_owned(),
        })
    }
}
