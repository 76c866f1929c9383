//! Checklist 8 to 10, 55: configurations that cannot be used.

use serde_json::{Value, json};
use tests::cni::Call;
use tests::daemon::Daemon;
use tests::{ledger, witness};

use crate::{add, guide, own};

const VERBS: [&str; 5] = ["ADD", "CHECK", "DEL", "GC", "STATUS"];

#[test]
fn what_is_no_json_object_is_code_6_in_every_verb() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let whole = own(&lab, json!({})).to_string().into_bytes();
    let cut = whole[..whole.len() - 1].to_vec();
    let twice = [whole.clone(), whole].concat();
    let deep = [vec![b'['; 20_000], vec![b']'; 20_000]].concat();
    let inputs: [&[u8]; 9] = [b"", b"{", b"[]", b"\"text\"", b"5", b"\xff\xfe{\0}", &cut, &twice, &deep];
    for input in inputs {
        for verb in VERBS {
            let code = add(&lab, &pod).verb(verb).stdin(input).run(&lab).code();
            assert_eq!(code, 6, "{verb} {:?}", String::from_utf8_lossy(&input[..input.len().min(60)]));
        }
    }
    ledger::assert_empty(&lab);
}

#[test]
fn a_configuration_beyond_1_mib_is_refused_unread() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let long = own(&lab, json!({"x": "y".repeat(2 << 20)})).to_string();
    for input in [long.into_bytes(), vec![b' '; 4 << 20]] {
        for verb in VERBS {
            assert_eq!(add(&lab, &pod).verb(verb).stdin(input.clone()).run(&lab).code(), 6, "{verb}");
        }
    }
    // Below that, but more annotations than Kubernetes allows an object to have.
    let annotations =
        json!({"io.kubernetes.cri.pod-annotations": {"ovn.kubernetes.io/x": "y".repeat(500 << 10)}});
    let conf = own(&lab, json!({"runtimeConfig": annotations}));
    assert_eq!(add(&lab, &pod).stdin(conf.to_string()).run(&lab).code(), 7);
    ledger::assert_empty(&lab);
}

#[test]
fn a_key_of_the_wrong_type_is_named() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let keys = [
        ("name", json!(5)),
        ("cniVersion", json!(["1.0.0"])),
        ("cniVersion", json!(1.0)),
        ("server_socket", json!({})),
        ("provider", json!([])),
        ("routes", json!({})),
        ("routes", json!([5])),
        ("dns", json!(5)),
        ("mtu", json!("1400")),
        ("mtu", json!(-1)),
        ("mtu", json!(1e30)),
        ("master", json!(5)),
        ("args", json!("x")),
        ("args.cni", json!({"ips": "192.168.0.40"})),
        ("runtimeConfig", json!(5)),
        ("runtimeConfig", json!({"ips": [5]})),
        ("prevResult", json!([])),
        ("deviceID", json!(5)),
    ];
    for (key, value) in keys {
        let conf = match key.split_once('.') {
            Some((outer, inner)) => own(&lab, json!({outer: {inner: value}})),
            None => own(&lab, json!({key: value})),
        };
        let answer = add(&lab, &pod).stdin(conf.to_string()).run(&lab);
        assert!(!answer.done.success(), "{key}={value}: {answer:?}");
        let error = answer.error();
        assert_eq!(error["code"], 6, "{key}={value}: {error}");
        let outer = key.split('.').next().unwrap();
        assert!(error["details"].as_str().unwrap().contains(outer), "{key}={value}: {error}");
        if outer == "server_socket" {
            // Its DEL goes to the machine's default socket; `conformance/lost.rs` does that in a `/run` of its own.
            continue;
        }
        // What could not be added must not be undeletable.
        let del = add(&lab, &pod).verb("DEL").stdin(conf.to_string()).run(&lab).done;
        assert!(del.success() || outer == "cniVersion" || outer == "name", "{key}={value}: {del:?}");
    }
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    ledger::assert_empty(&lab);
}

#[test]
fn values_that_cannot_be_meant_are_code_7() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let keys = [
        json!({"name": ""}),
        json!({"name": null}),
        json!({"name": "../../etc/passwd"}),
        json!({"name": "a b"}),
        json!({"name": "-x"}),
        json!({"name": "x".repeat(300)}),
        json!({"provider": "a/b"}),
        json!({"provider": "../x"}),
        json!({"provider": "x".repeat(300)}),
        json!({"server_socket": ""}),
        json!({"server_socket": "relative.sock"}),
        json!({"server_socket": "/run/../d.sock"}),
        json!({"server_socket": "/run/\u{0}d.sock"}),
        json!({"master": "no/name"}),
        json!({"master": ".."}),
        json!({"mode": "sideways"}),
        json!({"mtu": 67}),
        json!({"mtu": 70_000}),
        json!({"routes": [{"dst": "no cidr"}]}),
        json!({"routes": [{}]}),
        json!({"routes": [{"dst": "0.0.0.0/0", "gw": "fd00::1"}]}),
        json!({"routes": [{"dst": "0.0.0.0/0", "gw": "no address"}]}),
    ];
    for keys in keys {
        let conf = own(&lab, keys.clone());
        let error = add(&lab, &pod).stdin(conf.to_string()).run(&lab).error();
        assert_eq!(error["code"], 7, "{keys}: {error}");
        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{keys}");
        ledger::assert_empty(&lab);
    }
    assert_eq!(add(&lab, &pod).stdin("null").run(&lab).code(), 7, "JSON, but no network");
    assert_eq!(add(&lab, &pod).stdin("{}").run(&lab).code(), 7);
}

#[test]
fn an_unknown_provider_is_told_which_there_are() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    for provider in ["nobody.nowhere", "nobody.nowhere.ovn", "ovn", ""] {
        let conf = own(&lab, json!({"provider": provider}));
        let error = add(&lab, &pod).stdin(conf.to_string()).run(&lab).error();
        assert_eq!(error["code"], 7, "{provider}");
        let known = "known providers: ovn-vpc-external-network.kube-system";
        assert!(error["details"].as_str().unwrap().contains(known), "{error}");
    }
    ledger::assert_empty(&lab);
}

#[test]
fn a_list_of_living_attachments_that_is_none_frees_nothing() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    add(&lab, &pod).run(&lab).ok();

    for (list, code) in [
        (json!("p1"), 6),
        (json!({}), 6),
        (json!([5]), 6),
        (json!([{"containerID": "p1"}]), 6),
        (json!([{"containerID": 1, "ifname": "net1"}]), 6),
        (Value::Null, 7),
    ] {
        let conf = own(&lab, json!({"cni.dev/valid-attachments": list}));
        assert_eq!(Call::new("GC", &conf).container("").ifname("").run(&lab).code(), code, "{list}");
    }
    assert_eq!(witness::link_names(&pod), ["net1"]);
    ledger::assert_sound(&lab);
    assert_eq!(ledger::held(&lab).len(), 1);
}
