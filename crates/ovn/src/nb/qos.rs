//! `QoS`: a meter on what a switch port sends or receives.
//!
//! This is what limits a pod's sending on the userspace datapath, where `Interface.ingress_policing_rate` is accepted
//! and does nothing. A meter drops what is too much, so a single TCP connection gets clearly less than the rate.

use super::{Direction, LogicalSwitch, LogicalSwitchPort, Table};
use crate::cell::{Cell, Columns, Found, integer, integers, keys, text};
use crate::wanted::{Key, NbRow, Place};

/// A meter on what one port sends or receives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Qos {
    /// The switch that has the port.
    pub switch: String,
    /// Name of the port.
    pub port: String,
    /// From the port: what the pod sends. To the port: what it receives.
    pub direction: Direction,
    /// 0 to 32767; the highest that matches decides.
    pub priority: u16,
    /// The rate in kbit/s, at least 1.
    pub rate: u32,
    /// How much may exceed it for a moment, in kbit; `None` for OVN's default.
    pub burst: Option<u32>,
}

impl Qos {
    fn expression(&self) -> String {
        match self.direction {
            Direction::FromPort => format!("inport == \"{}\"", self.port),
            Direction::ToPort => format!("outport == \"{}\"", self.port),
        }
    }

    /// The key of the port that the meter is for.
    pub fn port_key(&self) -> Key {
        LogicalSwitchPort::key_of(&self.port)
    }

    pub(crate) fn found_name(row: &Found<'_>) -> Option<String> {
        Some(format!("{}:{}:{}", row.text("direction")?, row.integer("priority")?, row.text("match")?))
    }
}

impl NbRow for Qos {
    fn key(&self) -> Key {
        let name = format!("{}:{}:{}", self.direction.as_str(), self.priority, self.expression());
        Key::within(Table::Qos, &LogicalSwitch::key_of(&self.switch), name)
    }

    fn place(&self) -> Option<Place> {
        Some(Place { parent: LogicalSwitch::key_of(&self.switch), column: "qos_rules" })
    }

    fn to_columns(&self) -> Columns {
        let rate = [("rate", i64::from(self.rate))];
        let burst = self.burst.map(|burst| ("burst", i64::from(burst)));
        Columns::from([
            ("direction", Cell::Whole(text(self.direction.as_str()))),
            ("priority", Cell::Whole(integer(i64::from(self.priority)))),
            ("match", Cell::Whole(text(self.expression()))),
            ("bandwidth", Cell::Whole(integers(rate.into_iter().chain(burst)))),
            ("external_ids", keys([("port", Some(self.port.clone()))])),
        ])
    }
}
