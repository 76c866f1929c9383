//! Carry the kubelet's probes into pods of custom VPCs, exactly. **Only the ground rules stand here so far**; the code
//! comes with the probes, and until then `--enable-tproxy` is accepted and reported as without effect.
//!
//! # What it will do
//! The node has no path to a pod of a custom VPC, so the kubelet's probes cannot reach it. A transparent proxy would
//! complete the kubelet's handshake itself, and a `tcpSocket` probe to a closed port would look healthy. This crate
//! carries the kubelet's own packets into the pod and the pod's answers back, in the kernel, with nftables: open is
//! open, refused is a reset, hung is a timeout, and no process of ours is in the path.
//!
//! # Rooms
//! * `target` (pure): probe ports of this node's pods → a table of targets; a clash is a value, never an overwrite.
//! * `plan` (pure): table of targets → wanted nftables table, rules and routes.
//! * `observe`, `apply` (shell): what the kernel holds; one atomic batch that makes it the wanted.
//! * `relay` (shell): the fallback for pods without a host-side interface.
//!
//! # What it refuses
//! Connections of anybody but root's sockets of the host (less those of pods), to anything but the probe ports of known
//! pods. A pod can start no connection out through it.
//!
//! # Numbers that stay as upstream has them
//! Routing table 10001, mark `0x90003`.
#![forbid(unsafe_code)]
