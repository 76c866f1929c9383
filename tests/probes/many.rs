//! Many probes, one after the other and at once: not one fails.

use std::sync::Barrier;
use std::thread;

use crate::kubelet::{Verdict, connect, get};
use crate::lab;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, PROBE_ADDRESSES, Stage};

/// One after the other.
const SEQUENTIAL: usize = 10_000;
/// At the same moment.
const AT_ONCE: usize = 1_000;

#[test]
fn ten_thousand_probes_one_after_the_other_are_all_right() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _server = Server::web(&pod, "p", OPEN);
    let (open, closed) = (pod.at(OPEN), pod.at(CLOSED));

    lab.node.inside(|| {
        for number in 0..SEQUENTIAL {
            let family = number % 2;
            match number % 10 {
                0 => assert_eq!(
                    get(open[family]).ok(),
                    Some(format!("p {}", PROBE_ADDRESSES[family])),
                    "{number}"
                ),
                1..6 => assert_eq!(connect(open[family]), Verdict::Open, "{number}"),
                _ => assert_eq!(connect(closed[family]), Verdict::Refused, "{number}"),
            }
        }
    });
}

#[test]
fn a_thousand_probes_at_once_are_all_right() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pods = [("a", "net-a"), ("b", "net-b")].map(|(name, net)| stage.pod(name, net));
    let _servers = [Server::web(&pods[0], "a", OPEN), Server::web(&pods[1], "b", OPEN)];
    let start = Barrier::new(AT_ONCE);

    let answers: Vec<_> = thread::scope(|scope| {
        let ask = |number: usize| {
            let to = pods[number / 2 % 2].at(OPEN)[number % 2];
            let start = &start;
            let node = &lab.node;
            scope.spawn(move || {
                node.inside(|| {
                    start.wait();
                    get(to)
                })
            })
        };
        let threads: Vec<_> = (0..AT_ONCE).map(ask).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    for (number, answer) in answers.into_iter().enumerate() {
        let wanted = format!("{} {}", ["a", "b"][number / 2 % 2], PROBE_ADDRESSES[number % 2]);
        assert_eq!(answer.unwrap(), wanted, "{number}");
    }
}
