//! A node that is drained and filled again: everything comes at the same time.

use std::collections::BTreeSet;
use std::thread;

use tests::daemon::Daemon;
use tests::{ledger, witness};

use crate::{add, at_once, del, form, lab_with};

#[test]
fn twenty_sandboxes_at_once_have_an_address_a_link_and_a_peer_outside_each() {
    let Some(lab) = lab_with(24) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let names: Vec<_> = (0..20).map(|number| format!("p{number}")).collect();
    let pods: Vec<_> = names.iter().map(|name| lab.pod(name)).collect();
    let adds: Vec<_> = (0..20).map(|i| add(&form(&lab, i), &pods[i], &names[i])).collect();

    let given: Vec<_> = at_once(&lab, &adds).into_iter().flat_map(|answer| answer.addresses()).collect();

    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 20, "{given:?}");
    thread::scope(|scope| {
        for (pod, address) in pods.iter().zip(&given) {
            let lab = &lab;
            scope.spawn(move || {
                assert_eq!(witness::link_names(pod), ["net1"]);
                assert_eq!(witness::addresses(pod, "net1"), [address.as_str()]);
                let bare = address.strip_suffix("/24").unwrap();
                assert!(witness::ping(&lab.outside, bare), "{address}");
            });
        }
    });
    assert_eq!(ledger::held(&lab).len(), 20);
    ledger::assert_sound(&lab);

    let dels: Vec<_> = adds.iter().map(del).collect();
    at_once(&lab, &dels).into_iter().for_each(|answer| drop(answer.ok()));

    for pod in &pods {
        assert_eq!(witness::link_names(pod), Vec::<String>::new());
    }
    ledger::assert_empty(&lab);
}
