//! What cannot be meant is refused where it was written, and the others' probes go on.

use serde_json::json;
use tests::{wait, witness};

use crate::kubelet::{Verdict, assert_probe};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, PATIENCE, Stage, subnet};

#[test]
fn ports_that_are_none_fail_that_pod_alone() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let good = stage.pod("good", "net-a");

    for bad in ["0", "http", "8080,", "65536", "-1", "8080;9090", "8080 9090", "💥"] {
        let wishes = [("logical_switch", "net-a"), ("probe_ports", bad)];
        let (_sandbox, call) = stage.sandbox("bad", &wishes);
        let error = call.run(&lab).error();
        assert_eq!(error["code"], 106, "{bad}: {error}");
        assert!(error.to_string().contains("ovn.kubernetes.io/probe_ports"), "{bad}: {error}");
    }

    assert_probe(&lab.node, &good.at(CLOSED), Verdict::Refused);
    let also_good = stage.probed("spaced", "net-a", " 8080 , 8081,8080");
    assert_probe(&lab.node, &also_good.at(CLOSED), Verdict::Refused);
    assert_eq!(stage.daemon.metric("probe_pods"), Some(2.0));
}

#[test]
fn a_subnet_that_contains_the_probe_address_is_refused_and_others_work() {
    let Some(lab) = lab() else { return };
    subnet(&lab, "within", json!({"vpc": "a", "cidrBlock": "192.0.0.0/24"}));
    let stage = Stage::start(&lab);

    let ready = wait::until("a condition", PATIENCE, || {
        let told = witness::vpcctl(&lab, "get subnet within -o json");
        let object = told.success().then(|| told.json())?;
        object["status"]["conditions"].as_array()?.iter().find(|c| c["type"] == "Ready").cloned()
    });
    assert_eq!(ready["status"], "False", "{ready}");
    assert!(ready["message"].as_str().unwrap().contains("192.0.0.8"), "{ready}");
    let (_sandbox, call) = stage.sandbox("in", &[("logical_switch", "within")]);
    let error = call.run(&lab).error();
    assert!(error.to_string().contains("within"), "{error}");

    let pod = stage.pod("p", "net-a");
    assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);
}

#[test]
fn a_pod_without_default_route_is_probed_and_one_in_the_default_vpc_or_without_ports_is_none_of_ours() {
    let Some(lab) = lab() else { return };
    subnet(&lab, "net-d", json!({"cidrBlock": "10.9.0.0/24"}));
    let stage = Stage::start(&lab);
    let wishes = [("logical_switch", "net-a"), ("default_route", "false"), ("probe_ports", "8080,8081")];
    let pod = stage.wishing("bare", &wishes);
    assert_eq!(witness::default_gateway(&pod, 4), None);
    let _server = Server::web(&pod, "bare", OPEN);
    assert_probe(&lab.node, &pod.at(OPEN), Verdict::Open);
    assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);

    let _default = stage.pod("default", "net-d");
    let _unprobed = stage.wishing("unprobed", &[("logical_switch", "net-a")]);
    assert_eq!(stage.daemon.metric("probe_pods"), Some(1.0));
}
