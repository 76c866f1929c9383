//! Real container runtimes on a lab's node, as callers of the plugin.

mod containerd;
mod cri;
mod image;
mod messages;
mod podman;

pub use containerd::Containerd;
pub use cri::{Cri, Pod, Refused, Sandbox};
pub use podman::{Outcome, Podman};
