//! A daemon that ends and comes back knows everything that it knew.

use tests::cni::Call;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::{cni, ledger, witness};

use crate::{add, del, ips, lab};

/// How a daemon may end.
type End = fn(&mut Daemon);

#[test]
fn a_restart_keeps_addresses_macs_owners_and_the_order_of_freed_addresses() {
    let ends: [(&str, End); 2] = [("killed", |d| d.kill9()), ("stopped", |d| assert!(d.stop().success()))];
    for (how, end) in ends {
        let Some(lab) = lab() else { return };
        let mut daemon = Daemon::start(&lab, &[]);
        let pods = ["p0", "p1", "p2", "p3", "p4"].map(|name| lab.pod(name));
        let adds: Vec<_> = pods.iter().enumerate().map(|(i, pod)| add(&lab, pod, &format!("p{i}"))).collect();
        let results: Vec<_> = adds[..3].iter().map(|add| add.run(&lab).ok()).collect();
        assert_eq!(cni::addresses(&results[2]), ["192.168.0.4/29"]);
        del(&adds[2]).run(&lab).ok();
        let (before, link) = (ips(&lab), witness::link(&pods[0], "net1"));

        end(&mut daemon);
        daemon.restart();

        assert_eq!(ips(&lab), before, "{how}");
        assert!(witness::ping(&lab.outside, "192.168.0.2"), "{how}");
        for (add, result) in adds.iter().zip(&results).take(2) {
            assert_eq!(add.run(&lab).ok(), *result, "{how}: a repeated ADD answers as before");
            check(add, &lab, result);
        }
        assert_eq!(witness::link(&pods[0], "net1"), link, "{how}: nothing is made anew");
        let given = adds[2..].iter().flat_map(|add| add.run(&lab).addresses()).collect::<Vec<_>>();
        assert_eq!(
            given,
            ["192.168.0.5/29", "192.168.0.6/29", "192.168.0.4/29"],
            "{how}: freed addresses last"
        );
        ledger::assert_sound(&lab);
        adds.iter().for_each(|add| drop(del(add).run(&lab).ok()));
        ledger::assert_empty(&lab);
    }
}

fn check(add: &Call, lab: &Lab, result: &serde_json::Value) {
    let mut conf = cni::own_macvlan(&lab.socket());
    conf["prevResult"] = result.clone();
    add.clone().verb("CHECK").stdin(conf.to_string()).run(lab).ok();
}
