//! Checklist 46 to 48: STATUS says whether an ADD would work now.

use serde_json::{Value, json};
use tests::cni::Call;
use tests::daemon::Daemon;
use tests::{cni, ledger};

use crate::{add, bare, del, guide, merged, own, with_subnet};

#[test]
fn status_is_good_only_while_the_daemon_lives() {
    let Some(lab) = guide() else { return };
    let conf = own(&lab, json!({"cniVersion": "1.1.0"}));
    let status = Call::status(&conf);
    assert_eq!(status.run(&lab).code(), 50, "before the first start");

    let mut daemon = Daemon::start(&lab, &[]);
    assert_eq!(status.run(&lab).ok(), Value::Null);
    // Its socket is left behind, as by a machine that lost power.
    daemon.kill9();
    let error = status.run(&lab).error();
    assert_eq!(error["code"], 50);
    assert!(error["details"].as_str().unwrap().contains("kube-ovn-daemon"), "what to look at: {error}");
    daemon.restart();
    assert_eq!(status.run(&lab).ok(), Value::Null);
    daemon.stop();
    assert_eq!(status.run(&lab).code(), 50);
}

#[test]
fn status_of_an_exhausted_subnet_is_50_until_an_address_is_free() {
    let Some(lab) = with_subnet(json!({"cidrBlock": "192.168.0.0/30", "gateway": "192.168.0.1"})) else {
        return;
    };
    let _daemon = Daemon::start(&lab, &[]);
    let pods = [lab.pod("p1"), lab.pod("p2")];
    let conf = own(&lab, json!({"cniVersion": "1.1.0"}));
    let (first, status) = (add(&conf, &pods[0], "p1"), Call::status(&conf));
    status.run(&lab).ok();

    first.run(&lab).ok();

    assert_eq!(status.run(&lab).code(), 50);
    assert_eq!(add(&conf, &pods[1], "p2").run(&lab).code(), 102, "and so says an ADD");
    del(&first).run(&lab).ok();
    status.run(&lab).ok();
    ledger::assert_empty(&lab);
}

#[test]
fn status_of_a_provider_without_a_subnet_is_50() {
    let Some(lab) = bare() else { return };
    let _daemon = Daemon::start(&lab, &[]);

    assert_eq!(Call::status(&own(&lab, json!({"cniVersion": "1.1.0"}))).run(&lab).code(), 50);
}

#[test]
fn an_address_plugin_answers_status_for_the_plugin_in_front() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let nad = merged(cni::guide_nad(&lab.socket()), json!({"cniVersion": "1.1.0"}));
    let status = Call::status(&nad).plugin("kube-ovn");

    assert_eq!(status.run(&lab).ok(), Value::Null);
    daemon.stop();
    assert_eq!(status.run(&lab).code(), 50);
}
