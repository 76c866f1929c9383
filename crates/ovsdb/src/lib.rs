//! A client of the OVSDB management protocol (RFC 7047) as Open vSwitch and OVN speak it; it knows nothing of either.
//!
//! What to say is plain values: [`value`] (columns), [`op`] and [`condition`] (transactions), [`outcome`] (answers).
#![forbid(unsafe_code)]

pub mod condition;
pub mod op;
pub mod outcome;
pub mod value;
