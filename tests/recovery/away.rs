//! A ledger that cannot be opened again after a failed write.

use std::fs;

use tests::daemon::Daemon;
use tests::{ledger, wait, witness};

use crate::space::{add_until_refused, fill, on_small_disk, seen_by};
use crate::{PATIENCE, bare, del, pending_folder, subnet};

#[test]
fn a_del_that_failed_is_done_once_the_ledger_is_back() {
    let Some(lab) = bare() else { return };
    lab.write_object("net.yaml", &subnet("net", "192.168.0.0/24", &[]));
    let mut daemon = Daemon::start_in(&lab, on_small_disk(&lab), &[]);
    let [filler, file, away] =
        ["filler", "ledger.redb", "away"].map(|name| seen_by(&mut daemon, &lab.state().join(name)));
    let pods = [lab.pod("p0"), lab.pod("p1")];
    let add = crate::add(&lab, &pods[0], "p0");
    let given = add.run(&lab).addresses();
    let is_held = || ledger::held(&lab).iter().any(|ip| given == [format!("{ip}/24")]);
    fill(&filler);
    add_until_refused(&lab, &pods[1]);
    fs::rename(&file, &away).unwrap();

    for _ in 0..3 {
        del(&add).run(&lab).ok();
        assert!(is_held());
        assert_eq!(witness::files(&pending_folder(&lab)).len(), 1);
    }
    fs::remove_file(&filler).unwrap();
    fs::rename(&away, &file).unwrap();

    wait::until("the DEL", PATIENCE, || witness::files(&pending_folder(&lab)).is_empty().then_some(()));
    assert!(!is_held());
    ledger::assert_sound(&lab);
}
