//! All objects by kind and name: feed it, look into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crds::{Subnet, Vpc};

use super::files::{Located, Resource};
use super::problem::{Place, Problem};

/// An object and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// The object.
    pub object: Arc<T>,
    /// Where it stands.
    pub at: Place,
}

/// All objects of a folder. The first definition of an object wins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    /// Every object that counts, by kind and name.
    places: BTreeMap<(String, String), Place>,
    subnets: BTreeMap<String, Entry<Subnet>>,
    vpcs: BTreeMap<String, Entry<Vpc>>,
    /// How many objects of each kind that nothing here acts on.
    unused: BTreeMap<String, usize>,
}

impl Index {
    /// Adds an object.
    ///
    /// # Errors
    /// A problem that names both places, when the object is already there. The one that is there stays.
    pub fn feed(&mut self, located: Located) -> Result<(), Problem> {
        let Located { kind, name, at, resource } = located;
        if resource == Resource::Foreign {
            *self.unused.entry(kind).or_default() += 1;
            return Ok(());
        }
        let key = (kind, name);
        if let Some(first) = self.places.get(&key) {
            let (kind, name) = key;
            return Err(Problem::broken(
                at,
                format!("{kind} {name:?} is already defined in {first}, which stays in effect"),
                "remove one of the two",
            ));
        }
        match resource {
            Resource::Subnet(object) => {
                self.subnets.insert(key.1.clone(), Entry { object, at: at.clone() });
            }
            Resource::Vpc(object) => {
                self.vpcs.insert(key.1.clone(), Entry { object, at: at.clone() });
            }
            Resource::Unserved | Resource::Foreign => *self.unused.entry(key.0.clone()).or_default() += 1,
        }
        self.places.insert(key, at);
        Ok(())
    }

    /// All subnets, by name.
    pub fn subnets(&self) -> impl Iterator<Item = &Arc<Subnet>> {
        self.subnets.values().map(|entry| &entry.object)
    }

    /// The subnet of that name.
    pub fn subnet(&self, name: &str) -> Option<&Arc<Subnet>> {
        self.subnets.get(name).map(|entry| &entry.object)
    }

    /// The subnets of a provider, by name. An empty provider means `ovn`, here and in the objects.
    pub fn subnets_of_provider<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a Arc<Subnet>> {
        let provider = if provider.is_empty() { "ovn" } else { provider };
        self.subnets().filter(move |subnet| subnet.spec.provider() == provider)
    }

    /// All VPCs, by name.
    pub fn vpcs(&self) -> impl Iterator<Item = &Arc<Vpc>> {
        self.vpcs.values().map(|entry| &entry.object)
    }

    /// The VPC of that name.
    pub fn vpc(&self, name: &str) -> Option<&Arc<Vpc>> {
        self.vpcs.get(name).map(|entry| &entry.object)
    }

    /// Where an object stands, for messages.
    pub fn place(&self, kind: &str, name: &str) -> Option<&Place> {
        self.places.get(&(kind.to_owned(), name.to_owned()))
    }

    /// How many objects there are of each kind that nothing here acts on.
    pub fn unused(&self) -> &BTreeMap<String, usize> {
        &self.unused
    }
}

#[cfg(test)]
mod tests;
