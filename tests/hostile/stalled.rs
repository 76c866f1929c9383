//! A daemon that was stalled finds calls in a heap and takes them in the order in which they came.

use std::io::{Read, Write};
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tests::cni::GUIDE_PROVIDER;
use tests::daemon::Daemon;
use tests::{ledger, raw, witness};

use crate::guide;

/// Both orders of two threads are likely in so many rounds: without care about one ADD in four ran late.
const ROUNDS: usize = 20;

#[test]
fn an_add_never_runs_after_the_del_that_followed_it() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let pid = Pid::from_raw(i32::try_from(daemon.service().pid()).unwrap());

    for round in 0..ROUNDS {
        kill(pid, Signal::SIGSTOP).unwrap();
        let mut add = raw::connect(&lab.socket());
        add.write_all(&call("add", &pod.path())).unwrap();
        // The runtime gives up, kills the plugin, and cleans up.
        drop(add);
        let mut del = raw::connect(&lab.socket());
        del.write_all(&call("del", &pod.path())).unwrap();
        kill(pid, Signal::SIGCONT).unwrap();

        let mut answer = [0; 12];
        del.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 204", "round {round}");
        // Whatever the daemon still does with the ADD, it does before it answers this one.
        let mut barrier = raw::connect(&lab.socket());
        barrier.write_all(&call("del", &pod.path())).unwrap();
        barrier.read_exact(&mut answer).unwrap();
    }

    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    let log = daemon.service().log();
    let made = log.matches("INFO added").count();
    let undone = log.lines().filter(|l| l.contains("deleted") && l.contains("released=1")).count();
    assert_eq!(made, undone, "what was made was undone by the DEL that came next");
    let late = log.lines().filter(|l| l.contains("deleted")).skip(1).step_by(2);
    assert!(late.clone().count() == ROUNDS && late.into_iter().all(|l| l.contains("released=0")), "{log}");
    ledger::assert_empty(&lab);
}

/// What the plugin would send for our own macvlan.
fn call(verb: &str, netns: &Path) -> Vec<u8> {
    let body = json!({
        "cni_type": "kube-ovn", "container_id": "c1", "if_name": "net1", "net_ns": netns,
        "pod_name": "p1", "pod_namespace": "default", "provider": GUIDE_PROVIDER
    });
    let request = String::from_utf8(raw::post(&format!("/api/v1/{verb}"), &body.to_string())).unwrap();
    let header = "kube-ovn-call: {\"macvlan\":{\"master\":\"eth1\"},\"deadline_ms\":0}\r\nContent-Type";
    request.replacen("Content-Type", header, 1).into_bytes()
}
