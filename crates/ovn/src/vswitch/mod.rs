//! The node's own Open vSwitch: the rows that the node side reads and writes, one table a file, and the
//! transactions that plug a pod in and take it out.
//!
//! The meaning of every column is in ovs-vswitchd.conf.db(5).

mod add;
mod bridge;
mod interface;
mod local;
mod open_vswitch;
mod port;
mod qos;
mod queue;
mod remove;

pub use add::{CannotAdd, PodPort, add_pod_port};
pub use bridge::Bridge;
pub use interface::{Interface, PodInterface, Policing};
pub use local::{Local, LocalTable};
pub use open_vswitch::{OpenVSwitch, next_configuration};
pub use port::Port;
pub use qos::Qos;
pub use queue::Shaping;
pub use remove::{Which, remove_pod_ports, sweep_qos};

#[cfg(test)]
mod tests;
