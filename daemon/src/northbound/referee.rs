//! Whether another port of the same switch has a pod's address. Pure.
//!
//! Several nodes may share a northbound database, each with a ledger of its own. A port goes in first and is judged then:
//! of two nodes that choose one address at the same time, each transaction but the first meets the other's port.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ovn::nb::Table;
use ovn::owner::Standing;
use ovn::snapshot::{FoundRow, Snapshot};
use ovsdb::value::Uuid;
use vpc::PortFact;

/// A port of somebody else's with an address of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rival {
    /// The address.
    pub(super) address: IpAddr,
    /// The other port's name.
    pub(super) name: String,
}

/// The port that has an address of `port`, and is none of ours.
pub(super) fn rival(found: &Snapshot, port: &PortFact) -> Option<Rival> {
    let switches: Vec<Uuid> = found.named(Table::LogicalSwitch, &port.subnet).collect();
    let places = switches.iter().flat_map(|switch| port.addresses.iter().map(move |ip| (*switch, *ip)));
    places.flat_map(|(switch, ip)| found.addressed(switch, ip).map(move |row| (ip, row))).find_map(
        |(address, uuid)| {
            // A foreign row of the port's own name is in the way as a whole, whatever its address.
            let is_rival = |row: &&FoundRow| !is_ours(row) && row.name() != Some(&port.name());
            let row = found.row(uuid).filter(is_rival)?;
            Some(Rival { address, name: row.name().unwrap_or_default().to_owned() })
        },
    )
}

/// Whether the database has a port of ours of this name.
pub(super) fn is_in(found: &Snapshot, name: &str) -> bool {
    found.named(Table::LogicalSwitchPort, name).filter_map(|uuid| found.row(uuid)).any(is_ours)
}

fn is_ours(row: &FoundRow) -> bool {
    matches!(row.standing(), Standing::Owned(_))
}

/// The ports that gave way, by name, as they were when they did.
#[derive(Debug, Default)]
pub(super) struct Lost(BTreeMap<String, (PortFact, Rival)>);

impl Lost {
    /// A port gives way.
    pub(super) fn add(&mut self, port: PortFact, rival: Rival) {
        self.0.insert(port.name(), (port, rival));
    }

    /// To whom this port gave way; not one of its name with other addresses.
    pub(super) fn to(&self, port: &PortFact) -> Option<&Rival> {
        self.0.get(&port.name()).filter(|(lost, _)| lost == port).map(|(_, rival)| rival)
    }

    /// To whom the port of this name gave way.
    pub(super) fn to_name(&self, port: &str) -> Option<&Rival> {
        self.0.get(port).map(|(_, rival)| rival)
    }

    /// Forgets the pod's ports that `stays` does not hold for.
    pub(super) fn retain(&mut self, namespace: &str, pod: &str, stays: impl Fn(&PortFact) -> bool) {
        self.0.retain(|_, (port, _)| port.namespace != namespace || port.pod != pod || stays(port));
    }

    /// Takes the port of this name out when something holds for it.
    pub(super) fn take_if(&mut self, name: &str, holds: impl FnOnce(&PortFact) -> bool) -> Option<PortFact> {
        let (port, _) = self.0.get(name)?;
        if holds(port) { self.0.remove(name).map(|(port, _)| port) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use ovn::cell::FoundColumns;
    use ovn::owner::{CHASSIS_KEY, OWNER_KEY};
    use ovsdb::value::Value;

    use super::*;

    fn fact() -> PortFact {
        PortFact {
            namespace: "ns".into(),
            pod: "a".into(),
            provider: "ovn".into(),
            interface: None,
            subnet: "net1".into(),
            addresses: vec!["10.0.1.5".parse().unwrap()],
            mac: ovn::address::Mac::new([2, 0, 0, 0, 0, 5]),
            out_of_pod: None,
            port_security: true,
            is_ours: false,
        }
    }

    /// A switch with ports, each with the address 10.0.1.5.
    fn switch(name: &str, first: u8, ports: &[(&str, &str)]) -> Snapshot {
        let mut found = Snapshot::on("n1");
        let uuid = |number: usize| Uuid([first + u8::try_from(number).unwrap(); 16]);
        for (number, (port, chassis)) in ports.iter().enumerate() {
            let ids = [("vendor", "kube-ovn"), (OWNER_KEY, "pod/ns/x"), (CHASSIS_KEY, chassis)];
            let columns = [
                ("name", (*port).into()),
                ("addresses", "02:00:00:00:00:09 10.0.1.5".into()),
                ("external_ids", if chassis.is_empty() { Value::map([("a", "b")]) } else { Value::map(ids) }),
            ];
            let columns: FoundColumns = columns.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            found.put(Table::LogicalSwitchPort, uuid(number + 1), columns);
        }
        let held = Value::set((1..=ports.len()).map(uuid));
        let columns = FoundColumns::from([("name".to_owned(), name.into()), ("ports".to_owned(), held)]);
        found.put(Table::LogicalSwitch, uuid(0), columns);
        found
    }

    fn rival_in(name: &str, ports: &[(&str, &str)]) -> Option<String> {
        rival(&switch(name, 1, ports), &fact()).map(|rival| rival.name)
    }

    #[test]
    fn a_port_of_another_node_or_of_a_person_is_a_rival_and_our_own_is_none() {
        assert_eq!(rival_in("net1", &[("a.ns", "n1")]), None);
        assert_eq!(rival_in("net1", &[("a.ns", "n1"), ("b.ns", "n2")]), Some("b.ns".into()));
        assert_eq!(rival_in("net1", &[("a.ns", "n1"), ("by-hand", "")]), Some("by-hand".into()));
        assert_eq!(rival_in("net2", &[("b.ns", "n2")]), None);
        assert_eq!(rival_in("net1", &[("a.ns", "n2")]), None, "its own name is taken, not its address");
    }

    #[test]
    fn a_port_that_gave_way_may_come_again_with_another_address() {
        let mut lost = Lost::default();
        let rival = Rival { address: "10.0.1.5".parse().unwrap(), name: "b".into() };
        lost.add(fact(), rival);
        let other = PortFact { addresses: vec!["10.0.1.6".parse().unwrap()], ..fact() };

        assert!(lost.to(&fact()).is_some() && lost.to(&other).is_none());
        lost.retain("ns", "a", |port| *port == other);
        assert!(lost.to_name("a.ns").is_none());
    }
}
