//! A port that opens and closes under probes is never seen wrong.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::kubelet::{Verdict, connect};
use crate::lab;
use crate::server::{close, listen};
use crate::stage::{OPEN, Stage};

const PROBES: usize = 8_000;
const PERIOD: Duration = Duration::from_millis(20);

/// Ends the toggling, also after a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn no_probe_of_a_port_toggled_every_20_ms_is_wrong() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let listener = pod.inside(|| TcpListener::bind(("::", OPEN)).unwrap());
    // Odd while it changes; then half of it is even for open.
    let (phase, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let toggle = || {
        for number in 0_u64.. {
            thread::park_timeout(PERIOD);
            if is_over.load(Ordering::SeqCst) {
                break;
            }
            phase.fetch_add(1, Ordering::SeqCst);
            if number % 2 == 0 {
                close(&listener)
            } else {
                listen(&listener)
            }
            phase.fetch_add(1, Ordering::SeqCst);
        }
    };

    let (judged, wrong) = thread::scope(|scope| {
        scope.spawn(toggle);
        let _over = Over(&is_over);
        lab.node.inside(|| {
            let (mut judged, mut wrong) = ([0; 2], Vec::new());
            for number in 0..PROBES {
                let before = phase.load(Ordering::SeqCst);
                let verdict = connect(pod.at(OPEN)[number % 2]);
                if before % 2 == 1 || before != phase.load(Ordering::SeqCst) {
                    continue;
                }
                let is_open = before / 2 % 2 == 0;
                judged[usize::from(is_open)] += 1;
                let truth = if is_open { Verdict::Open } else { Verdict::Refused };
                wrong.extend((verdict != truth).then_some((number, truth, verdict)));
            }
            (judged, wrong)
        })
    });

    assert!(wrong.is_empty(), "{} of {judged:?} wrong: {:?}", wrong.len(), wrong.first());
    // Both states were seen often enough to mean something.
    assert!(judged.iter().all(|count| *count > PROBES / 20), "{judged:?}");
}
