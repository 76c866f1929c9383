//! What listens: the CNI socket for the plugin and `vpcctl`, a TCP port for health and metrics.

pub mod api;
pub mod drain;
pub mod http;
pub mod listener;
pub mod observability;
