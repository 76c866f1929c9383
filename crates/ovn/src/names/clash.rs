//! The reverse index: which object a name stands for, and who else would want it.

use std::collections::BTreeMap;
use std::fmt;

use super::{router_port, switch_port};

/// What a name is used for.
///
/// Names are compared within one space each: OVN demands that of switch ports among themselves and router ports among
/// themselves, and a router port must not be called as a switch port of the same link is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// A router.
    Router(String),
    /// A switch.
    Switch(String),
    /// The router's end of a link.
    RouterPort {
        /// The router.
        router: String,
        /// The switch.
        switch: String,
    },
    /// The switch's end of a link.
    SwitchPort {
        /// The switch.
        switch: String,
        /// The router.
        router: String,
    },
    /// The port to the router of another VPC.
    PeerPort {
        /// The router that the port is on.
        router: String,
        /// The router at the far end.
        remote: String,
    },
    /// A pod's port.
    PodPort {
        /// The pod's namespace.
        namespace: String,
        /// The pod.
        pod: String,
        /// The network, with `.<interface>` when the pod is attached to it several times.
        provider: String,
    },
    /// A port for something else, described in words.
    OtherPort(String),
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Use::Router(vpc) => write!(f, "router of Vpc {vpc}"),
            Use::Switch(subnet) => write!(f, "switch of Subnet {subnet}"),
            Use::RouterPort { router, switch } => write!(f, "port of Vpc {router} to Subnet {switch}"),
            Use::SwitchPort { switch, router } => write!(f, "port of Subnet {switch} to Vpc {router}"),
            Use::PeerPort { router, remote } => write!(f, "port of Vpc {router} to Vpc {remote}"),
            Use::PodPort { namespace, pod, provider } => {
                write!(f, "port of pod {namespace}/{pod} in network {provider}")
            }
            Use::OtherPort(what) => f.write_str(what),
        }
    }
}

/// Two uses of one name. The one that came first in [`Use`]'s order keeps it, whatever the order of insertion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameClash {
    /// The name that both would have.
    pub name: String,
    /// Who keeps the name.
    pub kept: Use,
    /// Who must be called differently.
    pub refused: Use,
}

impl fmt::Display for NameClash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} would both be called {}", self.refused, self.kept, self.name)
    }
}

/// Every name of the logical network with its uses.
#[derive(Debug, Clone, Default)]
pub struct NameIndex {
    uses: BTreeMap<(Space, String), Vec<Use>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    /// Routers and switches: two ports of equal names result from one name for both.
    Datapath,
    /// Ports of routers and switches: northd knows both in one namespace.
    Port,
}

impl NameIndex {
    /// An index of no names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a router called `vpc`.
    pub fn add_router(&mut self, vpc: &str) {
        self.add(Space::Datapath, vpc, Use::Router(vpc.to_owned()));
    }

    /// Adds a switch called `subnet`.
    pub fn add_switch(&mut self, subnet: &str) {
        self.add(Space::Datapath, subnet, Use::Switch(subnet.to_owned()));
    }

    /// Adds both ends of the link between a router and a switch.
    pub fn add_link(&mut self, router: &str, switch: &str) {
        let (router, switch) = (router.to_owned(), switch.to_owned());
        let name = router_port(&router, &switch);
        self.add(Space::Port, &name, Use::RouterPort { router: router.clone(), switch: switch.clone() });
        let name = switch_port(&switch, &router);
        self.add(Space::Port, &name, Use::SwitchPort { switch, router });
    }

    /// Adds a port called `name`.
    pub fn add_port(&mut self, name: &str, of: Use) {
        self.add(Space::Port, name, of);
    }

    fn add(&mut self, space: Space, name: &str, of: Use) {
        let uses = self.uses.entry((space, name.to_owned())).or_default();
        if let Err(place) = uses.binary_search(&of) {
            uses.insert(place, of);
        }
    }

    /// Who is called `name` among ports, the one who keeps the name first.
    pub fn port(&self, name: &str) -> &[Use] {
        self.uses.get(&(Space::Port, name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Every name with more than one use, in the order of names.
    pub fn clashes(&self) -> impl Iterator<Item = NameClash> {
        self.uses.iter().flat_map(|((_, name), uses)| {
            let (kept, refused) = uses.split_at(1.min(uses.len()));
            kept.iter().flat_map(move |kept| {
                refused.iter().map(move |refused| NameClash {
                    name: name.clone(),
                    kept: kept.clone(),
                    refused: refused.clone(),
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_links_whose_hyphens_fall_together_clash_at_both_ends() {
        let mut index = NameIndex::new();
        index.add_link("a-b", "c");
        index.add_link("a", "b-c");
        let clashes: Vec<_> = index.clashes().map(|clash| clash.to_string()).collect();
        assert_eq!(
            clashes,
            ["port of Vpc a-b to Subnet c and port of Vpc a to Subnet b-c would both be called a-b-c"]
        );
    }

    #[test]
    fn a_vpc_and_a_subnet_of_one_name_clash() {
        let mut index = NameIndex::new();
        index.add_switch("net1");
        index.add_router("net1");
        let clash = index.clashes().next().unwrap();
        assert_eq!(
            clash.to_string(),
            "switch of Subnet net1 and router of Vpc net1 would both be called net1"
        );
    }

    #[test]
    fn a_link_between_namesakes_has_two_ends_of_one_name() {
        let mut index = NameIndex::new();
        index.add_link("x", "x");
        assert_eq!(index.clashes().count(), 1);
    }

    #[test]
    fn a_pod_with_dots_may_look_like_a_pod_in_another_network() {
        let mut index = NameIndex::new();
        for (pod, namespace, provider) in [("a", "b", "x.y.ovn"), ("a.b.x.y", "ovn", "ovn")] {
            let of = Use::PodPort { namespace: namespace.into(), pod: pod.into(), provider: provider.into() };
            index.add_port(&crate::names::pod_port(pod, namespace, provider), of);
        }
        assert_eq!(index.clashes().count(), 1);
        assert_eq!(index.port("a.b.x.y.ovn").len(), 2);
    }

    #[test]
    fn the_verdict_does_not_depend_on_who_came_first() {
        let (mut one, mut other) = (NameIndex::new(), NameIndex::new());
        one.add_link("a-b", "c");
        one.add_link("a", "b-c");
        other.add_link("a", "b-c");
        other.add_link("a-b", "c");
        other.add_link("a-b", "c");
        assert!(one.clashes().eq(other.clashes()));
    }
}
