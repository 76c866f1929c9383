//! A port that opens and closes under probes. Alone in its process: a program that another test starts holds a copy of
//! the listening socket for a moment, and so keeps it open.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod ground;

use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ground::{Node, OPEN, Verdict, at, needs_root, probe_here};

#[test]
fn a_port_that_opens_and_closes_is_never_seen_wrong() {
    if !needs_root() {
        return;
    }
    const PROBES: usize = 20_000;
    let node = Node::new();
    let pod = node.pod("p1", "a", 11, &[OPEN]);
    let _carrier = node.carrier(&[&pod]);
    // Odd while it changes; then half of it is even for closed.
    let (phase, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let listener: Mutex<Option<TcpListener>> = Mutex::default();
    let toggle = || {
        while !is_over.load(Ordering::SeqCst) {
            phase.fetch_add(1, Ordering::SeqCst);
            {
                let mut listener = listener.lock().unwrap();
                *listener = listener.is_none().then(|| TcpListener::bind(("::", OPEN)).unwrap());
                listener.iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
            }
            phase.fetch_add(1, Ordering::SeqCst);
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
    };
    let (mut judged, mut wrong) = (0, Vec::new());
    std::thread::scope(|scope| {
        let toggling = scope.spawn(|| pod.space.netns.run(toggle).unwrap());
        let ask = || {
            for number in 0..PROBES {
                let before = phase.load(Ordering::SeqCst);
                let verdict = probe_here(at(11, OPEN)[number % 2]);
                // So that the queue never fills, which would be a true timeout.
                while listener.lock().unwrap().as_ref().is_some_and(|socket| socket.accept().is_ok()) {}
                if before % 2 == 0 && before == phase.load(Ordering::SeqCst) {
                    judged += 1;
                    let is_open = before / 2 % 2 == 1;
                    let truth = if is_open { Verdict::Open } else { Verdict::Refused };
                    wrong.extend((verdict != truth).then_some((number, truth, verdict)));
                }
            }
        };
        node.space.netns.run(ask).unwrap();
        is_over.store(true, Ordering::SeqCst);
        toggling.join().unwrap();
    });
    assert!(wrong.is_empty(), "{} of {judged}: {:?}", wrong.len(), wrong.first());
    assert!(judged > PROBES / 4, "{judged}");
}
