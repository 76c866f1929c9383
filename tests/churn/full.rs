//! A subnet whose last address is given, and the order in which freed addresses come back.

use std::collections::BTreeSet;

use tests::daemon::Daemon;
use tests::{ledger, witness};

use crate::{add, at_once, del, form, lab_with};

/// What 192.168.0.0/29 has beside network, gateway and broadcast.
const ALL: [&str; 5] = ["192.168.0.2", "192.168.0.3", "192.168.0.4", "192.168.0.5", "192.168.0.6"];

#[test]
fn an_exactly_full_subnet_serves_every_address_and_says_when_there_is_none() {
    let Some(lab) = lab_with(29) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let names = ["p0", "p1", "p2", "p3", "p4", "late"];
    let pods = names.map(|name| lab.pod(name));
    // The late one is of our own form: the reference plugin leaves its link behind when it gets no address.
    let form_of = |i| form(&lab, if i == 5 { 0 } else { i });
    let adds: Vec<_> = (0..6).map(|i| add(&form_of(i), &pods[i], names[i])).collect();
    for round in 0..3 {
        let answers = at_once(&lab, &adds[..5]);

        let given: BTreeSet<_> = answers.into_iter().flat_map(|a| a.addresses()).collect();
        assert_eq!(given, ALL.map(|ip| format!("{ip}/29")).into(), "round {round}");
        let refused = adds[5].run(&lab).error();
        assert_eq!(refused["code"], 102, "{refused}");
        assert_eq!(witness::link_names(&pods[5]), Vec::<String>::new());
        assert_eq!(adds[4].run(&lab).addresses().len(), 1, "a repeated ADD needs no second address");
        let freed = witness::addresses(&pods[round], "net1");
        del(&adds[round]).run(&lab).ok();
        assert_eq!(adds[5].run(&lab).addresses(), freed);
        assert_eq!(ledger::held(&lab), ALL);
        ledger::assert_sound(&lab);
        at_once(&lab, &adds.iter().map(del).collect::<Vec<_>>()).into_iter().for_each(|a| drop(a.ok()));
        ledger::assert_empty(&lab);
    }
}

#[test]
fn a_freed_address_comes_last() {
    let Some(lab) = lab_with(29) else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p0");
    for turn in 0..7 {
        let add = add(&form(&lab, turn), &pod, &format!("p{turn}"));

        let given = add.run(&lab).addresses();

        assert_eq!(given, [format!("{}/29", ALL[turn % ALL.len()])], "turn {turn}");
        del(&add).run(&lab).ok();
    }
    ledger::assert_empty(&lab);
}
