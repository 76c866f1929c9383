//! A second daemon on what the first one uses.

use tests::binaries::DAEMON;
use tests::command::{self, Done};
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::{ledger, witness};

use crate::{add, del, lab};

#[test]
fn a_second_daemon_on_the_state_folder_says_so_and_harms_nothing() {
    let Some(lab) = lab() else { return };
    let daemon = Daemon::start(&lab, &[]);

    let done = second(&lab, "state", "e.sock");

    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(done.stderr.contains("is another kube-ovn-daemon running on this --state-dir?"), "{done:?}");
    assert_eq!(witness::files(&lab.state()), ["ledger.redb"], "nothing is taken for damage");
    assert!(!lab.dir().join("e.sock").exists());
    serves(&lab, &daemon);
}

#[test]
fn a_second_daemon_on_the_socket_says_so_and_harms_nothing() {
    let Some(lab) = lab() else { return };
    let daemon = Daemon::start(&lab, &[]);

    let done = second(&lab, "other", "d.sock");

    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(done.stderr.contains("another process is listening there"), "{done:?}");
    serves(&lab, &daemon);
}

/// Runs another daemon, without metrics, to its end.
fn second(lab: &Lab, state: &str, socket: &str) -> Done {
    let mut command = lab.node.command(lab.binaries().path(DAEMON));
    command
        .arg(format!("--standalone={}", lab.objects().display()))
        .arg(format!("--state-dir={}", lab.dir().join(state).display()))
        .arg(format!("--bind-socket={}", lab.dir().join(socket).display()))
        .arg("--metrics-addr=");
    command::run(command, b"")
}

/// The first daemon answers, ready as ever, and writes its ledger.
fn serves(lab: &Lab, daemon: &Daemon) {
    daemon.get("/readyz").expect_success();
    let pod = lab.pod("p0");
    let add = add(lab, &pod, "p0");
    add.run(lab).ok();
    assert_eq!(ledger::held(lab), ["192.168.0.2"]);
    ledger::assert_sound(lab);
    del(&add).run(lab).ok();
    ledger::assert_empty(lab);
}
