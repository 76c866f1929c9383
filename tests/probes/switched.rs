//! The flag put on and taken away, and what somebody breaks by hand.

use tests::lab::Lab;
use tests::wait;

use crate::kubelet::{Verdict, assert_probe, probe};
use crate::lab;
use crate::outages::ruleset;
use crate::server::Server;
use crate::stage::{CLOSED, OPEN, PATIENCE, Stage};

/// What leads probes to pods, of both families.
#[track_caller]
fn ways(lab: &Lab) -> Vec<String> {
    let mut ways = Vec::new();
    for family in [4, 6] {
        let rules = lab.node.must(&format!("ip -{family} rule"));
        ways.extend(rules.lines().filter(|line| line.contains("10001")).map(str::to_owned));
        // A table that was never used is none.
        let routes = lab.node.exec(&format!("ip -{family} route show table 10001")).text();
        ways.extend(routes.lines().map(str::to_owned));
    }
    ways.extend(tests::witness::link_names(&lab.node).into_iter().filter(|name| name.starts_with("prb")));
    ways
}

#[test]
fn without_the_flag_nothing_is_left_and_with_it_again_all_pods_are_probed() {
    let Some(lab) = lab() else { return };
    let mut stage = Stage::with(&lab, &[]);
    let older = stage.pod("older", "net-a");
    let _older = Server::web(&older, "older", OPEN);
    let nothing = (ruleset(&stage), ways(&lab));
    assert_eq!(nothing, (String::new(), Vec::new()));

    for _ in 0..2 {
        stage.restart_with(&["--enable-tproxy"]);
        assert_probe(&lab.node, &older.at(OPEN), Verdict::Open);
        assert_probe(&lab.node, &older.at(CLOSED), Verdict::Refused);
        assert!(!ways(&lab).is_empty());
        let newer = stage.pod("newer", "net-a");
        assert_probe(&lab.node, &newer.at(CLOSED), Verdict::Refused);

        stage.restart_with(&[]);
        assert_eq!((ruleset(&stage), ways(&lab)), nothing);
        assert_probe(&lab.node, &newer.at(CLOSED), Verdict::NoRoute);
        newer.delete();
    }
}

#[test]
fn what_is_damaged_by_hand_is_mended_with_the_next_sweep() {
    let Some(lab) = lab() else { return };
    let mut stage = Stage::with(&lab, &["--enable-tproxy", "--sweep-interval=1"]);
    let pod = stage.pod("p", "net-a");
    assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);
    let (rules, routing) = (ruleset(&stage), ways(&lab));
    // What is made anew has other handles and another place in the list.
    let content = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split(" # handle").next().unwrap().trim().to_owned());
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines
    };

    for damage in [
        "nft flush set inet kube-ovn-probes targets4",
        "nft flush chain netdev kube-ovn-probes answers6",
        "nft delete table netdev kube-ovn-probes",
        "nft delete table inet kube-ovn-probes",
        "ip route flush table 10001",
        "ip -6 rule del fwmark 0x90003/0x90003 table 10001",
        "ip link del prb0",
    ] {
        lab.node.must(damage);
        wait::until(damage, PATIENCE, || {
            // The other end of a new pair has another index, by which frames are handed on.
            let is_whole = damage.contains("link") || content(&ruleset(&stage)) == content(&rules);
            (is_whole && ways(&lab) == routing).then_some(())
        });
        wait::until("right probes", PATIENCE, || {
            (probe(&lab.node, &pod.at(CLOSED)) == [Verdict::Refused; 2]).then_some(())
        });
    }
    assert!(stage.daemon.service().ended().is_none());
}
