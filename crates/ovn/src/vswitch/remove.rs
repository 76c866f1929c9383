//! Takes pods out: one transaction, nothing when nothing is left to do.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::op::Operation;
use ovsdb::value::{Atom, Uuid};

use super::local::Local;
use super::{Interface, LocalTable, Qos};
use crate::cell::{empty, set, text};
use crate::operation::{Values, delete, guard, has_external_id, is, mutate, take_out, update};
use crate::owner::{VENDOR, VENDOR_KEY};

/// Which ports to take out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one of this device.
    Device(String),
    /// Those that are this switch port. Mind that a newer sandbox of the pod has the same one.
    IfaceId(String),
}

impl Which {
    fn is(&self, interface: &Interface) -> bool {
        match self {
            Which::Device(name) => interface.name == *name,
            Which::IfaceId(id) => interface.iface_id.as_deref() == Some(id),
        }
    }
}

/// The operations of the one transaction that takes the ports out, with the rows that limit what they receive.
///
/// Only ports with our vendor tag are touched. The transaction fails as a whole when one of them is gone meanwhile.
pub fn remove_pod_ports(which: &Which, local: &Local) -> Vec<Operation> {
    let interfaces = local.interfaces().filter(|(_, interface)| interface.is_ours && which.is(interface));
    let mut guards = Vec::new();
    let mut gone: BTreeSet<Uuid> = BTreeSet::new();
    let mut limits: BTreeMap<Uuid, Qos> = BTreeMap::new();
    for (uuid, interface) in interfaces {
        let Some((port_row, port)) = local.port_of(uuid) else { continue };
        let still_ours = is(uuid).into_iter().chain([has_external_id(VENDOR_KEY, VENDOR)]).collect();
        let row = Values::from([("name".to_owned(), text(&interface.name))]);
        guards.push(guard("Interface", still_ours, vec!["name".to_owned()], vec![row]));
        gone.insert(port_row);
        limits.extend(local.pod_qos(&port));
    }
    let mut operations = guards;
    for (uuid, bridge) in local.bridges() {
        let here: BTreeSet<Atom> = bridge.ports.intersection(&gone).copied().map(Atom::Uuid).collect();
        if !here.is_empty() {
            operations.push(mutate("Bridge", is(uuid), vec![take_out("ports", set(here))]));
        }
    }
    let kept: BTreeSet<Uuid> =
        local.ports().filter(|(uuid, _)| !gone.contains(uuid)).filter_map(|(_, port)| port.qos).collect();
    limits.retain(|uuid, _| !kept.contains(uuid));
    // The server counts the reference of a port that vanishes in this very transaction, and would refuse.
    let holding = local
        .ports()
        .filter(|(uuid, port)| gone.contains(uuid) && port.qos.is_some_and(|qos| limits.contains_key(&qos)));
    let let_go = Values::from([("qos".to_owned(), empty())]);
    operations.extend(holding.map(|(uuid, _)| update("Port", is(uuid), let_go.clone())));
    operations.extend(delete_limits(local, &limits));
    operations
}

/// The operations that remove limits made for pods whose ports are gone; upstream and crashes leave such rows.
pub fn sweep_qos(local: &Local) -> Vec<Operation> {
    let used: BTreeSet<Uuid> = local.ports().filter_map(|(_, port)| port.qos).collect();
    let rows = local.rows(LocalTable::Qos).map(|(uuid, row)| (uuid, Qos::read(row)));
    let limits = rows.filter(|(uuid, qos)| qos.iface_id.is_some() && !used.contains(uuid)).collect();
    let mut operations = delete_limits(local, &limits);
    let held: BTreeSet<Uuid> =
        local.rows(LocalTable::Qos).flat_map(|(_, row)| Qos::read(row).queues).collect();
    let queues = local.rows(LocalTable::Queue).filter(|(_, row)| row.external_id("iface-id").is_some());
    let loose = queues.map(|(uuid, _)| uuid).filter(|uuid| !held.contains(uuid));
    operations.extend(loose.map(|uuid| delete("Queue", is(uuid))));
    operations
}

/// Deletes sets of queues, and those of their queues that no other set has.
fn delete_limits(local: &Local, limits: &BTreeMap<Uuid, Qos>) -> Vec<Operation> {
    let others = local.rows(LocalTable::Qos).filter(|(uuid, _)| !limits.contains_key(uuid));
    let held: BTreeSet<Uuid> = others.flat_map(|(_, row)| Qos::read(row).queues).collect();
    let queues: BTreeSet<Uuid> = limits.values().flat_map(|qos| &qos.queues).copied().collect();
    let sets = limits.keys().map(|uuid| delete("QoS", is(*uuid)));
    sets.chain(queues.difference(&held).map(|uuid| delete("Queue", is(*uuid)))).collect()
}
