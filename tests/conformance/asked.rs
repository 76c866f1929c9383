//! Checklist 56, 58, 60: addresses and MACs that the caller asks for, and `CNI_ARGS`.

use serde_json::{Value, json};
use tests::daemon::Daemon;
use tests::netns::Netns;
use tests::{cni, ledger, witness};

use crate::{add, del, guide, own};

const RUNTIME: &str = "192.168.0.31";
const ARGS: &str = "192.168.0.32";
const ENVIRONMENT: &str = "192.168.0.33";

#[test]
fn an_address_may_be_asked_for_in_three_places_of_which_the_higher_wins() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let runtime = json!({"runtimeConfig": {"ips": [format!("{RUNTIME}/24")]}});
    let args = json!({"args": {"cni": {"ips": [ARGS]}}});
    let environment = format!(";IP={ENVIRONMENT}");
    let table: [(Value, &str, &str); 4] = [
        (runtime.clone(), "", RUNTIME),
        (args.clone(), "", ARGS),
        (json!({}), &environment, ENVIRONMENT),
        // The convention: args.cni silently beats CNI_ARGS.
        (args.clone(), &environment, ARGS),
    ];
    for (keys, more, wanted) in table {
        let call = with_args(&own(&lab, keys.clone()), &pod, more);
        assert_eq!(call.run(&lab).addresses(), [format!("{wanted}/24")], "{keys} {more}");
        assert_eq!(witness::addresses(&pod, "net1"), [format!("{wanted}/24")]);
        assert_eq!(ledger::held(&lab), [wanted]);
        del(&call).run(&lab).ok();
    }
    // A person and a program that want different things.
    let both = crate::merged(runtime.clone(), args);
    for (keys, more) in [(both, ""), (runtime, environment.as_str())] {
        assert_eq!(with_args(&own(&lab, keys.clone()), &pod, more).run(&lab).code(), 106, "{keys} {more}");
    }
    ledger::assert_empty(&lab);
}

/// An ADD with more in `CNI_ARGS`.
fn with_args(conf: &Value, pod: &Netns, more: &str) -> cni::Call {
    let args = cni::kubernetes_args("default", "p1", "u1", "p1");
    add(conf, pod, "p1").args(&format!("{args}{more}"))
}

#[test]
fn a_mac_may_be_asked_for_in_three_places() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let table = [
        (json!({"runtimeConfig": {"mac": "02:00:00:00:00:0a"}}), "", "02:00:00:00:00:0a"),
        (json!({"args": {"cni": {"mac": "02:00:00:00:00:0b"}}}), "", "02:00:00:00:00:0b"),
        (json!({}), ";MAC=02:00:00:00:00:0c", "02:00:00:00:00:0c"),
    ];
    for (keys, more, wanted) in table {
        let call = with_args(&own(&lab, keys), &pod, more);
        let result = call.run(&lab).ok();
        assert_eq!(result["interfaces"][0]["mac"], wanted);
        assert_eq!(witness::link(&pod, "net1").unwrap()["address"], wanted);
        assert_eq!(ledger::claims(&lab)[0]["macAddress"], wanted);
        del(&call).run(&lab).ok();
    }
    for bad in ["01:00:5e:00:00:01", "no mac", "02:00:00:00:00"] {
        let keys = json!({"runtimeConfig": {"mac": bad}});
        let code = with_args(&own(&lab, keys), &pod, "").run(&lab).code();
        assert!(matches!(code, 103 | 106), "{bad}: {code}");
    }
    ledger::assert_empty(&lab);
}

#[test]
fn a_mac_of_our_own_is_local_and_the_same_for_the_same_address() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let (first, second) = (lab.pod("p1"), lab.pod("p2"));
    let conf = own(&lab, json!({"runtimeConfig": {"ips": [RUNTIME]}}));
    let mac = |pod: &Netns, name| {
        let add = add(&conf, pod, name);
        let mac = add.run(&lab).ok()["interfaces"][0]["mac"].as_str().unwrap().to_owned();
        assert_eq!(witness::link(pod, "net1").unwrap()["address"], mac);
        del(&add).run(&lab).ok();
        mac
    };

    let given = mac(&first, "p1");

    let byte = u8::from_str_radix(&given[..2], 16).unwrap();
    assert_eq!(byte & 0b11, 0b10, "locally administered, unicast: {given}");
    assert_eq!(mac(&second, "p2"), given, "neighbours' caches stay true");
}

