//! A client of the OVSDB management protocol (RFC 7047) as Open vSwitch and OVN speak it; it knows nothing of either.
//!
//! A [`client::Client`] makes transactions and watches rows at the servers of one database: it connects, asks whether the server
//! may serve it, follows the leader of a cluster, and takes its monitors up again where they stopped. What to say is plain
//! values: [`value`] (columns), [`op`] and [`condition`] (transactions), [`outcome`] (answers), [`schema`], [`monitor`] (a copy
//! of chosen rows). [`session`] is the whole course of events without any I/O; `transport` and `client` alone touch sockets.
//!
//! Servers from Open vSwitch 2.13 on are understood: `monitor_cond_since` and the database `_Server` must be there.
#![forbid(unsafe_code)]

pub mod client;
pub mod condition;
pub mod endpoint;
pub mod failure;
pub mod monitor;
pub mod op;
pub mod outcome;
pub mod rpc;
pub mod schema;
pub mod server;
pub mod session;
pub mod tls;
pub mod transport;
pub mod value;
pub mod view;
