//! The subnets that have their place already when a daemon starts, read from the database's rows. Pure.

use std::collections::BTreeMap;

use crds::Subnet;
use ipnet::IpNet;
use ovn::names::router_port;
use ovn::nb::Table;
use ovn::owner::{Owner, Standing};
use ovn::snapshot::{FoundRow, Snapshot};
use ovsdb::value::{Atom, Value};
use vpc::{Facts, Place};

use super::departing::{is_ovn, vpc_of};

/// The places of the subnets whose routers have a port of ours to them.
pub(super) fn of(facts: &Facts, found: &Snapshot) -> BTreeMap<String, Place> {
    let subnets = facts.subnets.values().filter(|subnet| is_ovn(subnet));
    subnets.filter_map(|subnet| Some((subnet.name().to_owned(), place(subnet, found)?))).collect()
}

fn place(subnet: &Subnet, found: &Snapshot) -> Option<Place> {
    let vpc = vpc_of(subnet);
    let owner = Owner::vpc(vpc);
    let port = router_port(vpc, subnet.name());
    let mut rows = found.named(Table::LogicalRouterPort, &port).filter_map(|uuid| found.row(uuid));
    let row = rows.find(|row| matches!(row.standing(), Standing::Owned(found) if *found == owner))?;
    Some(Place { vpc: vpc.to_owned(), ranges: networks(row) })
}

fn networks(row: &FoundRow) -> Vec<IpNet> {
    let column = row.read().0.get("networks");
    let network = |atom: &Atom| if let Atom::String(text) = atom { text.parse::<IpNet>().ok() } else { None };
    column.into_iter().flat_map(Value::elements).filter_map(network).map(|network| network.trunc()).collect()
}
