use crds::SubnetSpec;

use super::*;

fn subnet(name: &str, provider: &str, at: Place) -> Located {
    let spec = SubnetSpec { provider: provider.into(), ..SubnetSpec::default() };
    let resource = Resource::Subnet(Arc::new(Subnet::new(name, spec)));
    Located { kind: "Subnet".into(), name: name.into(), at, resource }
}

#[test]
fn an_empty_provider_is_the_default_network() {
    let mut index = Index::default();
    for (name, provider) in [("a", ""), ("b", "ovn"), ("c", "ext.kube-system"), ("d", "ext.kube-system")] {
        index.feed(subnet(name, provider, Place::default())).unwrap();
    }
    let of = |provider| {
        let names: Vec<&str> = index.subnets_of_provider(provider).map(|s| s.name()).collect();
        names.join(",")
    };

    assert_eq!(of("ovn"), "a,b");
    assert_eq!(of(""), "a,b");
    assert_eq!(of("ext.kube-system"), "c,d");
    assert_eq!(of("other.ns"), "");
}

#[test]
fn the_first_definition_wins_and_the_second_is_told_where_it_stands() {
    let mut index = Index::default();
    index.feed(subnet("net1", "ovn", Place::new("a.yaml", 3))).unwrap();

    let problem = index.feed(subnet("net1", "x.y", Place::new("b.yaml", 7))).unwrap_err();

    assert_eq!(index.subnet("net1").unwrap().spec.provider(), "ovn");
    assert_eq!(index.place("Subnet", "net1"), Some(&Place::new("a.yaml", 3)));
    assert_eq!(
        problem.to_string(),
        "b.yaml:7: Subnet \"net1\" is already defined in a.yaml:3, which stays in effect; remove one of the two"
    );
}

#[test]
fn a_vpc_and_a_subnet_may_share_a_name() {
    let mut index = Index::default();
    index.feed(subnet("x", "ovn", Place::default())).unwrap();
    let vpc = Resource::Vpc(Arc::new(Vpc::new("x", crds::VpcSpec::default())));

    index
        .feed(Located { kind: "Vpc".into(), name: "x".into(), at: Place::default(), resource: vpc })
        .unwrap();

    assert!(index.subnet("x").is_some() && index.vpc("x").is_some());
    assert_eq!((index.subnets().count(), index.vpcs().count()), (1, 1));
}

#[test]
fn objects_of_others_are_only_counted() {
    let mut index = Index::default();
    for _ in 0..2 {
        let resource = Resource::Foreign;
        index
            .feed(Located { kind: "ConfigMap".into(), name: "x".into(), at: Place::default(), resource })
            .unwrap();
    }

    assert_eq!(index.unused().get("ConfigMap"), Some(&2));
    assert_eq!(index.place("ConfigMap", "x"), None);
}
