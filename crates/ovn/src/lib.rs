//! OVN's and Open vSwitch's rows as values: names, ownership, and the smallest change from what is found to what is wanted.
//!
//! Nothing here talks to a database. A caller keeps a [`snapshot::Snapshot`] current from its monitor, collects the rows that
//! should be there in a [`wanted::Wanted`], and sends the operations of [`diff::diff`] as one transaction. When that
//! fails because the snapshot was out of date, it waits for the next update and plans again.
#![forbid(unsafe_code)]

pub mod address;
pub mod cell;
pub mod diff;
pub mod names;
pub mod nb;
mod operation;
pub mod owner;
pub mod snapshot;
pub mod vswitch;
pub mod wanted;

#[cfg(test)]
mod schema_check;
