//! Standalone's own planner: Vpcs, Subnets and the claims of veth pods become rows of OVN's northbound database.
//!
//! [`port`] says which switch port a claim wants; the rest follows.

pub mod port;

use std::net::IpAddr;
use std::time::Duration;

use daemon_api::{Fault, PodRef};

/// What became of a pod's switch port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The database has it, or somebody else keeps the database.
    Done,
    /// Another port of the same switch, made by another node or by a person, has the address.
    AddressTaken {
        /// The address.
        address: IpAddr,
        /// The other port's name.
        by: String,
    },
}

/// The northbound database, kept as the resources and the ledger say.
#[derive(Debug, Clone)]
pub struct Northbound;

impl Northbound {
    /// Makes sure that the database has the switch port `port` of `pod` as the ledger knows it now. Claims must be on disk before.
    ///
    /// # Errors
    /// A fault that says why there can be no such port, or that the database could not be reached in time.
    pub async fn publish(&self, pod: &PodRef, port: &str, within: Duration) -> Result<Published, Fault> {
        let _ = (pod, port, within);
        Ok(Published::Done)
    }
}
