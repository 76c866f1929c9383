//! Hundreds of operations on a small subnet, with plugins and daemons killed on the way and sandboxes that vanish.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::ovn::Ovn;
use tests::{ledger, wait, witness};

use crate::dice::Dice;
use crate::pod::Pod;
use crate::{PATIENCE, form, lab_with, veths};

const SEED: u64 = 20_250_131;
/// The subnet has 13 addresses.
const PODS: usize = 12;
/// As many pods are operated on at once.
const WORKERS: usize = 4;
/// The daemon is killed whenever as many operations are done.
const DAEMONS_LIFE: usize = 100;

#[test]
fn a_thousand_interrupted_operations_leave_exactly_what_lives() {
    let Some(lab) = lab_with(28) else { return };
    println!("seed {SEED}");
    // The reference plugin that is killed leaves an address in its sandbox, which the probe would rightly find in use.
    let flags = ["--sweep-interval=0.2", "--enable-arp-detect-ip-conflict=false"];
    let mut daemon = Daemon::start(&lab, &flags);
    let mut pods: Vec<_> = (0..PODS).map(|number| Pod::new(&lab, number, form(&lab, number))).collect();

    let living = churn(&lab, &mut pods, &mut daemon, 1000);

    thread::scope(|scope| {
        for pod in &living {
            let outside = &lab.outside;
            scope.spawn(move || assert!(witness::ping(outside, &pod.addresses()[0]), "{}", pod.name()));
        }
    });
}

#[test]
fn interrupted_operations_on_veths_leave_exactly_what_lives() {
    let Some(lab) = veths::lab_with(28) else { return };
    println!("seed {SEED}");
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let mut daemon = node.daemon(&["--sweep-interval=0.2"]);
    let mut pods: Vec<_> = (0..PODS).map(|number| Pod::new(&lab, number, node.conf())).collect();

    let living = churn(&lab, &mut pods, &mut daemon, 400);

    veths::assert_reached(&living.iter().map(|pod| pod.netns()).collect::<Vec<_>>());
    wait::until("the other ports to go", PATIENCE, || {
        (node.ports().len() == living.len() && veths::switch_ports(&ovn) == living.len()).then_some(())
    });
    ledger::assert_sound(&lab);
}

/// Operates on the pods, then ends some. The others live, and nothing but them holds anything.
#[track_caller]
fn churn<'a, 'b>(
    lab: &Lab,
    pods: &'b mut [Pod<'a>],
    daemon: &mut Daemon<'_>,
    operations: usize,
) -> Vec<&'b Pod<'a>> {
    operate(pods, daemon, operations);
    let living = settle(pods);
    let mut running: Vec<_> =
        living.iter().map(|pod| (pod.name().into(), pod.addresses().join(","))).collect();
    running.sort();
    let settled = wait::until_or(PATIENCE, || (held(lab) == running).then_some(()));
    assert!(settled.is_some(), "running {running:#?}\nheld {:#?}", held(lab));
    wait::until("the waiting DELs", PATIENCE, || waiting_dels(lab).is_empty().then_some(()));
    ledger::assert_sound(lab);
    living
}

/// Every worker has pods of its own; the daemon is killed and started again under all of them.
fn operate(pods: &mut [Pod], daemon: &mut Daemon, operations: usize) {
    let done = &AtomicUsize::new(0);
    thread::scope(|scope| {
        let each = PODS.div_ceil(WORKERS);
        let workers: Vec<_> = (0..)
            .zip(pods.chunks_mut(each))
            .map(|(number, pods)| {
                scope.spawn(move || work(pods, Dice::new(SEED + number), operations / WORKERS, done))
            })
            .collect();
        for killed in 1.. {
            wait::until("the operations", 10 * PATIENCE, || {
                let is_time = done.load(Ordering::Relaxed) >= killed * DAEMONS_LIFE;
                (is_time || workers.iter().all(|worker| worker.is_finished())).then_some(())
            });
            daemon.kill9();
            daemon.restart();
            if workers.iter().all(|worker| worker.is_finished()) {
                break;
            }
        }
    });
}

fn work(pods: &mut [Pod], mut dice: Dice, operations: usize, done: &AtomicUsize) {
    for _ in 0..operations {
        let place = dice.place(pods.len());
        pods[place].operate(&mut dice);
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends a third of the pods and lets the others run.
fn settle<'a, 'b>(pods: &'b mut [Pod<'a>]) -> Vec<&'b Pod<'a>> {
    let mut dice = Dice::new(SEED);
    let (ending, running): (Vec<_>, Vec<_>) =
        pods.iter_mut().enumerate().partition(|(number, _)| number % 3 == 2);
    ending.into_iter().for_each(|(_, pod)| pod.die(&mut dice));
    running
        .into_iter()
        .map(|(_, pod)| {
            pod.survive();
            &*pod
        })
        .collect()
}

/// Pods with their addresses, as the ledger has them.
fn held(lab: &Lab) -> Vec<(String, String)> {
    let text = |claim: &Value, key: &str| claim[key].as_str().unwrap().to_owned();
    let mut held: Vec<_> =
        ledger::claims(lab).iter().map(|c| (text(c, "podName"), text(c, "ipAddress"))).collect();
    held.sort();
    held
}

/// The DELs that wait on disk; drafts that a killed plugin left are none.
fn waiting_dels(lab: &Lab) -> Vec<String> {
    let mut files = witness::files(&lab.dir().join("d.sock.pending"));
    files.retain(|name| !name.starts_with('.'));
    files
}