#[test]
fn the_arguments_are_read_as_the_convention_says() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));
    let refused = [
        "FOO=bar",
        "IgnoreUnknown=0;FOO=bar",
        "K8S_POD_NAME",
        "K8S_POD_NAME=a/b;K8S_POD_NAMESPACE=x",
        "K8S_POD_NAME=../../x;K8S_POD_NAMESPACE=x",
        "K8S_POD_NAME=a\nb;K8S_POD_NAMESPACE=x",
    ];
    for args in refused {
        assert_eq!(add(&conf, &pod, "p1").args(args).run(&lab).code(), 4, "{args:?}");
    }
    ledger::assert_empty(&lab);
    let taken = [
        // No Kubernetes at all: the container stands for the pod.
        ("", "default", "p1"),
        ("IgnoreUnknown=true;FOO=bar;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=a", "ns", "a"),
        ("IgnoreUnknown=1;FOO=bar", "default", "p1"),
        // Multus writes every key twice.
        ("K8S_POD_NAME=a;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=a;K8S_POD_NAMESPACE=ns", "ns", "a"),
    ];
    for (args, namespace, name) in taken {
        let call = add(&conf, &pod, "p1").args(args);
        call.run(&lab).ok();
        let claim = &ledger::claims(&lab)[0];
        assert_eq!((&claim["namespace"], &claim["podName"]), (&json!(namespace), &json!(name)), "{args}");
        del(&call).run(&lab).ok();
    }
}

#[test]
fn addresses_that_cannot_be_given_have_codes_of_their_own() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let (holder, pod) = (lab.pod("p0"), lab.pod("p1"));
    add(&own(&lab, json!({"runtimeConfig": {"ips": [RUNTIME]}})), &holder, "p0").run(&lab).ok();
    let table = [
        (json!(["10.0.0.1"]), 103),
        (json!(["192.168.0.1"]), 103),
        (json!(["192.168.0.0"]), 103),
        (json!(["192.168.0.255"]), 103),
        (json!(["fd00::1"]), 103),
        (json!([RUNTIME]), 104),
        (json!(["192.168.0.300"]), 106),
        (json!(["192.168.0.40", "192.168.0.41"]), 106),
        (json!("192.168.0.40"), 6),
    ];
    for (ips, code) in table {
        for network in [own(&lab, json!({})), cni::guide_nad(&lab.socket())] {
            let conf = crate::merged(network, json!({"runtimeConfig": {"ips": ips}}));
            let call = add(&conf, &pod, "p1");
            assert_eq!(call.run(&lab).code(), code, "{ips} {}", conf["type"]);
            del(&call).run(&lab).ok();
            assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{ips}");
        }
    }
    assert_eq!(ledger::held(&lab), [RUNTIME]);
    ledger::assert_sound(&lab);
}

#[test]
fn k6738_a_family_that_cannot_be_had_keeps_nothing_of_the_other() {
    let spec = json!({
        "protocol": "Dual", "cidrBlock": "192.168.0.0/24,fd00:192:168::/126",
        "gateway": "192.168.0.1,fd00:192:168::1", "excludeIps": ["fd00:192:168::3"]
    });
    let Some(lab) = crate::with_subnet(spec) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let (first, second) = (lab.pod("p1"), lab.pod("p2"));
    let conf = own(&lab, json!({}));
    let add_first = add(&conf, &first, "p1");
    add_first.run(&lab).ok();
    let held = ledger::held(&lab);

    assert_eq!(add(&conf, &second, "p2").run(&lab).code(), 102, "the last IPv6 address is taken");

    assert_eq!(ledger::held(&lab), held);
    ledger::assert_sound(&lab);
    del(&add_first).run(&lab).ok();
    assert_eq!(add(&conf, &second, "p2").run(&lab).addresses().len(), 2);
}
