//! The snapshot that a plan is made from: objects and pod ports as plain values, the same on every node.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crds::{Subnet, Vpc};
use ipnet::IpNet;
use ovn::address::Mac;
use ovn::names::{pod_interface_port, pod_port};

/// Everything that a plan depends on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Every `Vpc`, by name.
    pub vpcs: BTreeMap<String, Arc<Vpc>>,
    /// Every `Subnet`, by name.
    pub subnets: BTreeMap<String, Arc<Subnet>>,
    /// Every interface of a pod that has addresses.
    pub ports: Ports,
    /// The subnets that were accepted when somebody looked last, and where. Of two that exclude each other, such a one
    /// stays: neither a new object nor an edit of another one takes a subnet away from its pods.
    pub accepted: BTreeMap<String, Place>,
    /// What holds for the whole cluster.
    pub settings: Settings,
}

/// Where a subnet was accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The VPC.
    pub vpc: String,
    /// Its ranges, without host bits.
    pub ranges: Vec<IpNet>,
}

/// What holds for the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Largest packet of a pod's interface where its subnet says nothing, in bytes.
    pub mtu: u32,
    /// The addresses of the nodes in the default VPC, which may reach the pods of its private subnets.
    pub node_ranges: Vec<IpNet>,
    /// The addresses from which probes come into custom VPCs. When there are any, every switch of a custom VPC gets the
    /// ACL that drops the copies of their answers, and no subnet may contain one of them.
    pub probe_addresses: Vec<IpAddr>,
    /// The node whose pods the ports are, by its `system-id`, when every node keeps its own; `None` when one program keeps
    /// those of all nodes.
    pub chassis: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        // 1500 less what Geneve adds, as upstream.
        Self { mtu: 1400, node_ranges: Vec::new(), probe_addresses: Vec::new(), chassis: None }
    }
}

/// How much may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meter {
    /// kbit/s, at least 1.
    pub rate: u32,
    /// How much may exceed the rate for a moment, in kbit.
    pub burst: u32,
}

/// One interface of a pod that has addresses of an OVN subnet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortFact {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod; the machine's name for the pods of a virtual machine.
    pub pod: String,
    /// The network: `ovn` or `<attachment>.<namespace>.ovn`.
    pub provider: String,
    /// The interface, when the pod is attached to the network several times, else `None`.
    pub interface: Option<String>,
    /// The subnet that the addresses are from.
    pub subnet: String,
    /// The addresses, one of a family at most.
    pub addresses: Vec<IpAddr>,
    /// The Ethernet address.
    pub mac: Mac,
    /// The most that the pod may send; `None` for no limit.
    pub out_of_pod: Option<Meter>,
    /// May send from these addresses only. Off for pods that forward the traffic of others.
    pub port_security: bool,
    /// Made by us for the tenant (a NAT gateway, a name server): the namespace lists do not apply to it.
    pub is_ours: bool,
}

impl PortFact {
    /// The name of the switch port, which is also the interface's `iface-id`.
    pub fn name(&self) -> String {
        match &self.interface {
            Some(interface) => pod_interface_port(&self.pod, &self.namespace, &self.provider, interface),
            None => pod_port(&self.pod, &self.namespace, &self.provider),
        }
    }

    /// `<namespace>/<pod>`.
    pub fn pod_ref(&self) -> String {
        format!("{}/{}", self.namespace, self.pod)
    }
}

