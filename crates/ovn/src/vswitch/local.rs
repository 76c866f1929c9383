//! What the node's Open vSwitch holds; kept current row by row.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ovsdb::value::Uuid;

use super::{Bridge, Interface, OpenVSwitch, Port, Qos, Shaping};
use crate::cell::{Found, FoundColumns};

/// A table of the node's Open vSwitch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalTable {
    /// `Open_vSwitch`.
    OpenVSwitch,
    /// `Bridge`.
    Bridge,
    /// `Port`.
    Port,
    /// `Interface`.
    Interface,
    /// `QoS`.
    Qos,
    /// `Queue`.
    Queue,
}

impl LocalTable {
    /// Every table there is.
    pub const ALL: [LocalTable; 6] = [
        LocalTable::OpenVSwitch,
        LocalTable::Bridge,
        LocalTable::Port,
        LocalTable::Interface,
        LocalTable::Qos,
        LocalTable::Queue,
    ];

    /// Its name in the schema.
    pub fn name(self) -> &'static str {
        match self {
            LocalTable::OpenVSwitch => "Open_vSwitch",
            LocalTable::Bridge => "Bridge",
            LocalTable::Port => "Port",
            LocalTable::Interface => "Interface",
            LocalTable::Qos => "QoS",
            LocalTable::Queue => "Queue",
        }
    }

    /// The table of this name in the schema.
    pub fn of_name(name: &str) -> Option<LocalTable> {
        LocalTable::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The columns to watch.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            LocalTable::OpenVSwitch => OpenVSwitch::COLUMNS,
            LocalTable::Bridge => Bridge::COLUMNS,
            LocalTable::Port => Port::COLUMNS,
            LocalTable::Interface => Interface::COLUMNS,
            LocalTable::Qos => Qos::COLUMNS,
            LocalTable::Queue => Shaping::COLUMNS,
        }
    }
}

impl fmt::Display for LocalTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the node's Open vSwitch holds. Feed it every row of the tables in [`LocalTable::ALL`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Local {
    rows: BTreeMap<LocalTable, BTreeMap<Uuid, Arc<FoundColumns>>>,
}

impl Local {
    /// An empty database.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a row that is new or has changed.
    pub fn put(&mut self, table: LocalTable, uuid: Uuid, columns: impl Into<Arc<FoundColumns>>) {
        self.rows.entry(table).or_default().insert(uuid, columns.into());
    }

    /// Takes out a row that is gone.
    pub fn remove(&mut self, table: LocalTable, uuid: Uuid) {
        if let Some(rows) = self.rows.get_mut(&table) {
            rows.remove(&uuid);
        }
    }

    /// The rows of a table in the order of their UUIDs.
    pub fn rows(&self, table: LocalTable) -> impl Iterator<Item = (Uuid, Found<'_>)> {
        self.rows.get(&table).into_iter().flatten().map(|(uuid, columns)| (*uuid, Found(columns.as_ref())))
    }

    /// One row.
    pub fn row(&self, table: LocalTable, uuid: Uuid) -> Option<Found<'_>> {
        self.rows.get(&table)?.get(&uuid).map(|columns| Found(columns.as_ref()))
    }

    /// The node's settings.
    pub fn settings(&self) -> OpenVSwitch {
        let (_, row) = self.rows(LocalTable::OpenVSwitch).next().unzip();
        row.map_or_else(|| OpenVSwitch::read(Found(&FoundColumns::new())), OpenVSwitch::read)
    }

    /// The bridge of this name.
    pub fn bridge(&self, name: &str) -> Option<(Uuid, Bridge)> {
        self.bridges().find(|(_, bridge)| bridge.name == name)
    }

    /// All bridges.
    pub fn bridges(&self) -> impl Iterator<Item = (Uuid, Bridge)> {
        self.rows(LocalTable::Bridge).filter_map(|(uuid, row)| Some((uuid, Bridge::read(row)?)))
    }

    /// All ports.
    pub fn ports(&self) -> impl Iterator<Item = (Uuid, Port)> {
        self.rows(LocalTable::Port).filter_map(|(uuid, row)| Some((uuid, Port::read(row)?)))
    }

    /// All interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = (Uuid, Interface)> {
        self.rows(LocalTable::Interface).filter_map(|(uuid, row)| Some((uuid, Interface::read(row)?)))
    }

    /// The interface of this device name.
    pub fn interface(&self, name: &str) -> Option<(Uuid, Interface)> {
        self.interfaces().find(|(_, interface)| interface.name == name)
    }

    /// The port that an interface is the only one of.
    pub(super) fn port_of(&self, interface: Uuid) -> Option<(Uuid, Port)> {
        self.ports().find(|(_, port)| port.interfaces.len() == 1 && port.interfaces.contains(&interface))
    }

    /// A port's queues, when they were made for a pod.
    pub(super) fn pod_qos(&self, port: &Port) -> Option<(Uuid, Qos)> {
        let uuid = port.qos?;
        let qos = Qos::read(self.row(LocalTable::Qos, uuid)?);
        qos.iface_id.is_some().then_some((uuid, qos))
    }
}
