//! Carry the kubelet's probes into pods of custom VPCs, exactly.
//!
//! The node has no path to a pod of a custom VPC, so the kubelet's probes cannot reach it. A transparent proxy would
//! complete the kubelet's handshake itself, and a `tcpSocket` probe to a closed port would look healthy. This crate
//! carries the kubelet's own packets into the pod and the pod's answers back, in the kernel, with nftables: open is
//! open, refused is a reset, hung is a timeout, and no process of ours is in the path.
//!
//! # The path of one probe
//! ```text
//! kubelet → output: root's SYN to a probe port of a pod gets the mark; what follows is known by its connection
//!         → rule "fwmark" → table 10001 → prb0
//!         → postrouting: the source becomes the probe address
//! prb1    → ingress: destination MAC and device by (address, port), fwd → the pod's device → the pod
//! the pod's device → ingress: to the probe address, and (device, address, port) belong together: fwd → prb1
//! prb0    → prerouting: answers only → the kubelet's socket
//! ```
//! The frames pass before the switch sees them; a switch in user space takes a copy all the same, which an ACL on
//! every switch of a custom VPC drops.
//!
//! # Rooms
//! * [`target`] (pure): probe ports of this node's pods → a table of targets; a clash is a value, never an overwrite.
//! * [`plan`] (pure): targets → wanted nftables, rules, routes and links.
//! * `observe`, `apply` (shell): what the kernel holds; one atomic batch that makes it the wanted.
//! * [`carrier`] (shell): the whole, pod by pod. `sweep` (shell): connections older than their rules.
//! * [`pod`]: what the pod itself needs. [`cgroup`]: who is no kubelet. [`metrics`]: what was counted.
//!
//! # What it refuses
//! Connections of anybody but root's sockets of the host (less those of pods), to anything but the probe ports of known
//! pods. A pod can start no connection out through it and cannot speak for another; nothing is forwarded through it.
//!
//! # Numbers that stay as upstream has them
//! Routing table 10001, mark `0x90003`. Whatever else leads to that table is taken for an older version's and removed.
#![forbid(unsafe_code)]

mod apply;
pub mod carrier;
pub mod cgroup;
pub mod error;
pub mod metrics;
mod observe;
pub mod plan;
pub mod pod;
mod sweep;
pub mod target;

pub use carrier::{Carrier, Report, Settings};
pub use error::Error;
pub use metrics::{Counted, Counters};
pub use plan::{MARK, PROBE_LINK, ProbeAddresses, ROUTE_TABLE, SWITCH_LINK};
pub use pod::{PodRoute, pod_routes};
pub use target::{Clash, Endpoint, HostSide, Pod, PodKey, Target, TargetTable};
