//! `Interface`: a network device on a bridge, and what ovn-controller is told about it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::LocalTable;
use crate::cell::{Cell, Columns, Found, integer, keys, text};
use crate::owner::{VENDOR, VENDOR_KEY};

/// The most that a pod may send.
///
/// **Has no effect on the userspace datapath**: there the columns are accepted and nothing is limited. Limit the pod's
/// sending by a meter in OVN instead ([`crate::nb::Qos`], direction from the port) or by a queueing discipline on
/// the pod's own end of the veth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Policing {
    /// kbit/s (`ingress_policing_rate`).
    pub rate: u32,
    /// How much may exceed the rate for a moment, in kbit (`ingress_policing_burst`).
    pub burst: u32,
}

impl Policing {
    /// As upstream reads its annotations: the rate in Mbit/s, the burst in Mbit or 80 % of a second.
    pub fn of_megabits(rate: u32, burst: Option<u32>) -> Self {
        let rate = rate.saturating_mul(1000);
        let burst = burst.map_or(rate / 10 * 8, |burst| burst.saturating_mul(1000));
        Self { rate, burst }
    }
}

/// What is written of the host's end of a pod's veth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodInterface {
    /// The device, see [`crate::names::host_name`].
    pub name: String,
    /// The switch port that it is, see [`crate::names::pod_port`].
    pub iface_id: String,
    /// The pod.
    pub pod: String,
    /// Its namespace.
    pub namespace: String,
    /// Path of its network namespace.
    pub netns: String,
    /// Its addresses.
    pub ips: Vec<IpAddr>,
    /// The node's address for this pod's tunnels, where it is not the default one.
    pub encap_ip: Option<IpAddr>,
    /// The most that the pod may send, on the kernel datapath.
    pub policing: Option<Policing>,
}

impl PodInterface {
    /// The columns that are written.
    pub fn to_columns(&self) -> Columns {
        let policing = self.policing.unwrap_or(Policing { rate: 0, burst: 0 });
        Columns::from([
            ("name", Cell::Whole(text(&self.name))),
            ("ingress_policing_rate", Cell::Whole(integer(i64::from(policing.rate)))),
            ("ingress_policing_burst", Cell::Whole(integer(i64::from(policing.burst)))),
            ("external_ids", keys(self.external_ids())),
        ])
    }

    /// Our keys of `external_ids`, those that are unset included.
    pub(super) fn external_ids(&self) -> BTreeMap<&'static str, Option<String>> {
        let ips: Vec<String> = self.ips.iter().map(ToString::to_string).collect();
        BTreeMap::from([
            ("iface-id", Some(self.iface_id.clone())),
            (VENDOR_KEY, Some(VENDOR.to_owned())),
            ("pod_name", Some(self.pod.clone())),
            ("pod_namespace", Some(self.namespace.clone())),
            ("pod_netns", Some(self.netns.clone())),
            ("ip", (!ips.is_empty()).then(|| ips.join(","))),
            ("encap-ip", self.encap_ip.map(|ip| ip.to_string())),
        ])
    }
}

/// What is read of any interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The device.
    pub name: String,
    /// The switch port that it is.
    pub iface_id: Option<String>,
    /// Whether it carries our vendor tag.
    pub is_ours: bool,
    /// Namespace and name of its pod.
    pub pod: Option<(String, String)>,
    /// Path of the pod's network namespace.
    pub netns: Option<String>,
    /// Whether ovn-controller has installed all flows for it: the pod can be reached.
    pub is_installed: bool,
    /// Number of its OpenFlow port; -1 when Open vSwitch could not add it, `None` when it has not tried.
    pub ofport: Option<i64>,
    /// Why it could not be added.
    pub error: Option<String>,
    /// Whether the device has a carrier.
    pub is_up: Option<bool>,
}

impl Interface {
    /// The columns that are read or written.
    pub const COLUMNS: &'static [&'static str] = &[
        "name",
        "external_ids",
        "ingress_policing_rate",
        "ingress_policing_burst",
        "ofport",
        "error",
        "link_state",
    ];
    /// The table.
    pub const TABLE: LocalTable = LocalTable::Interface;

    /// Reads a row; `None` when it has no name.
    pub fn read(row: Found<'_>) -> Option<Self> {
        let id = |key| row.external_id(key).map(str::to_owned);
        Some(Self {
            name: row.text("name")?.to_owned(),
            iface_id: id("iface-id"),
            is_ours: row.external_id(VENDOR_KEY) == Some(VENDOR),
            pod: id("pod_namespace").zip(id("pod_name")),
            netns: id("pod_netns"),
            is_installed: row.external_id("ovn-installed") == Some("true"),
            ofport: row.integer("ofport"),
            error: row.text("error").map(str::to_owned),
            is_up: row.text("link_state").map(|state| state == "up"),
        })
    }
}
