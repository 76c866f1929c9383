//! The contract between the CNI plugin, the daemon and `vpcctl`: requests, replies, faults, checked ids.
//!
//! Pure values: no I/O. Two layers share one HTTP exchange on the daemon's unix socket:
//!
//! * the **body** of `POST /api/v1/add` and `/api/v1/del` is Kube-OVN's, to the byte, in both directions
//!   ([`PodRequest`], [`PodReply`]), so either side can be upstream's;
//! * what upstream's body has no key for (pod UID, network name, requested addresses, pod annotations, …)
//!   travels in the one header [`route::CALL_HEADER`] as a [`CallContext`], which upstream's daemon ignores.
//!   A request that carries it is answered with a [`Fault`] beside upstream's `error` text.
//!
//! Start from [`PodRequest`], [`CallContext`], [`PodReply`] and [`Fault`].
#![forbid(unsafe_code)]

pub mod call;
pub mod explain;
pub mod fault;
pub mod ids;
pub mod pending;
pub mod reply;
pub mod request;
pub mod route;
pub mod routes;

pub use call::CallContext;
pub use fault::{Fault, FaultKind};
pub use ids::{ContainerId, IfName, InvalidId, NetnsPath, NetworkName, PodRef, Provider};
pub use reply::PodReply;
pub use request::{CheckRequest, GcRequest, PodRequest, StatusRequest};
