//! Who stays when two objects exclude each other: the one that pods use, of two such the one that stood before, else the
//! older, else the first by name.
//!
//! So that an object made later takes nothing from one that works, whatever the two are called.

use std::collections::BTreeMap;

use crds::{Meta, Subnet};

use super::is_of;
use crate::facts::Facts;
use crate::finding::{Fault, Object, Reason};

/// Sorts the one that stays first. Times of RFC 3339 in UTC sort as text; an object from a file has none.
type Rank<'a> = (bool, bool, &'a str, &'a str);

fn created(meta: &Meta) -> &str {
    meta.other.get("creationTimestamp").and_then(|time| time.as_str()).unwrap_or("")
}

fn rank_of_subnet<'a>(subnet: &'a Subnet, facts: &Facts) -> Rank<'a> {
    let (name, is_used) = (subnet.name(), facts.ports.use_subnet(subnet.name()));
    (!is_used, !(is_used && facts.accepted.contains(name)), created(&subnet.meta), name)
}

/// All subnets, the one that stays first.
pub(super) fn by_rank(facts: &Facts) -> Vec<&Subnet> {
    let mut subnets: Vec<&Subnet> = facts.subnets.values().map(AsRef::as_ref).collect();
    subnets.sort_by_cached_key(|subnet| {
        let (unused, is_new, created, name) = rank_of_subnet(subnet, facts);
        (unused, is_new, created.to_owned(), name.to_owned())
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
        let (unused, _, created, _) = rank_of_subnet(subnet, facts);
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
