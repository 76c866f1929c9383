//! Processes that are killed and started under running pods, and under pods that come and go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tests::ovn::{Node, Ovn};
use tests::{ledger, traffic, wait};

use crate::pod::{Pod, switch_ports};
use crate::{PATIENCE, lab};

/// Kills and starts one process of the node.
type Restart = fn(&mut Node<'_>);

#[test]
fn pods_talk_again_after_any_process_of_the_node_was_killed_and_no_row_is_made_anew() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let mut node = ovn.node(&lab);
    let mut daemon = node.daemon(&[]);
    let (a, b) = (Pod::new(&node, "a").plugged(), Pod::new(&node, "b").plugged());
    let (local, northbound, device) = (node.rows(), ovn.rows(), a.device());
    let restarts: [(&str, Restart); 3] = [
        ("vswitchd", |node| {
            node.vswitchd.kill9();
            node.vswitchd.start();
        }),
        ("ovn-controller", |node| {
            node.controller.kill9();
            node.controller.start();
        }),
        ("ovsdb-server", |node| {
            node.db.kill9();
            node.db.start();
        }),
    ];
    for (what, restart) in restarts {
        restart(&mut node);

        traffic::await_ping(&a.netns, &b.ip());
        assert_eq!(node.rows().all_uuids(), local.all_uuids(), "{what}");
        assert_eq!(ovn.rows(), northbound, "{what}");
    }
    daemon.kill9();
    traffic::assert_ping(&a.netns, &b.ip());
    daemon.restart();
    assert_eq!(node.rows().all_uuids(), local.all_uuids(), "the daemon");
    assert_eq!((ovn.rows(), a.device()), (northbound, device), "the daemon");
    traffic::assert_ping(&a.netns, &b.ip());
    // All of them serve new pods.
    let c = Pod::new(&node, "c").plugged();
    traffic::assert_ping(&c.netns, &a.ip());
    [a, b, c].iter().for_each(Pod::deleted);
    node.assert_empty();
}

#[test]
fn pods_come_and_go_while_the_nodes_database_is_killed_again_and_again() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let mut node = ovn.node(&lab);
    let _daemon = node.daemon(&["--sweep-interval=0.2"]);
    let pods: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|name| Pod::new(&node, name)).collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (pods, lab, over) = (&pods, &lab, &over);
        let workers: Vec<_> = pods
            .iter()
            .map(|pod| {
                scope.spawn(move || {
                    let mut added = 0;
                    while !over.load(Ordering::Relaxed) || added == 0 {
                        added += usize::from(pod.add.run(lab).done.success());
                        pod.deleted();
                    }
                })
            })
            .collect();
        for _ in 0..4 {
            node.db.kill9();
            node.db.start();
            // As long as a database that a node can use at all.
            node.vsctl(&["get", "Open_vSwitch", ".", "external_ids:system-id"]);
        }
        over.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });

    for pod in &pods {
        wait::until("an ADD to succeed", PATIENCE, || pod.add.run(&lab).done.success().then_some(()));
        traffic::await_ping(&pod.netns, "10.0.1.1");
    }
    let mut ends: Vec<_> = pods.iter().map(Pod::host_end).collect();
    ends.sort();
    assert_eq!(node.ports(), ends);
    assert_eq!(switch_ports(&ovn), ["a.ns1", "b.ns1", "c.ns1", "d.ns1"]);
    ledger::assert_sound(&lab);
    pods.iter().for_each(Pod::deleted);
    node.assert_empty();
}
