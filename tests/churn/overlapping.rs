//! Calls about one interface that overlap, as containerd makes them when it retries.

use serde_json::Value;
use tests::binaries::PLUGIN;
use tests::daemon::Daemon;
use tests::netns::Netns;
use tests::{ledger, witness};

use crate::{add, at_once, del, form, lab_with};

#[test]
fn six_overlapping_dels_of_one_sandbox_all_succeed() {
    let Some(lab) = lab_with(24) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    for (number, name) in ["own", "delegated"].into_iter().enumerate() {
        let pod = lab.pod(name);
        let add = add(&form(&lab, number), &pod, name);
        add.run(&lab).ok();

        // Ours only: of six reference plugins all but one may miss the link that the first one removes.
        for answer in at_once(&lab, &vec![del(&add).plugin(PLUGIN); 6]) {
            assert_eq!(answer.ok(), Value::Null, "{name}");
        }
        assert_eq!(ledger::held(&lab), Vec::<String>::new(), "{name}");
        del(&add).run(&lab).ok();

        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{name}");
        ledger::assert_empty(&lab);
    }
}

#[test]
fn add_and_del_at_the_same_time_leave_all_or_nothing() {
    let Some(lab) = lab_with(24) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let conf = form(&lab, 0);
    let pods: Vec<_> = (0..8).map(|number| lab.pod(&format!("p{number}"))).collect();
    let adds: Vec<_> = (0..8).map(|i| add(&conf, &pods[i], &format!("p{i}"))).collect();
    // Either may start first.
    let calls: Vec<_> =
        adds.iter().enumerate().flat_map(|(i, add)| in_turn(i, [add.clone(), del(add)])).collect();
    for _ in 0..3 {
        for answer in at_once(&lab, &calls) {
            let is_overtaken = answer.done.text().contains("a DEL of this interface came after this ADD");
            assert!(answer.done.success() || is_overtaken, "{:?}", answer.done);
        }

        let mut linked: Vec<_> = pods.iter().flat_map(|pod| witness::addresses(pod, "net1")).collect();
        linked.sort();
        let held: Vec<_> = ledger::held(&lab).iter().map(|ip| format!("{ip}/24")).collect();
        assert_eq!(held.len(), linked.len(), "{held:?} {linked:?}");
        assert!(held.iter().all(|ip| linked.contains(ip)), "{held:?} {linked:?}");
        ledger::assert_sound(&lab);
    }
    at_once(&lab, &adds.iter().map(del).collect::<Vec<_>>()).into_iter().for_each(|a| drop(a.ok()));
    assert!(pods.iter().all(has_no_link));
    ledger::assert_empty(&lab);
}

fn in_turn<T>(number: usize, mut pair: [T; 2]) -> [T; 2] {
    if number.is_multiple_of(2) {
        pair.reverse();
    }
    pair
}

fn has_no_link(pod: &Netns) -> bool {
    witness::link_names(pod).is_empty()
}
