//! Who may use what: `namespaces` of Subnet and Vpc are enforced on the node, for every provider.

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::netns::Netns;
use tests::{ledger, objects, witness};

use crate::{annotated, bare, merged, own, subnet};

fn add(conf: &Value, pod: &Netns, namespace: &str) -> Call {
    Call::add(conf).container("p1").netns(pod.path()).pod(namespace, "p1")
}

/// Both forms of a network, with an annotation that asks for a subnet.
fn asking_for(lab: &Lab, name: &str) -> [Value; 2] {
    let annotations =
        || annotated(json!({format!("{}.kubernetes.io/logical_switch", cni::GUIDE_PROVIDER): name}));
    [own(lab, annotations()), merged(cni::guide_nad(&lab.socket()), annotations())]
}

/// The ADD is not admitted; then the DEL that runtimes send, since macvlan 1.1 leaves its interface when we refuse.
#[track_caller]
fn refused(lab: &Lab, add: &Call) {
    assert_eq!(add.run(lab).code(), 107, "{add:?}");
    add.clone().verb("DEL").run(lab).ok();
}

#[test]
fn a_subnet_with_namespaces_serves_only_them() {
    let Some(lab) = bare() else { return };
    lab.write_object(
        "a.yaml",
        &subnet("a", json!({"cidrBlock": "192.168.0.0/25", "namespaces": ["tenant-a"]})),
    );
    lab.write_object(
        "b.yaml",
        &subnet("b", json!({"cidrBlock": "192.168.0.128/25", "namespaces": ["tenant-b"]})),
    );
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));

    for (namespace, of) in [("tenant-a", "a"), ("tenant-b", "b")] {
        let call = add(&conf, &pod, namespace);
        call.run(&lab).ok();
        assert_eq!(ledger::claims(&lab)[0]["subnet"], of, "{namespace}");
        call.verb("DEL").run(&lab).ok();
    }
    let error = add(&conf, &pod, "stranger").run(&lab).error();
    assert_eq!(error["code"], 107);
    for way in ["spec.namespaces of Subnet a", "spec.namespaces of Subnet b"] {
        assert!(error["details"].as_str().unwrap().contains(way), "{error}");
    }
    for conf in asking_for(&lab, "b") {
        refused(&lab, &add(&conf, &pod, "tenant-a"));
    }
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    ledger::assert_empty(&lab);
}

#[test]
fn a_vpc_with_namespaces_closes_its_subnets_to_others() {
    let Some(lab) = bare() else { return };
    lab.write_object("vpc.yaml", &objects::vpc("closed", &json!({"namespaces": ["tenant-a"]})));
    lab.write_object("a.yaml", &subnet("a", json!({"cidrBlock": "192.168.0.0/24", "vpc": "closed"})));
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    for conf in [vec![own(&lab, json!({}))], asking_for(&lab, "a").to_vec()].concat() {
        refused(&lab, &add(&conf, &pod, "tenant-b"));
        ledger::assert_empty(&lab);
        let call = add(&conf, &pod, "tenant-a");
        call.run(&lab).ok();
        call.verb("DEL").run(&lab).ok();
    }
}

#[test]
fn a_subnet_of_another_provider_cannot_be_named() {
    let Some(lab) = bare() else { return };
    lab.write_object("a.yaml", &subnet("a", json!({"cidrBlock": "192.168.0.0/24"})));
    let other = json!({"cidrBlock": "10.9.0.0/24", "provider": "other.kube-system"});
    lab.write_object("other.yaml", &objects::subnet("other", &other));
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    for conf in asking_for(&lab, "other") {
        refused(&lab, &add(&conf, &pod, "default"));
    }
    ledger::assert_empty(&lab);
}
