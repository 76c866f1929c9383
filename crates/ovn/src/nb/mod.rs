//! The rows of the northbound database that we write, one table a file, with only the columns that we need.
//!
//! Only columns of OVN 23.03 (schema 7.0.0) are written, so that one binary runs on it and on later versions.
//! The meaning of every column is in ovn-nb(5).

pub mod acl;
pub mod dhcp_options;
pub mod load_balancer;
pub mod load_balancer_health_check;
pub mod logical_router;
pub mod logical_router_policy;
pub mod logical_router_port;
pub mod logical_router_static_route;
pub mod logical_switch;
pub mod logical_switch_port;
pub mod port_group;
pub mod qos;
mod table;

pub use acl::{Acl, AclAction, AclParent, Direction, Severity};
pub use dhcp_options::{DhcpFor, DhcpOptions, Family};
pub use load_balancer::{LoadBalancer, SelectionField};
pub use load_balancer_health_check::LoadBalancerHealthCheck;
pub use logical_router::LogicalRouter;
pub use logical_router_policy::{LogicalRouterPolicy, PolicyAction};
pub use logical_router_port::LogicalRouterPort;
pub use logical_router_static_route::{LogicalRouterStaticRoute, RoutePolicy};
pub use logical_switch::LogicalSwitch;
pub use logical_switch_port::{LogicalSwitchPort, PortKind};
pub use port_group::PortGroup;
pub use qos::Qos;
pub use table::Table;

#[cfg(test)]
pub(crate) mod examples;
#[cfg(test)]
pub(crate) mod tests;
