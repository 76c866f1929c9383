//! What the northbound database holds, with the indexes that a change needs; kept current row by row.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use ovsdb::value::{Atom, Uuid};

use crate::cell::{Found, FoundColumns};
use crate::nb::{self, Table};
use crate::owner::{CHASSIS_KEY, Owner, Standing};
use crate::wanted::Key;

/// One found row.
#[derive(Debug, Clone)]
pub struct FoundRow {
    pub(crate) table: Table,
    pub(crate) columns: FoundColumns,
    pub(crate) standing: Standing,
    /// The row's part of a [`Key`].
    name: Option<String>,
    /// The addresses of a switch port.
    addresses: Vec<IpAddr>,
}

impl FoundRow {
    fn new(table: Table, columns: FoundColumns, chassis: Option<&str>) -> Self {
        let row = Found(&columns);
        let is_of_another_node =
            || chassis.zip(row.external_id(CHASSIS_KEY)).is_some_and(|(ours, found)| ours != found);
        let standing = match Standing::of(|key| row.external_id(key)) {
            Standing::Owned(_) if is_of_another_node() => Standing::Foreign,
            standing @ (Standing::Owned(_) | Standing::Unclaimed | Standing::Foreign) => standing,
        };
        let name = found_name(table, &row);
        let addresses = if table == Table::LogicalSwitchPort { addresses(&columns) } else { Vec::new() };
        Self { table, columns, standing, name, addresses }
    }

    /// The row's table.
    pub fn table(&self) -> Table {
        self.table
    }

    /// Its columns, for reading.
    pub fn read(&self) -> Found<'_> {
        Found(&self.columns)
    }

    /// How it stands to us.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The name, or what stands for one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The IP addresses that a switch delivers to it, for a switch port.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The rows that it holds.
    fn children(&self) -> BTreeSet<Uuid> {
        self.table.holds().iter().flat_map(|(column, _)| self.read().references(column)).collect()
    }
}

/// The IP addresses in the texts of `addresses`, without those that stand there for a range.
fn addresses(columns: &FoundColumns) -> Vec<IpAddr> {
    let texts = columns.get("addresses").into_iter().flat_map(|column| column.elements());
    let words = texts.filter_map(|atom| if let Atom::String(text) = atom { Some(text) } else { None });
    words.flat_map(|text| text.split_whitespace()).filter_map(|word| word.parse().ok()).collect()
}

fn found_name(table: Table, row: &Found<'_>) -> Option<String> {
    match table {
        Table::LogicalRouter => nb::LogicalRouter::found_name(row),
        Table::LogicalSwitch => nb::LogicalSwitch::found_name(row),
        Table::LoadBalancer => nb::LoadBalancer::found_name(row),
        Table::DhcpOptions => nb::DhcpOptions::found_name(row),
        Table::PortGroup => nb::PortGroup::found_name(row),
        Table::LogicalRouterPort => nb::LogicalRouterPort::found_name(row),
        Table::LogicalRouterStaticRoute => nb::LogicalRouterStaticRoute::found_name(row),
        Table::LogicalRouterPolicy => nb::LogicalRouterPolicy::found_name(row),
        Table::LogicalSwitchPort => nb::LogicalSwitchPort::found_name(row),
        Table::Acl => nb::Acl::found_name(row),
        Table::Qos => nb::Qos::found_name(row),
        Table::LoadBalancerHealthCheck => nb::LoadBalancerHealthCheck::found_name(row),
    }
}

/// What the northbound database holds. Feed it every row of the tables in [`Table::ALL`], ours or not, in any order.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    rows: BTreeMap<Uuid, FoundRow>,
    parents: HashMap<Uuid, Uuid>,
    named: HashMap<(Table, String), BTreeSet<Uuid>>,
    within: HashMap<(Uuid, Table, String), BTreeSet<Uuid>>,
    owned: BTreeMap<Owner, BTreeSet<Uuid>>,
    /// The switch ports with an address, by their switch.
    addressed: HashMap<(Uuid, IpAddr), BTreeSet<Uuid>>,
    /// The node that looks at it.
    chassis: Option<String>,
}

impl Snapshot {
    /// An empty database.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty database as the node of this `system-id` sees it: rows that another node keeps are foreign.
    pub fn on(chassis: impl Into<String>) -> Self {
        Self { chassis: Some(chassis.into()), ..Self::default() }
    }

    /// Takes in a row that is new or has changed.
    pub fn put(&mut self, table: Table, uuid: Uuid, columns: FoundColumns) {
        let row = FoundRow::new(table, columns, self.chassis.as_deref());
        let before = self.rows.get(&uuid).map(FoundRow::children).unwrap_or_default();
        let after = row.children();
        self.forget_keys(uuid);
        for child in before.difference(&after) {
            self.part(uuid, *child);
        }
        for child in after.difference(&before) {
            self.join(uuid, *child);
        }
        self.rows.insert(uuid, row);
        self.learn_keys(uuid);
    }

