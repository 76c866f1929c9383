//! The folder of resources changes while the daemon runs.

use serde_json::json;
use tests::cni::Call;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::{ledger, objects, wait, witness};

use crate::{PATIENCE, add, bare, del, lab, subnet};

#[test]
fn a_bad_file_is_told_by_name_and_line_while_all_else_works_on() {
    let Some(lab) = lab() else { return };
    let other = objects::subnet("other", &json!({"protocol": "IPv4", "cidrBlock": "10.9.0.0/24"}));
    lab.write_object("other.yaml", &other);
    let mut daemon = Daemon::start(&lab, &[]);
    let pods = ["p0", "p1"].map(|name| lab.pod(name));
    add(&lab, &pods[0], "p0").run(&lab).ok();

    lab.write_object(
        "net.yaml",
        "apiVersion: kubeovn.io/v1\nkind: Subnet\nmetadata:\n  name: net\nspec: [\n",
    );
    lab.write_object(
        "new.yaml",
        &format!("# one\n# two\n---\n{}", other.replace("10.9.0.0/24", "10.9.0.0/240")),
    );

    for (file, line) in [("net.yaml", "line=5"), ("new.yaml", "line=4")] {
        wait::until(file, PATIENCE, || {
            let log = daemon.service().log();
            log.lines().any(|l| l.contains("WARN") && l.contains(file) && l.contains(line)).then_some(())
        });
    }
    let subnets = witness::vpcctl_json(&lab, "get subnet");
    let names: Vec<_> =
        subnets["items"].as_array().unwrap().iter().map(|s| s["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["net", "other"], "the last good state stays");
    assert_eq!(add(&lab, &pods[1], "p1").run(&lab).addresses(), ["192.168.0.3/29"]);
    ledger::assert_sound(&lab);
}

#[test]
fn a_subnet_is_served_changed_and_taken_away_live() {
    let Some(lab) = bare() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pods = ["p0", "p1", "p2"].map(|name| lab.pod(name));
    let adds: Vec<_> = pods.iter().enumerate().map(|(i, pod)| add(&lab, pod, &format!("p{i}"))).collect();
    assert_eq!(adds[0].run(&lab).code(), 7, "no subnet has the provider");

    lab.write_object("net.yaml", &subnet("net", "192.168.0.0/29", &[]));

    assert_eq!(once_served(&lab, &adds[0]), ["192.168.0.2/29"]);

    lab.write_object("net.yaml", &subnet("net", "192.168.0.0/28", &["192.168.0.3..192.168.0.9"]));

    wait::until("the change", PATIENCE, || {
        let net = witness::vpcctl_json(&lab, "get subnet")["items"][0].clone();
        (net["spec"]["cidrBlock"] == "192.168.0.0/28").then_some(())
    });
    assert_eq!(once_served(&lab, &adds[1]), ["192.168.0.10/28"]);
    assert_eq!(ledger::held(&lab), ["192.168.0.2", "192.168.0.10"]);
    ledger::assert_sound(&lab);

    lab.remove_object("net.yaml");

    wait::until("the end", PATIENCE, || (!adds[2].run(&lab).done.success()).then_some(()));
    assert_eq!(adds[2].run(&lab).code(), 7);
    assert_eq!(ledger::findings(&lab).len(), 2, "both pods have a subnet that is not defined");
    assert!(witness::ping(&lab.outside, "192.168.0.2"), "a pod that runs is left alone");
    adds.iter().for_each(|add| drop(del(add).run(&lab).ok()));
    assert!(pods.iter().all(|pod| witness::link_names(pod).is_empty()));
    ledger::assert_empty(&lab);
}

#[test]
fn a_subnet_that_comes_back_knows_its_pods() {
    let Some(lab) = lab() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pods = ["p0", "p1"].map(|name| lab.pod(name));
    add(&lab, &pods[0], "p0").run(&lab).ok();
    lab.remove_object("net.yaml");
    wait::until("the end", PATIENCE, || (!ledger::findings(&lab).is_empty()).then_some(()));

    lab.write_object("net.yaml", &subnet("net", "192.168.0.0/29", &[]));

    assert_eq!(once_served(&lab, &add(&lab, &pods[1], "p1")), ["192.168.0.3/29"]);
    ledger::assert_sound(&lab);
}

/// Runs an ADD until the change of the folder has arrived.
fn once_served(lab: &Lab, add: &Call) -> Vec<String> {
    wait::until("the subnet", PATIENCE, || {
        let answer = add.run(lab);
        answer.done.success().then(|| answer.addresses())
    })
}
