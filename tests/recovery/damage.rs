//! A ledger file that is not what the daemon wrote.

use std::fs;

use tests::daemon::Daemon;
use tests::{ledger, wait, witness};

use crate::{PATIENCE, add, ips, lab};

/// How long the file's header is, in which opening it leaves a mark.
const HEADER: usize = 4096;

/// What happens to the file's bytes.
type Damage = fn(&mut Vec<u8>);

#[test]
fn a_damaged_ledger_is_kept_and_told_of_and_the_daemon_serves_with_a_new_one() {
    let damages: [(&str, Damage); 4] = [
        ("the first bytes overwritten", |file| file[..64].fill(0x5a)),
        ("everything overwritten", |file| file.fill(0x5a)),
        ("everything behind the header overwritten", |file| file[HEADER..].fill(0x5a)),
        ("cut in the middle", |file| file.truncate(file.len() / 2)),
    ];
    for (what, damage) in damages {
        let Some(lab) = lab() else { return };
        let mut daemon = Daemon::start(&lab, &[]);
        let pods = ["p0", "p1"].map(|name| lab.pod(name));
        add(&lab, &pods[0], "p0").run(&lab).ok();
        daemon.stop();
        let file = lab.state().join("ledger.redb");
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        fs::write(&file, &bytes).unwrap();

        daemon.restart();

        let kept = fs::read(file.with_extension("damaged")).unwrap();
        assert!(kept[HEADER..] == bytes[HEADER..], "{what}");
        let log = daemon.service().log();
        assert!(log.lines().any(|l| l.contains("ERROR") && l.contains("ledger.damaged")), "{what}: {log}");
        // The running pod's address is not known any longer, but the kernel knows its MAC: the caller is told to try again.
        let add = add(&lab, &pods[1], "p1");
        let given = wait::until("the ADD", PATIENCE, || {
            let answer = add.run(&lab);
            (answer.done.success() || answer.clone().code() != 11).then(|| answer.addresses())
        });
        assert_eq!(given, ["192.168.0.3/29"], "{what}");
        assert_eq!(ledger::held(&lab), ["192.168.0.3"], "{what}");
        assert_eq!(witness::addresses(&pods[0], "net1"), ["192.168.0.2/29"], "{what}");
    }
}

#[test]
fn a_ledger_whose_daemon_was_killed_is_no_damage() {
    let Some(lab) = lab() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p0");
    add(&lab, &pod, "p0").run(&lab).ok();
    let before = ips(&lab);
    for _ in 0..3 {
        daemon.kill9();
        daemon.restart();
        assert_eq!(ips(&lab), before);
    }
    assert_eq!(witness::files(&lab.state()), ["ledger.redb"]);
}
