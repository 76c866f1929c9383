//! Checklist 10, 14 to 16, 24, 29, 43, 45: what every version of the specification gets.

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::{ledger, witness};

use crate::{add, check, del, guide, own};

const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

#[test]
fn every_version_is_added_repeated_checked_and_deleted_twice() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    for version in VERSIONS {
        let conf = own(&lab, json!({"cniVersion": version}));
        let pod = lab.pod(&version.replace('.', ""));
        let add = add(&conf, &pod, &format!("v{version}"));

        let result = add.run(&lab).ok();

        assert_form(version, &result, &witness::addresses(&pod, "net1"));
        assert_eq!(add.run(&lab).ok(), result, "{version}: asked again");
        let checked = check(&add, &conf, &result).run(&lab);
        if version < "0.4.0" {
            assert_eq!(checked.code(), 1, "{version}");
        } else {
            assert_eq!(checked.ok(), Value::Null, "{version}");
        }
        for _ in 0..2 {
            assert_eq!(del(&add).run(&lab).ok(), Value::Null, "{version}");
        }
        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{version}");
    }
    ledger::assert_empty(&lab);
}

/// The form of a result that `version` asks for, with these addresses of the kernel.
#[track_caller]
fn assert_form(version: &str, result: &Value, kernel: &[String]) {
    assert_eq!(result["cniVersion"], version);
    let [address] = kernel else { panic!("{version}: {kernel:?}") };
    if version < "0.3.0" {
        assert_eq!(result["ip4"]["ip"], *address, "{result}");
        assert!(result.get("ips").is_none() && result.get("interfaces").is_none(), "{result}");
        return;
    }
    let (ip, interface) = (&result["ips"][0], &result["interfaces"][0]);
    assert_eq!((&ip["address"], &ip["interface"]), (&json!(address), &json!(0)), "{result}");
    assert_eq!(ip.get("version").is_some(), version < "1.0.0", "{result}");
    // 1.1.0 brought the key; the reference implementation writes it in 1.0.0 too.
    assert_eq!(interface.get("mtu").is_some(), version >= "1.0.0", "{result}");
}

#[test]
fn the_guides_network_works_in_every_version_that_macvlan_speaks() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    for version in ["0.3.0", "0.3.1", "0.4.0", "1.0.0"] {
        let mut conf = cni::guide_nad(&lab.socket());
        conf["cniVersion"] = version.into();
        let pod = lab.pod(&version.replace('.', ""));
        let add = add(&conf, &pod, &format!("v{version}"));

        let result = add.run(&lab).ok();

        let addresses = cni::addresses(&result);
        assert_eq!(witness::addresses(&pod, "net1"), addresses, "{version}");
        assert_eq!(ledger::held(&lab), [addresses[0].trim_end_matches("/24")], "{version}");
        assert_eq!(result["interfaces"][0]["sandbox"], pod.path().to_str().unwrap(), "{version}");
        assert!(witness::ping(&lab.outside, &ledger::held(&lab)[0]), "{version}");
        if version >= "0.4.0" {
            check(&add, &conf, &result).run(&lab).ok();
        }
        del(&add).run(&lab).ok();
        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{version}");
        ledger::assert_empty(&lab);
    }
}

#[test]
fn version_needs_neither_a_daemon_nor_a_configuration() {
    let Some(lab) = guide() else { return };

    for version in VERSIONS {
        let asked = json!({"cniVersion": version}).to_string();
        let answer = Call::version("kube-ovn").stdin(asked).run(&lab).ok();
        assert_eq!(answer, json!({"cniVersion": version, "supportedVersions": VERSIONS}));
    }
}

#[test]
fn an_unknown_version_is_told_what_is_spoken() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    for verb in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
        let conf = own(&lab, json!({"cniVersion": "9.9.9"}));
        let error = add(&conf, &pod, "p1").verb(verb).run(&lab).error();
        assert_eq!(error["code"], 1, "{verb}");
        let told = error["details"].as_str().unwrap();
        assert!(VERSIONS.iter().all(|v| told.contains(v)), "{verb}: {told}");
    }
    ledger::assert_empty(&lab);
}

#[test]
fn a_list_of_versions_is_answered_in_the_newest_that_both_speak() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let mut conf = own(&lab, json!({"cniVersions": ["0.3.1", "1.0.0", "2.0.0"]}));
    conf.as_object_mut().unwrap().remove("cniVersion");

    assert_eq!(add(&conf, &pod, "p1").run(&lab).ok()["cniVersion"], "1.0.0");
}

#[test]
fn status_and_gc_came_with_1_1_0() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);

    for version in VERSIONS {
        let conf = own(&lab, json!({"cniVersion": version}));
        for call in [Call::status(&conf), Call::gc(&conf, &[])] {
            match version {
                "1.1.0" => assert_eq!(call.run(&lab).ok(), Value::Null),
                _ => assert_eq!(call.run(&lab).code(), 1, "{version}"),
            }
        }
    }
}
