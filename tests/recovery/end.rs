//! The daemon's end on request, and its socket's file.

use std::fs;
use std::thread;

use tests::daemon::Daemon;
use tests::lab::UPLINK;
use tests::{ledger, wait, witness};

use crate::{PATIENCE, add, del, lab};

#[test]
fn sigterm_lets_an_add_under_way_end_well() {
    let Some(lab) = lab() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let (pod, blocker) = (lab.pod("p0"), lab.pod("blocker"));
    let add = add(&lab, &pod, "p0");
    add.run(&lab).ok();
    let mac = witness::link(&pod, "net1").unwrap()["address"].as_str().unwrap().to_owned();
    let claimed = ledger::claims(&lab);
    del(&add).run(&lab).ok();
    // Every other address is taken, so the same one comes again; and its MAC is in use for a while.
    let others = ["p1", "p2", "p3", "p4"].map(|name| lab.pod(name));
    for (number, other) in others.iter().enumerate() {
        crate::add(&lab, other, &format!("p{}", number + 1)).run(&lab).ok();
    }
    let (name, node) = (blocker.name(), &lab.node);
    node.must(&format!("ip link add b0 netns {name} link {UPLINK} address {mac} type macvlan mode bridge"));
    blocker.must("ip link set b0 up");

    let running = add.spawn(&lab);
    wait::until("the claim", PATIENCE, || ledger::held(&lab).contains(&"192.168.0.2".into()).then_some(()));
    let (done, status) = thread::scope(|scope| {
        let ending = scope.spawn(|| daemon.stop());
        wait::until("the socket's end", PATIENCE, || (!lab.socket().exists()).then_some(()));
        blocker.must("ip link del b0");
        (running.wait(PATIENCE), ending.join().unwrap())
    });

    done.expect_success();
    assert_eq!(status.code(), Some(0));
    assert!(!daemon.service().log().contains("calls are still under way"));
    assert_eq!(witness::addresses(&pod, "net1"), ["192.168.0.2/29"]);
    daemon.restart();
    assert_eq!(ledger::claims(&lab).len(), claimed.len() + others.len());
    ledger::assert_sound(&lab);
}

#[test]
fn the_socket_goes_with_the_daemon_and_is_bound_again_when_somebody_removes_it() {
    let Some(lab) = lab() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p0");
    let add = add(&lab, &pod, "p0");
    for _ in 0..3 {
        fs::remove_file(lab.socket()).unwrap();

        wait::until("the socket", PATIENCE, || lab.socket().exists().then_some(()));
        wait::until("the ADD", PATIENCE, || add.run(&lab).done.success().then_some(()));
    }
    assert_eq!(ledger::held(&lab), ["192.168.0.2"]);
    ledger::assert_sound(&lab);

    assert!(daemon.stop().success());

    assert!(!lab.socket().exists());
}
