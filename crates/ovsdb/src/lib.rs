//! A client of the OVSDB management protocol (RFC 7047) as Open vSwitch and OVN speak it; it knows nothing of either.
//!
//! What to say is plain values: [`value`] (columns), [`op`] and [`condition`] (transactions), [`outcome`] (answers),
//! [`schema`], [`monitor`] (a copy of chosen rows). [`session`] is the whole course of a connection without any I/O.
#![forbid(unsafe_code)]

pub mod condition;
pub mod failure;
pub mod monitor;
pub mod op;
pub mod outcome;
pub mod rpc;
pub mod schema;
pub mod server;
pub mod session;
pub mod value;
