//! Plugs a pod in: one transaction.

use ovsdb::op::{Mutation, Operation};
use ovsdb::value::{Atom, Uuid, Value};
use std::collections::BTreeMap;
use thiserror::Error;

use super::local::Local;
use super::{LocalTable, PodInterface, Port, Qos, Shaping};
use crate::cell::{Cell, Columns, empty, is_empty, map, set, text, texts};
use crate::operation::{
    Values, delete, guard, has_external_id, has_other_text, has_text, insert, is, mutate, put_in, take_out,
    update,
};
use crate::owner::{VENDOR, VENDOR_KEY};

/// A pod's port on a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodPort {
    /// The bridge, normally [`super::OpenVSwitch::integration_bridge`].
    pub bridge: String,
    /// The host's end of the pod's veth.
    pub interface: PodInterface,
    /// The most that the pod may receive.
    pub shaping: Option<Shaping>,
}

/// Why no transaction can plug the pod in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CannotAdd {
    /// There is no such bridge yet.
    #[error("plug {interface} into bridge {bridge}: there is no such bridge")]
    NoBridge {
        /// The bridge.
        bridge: String,
        /// The device.
        interface: String,
    },
    /// Somebody else has plugged a device of this name in.
    #[error("plug {interface} into bridge {bridge}: somebody else has a port of this name")]
    Foreign {
        /// The bridge.
        bridge: String,
        /// The device.
        interface: String,
    },
}

/// The operations of the one transaction that makes the port what it should be, whatever is there of it.
///
/// Other interfaces of ours with the same `iface-id`, left by an older sandbox of the pod, lose it. The transaction
/// fails as a whole when the bridge has gone meanwhile, or when `local` was out of date.
pub fn add_pod_port(port: &PodPort, local: &Local) -> Result<Vec<Operation>, CannotAdd> {
    let (bridge, interface) = (port.bridge.clone(), port.interface.name.clone());
    let Some((bridge_row, on_bridge)) = local.bridge(&port.bridge) else {
        return Err(CannotAdd::NoBridge { bridge, interface });
    };
    let mut operations = vec![guard(
        "Bridge",
        vec![has_text("name", &port.bridge)],
        vec!["name".to_owned()],
        vec![Values::from([("name".to_owned(), text(&port.bridge))])],
    )];
    operations.push(mutate(
        "Interface",
        elsewhere(&port.interface),
        vec![take_out("external_ids", text("iface-id"))],
    ));
    let found = local.interface(&port.interface.name);
    match found {
        None => operations.extend(plug_new(port, bridge_row)),
        Some((uuid, found)) => {
            let plugged = local.port_of(uuid).filter(|_| found.is_ours);
            let Some((port_row, plugged)) = plugged else {
                return Err(CannotAdd::Foreign { bridge, interface });
            };
            operations.extend(refresh(&port.interface, uuid));
            operations.extend(requeue(port, local, port_row, &plugged));
            if !on_bridge.ports.contains(&port_row) {
                operations.extend(move_port(local, bridge_row, port_row));
            }
        }
    }
    Ok(operations)
}

/// Other interfaces of ours that claim to be the same switch port.
fn elsewhere(interface: &PodInterface) -> Vec<ovsdb::condition::Condition> {
    vec![
        has_external_id("iface-id", &interface.iface_id),
        has_external_id(VENDOR_KEY, VENDOR),
        has_other_text("name", &interface.name),
    ]
}

fn plug_new(port: &PodPort, bridge: Uuid) -> Vec<Operation> {
    let name = &port.interface.name;
    let of = |what: &str| format!("{what}_{}", identifier(name));
    let mut row =
        Values::from([("name".to_owned(), text(name)), ("interfaces".to_owned(), named(of("interface")))]);
    let mut operations = vec![insert("Interface", of("interface"), values(port.interface.to_columns()))];
    if let Some(shaping) = port.shaping {
        operations.extend(queues(port, shaping));
        row.insert("qos".to_owned(), named(of("qos")));
    }
    operations.push(insert("Port", of("port"), row));
    operations.push(mutate("Bridge", is(bridge), vec![put_in("ports", named(of("port")))]));
    operations
}

