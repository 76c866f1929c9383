//! A northbound database that goes, comes back, and comes back empty.

use serde_json::json;
use tests::lab::Lab;
use tests::ovn::Ovn;
use tests::{traffic, wait};

use crate::{PATIENCE, await_condition, can, sandbox, subnet, vpc};

#[test]
fn an_outage_is_said_on_the_objects_and_a_wiped_database_is_made_again() {
    if !can() {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "v", &json!({}));
    subnet(
        &lab,
        "net1",
        &json!({"vpc": "v", "cidrBlock": "10.0.1.0/24", "private": true, "enableDHCP": true}),
    );
    subnet(&lab, "net2", &json!({"vpc": "v", "cidrBlock": "10.0.2.0/24"}));
    let mut ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let mut daemon = node.daemon(&[]);
    let ((a, add_a), (_b, add_b)) = (sandbox(&node, "ns/a", "net2"), sandbox(&node, "ns/b", "net2"));
    add_a.run(&lab).ok();
    let b = add_b.run(&lab).ok()["ips"][0]["address"].as_str().unwrap().split('/').next().unwrap().to_owned();
    traffic::await_ping(&a, &b);
    let (before, rows) = (ovn.dump(), ovn.rows());

    ovn.nb.stop();
    for (kind, name) in [("vpc", "v"), ("subnet", "net1")] {
        let ready = await_condition(&lab, kind, name, "Ready", false);
        assert_eq!(ready["reason"], "NorthboundOutOfReach", "{ready}");
    }
    assert!((daemon.metric("northbound_connected").unwrap()).abs() < 0.5);
    ovn.nb.start();
    await_condition(&lab, "vpc", "v", "Ready", true);
    assert_eq!(ovn.rows(), rows, "nothing was made anew");

    ovn.nb.wipe();
    wait::until("all rows are made again", PATIENCE, || (ovn.dump().lines() == before.lines()).then_some(()));
    traffic::await_ping(&a, &b);
    let rows = ovn.rows();
    daemon.restart();
    await_condition(&lab, "vpc", "v", "Ready", true);
    assert_eq!(ovn.rows(), rows, "a restart changes nothing");
}
