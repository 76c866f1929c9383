//! The node daemon: addresses, interfaces, OVN ports and (later) probes and NAT rules of one node's pods.
//!
//! Follow one ADD: `server` → `sandbox::add` → `facts` + `resources` → `sandbox::network` → `ledger` →
//! `sandbox::plan` → `sandbox::wire` → the answer. It needs `CAP_NET_ADMIN`, `CAP_NET_RAW` and `CAP_SYS_ADMIN`.
#![forbid(unsafe_code)]

pub mod app;
pub mod args;
pub mod audit;
pub mod causes;
pub mod config;
pub mod crash;
pub mod database;
pub mod events;
pub mod explain;
pub mod facts;
pub mod health;
pub mod install;
pub mod ledger;
pub mod metrics;
pub mod neighbours;
pub mod northbound;
pub mod objects;
pub mod probes;
pub mod resources;
pub mod routes;
pub mod sandbox;
pub mod server;
pub mod vswitch;
