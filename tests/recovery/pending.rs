//! DELs that were left on disk while there was no daemon.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::thread;

use tests::cni::Call;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::{ledger, wait, witness};

use crate::{PATIENCE, add, del, lab, pending_folder};

#[test]
fn m1146_six_dels_without_a_daemon_leave_one_file_which_is_replayed_at_the_start() {
    let Some(lab) = lab() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let (pod, other) = (lab.pod("p1"), lab.pod("p2"));
    let adds = [add(&lab, &pod, "p1"), add(&lab, &other, "p2")];
    adds.iter().for_each(|add| drop(add.run(&lab).ok()));
    daemon.kill9();
    let del = del(&adds[0]);

    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert!(del.run(&lab).done.expect_success().stdout.is_empty()));
        }
    });

    assert_eq!(witness::files(&pending_folder(&lab)).len(), 1, "one file, and no drafts");
    assert_eq!(witness::link_names(&pod), ["net1"], "only the daemon removes it");
    daemon.restart();
    await_replay(&lab);
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    assert_eq!(witness::link_names(&other), ["net1"]);
    assert_eq!(ledger::held(&lab), ["192.168.0.3"]);
    assert_eq!(daemon.metric("pending_dels_replayed_total"), Some(1.0));
    ledger::assert_sound(&lab);
}

#[test]
fn an_add_that_races_the_replay_of_its_sandboxes_del_wins() {
    let Some(lab) = lab() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pods = ["p0", "p1", "p2", "p3"].map(|name| lab.pod(name));
    let adds: Vec<_> = pods.iter().enumerate().map(|(i, pod)| add(&lab, pod, &format!("p{i}"))).collect();
    adds.iter().for_each(|add| drop(add.run(&lab).ok()));
    for _ in 0..3 {
        daemon.kill9();
        adds.iter().for_each(|add| drop(del(add).run(&lab).ok()));
        assert_eq!(witness::files(&pending_folder(&lab)).len(), 4);
        drop(daemon);

        let starting = Daemon::start_with(&lab, &[], &[]);
        let given: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> =
                adds.iter().map(|add| scope.spawn(|| add_as_soon_as_possible(add, &lab))).collect();
            running.into_iter().flat_map(|add| add.join().unwrap()).collect()
        });
        daemon = starting.wait_ready();

        await_replay(&lab);
        for (pod, address) in pods.iter().zip(&given) {
            assert_eq!(witness::addresses(pod, "net1"), [address.as_str()]);
        }
        assert_eq!(ledger::held(&lab).len(), 4);
        ledger::assert_sound(&lab);
    }
}

#[test]
fn a_file_that_only_root_could_not_have_written_frees_nothing_and_is_put_aside() {
    let Some(lab) = lab() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let names = ["foreign", "open", "link", "good"];
    let pods = names.map(|name| lab.pod(name));
    let adds: Vec<_> = pods.iter().zip(names).map(|(pod, name)| add(&lab, pod, name)).collect();
    adds.iter().for_each(|add| drop(add.run(&lab).ok()));
    daemon.stop();
    let files: Vec<_> = adds.iter().map(|add| left_file(&lab, add)).collect();
    chown(&files[0], Some(1000), None).unwrap();
    fs::set_permissions(&files[1], fs::Permissions::from_mode(0o622)).unwrap();
    let elsewhere = lab.dir().join("elsewhere.json");
    fs::rename(&files[2], &elsewhere).unwrap();
    symlink(&elsewhere, &files[2]).unwrap();
    fs::write(pending_folder(&lab).join("garbage.json"), "{\"pod\":").unwrap();

    daemon.restart();
    fs::write(pending_folder(&lab).join("later.json"), vec![b' '; 4 << 20]).unwrap();

    wait::until("the last file to be put aside", PATIENCE, || {
        pending_folder(&lab).join("later.refused").exists().then_some(())
    });
    let mut aside: Vec<_> = files[..3].iter().map(|f| name_of(&f.with_extension("refused"))).collect();
    aside.extend(["garbage.refused".to_owned(), "later.refused".to_owned()]);
    aside.sort();
    assert_eq!(witness::files(&pending_folder(&lab)), aside);
    let log = daemon.service().log();
    for file in files[..3].iter().map(|f| name_of(f)).chain(["garbage.json".into(), "later.json".into()]) {
        assert!(log.lines().any(|line| line.contains(&file) && line.contains("put aside")), "{file}:\n{log}");
    }
    assert_eq!(
        ledger::held(&lab),
        ["192.168.0.2", "192.168.0.3", "192.168.0.4"],
        "only the good one was done"
    );
    assert!(elsewhere.exists());
}

fn add_as_soon_as_possible(add: &Call, lab: &Lab) -> Vec<String> {
    wait::until("the ADD", PATIENCE, || {
        let answer = add.run(lab);
        let is_down =
            answer.done.text().contains("\"code\":11") || answer.done.text().contains("\"code\": 11");
        (!is_down).then(|| answer.addresses())
    })
}

/// Runs the DEL of an ADD without a daemon and tells the file that it leaves.
fn left_file(lab: &Lab, add: &Call) -> PathBuf {
    let before = witness::files(&pending_folder(lab));
    del(add).run(lab).ok();
    let mut after = witness::files(&pending_folder(lab));
    after.retain(|name| !before.contains(name));
    assert_eq!(after.len(), 1);
    pending_folder(lab).join(&after[0])
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn await_replay(lab: &Lab) {
    wait::until("the files to go", PATIENCE, || {
        witness::files(&pending_folder(lab)).is_empty().then_some(())
    });
}