/// Every interface of a pod that has addresses, to be looked up by switch port, subnet and pod.
///
/// Two pods whose names put together are one port's name are both kept; the first in order gets the port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports {
    /// By the name of the switch port; rarely more than one, sorted.
    by_name: BTreeMap<String, Vec<Arc<PortFact>>>,
    /// The names of the switch ports of a subnet, counted.
    by_subnet: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Ports {
    /// Adds an interface, or replaces what is known of it.
    pub fn insert(&mut self, port: PortFact) {
        self.remove(&port);
        let name = port.name();
        *self.by_subnet.entry(port.subnet.clone()).or_default().entry(name.clone()).or_default() += 1;
        let same_name = self.by_name.entry(name).or_default();
        same_name.push(Arc::new(port));
        same_name.sort();
    }

    /// Removes an interface: the one of the same pod, provider and interface as `port`, whatever else is known of it.
    pub fn remove(&mut self, port: &PortFact) {
        let name = port.name();
        let Some(same_name) = self.by_name.get_mut(&name) else { return };
        let Some(place) = same_name.iter().position(|found| is_same(found, port)) else { return };
        let subnet = same_name.remove(place).subnet.clone();
        if same_name.is_empty() {
            self.by_name.remove(&name);
        }
        let Some(names) = self.by_subnet.get_mut(&subnet) else { return };
        if let Some(count) = names.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                names.remove(&name);
            }
        }
        if names.is_empty() {
            self.by_subnet.remove(&subnet);
        }
    }

    /// The interfaces that would all be called `name`; the first gets the port.
    pub fn of_name(&self, name: &str) -> &[Arc<PortFact>] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The interfaces with addresses of `subnet`, by the name of their ports.
    pub fn of_subnet<'a>(&'a self, subnet: &'a str) -> impl Iterator<Item = &'a Arc<PortFact>> {
        let names = self.by_subnet.get(subnet).into_iter().flat_map(BTreeMap::keys);
        names.flat_map(|name| self.of_name(name)).filter(move |port| port.subnet == subnet)
    }

    /// How many interfaces have addresses of `subnet`.
    pub fn count_of_subnet(&self, subnet: &str) -> usize {
        self.by_subnet.get(subnet).map_or(0, |names| names.values().sum())
    }

    /// True when some interface has addresses of `subnet`.
    pub fn use_subnet(&self, subnet: &str) -> bool {
        self.by_subnet.contains_key(subnet)
    }

    /// The subnets that ports have addresses of.
    pub fn subnets(&self) -> impl Iterator<Item = &str> {
        self.by_subnet.keys().map(String::as_str)
    }

    /// Every interface, by the name of its port.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<PortFact>> {
        self.by_name.values().flatten()
    }

    /// The interfaces of a pod. Looks at those whose port's name begins as the pod's does.
    pub fn of_pod<'a>(&'a self, namespace: &'a str, pod: &'a str) -> impl Iterator<Item = &'a Arc<PortFact>> {
        let stem = format!("{pod}.{namespace}");
        let after = self.by_name.range(stem.clone()..);
        let of_stem = after.take_while(move |(name, _)| name.starts_with(&stem));
        of_stem.flat_map(|(_, ports)| ports).filter(move |p| p.namespace == namespace && p.pod == pod)
    }
}

impl FromIterator<PortFact> for Ports {
    fn from_iter<I: IntoIterator<Item = PortFact>>(ports: I) -> Self {
        let mut all = Self::default();
        ports.into_iter().for_each(|port| all.insert(port));
        all
    }
}

fn is_same(one: &PortFact, other: &PortFact) -> bool {
    let identity =
        |p: &PortFact| (p.namespace.clone(), p.pod.clone(), p.provider.clone(), p.interface.clone());
    identity(one) == identity(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(pod: &str, namespace: &str, provider: &str, subnet: &str) -> PortFact {
        PortFact {
            namespace: namespace.into(),
            pod: pod.into(),
            provider: provider.into(),
            interface: None,
            subnet: subnet.into(),
            addresses: vec!["10.0.1.2".parse().unwrap()],
            mac: Mac::new([2, 0, 0, 0, 0, 1]),
            out_of_pod: None,
            port_security: true,
            is_ours: false,
        }
    }

    #[test]
    fn an_interface_that_moves_to_another_subnet_leaves_the_old_one() {
        let mut ports = Ports::default();
        ports.insert(port("a", "ns", "ovn", "net1"));
        ports.insert(port("a", "ns", "ovn", "net2"));

        assert!(!ports.use_subnet("net1"));
        assert_eq!(ports.count_of_subnet("net2"), 1);
        assert_eq!(ports.of_subnet("net2").count(), 1);
    }

    #[test]
    fn two_pods_of_one_port_name_are_both_known() {
        let twins = [port("a", "b", "x.y.ovn", "net1"), port("a.b.x.y", "ovn", "ovn", "net2")];
        let mut ports: Ports = twins.iter().cloned().collect();

        assert_eq!(ports.of_name("a.b.x.y.ovn").len(), 2);
        assert_eq!(ports.of_pod("b", "a").count(), 1);
        ports.remove(&twins[0]);
        assert_eq!(ports.of_name("a.b.x.y.ovn").len(), 1);
        ports.remove(&twins[1]);
        assert_eq!(ports, Ports::default());
    }
}