    /// Takes out a row that is gone.
    pub fn remove(&mut self, uuid: Uuid) {
        self.forget_keys(uuid);
        if let Some(row) = self.rows.remove(&uuid) {
            for child in row.children() {
                self.part(uuid, child);
            }
        }
    }

    fn join(&mut self, parent: Uuid, child: Uuid) {
        self.forget_keys(child);
        self.parents.insert(child, parent);
        self.learn_keys(child);
    }

    fn part(&mut self, parent: Uuid, child: Uuid) {
        if self.parents.get(&child) == Some(&parent) {
            self.forget_keys(child);
            self.parents.remove(&child);
            self.learn_keys(child);
        }
    }

    fn forget_keys(&mut self, uuid: Uuid) {
        let Some(row) = self.rows.get(&uuid) else { return };
        if let Standing::Owned(owner) = &row.standing {
            drop_from(&mut self.owned, owner, uuid);
        }
        if let Some(parent) = self.parents.get(&uuid) {
            for ip in &row.addresses {
                drop_from_hash(&mut self.addressed, &(*parent, *ip), uuid);
            }
        }
        let Some(name) = &row.name else { return };
        if row.table.is_nameless() {
            if let Some(parent) = self.parents.get(&uuid) {
                drop_from_hash(&mut self.within, &(*parent, row.table, name.clone()), uuid);
            }
        } else {
            drop_from_hash(&mut self.named, &(row.table, name.clone()), uuid);
        }
    }

    fn learn_keys(&mut self, uuid: Uuid) {
        let Some(row) = self.rows.get(&uuid) else { return };
        if let Standing::Owned(owner) = &row.standing {
            self.owned.entry(owner.clone()).or_default().insert(uuid);
        }
        if let Some(parent) = self.parents.get(&uuid) {
            for ip in &row.addresses {
                self.addressed.entry((*parent, *ip)).or_default().insert(uuid);
            }
        }
        let Some(name) = &row.name else { return };
        if row.table.is_nameless() {
            if let Some(parent) = self.parents.get(&uuid) {
                self.within.entry((*parent, row.table, name.clone())).or_default().insert(uuid);
            }
        } else {
            self.named.entry((row.table, name.clone())).or_default().insert(uuid);
        }
    }

    /// The row of this UUID.
    pub fn row(&self, uuid: Uuid) -> Option<&FoundRow> {
        self.rows.get(&uuid)
    }

    /// All rows in the order of their UUIDs.
    pub fn rows(&self) -> impl Iterator<Item = (Uuid, &FoundRow)> {
        self.rows.iter().map(|(uuid, row)| (*uuid, row))
    }

    /// The row that holds this one.
    pub fn parent(&self, uuid: Uuid) -> Option<Uuid> {
        self.parents.get(&uuid).copied()
    }

    /// The rows made for this object.
    pub fn owned(&self, owner: &Owner) -> impl Iterator<Item = Uuid> {
        self.owned.get(owner).into_iter().flatten().copied()
    }

    /// Those for whom there are rows.
    pub fn owners(&self) -> impl Iterator<Item = &Owner> {
        self.owned.keys()
    }

    /// The rows that have this name of their own, the lowest UUID first.
    pub fn named(&self, table: Table, name: &str) -> impl Iterator<Item = Uuid> {
        self.named.get(&(table, name.to_owned())).into_iter().flatten().copied()
    }

    /// The ports of a switch that have this address.
    pub fn addressed(&self, switch: Uuid, address: IpAddr) -> impl Iterator<Item = Uuid> {
        self.addressed.get(&(switch, address)).into_iter().flatten().copied()
    }

    /// The rows of this key, the lowest UUID first. `parent` is the row that holds those without a name.
    pub(crate) fn candidates(&self, key: &Key, parent: Option<Uuid>) -> Vec<Uuid> {
        match (&key.within, parent) {
            (None, _) => self.named(key.table, &key.name).collect(),
            (Some(_), None) => Vec::new(),
            (Some(_), Some(parent)) => {
                let place = (parent, key.table, key.name.clone());
                self.within.get(&place).into_iter().flatten().copied().collect()
            }
        }
    }
}

fn drop_from(index: &mut BTreeMap<Owner, BTreeSet<Uuid>>, owner: &Owner, uuid: Uuid) {
    if let Some(rows) = index.get_mut(owner) {
        rows.remove(&uuid);
        if rows.is_empty() {
            index.remove(owner);
        }
    }
}

fn drop_from_hash<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<Uuid>>, key: &K, uuid: Uuid) {
    if let Some(rows) = index.get_mut(key) {
        rows.remove(&uuid);
        if rows.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
