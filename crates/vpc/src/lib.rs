//! The planner: VPCs, subnets, routes and pod ports to OVN northbound rows, and what is wrong with them.
//!
//! [`Facts`] is the snapshot. [`Survey::of`] checks it: what it accepts is typed and canonical ([`checked`]), what it
//! does not is a [`Finding`]. [`plan`], [`plan_vpc`] and [`plan_pod`] make rows from what was accepted, for everything,
//! one VPC or one pod. [`status`] and [`routes`] tell people the same. Nothing here reads a clock, a file or a socket;
//! equal facts give equal plans, in whatever order they were gathered.
#![forbid(unsafe_code)]

mod acl;
pub mod check;
pub mod checked;
mod dhcp;
pub mod expression;
pub mod facts;
mod fallback;
pub mod finding;
mod misfit;
pub mod net;
mod peering;
pub mod plan;
mod policy_route;
mod port;
mod router;
pub mod routes;
mod static_route;
pub mod status;
mod switch;

pub use check::Survey;
pub use facts::{Facts, Meter, Place, PortFact, Ports, Settings};
pub use finding::{Effect, Finding, Object, Reason};
pub use plan::{Plan, plan, plan_all, plan_owners, plan_pod, plan_vpc};
