//! The tag on our rows: whose they are, so that they are found and removed by owner and never by a recomputed match.
//!
//! Three kinds of rows follow from it, see [`Standing`]:
//!
//! - **foreign** (no `vendor=kube-ovn`): never changed, never removed;
//! - **unclaimed** (the vendor tag alone, as upstream writes it): taken over by whoever wants a row with the same
//!   natural key, which adds the owner key. Unclaimed routes, policies, ACLs and QoS rules of a router or switch that
//!   we own are ours with it, and go when nobody wants them. Any other unclaimed row is left where it is;
//! - **owned**: removed when its owner wants it no more.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Key of `external_ids` that says a row belongs to this product.
pub const VENDOR_KEY: &str = "vendor";
/// Value of [`VENDOR_KEY`], the same as upstream's.
pub const VENDOR: &str = "kube-ovn";
/// Key of `external_ids` that names the owner, e.g. `vpc/test-vpc-1`.
pub const OWNER_KEY: &str = "kube-ovn-owner";
/// Key of `external_ids` that names the node which keeps the row, by its `system-id`, where several nodes share a database.
pub const CHASSIS_KEY: &str = "kube-ovn-chassis";

/// What kind of object a row was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerKind {
    /// A `Vpc`.
    Vpc,
    /// A `Subnet`.
    Subnet,
    /// A pod, named `<namespace>/<pod>`.
    Pod,
    /// A `VpcNatGateway`.
    NatGateway,
    /// A `SwitchLBRule`.
    SwitchLbRule,
    /// A `Vip`.
    Vip,
    /// A node.
    Node,
}

impl OwnerKind {
    /// Every kind there is.
    pub const ALL: [OwnerKind; 7] = [
        OwnerKind::Vpc,
        OwnerKind::Subnet,
        OwnerKind::Pod,
        OwnerKind::NatGateway,
        OwnerKind::SwitchLbRule,
        OwnerKind::Vip,
        OwnerKind::Node,
    ];

    /// The word in the tag.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnerKind::Vpc => "vpc",
            OwnerKind::Subnet => "subnet",
            OwnerKind::Pod => "pod",
            OwnerKind::NatGateway => "vpc-nat-gateway",
            OwnerKind::SwitchLbRule => "switch-lb-rule",
            OwnerKind::Vip => "vip",
            OwnerKind::Node => "node",
        }
    }
}

/// The object that a row was made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    kind: OwnerKind,
    name: String,
}

impl Owner {
    /// The object of this kind and name.
    pub fn new(kind: OwnerKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// The VPC of this name.
    pub fn vpc(name: impl Into<String>) -> Self {
        Self::new(OwnerKind::Vpc, name)
    }

    /// The subnet of this name.
    pub fn subnet(name: impl Into<String>) -> Self {
        Self::new(OwnerKind::Subnet, name)
    }

    /// A pod.
    pub fn pod(namespace: &str, pod: &str) -> Self {
        Self::new(OwnerKind::Pod, format!("{namespace}/{pod}"))
    }

    /// What kind of object it is.
    pub fn kind(&self) -> OwnerKind {
        self.kind
    }

    /// Its name, for a pod `<namespace>/<pod>`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

/// A tag that names no owner this version knows; its row is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("owner tag {0:?} is not <kind>/<name> of a known kind")]
pub struct UnknownOwner(pub String);

impl FromStr for Owner {
    type Err = UnknownOwner;

    fn from_str(tag: &str) -> Result<Self, UnknownOwner> {
        let unknown = || UnknownOwner(tag.chars().take(80).collect());
        let (word, name) = tag.split_once('/').ok_or_else(unknown)?;
        let kind = OwnerKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(unknown)?;
        if name.is_empty() {
            return Err(unknown());
        }
        Ok(Self::new(kind, name))
    }
}

/// How a found row stands to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Made by somebody else, or by a kind of owner that this version does not know.
    Foreign,
    /// Carries the vendor tag and no owner: made by upstream.
    Unclaimed,
    /// Made for this object.
    Owned(Owner),
}

impl Standing {
    /// Reads the two tags of a row through a lookup into its `external_ids`.
    pub fn of<'a>(external_id: impl Fn(&str) -> Option<&'a str>) -> Self {
        if external_id(VENDOR_KEY) != Some(VENDOR) {
            return Standing::Foreign;
        }
        match external_id(OWNER_KEY).map(Owner::from_str) {
            None => Standing::Unclaimed,
            Some(Ok(owner)) => Standing::Owned(owner),
            Some(Err(_)) => Standing::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_back_from_its_tag() {
        for owner in [Owner::vpc("a"), Owner::subnet("net1"), Owner::pod("ns", "p.0")] {
            assert_eq!(owner.to_string().parse(), Ok(owner));
        }
        assert_eq!(Owner::pod("ns1", "web").to_string(), "pod/ns1/web");
        assert_eq!(Owner::vpc("test-vpc-1").to_string(), "vpc/test-vpc-1");
    }

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> =
            OwnerKind::ALL.into_iter().map(OwnerKind::as_str).collect();
        assert_eq!(words.len(), OwnerKind::ALL.len());
    }

    #[test]
    fn the_standing_of_a_row_follows_from_its_two_tags() {
        let standing = |vendor: Option<&'static str>, owner: Option<&'static str>| {
            Standing::of(move |key| match key {
                VENDOR_KEY => vendor,
                OWNER_KEY => owner,
                _ => None,
            })
        };
        assert_eq!(standing(None, None), Standing::Foreign);
        assert_eq!(standing(Some("neutron"), Some("vpc/a")), Standing::Foreign);
        assert_eq!(standing(Some(VENDOR), None), Standing::Unclaimed);
        assert_eq!(standing(Some(VENDOR), Some("vpc/a")), Standing::Owned(Owner::vpc("a")));
    }

    #[test]
    fn a_row_of_a_kind_made_by_a_later_version_is_left_alone() {
        let tag = |key: &str| Some(if key == VENDOR_KEY { VENDOR } else { "router-mesh/a" });
        assert_eq!(Standing::of(tag), Standing::Foreign);
        assert!("vpc/".parse::<Owner>().is_err());
        assert!("vpc".parse::<Owner>().is_err());
    }
}
