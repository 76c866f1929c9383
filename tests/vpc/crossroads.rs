//! A VPC with two dual-stack subnets and two ways out, and who takes which.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::lab::Lab;
use tests::{traffic, wait};

use crate::cloud::{Cloud, PATIENCE, Pod, subnet, vpc};
use crate::exit::{Exit, OUTSIDE, OUTSIDE_V6};

/// What the routes of one address family are written with.
pub(crate) struct Family {
    /// The keyword of expressions.
    pub(crate) ip: &'static str,
    /// The ranges of the subnets net1 and net2.
    pub(crate) nets: [&'static str; 2],
    /// The exits, both in net1: `east` and `west`.
    pub(crate) east: &'static str,
    pub(crate) west: &'static str,
    pub(crate) everything: &'static str,
    /// The host behind the exits.
    pub(crate) outside: &'static str,
    /// Ranges around it; the wider one is as long as those of the subnets.
    pub(crate) wide: &'static str,
    pub(crate) narrow: &'static str,
    number: u8,
}

pub(crate) const FAMILIES: [Family; 2] = [
    Family {
        ip: "ip4",
        nets: ["10.0.1.0/24", "10.0.2.0/24"],
        east: "10.0.1.251",
        west: "10.0.1.252",
        everything: "0.0.0.0/0",
        outside: OUTSIDE,
        wide: "203.0.113.0/24",
        narrow: "203.0.113.8/29",
        number: 4,
    },
    Family {
        ip: "ip6",
        nets: ["fd00:10:1::/64", "fd00:10:2::/64"],
        east: "fd00:10:1::251",
        west: "fd00:10:1::252",
        everything: "::/0",
        outside: OUTSIDE_V6,
        wide: "2001:db8:113::/64",
        narrow: "2001:db8:113::8/125",
        number: 6,
    },
];

/// The VPC `v` with its daemon, the exits `east` and `west` in net1, and a pod in each subnet.
pub(crate) struct Crossroads<'a> {
    pub(crate) a: Pod<'a>,
    pub(crate) b: Pod<'a>,
    _exits: [Exit<'a>; 2],
    pub(crate) cloud: Cloud<'a>,
    lab: &'a Lab,
}

impl<'a> Crossroads<'a> {
    #[track_caller]
    pub(crate) fn build(lab: &'a Lab) -> Self {
        vpc(lab, "v", json!({}));
        let [v4, v6] = FAMILIES;
        for (index, name) in ["net1", "net2"].into_iter().enumerate() {
            let cidr = format!("{},{}", v4.nets[index], v6.nets[index]);
            subnet(lab, name, json!({"vpc": "v", "cidrBlock": cidr}));
        }
        let cloud = Cloud::start(lab);
        let exits = [("ns/east", v4.east, v6.east), ("ns/west", v4.west, v6.west)]
            .map(|(name, v4, v6)| Exit::open(&cloud, name, "net1", &format!("{v4},{v6}")));
        let [a, b] = [("ns/a", "net1"), ("ns/b", "net2")].map(|(name, net)| cloud.pod(name, net, ""));
        Self { a, b, _exits: exits, cloud, lab }
    }

    /// Gives the VPC these routes and no policies.
    #[track_caller]
    pub(crate) fn routes(&self, routes: &[Value]) {
        self.rules(routes, &[]);
    }

    /// Gives the VPC these routes and policies in place of those it has.
    #[track_caller]
    pub(crate) fn rules(&self, routes: &[Value], policies: &[Value]) {
        vpc(self.lab, "v", json!({"staticRoutes": routes, "policyRoutes": policies}));
    }
}

/// A static route by destination.
pub(crate) fn to(cidr: &str, next_hop: &str) -> Value {
    json!({"policy": "policyDst", "cidr": cidr, "nextHopIP": next_hop})
}

/// A static route by source.
pub(crate) fn from(cidr: &str, next_hop: &str) -> Value {
    json!({"policy": "policySrc", "cidr": cidr, "nextHopIP": next_hop})
}

/// A policy route.
pub(crate) fn policy(priority: u16, expression: &str, action: &str, next_hop: &str) -> Value {
    json!({"priority": priority, "match": expression, "action": action, "nextHopIP": next_hop})
}

impl Family {
    /// The pod's address with the longest prefix.
    #[track_caller]
    pub(crate) fn single(&self, pod: &Pod<'_>) -> String {
        format!("{}/{}", pod.ip(self.number), if self.number == 4 { 32 } else { 128 })
    }

    /// Waits until all connections of a pod to the outside are answered behind these exits, and behind each of them.
    #[track_caller]
    pub(crate) fn await_ways(&self, pod: &Pod<'_>, exits: &[&str]) {
        let outside = self.outside;
        let server = if self.number == 6 { format!("[{outside}]:8080") } else { format!("{outside}:8080") };
        let wanted: BTreeSet<_> =
            exits.iter().map(|exit| Some(format!("{exit} {}", pod.ip(self.number)))).collect();
        let tries = if exits.len() > 1 { 40 } else { 8 };
        wait::until(&format!("the ways {wanted:?} to {server}"), PATIENCE, || {
            let told: BTreeSet<_> = (0..tries).map(|_| traffic::ask_tcp(pod, &server).ok()).collect();
            (told == wanted).then_some(())
        });
    }
}
