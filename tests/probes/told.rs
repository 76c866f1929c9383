//! What people are told: `vpcctl probe test`, `vpcctl explain pod`, and metrics.

use serde_json::Value;
use tests::witness;

use crate::kubelet::{Verdict, assert_probe, assert_shut};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, Stage};

/// The steps of one address and port, or of one interface, as `NAME: STATE DETAIL`.
#[track_caller]
fn steps(story: &Value, interface: &str) -> Vec<String> {
    let all = story["attachments"].as_array().unwrap();
    let found = all.iter().find(|a| a["interface"] == interface).unwrap_or_else(|| panic!("{story:#}"));
    let steps = found["steps"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    steps.map(|s| format!("{}: {} {}", text(&s["name"]), text(&s["state"]), text(&s["detail"]))).collect()
}

#[track_caller]
fn assert_step(steps: &[String], words: &[&str]) {
    assert!(steps.iter().any(|step| words.iter().all(|word| step.contains(word))), "{words:?}: {steps:#?}");
}

#[test]
fn vpcctl_tells_what_the_kubelet_sees_hop_by_hop() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _server = Server::web(&pod, "p", OPEN);

    let told = witness::vpcctl(&lab, "probe test ns/p -o json");
    let story: Value = serde_json::from_slice(&told.stdout).unwrap();
    for (family, open) in pod.at(OPEN).into_iter().enumerate() {
        let story = steps(&story, &open.to_string());
        assert_step(&story, &["target: ok"]);
        assert_step(&story, &["device: ok"]);
        assert_step(&story, &["way back: ok", crate::stage::PROBE_ADDRESSES[family]]);
        assert_step(&story, &["in the pod: ok open"]);
        assert_step(&story, &["as the kubelet: ok open"]);
    }
    for closed in pod.at(CLOSED) {
        assert_step(&steps(&story, &closed.to_string()), &["as the kubelet: fail refused"]);
    }
    assert!(witness::vpcctl(&lab, &format!("probe test ns/p:{OPEN}")).success());
    assert!(!witness::vpcctl(&lab, &format!("probe test ns/p:{CLOSED}")).success());

    let unknown = witness::vpcctl(&lab, "probe test ns/p:9999 -o json");
    let story: Value = serde_json::from_slice(&unknown.stdout).unwrap();
    assert_step(&steps(&story, &pod.at(9999)[0].to_string()), &["target: fail", "no target"]);
    let explained = witness::vpcctl_json(&lab, "explain pod ns/p");
    assert_step(&steps(&explained, "eth0"), &["probes: ok", &pod.at(OPEN)[0].to_string()]);
}

#[test]
fn metrics_count_targets_what_is_carried_and_what_is_refused() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let value = |sample: &str| stage.daemon.metric(sample).unwrap_or(-1.0);
    let packets = |kind: &str| value(&format!("probe_packets{{kind=\"{kind}\"}}"));
    assert_eq!([value("probe_pods"), value("probe_targets"), packets("carried")], [0.0; 3]);

    let pod = stage.pod("p", "net-a");
    assert_eq!([value("probe_pods"), value("probe_targets"), value("probe_clashes")], [1.0, 4.0, 0.0]);
    for _ in 0..5 {
        assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);
    }
    assert_eq!([packets("carried"), packets("begun_by_pod"), packets("not_own")], [10.0, 0.0, 0.0]);
    assert_shut(&pod, &crate::stage::at(&crate::stage::PROBE_ADDRESSES, 10250));
    assert!(packets("not_own") >= 2.0, "{}", packets("not_own"));

    pod.delete();
    assert_eq!([value("probe_pods"), value("probe_targets")], [0.0; 2]);
}