/// New rows that limit what the pod receives.
fn queues(port: &PodPort, shaping: Shaping) -> Vec<Operation> {
    let of = |what: &str| format!("{what}_{}", identifier(&port.interface.name));
    let pod = format!("{}/{}", port.interface.namespace, port.interface.pod);
    let ids = [("iface-id", port.interface.iface_id.clone()), ("pod", pod), (VENDOR_KEY, VENDOR.to_owned())];
    let ids: BTreeMap<String, String> = ids.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let queue = Values::from([
        ("other_config".to_owned(), shaping.other_config()),
        ("external_ids".to_owned(), map(&ids)),
    ]);
    let first = BTreeMap::from([(Atom::Integer(0), Atom::NamedUuid(of("queue")))]);
    let qos = Values::from([
        ("type".to_owned(), text(Qos::KIND)),
        ("queues".to_owned(), Value::Map(first)),
        ("external_ids".to_owned(), map(&ids)),
    ]);
    vec![insert("Queue", of("queue"), queue), insert("QoS", of("qos"), qos)]
}

/// Brings the interface that is there up to date.
fn refresh(interface: &PodInterface, uuid: Uuid) -> Vec<Operation> {
    let mut columns = interface.to_columns();
    columns.remove("external_ids");
    columns.remove("name");
    let ids = interface.external_ids();
    let set_ids = ids.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?)));
    let changed: Vec<Mutation> = vec![
        take_out("external_ids", texts(ids.keys().copied())),
        put_in("external_ids", map(&set_ids.collect())),
    ];
    let ours = vec![Values::from([("name".to_owned(), text(&interface.name))])];
    let still_ours = is(uuid).into_iter().chain([has_external_id(VENDOR_KEY, VENDOR)]).collect();
    vec![
        guard("Interface", still_ours, vec!["name".to_owned()], ours),
        update("Interface", is(uuid), values(columns)),
        mutate("Interface", is(uuid), changed),
    ]
}

/// Brings the queues of the port that is there up to date.
fn requeue(port: &PodPort, local: &Local, port_row: Uuid, plugged: &Port) -> Vec<Operation> {
    let old = local.pod_qos(plugged);
    let limits = old.iter().flat_map(|(_, qos)| &qos.queues);
    let limits = limits.filter_map(|queue| Shaping::read(local.row(LocalTable::Queue, *queue)?));
    let as_wanted = match port.shaping {
        Some(shaping) => limits.eq([shaping]),
        // Queues that were not made for a pod are somebody else's business.
        None => old.is_none(),
    };
    if as_wanted {
        return Vec::new();
    }
    let mut operations = Vec::new();
    let mut qos = empty();
    if let Some(shaping) = port.shaping {
        operations.extend(queues(port, shaping));
        qos = named(format!("qos_{}", identifier(&port.interface.name)));
    }
    operations.push(update("Port", is(port_row), Values::from([("qos".to_owned(), qos)])));
    if let Some((uuid, qos)) = old {
        operations.push(delete("QoS", is(uuid)));
        operations.extend(qos.queues.into_iter().map(|queue| delete("Queue", is(queue))));
    }
    operations
}

fn move_port(local: &Local, bridge: Uuid, port: Uuid) -> Vec<Operation> {
    let others = local.bridges().filter(|(_, other)| other.ports.contains(&port));
    let reference = Value::Atom(Atom::Uuid(port));
    let mut operations: Vec<Operation> = others
        .map(|(other, _)| mutate("Bridge", is(other), vec![take_out("ports", reference.clone())]))
        .collect();
    operations.push(mutate("Bridge", is(bridge), vec![put_in("ports", reference)]));
    operations
}

fn named(name: String) -> Value {
    set([Atom::NamedUuid(name)])
}

/// Values for a new row or for columns that are wholly ours.
fn values(columns: Columns) -> Values {
    let value = |cell: Cell| match cell {
        Cell::Whole(value) => value,
        Cell::Keys(entries) => {
            map(&entries.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
        }
        Cell::WhereKnown(_) | Cell::Refs(_) | Cell::SharedRefs(_) => empty(),
    };
    let values = columns.into_iter().map(|(column, cell)| (column.to_owned(), value(cell)));
    values.filter(|(_, value)| !is_empty(value)).collect()
}

/// A device name as a name within a transaction: letters, digits and `_` stay, any other byte becomes `_` and two
/// digits, `_` itself too, so that two devices never share one.
fn identifier(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        other => format!("_{other:02x}"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_devices_never_share_a_name_within_a_transaction() {
        assert_eq!(identifier("84449a46_net1_h"), "84449a46_5fnet1_5fh");
        assert_ne!(identifier("a-b"), identifier("a_b"));
        assert_ne!(identifier("a_"), identifier("a_5f"));
    }
}
