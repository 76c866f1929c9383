//! The tables of the northbound database that we write, and which column of which table holds whose rows.

use std::fmt;

/// A table of the northbound database.
///
/// The order is the one in which rows are matched and inserted: those that stand by themselves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `Logical_Router`: one per VPC.
    LogicalRouter,
    /// `Logical_Switch`: one per subnet.
    LogicalSwitch,
    /// `Load_Balancer`.
    LoadBalancer,
    /// `DHCP_Options`.
    DhcpOptions,
    /// `Port_Group`.
    PortGroup,
    /// `Logical_Router_Port`.
    LogicalRouterPort,
    /// `Logical_Router_Static_Route`.
    LogicalRouterStaticRoute,
    /// `Logical_Router_Policy`.
    LogicalRouterPolicy,
    /// `Logical_Switch_Port`.
    LogicalSwitchPort,
    /// `ACL`.
    Acl,
    /// `QoS`.
    Qos,
    /// `Load_Balancer_Health_Check`.
    LoadBalancerHealthCheck,
}

impl Table {
    /// Every table there is, in order.
    pub const ALL: [Table; 12] = [
        Table::LogicalRouter,
        Table::LogicalSwitch,
        Table::LoadBalancer,
        Table::DhcpOptions,
        Table::PortGroup,
        Table::LogicalRouterPort,
        Table::LogicalRouterStaticRoute,
        Table::LogicalRouterPolicy,
        Table::LogicalSwitchPort,
        Table::Acl,
        Table::Qos,
        Table::LoadBalancerHealthCheck,
    ];

    /// Its name in the schema.
    pub fn name(self) -> &'static str {
        match self {
            Table::LogicalRouter => "Logical_Router",
            Table::LogicalSwitch => "Logical_Switch",
            Table::LoadBalancer => "Load_Balancer",
            Table::DhcpOptions => "DHCP_Options",
            Table::PortGroup => "Port_Group",
            Table::LogicalRouterPort => "Logical_Router_Port",
            Table::LogicalRouterStaticRoute => "Logical_Router_Static_Route",
            Table::LogicalRouterPolicy => "Logical_Router_Policy",
            Table::LogicalSwitchPort => "Logical_Switch_Port",
            Table::Acl => "ACL",
            Table::Qos => "QoS",
            Table::LoadBalancerHealthCheck => "Load_Balancer_Health_Check",
        }
    }

    /// The table of this name in the schema.
    pub fn of_name(name: &str) -> Option<Table> {
        Table::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The columns that hold this table's rows by strong references, each with the table of the rows held.
    pub fn holds(self) -> &'static [(&'static str, Table)] {
        match self {
            Table::LogicalRouter => &[
                ("ports", Table::LogicalRouterPort),
                ("static_routes", Table::LogicalRouterStaticRoute),
                ("policies", Table::LogicalRouterPolicy),
            ],
            Table::LogicalSwitch => {
                &[("ports", Table::LogicalSwitchPort), ("acls", Table::Acl), ("qos_rules", Table::Qos)]
            }
            Table::LoadBalancer => &[("health_check", Table::LoadBalancerHealthCheck)],
            Table::PortGroup => &[("acls", Table::Acl)],
            Table::DhcpOptions
            | Table::LogicalRouterPort
            | Table::LogicalRouterStaticRoute
            | Table::LogicalRouterPolicy
            | Table::LogicalSwitchPort
            | Table::Acl
            | Table::Qos
            | Table::LoadBalancerHealthCheck => &[],
        }
    }

    /// The columns to watch, so that a [`crate::snapshot::Snapshot`] can be compared: those that we write and those
    /// that hold rows. Leave out those that the server's schema does not have; all but `ACL.tier` are in OVN 23.03.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Table::LogicalRouter => {
                &["name", "options", "load_balancer", "external_ids", "ports", "static_routes", "policies"]
            }
            Table::LogicalSwitch => &["name", "load_balancer", "external_ids", "ports", "acls", "qos_rules"],
            Table::LoadBalancer => &[
                "name",
                "protocol",
                "vips",
                "selection_fields",
                "ip_port_mappings",
                "options",
                "external_ids",
                "health_check",
            ],
            Table::DhcpOptions => &["cidr", "options", "external_ids"],
            Table::PortGroup => &["name", "ports", "external_ids", "acls"],
            Table::LogicalRouterPort => {
                &["name", "mac", "networks", "peer", "options", "ipv6_ra_configs", "external_ids"]
            }
            Table::LogicalRouterStaticRoute => {
                &["route_table", "policy", "ip_prefix", "nexthop", "output_port", "options", "external_ids"]
            }
            Table::LogicalRouterPolicy => &["priority", "match", "action", "nexthops", "external_ids"],
            Table::LogicalSwitchPort => &[
                "name",
                "type",
                "options",
                "tag",
                "addresses",
                "port_security",
                "dhcpv4_options",
                "dhcpv6_options",
                "external_ids",
            ],
            Table::Acl => &[
                "direction",
                "priority",
                "match",
                "action",
                "name",
                "log",
                "severity",
                "external_ids",
                "tier",
            ],
            Table::Qos => &["direction", "priority", "match", "bandwidth", "external_ids"],
            Table::LoadBalancerHealthCheck => &["vip", "options", "external_ids"],
        }
    }

    /// Whether a row stands by itself (`isRoot` in the schema). Other rows vanish when nothing holds them.
    pub fn is_root(self) -> bool {
        self <= Table::PortGroup
    }

    /// Whether the database itself refuses a second row of one name.
    pub fn has_name_index(self) -> bool {
        matches!(self, Table::PortGroup | Table::LogicalRouterPort | Table::LogicalSwitchPort)
    }

    /// Whether a row has no name, so that it is known only within its parent.
    pub fn is_nameless(self) -> bool {
        matches!(
            self,
            Table::LogicalRouterStaticRoute
                | Table::LogicalRouterPolicy
                | Table::Acl
                | Table::Qos
                | Table::LoadBalancerHealthCheck
        )
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
