//! Objects whose file is gone while something uses them stay until nothing does, as one that Kubernetes deletes would. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crds::vpc::DEFAULT_VPC;
use crds::{Subnet, Vpc};
use daemon_api::Provider;
use vpc::Facts;

use crate::resources::Index;

/// The key of `metadata` that says when the deletion was asked for.
const DELETED: &str = "deletionTimestamp";

/// Takes the objects of `index` over, and keeps those that are gone from it as long as they are in use. `now` is the time
/// as RFC 3339 writes it.
pub(super) fn update(facts: &mut Facts, index: &Index, now: &str) {
    let mut subnets: BTreeMap<String, Arc<Subnet>> =
        index.subnets().map(|subnet| (subnet.name().to_owned(), subnet.clone())).collect();
    for (name, subnet) in &facts.subnets {
        if !subnets.contains_key(name) && is_ovn(subnet) && facts.ports.use_subnet(name) {
            subnets.insert(name.clone(), deleted(subnet, now));
        }
    }
    let mut vpcs: BTreeMap<String, Arc<Vpc>> =
        index.vpcs().map(|vpc| (vpc.name().to_owned(), vpc.clone())).collect();
    for (name, vpc) in &facts.vpcs {
        let is_used = subnets.values().any(|subnet| is_ovn(subnet) && vpc_of(subnet) == name);
        if !vpcs.contains_key(name) && is_used {
            vpcs.insert(name.clone(), deleted(vpc, now));
        }
    }
    (facts.subnets, facts.vpcs) = (subnets, vpcs);
}

/// Whether the object stays only for those that use it.
pub fn is_departing<S: crds::Spec>(object: &crds::Object<S>) -> bool {
    object.meta.other.contains_key(DELETED)
}

fn deleted<S: crds::Spec>(object: &Arc<crds::Object<S>>, now: &str) -> Arc<crds::Object<S>> {
    if is_departing(object) {
        return object.clone();
    }
    let mut object = crds::Object::clone(object);
    object.meta.other.insert(DELETED.to_owned(), now.into());
    Arc::new(object)
}

/// True for subnets whose pods are ports of OVN.
pub fn is_ovn(subnet: &Subnet) -> bool {
    Provider::new(subnet.spec.provider()).is_ok_and(|provider| provider.is_ovn())
}

/// The VPC that a subnet says it is in.
pub(super) fn vpc_of(subnet: &Subnet) -> &str {
    if subnet.spec.vpc.is_empty() { DEFAULT_VPC } else { &subnet.spec.vpc }
}

/// A time in seconds since 1970 as RFC 3339 writes it, in UTC.
pub(super) fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Civil from days, with years that begin in March: the leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use ovn::address::Mac;
    use vpc::PortFact;

    use super::*;
    use crate::resources::files::parse_file;

    const YAML: &str = "\
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: {name: v}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net1}
spec: {vpc: v, cidrBlock: 10.0.1.0/24}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net2}
spec: {vpc: v, cidrBlock: 10.0.2.0/24}
";

    fn index(yaml: &str) -> Index {
        let mut index = Index::default();
        parse_file("a.yaml", yaml).objects.into_iter().for_each(|object| index.feed(object).unwrap());
        index
    }

    fn port() -> PortFact {
        PortFact {
            namespace: "ns".into(),
            pod: "a".into(),
            provider: "ovn".into(),
            interface: None,
            subnet: "net1".into(),
            addresses: vec!["10.0.1.5".parse().unwrap()],
            mac: Mac::new([2, 0, 0, 0, 0, 5]),
            out_of_pod: None,
            port_security: true,
            is_ours: false,
        }
    }

    #[test]
    fn a_subnet_in_use_and_its_vpc_stay_until_the_last_pod_is_gone() {
        let mut facts = Facts::default();
        update(&mut facts, &index(YAML), "t0");
        facts.ports.insert(port());

        update(&mut facts, &index(""), "t1");
        assert_eq!(facts.subnets.keys().collect::<Vec<_>>(), ["net1"]);
        assert!(is_departing(&*facts.subnets["net1"]) && is_departing(&*facts.vpcs["v"]));
        update(&mut facts, &index(""), "t2");
        assert_eq!(facts.subnets["net1"].meta.other[DELETED], "t1", "asked for once");

        facts.ports.remove(&port());
        update(&mut facts, &index(""), "t3");
        assert!(facts.subnets.is_empty() && facts.vpcs.is_empty());
    }

    #[test]
    fn an_object_that_comes_back_is_not_deleted_any_more() {
        let mut facts = Facts::default();
        update(&mut facts, &index(YAML), "t0");
        facts.ports.insert(port());
        update(&mut facts, &index(""), "t1");
        update(&mut facts, &index(YAML), "t2");

        assert!(!is_departing(&*facts.subnets["net1"]) && !is_departing(&*facts.vpcs["v"]));
        assert_eq!(facts.subnets.len(), 2);
    }

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(rfc3339(1_767_225_599), "2025-12-31T23:59:59Z");
    }
}
