//! Who stays when two objects exclude each other: the one that stood there before, else the one that pods use, else the
//! older, else the first by name.
//!
//! So that neither an object made later nor an edit takes anything from one that works, whatever the two are called.

use std::collections::BTreeMap;

use crds::{Meta, Subnet};

use super::{is_of, vpc_of};
use crate::facts::{Facts, Place};
use crate::finding::{Fault, Object, Reason};
use crate::net::nets;

/// Sorts the one that stays first. Times of RFC 3339 in UTC sort as text; an object from a file has none.
type Rank<'a> = (bool, bool, &'a str, &'a str);

fn created(meta: &Meta) -> &str {
    meta.other.get("creationTimestamp").and_then(|time| time.as_str()).unwrap_or("")
}

fn rank_of_subnet<'a>(subnet: &'a Subnet, facts: &Facts) -> Rank<'a> {
    let name = subnet.name();
    let has_stood = facts.accepted.get(name).is_some_and(|place| is_within(subnet, place));
    (!has_stood, !facts.ports.use_subnet(name), created(&subnet.meta), name)
}

/// Whether the subnet claims no address that it did not have already.
fn is_within(subnet: &Subnet, place: &Place) -> bool {
    let spec = &subnet.spec;
    let had = |cidr: &ipnet::IpNet| place.ranges.iter().any(|range| range.contains(cidr));
    vpc_of(spec) == place.vpc
        && nets(&spec.cidr_block, &spec.gateway).is_ok_and(|nets| nets.iter().all(|net| had(&net.cidr)))
}

/// All subnets, the one that stays first.
pub(super) fn by_rank(facts: &Facts) -> Vec<&Subnet> {
    let mut subnets: Vec<&Subnet> = facts.subnets.values().map(AsRef::as_ref).collect();
    subnets.sort_by_cached_key(|subnet| {
        let (is_new, unused, created, name) = rank_of_subnet(subnet, facts);
        (is_new, unused, created.to_owned(), name.to_owned())
    });
    subnets
}

/// The Vpcs and Subnets that must go because one of the other kind has their name.
pub(super) fn namesakes(facts: &Facts) -> BTreeMap<Object, Fault> {
    let mut unwanted = BTreeMap::new();
    for (name, vpc) in &facts.vpcs {
        let Some(subnet) = facts.subnets.get(name) else { continue };
        let is_vpc_used = facts.subnets.values().any(|s| is_of(s, name) && facts.ports.use_subnet(s.name()));
        let vpc_rank = (!is_vpc_used, created(&vpc.meta));
        let (_, unused, created, _) = rank_of_subnet(subnet, facts);
        let (loser, winner) = if vpc_rank <= (unused, created) {
            (Object::Subnet(name.clone()), Object::Vpc(name.clone()))
        } else {
            (Object::Vpc(name.clone()), Object::Subnet(name.clone()))
        };
        let message =
            format!("{winner} has the same name, which makes their ports' names equal; rename this one");
        unwanted.insert(loser, Fault::new(Reason::NameTaken, message));
    }
    unwanted
}
