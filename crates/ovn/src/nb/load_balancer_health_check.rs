//! `Load_Balancer_Health_Check`: how the backends of one virtual address are watched.

use super::{LoadBalancer, Table};
use crate::cell::{Cell, Columns, Found, keys, text};
use crate::wanted::{Key, NbRow, Place};

/// How the backends of one virtual address are watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadBalancerHealthCheck {
    /// Name of the load balancer.
    pub load_balancer: String,
    /// The virtual address, `<address>:<port>`.
    pub vip: String,
    /// Seconds between two checks.
    pub interval: u32,
    /// Seconds to wait for an answer.
    pub timeout: u32,
    /// Successes in a row that make a backend good.
    pub success_count: u32,
    /// Failures in a row that make it bad.
    pub failure_count: u32,
    /// The subnet, as upstream notes it.
    pub subnet: Option<String>,
}

impl LoadBalancerHealthCheck {
    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        row.text("vip").map(str::to_owned)
    }
}

impl NbRow for LoadBalancerHealthCheck {
    fn key(&self) -> Key {
        let parent = LoadBalancer::key_of(&self.load_balancer);
        Key::within(Table::LoadBalancerHealthCheck, &parent, self.vip.clone())
    }

    fn place(&self) -> Option<Place> {
        Some(Place { parent: LoadBalancer::key_of(&self.load_balancer), column: "health_check" })
    }

    fn to_columns(&self) -> Columns {
        Columns::from([
            ("vip", Cell::Whole(text(&self.vip))),
            (
                "options",
                keys([
                    ("interval", Some(self.interval.to_string())),
                    ("timeout", Some(self.timeout.to_string())),
                    ("success_count", Some(self.success_count.to_string())),
                    ("failure_count", Some(self.failure_count.to_string())),
                ]),
            ),
            ("external_ids", keys([("switch_lb_subnet", self.subnet.clone())])),
        ])
    }
}
