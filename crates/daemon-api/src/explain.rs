//! What people read: the chain of facts behind a pod, and the audit of the ledger.

use serde::{Deserialize, Serialize};

/// The answer to `GET /api/v1/explain/pod/{namespace}/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodStory {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
    /// One entry per attachment that the ledger knows, and per ADD that failed last.
    pub attachments: Vec<AttachmentStory>,
}

/// The chain of facts behind one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentStory {
    /// Interface name inside the sandbox.
    pub interface: String,
    /// The provider.
    pub provider: String,
    /// The sandbox that holds it; empty for a parked address.
    pub container_id: String,
    /// From the request to the kernel, in order. The first that is not [`StepState::Ok`] is where to look.
    pub steps: Vec<Step>,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was looked at: `subnet`, `claim`, `sandbox`, `interface`, `address`, `route`, ….
    pub name: String,
    /// How it was found.
    pub state: StepState,
    /// What was found.
    pub detail: String,
    /// What to do; empty when all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

/// How a step was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// As it should be.
    Ok,
    /// Works, but somebody should look.
    Warn,
    /// Broken.
    Fail,
}

/// The answer to `GET /api/v1/audit`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// How many claims were compared.
    pub claims: usize,
    /// How many living sandboxes hold them.
    pub sandboxes: usize,
    /// Addresses kept for an owner that has no sandbox now.
    pub parked: usize,
    /// DELs left on disk that are not replayed yet.
    pub pending_dels: usize,
    /// What is wrong, worst first; empty when the ledger equals the living sandboxes.
    pub findings: Vec<Finding>,
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The address or attachment.
    pub subject: String,
    /// What disagrees with what.
    pub problem: String,
    /// What to do, or what the daemon will do by itself and when.
    pub fix: String,
}
