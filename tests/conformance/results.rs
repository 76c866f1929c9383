//! Checklist 1, 2, 19, 20, 27, 54, 61, 63: what an ADD answers.

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::{ledger, witness};

use crate::{add, guide, merged, own};

#[test]
fn a_result_names_the_interface_that_is_really_there() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf =
        own(&lab, json!({"cniVersion": "1.1.0", "routes": [{"dst": "203.0.113.0/24", "gw": "192.168.0.1"}]}));

    let result = add(&conf, &pod, "p1").ifname("eth0").run(&lab).ok();

    let link = witness::link(&pod, "eth0").unwrap();
    let made = json!({"name": "eth0", "mac": link["address"], "mtu": link["mtu"], "sandbox": pod.path()});
    assert_eq!(result["interfaces"], json!([made]));
    let ip =
        json!({"address": witness::addresses(&pod, "eth0")[0], "gateway": "192.168.0.1", "interface": 0});
    assert_eq!(result["ips"], json!([ip]));
    assert_eq!(sorted(&result["routes"]), sorted(&told(&witness::routes(&pod))));
}

/// The IPv4 routes of `ip -j route`, the link's own too, as a result writes them.
fn told(routes: &[Value]) -> Value {
    let v4 = routes.iter().filter(|r| !r["dst"].as_str().unwrap().contains(':'));
    let dst = |r: &Value| r["dst"].as_str().unwrap().replace("default", "0.0.0.0/0");
    let told = v4.map(|r| match r.get("gateway") {
        Some(gateway) => json!({"dst": dst(r), "gw": gateway}),
        None => json!({"dst": dst(r)}),
    });
    told.collect()
}

fn sorted(list: &Value) -> Vec<String> {
    let mut texts: Vec<_> = list.as_array().unwrap().iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

#[test]
fn success_is_one_document_and_failure_is_an_error_object() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(&lab, json!({}));
    let add = add(&conf, &pod, "p1");

    let good = add.run(&lab).done;
    assert!(good.success() && good.stderr.is_empty(), "{good:?}");
    assert!(serde_json::from_slice::<Value>(&good.stdout).unwrap().is_object());

    let unknown = merged(conf.clone(), json!({"provider": "nobody.nowhere"}));
    let bad = Call::add(&unknown).netns(pod.path()).container("p2").ifname("net2").pod("default", "p2");
    let bad = bad.run(&lab);
    assert_eq!(bad.done.status.code(), Some(1));
    let error = bad.error();
    assert_eq!((&error["cniVersion"], &error["code"]), (&json!("1.0.0"), &json!(7)));
    assert!(!error["details"].as_str().unwrap().is_empty(), "{error}");

    let deleted = add.verb("DEL").run(&lab).done;
    assert!(deleted.success() && deleted.stdout.is_empty() && deleted.stderr.is_empty(), "{deleted:?}");
    ledger::assert_empty(&lab);
}

#[test]
fn an_earlier_result_is_kept_and_ours_numbered_behind_it() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let earlier = json!({
        "cniVersion": "1.0.0",
        "interfaces": [{"name": "veth0"}, {"name": "eth0", "sandbox": "/run/netns/x"}],
        "ips": [{"address": "10.1.1.1/24", "gateway": "10.1.1.254", "interface": 1}],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.1.254"}],
        "dns": {"nameservers": ["10.1.1.53"]}
    });
    let conf = own(&lab, json!({"prevResult": earlier}));

    let result = add(&conf, &pod, "p1").run(&lab).ok();

    assert_eq!(result["interfaces"].as_array().unwrap()[..2], earlier["interfaces"].as_array().unwrap()[..]);
    assert_eq!((&result["ips"][0], &result["ips"][1]["interface"]), (&earlier["ips"][0], &json!(2)));
    assert_eq!((&result["routes"][0], &result["dns"]), (&earlier["routes"][0], &earlier["dns"]));
}

#[test]
fn an_address_plugin_answers_no_interfaces() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = merged(
        cni::guide_nad(&lab.socket()),
        json!({"cniVersion": "1.0.0", "dns": {"nameservers": ["192.168.0.53"], "search": ["a.example"]}}),
    );

    // As macvlan calls it: the whole configuration, the outer type.
    let result = add(&conf, &pod, "p1").plugin("kube-ovn").run(&lab).ok();

    let wanted = json!({
        "cniVersion": "1.0.0",
        "ips": [{"address": "192.168.0.11/24"}],
        "dns": {"nameservers": ["192.168.0.53"], "search": ["a.example"]}
    });
    assert_eq!(result, wanted);
    assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "the interface is macvlan's to make");
}

#[test]
fn dns_of_the_configuration_is_answered_in_every_form() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let dns = json!({"nameservers": ["192.168.0.53"], "domain": "a.example", "options": ["ndots:5"]});

    for version in ["0.2.0", "0.3.1", "1.1.0"] {
        let conf = own(&lab, json!({"cniVersion": version, "dns": dns}));
        assert_eq!(add(&conf, &pod, "p1").run(&lab).ok()["dns"], dns, "{version}");
    }
}

#[test]
fn keys_of_the_runtime_and_of_strangers_are_neither_refused_nor_echoed() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let conf = own(
        &lab,
        json!({
            "x-vendor": {"a": [1]},
            "args": {"x": 1, "cni": {"labels": [{"key": "a", "value": "b"}]}},
            "cni.dev/something": {"secret": true},
            "capabilities": {"portMappings": true},
            "runtimeConfig": {"portMappings": [{"hostPort": 80, "containerPort": 80, "protocol": "tcp"}]}
        }),
    );

    let result = add(&conf, &pod, "p1").run(&lab).ok();

    let keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["cniVersion", "interfaces", "ips", "routes"]);
}
