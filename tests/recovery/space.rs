//! A disk that is full for a while.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use tests::cni::Call;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::netns::Netns;
use tests::{ledger, wait, witness};

use crate::{PATIENCE, bare, del, pending_folder, subnet};

/// More ADDs than fit into what the ledger's file has in hand.
const PODS: usize = 60;

#[test]
fn a_full_disk_refuses_adds_keeps_dels_for_later_and_needs_no_restart() {
    let Some(lab) = bare() else { return };
    lab.write_object("net.yaml", &subnet("net", "192.168.0.0/24", &[]));
    let mut daemon = Daemon::start_in(&lab, on_small_disk(&lab), &[]);
    let filler = seen_by(&mut daemon, &lab.state().join("filler"));
    let pod = lab.pod("p0");
    let first = crate::add(&lab, &pod, "p0");
    first.run(&lab).ok();

    fill(&filler);
    let refused = add_until_refused(&lab, &pod);

    let error = refused.run(&lab).error();
    assert_eq!(error["code"], 11, "{error}");
    assert!(error.to_string().contains("disk full"), "{error}");
    let links = witness::link_names(&pod);
    assert_eq!(ledger::held(&lab).len(), links.len(), "{links:?}");
    assert_eq!(Call::status(&status_conf(&lab)).run(&lab).code(), 50);
    del(&first).run(&lab).ok();
    assert_eq!(witness::files(&pending_folder(&lab)).len(), 1);

    fs::remove_file(&filler).unwrap();

    wait::until("the ADD", PATIENCE, || refused.run(&lab).done.success().then_some(()));
    wait::until("the DEL", PATIENCE, || witness::files(&pending_folder(&lab)).is_empty().then_some(()));
    Call::status(&status_conf(&lab)).run(&lab).ok();
    assert_eq!(ledger::held(&lab).len(), links.len(), "one more, one less");
    assert_eq!(witness::link_names(&pod).len(), links.len());
    ledger::assert_sound(&lab);
    daemon.kill9();
}

/// Words to put before the daemon, so that its state folder is a small file system of its own.
pub(crate) fn on_small_disk(lab: &Lab) -> Vec<OsString> {
    let state = lab.folder("state");
    let script = format!("mount -t tmpfs -o size=4m tmpfs {} && exec \"$@\"", state.display());
    // Namespaces that are made later have to be seen in there.
    let words = ["/usr/bin/unshare", "--mount", "--propagation", "slave", "/bin/sh", "-c", &script, "sh"];
    words.map(OsString::from).to_vec()
}

/// The path that leads to a file as the daemon sees it.
pub(crate) fn seen_by(daemon: &mut Daemon, path: &std::path::Path) -> PathBuf {
    let root = format!("/proc/{}/root", daemon.service().pid());
    PathBuf::from(root).join(path.strip_prefix("/").unwrap())
}

/// Writes until there is no space left.
pub(crate) fn fill(filler: &std::path::Path) {
    use std::io::Write;
    let mut file = fs::File::create(filler).unwrap();
    for size in [64 << 10, 4 << 10] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

/// Gives the pod one interface after the other; the ADD that is refused.
pub(crate) fn add_until_refused(lab: &Lab, pod: &Netns) -> Call {
    let adds = (1..PODS).map(|n| crate::add(lab, pod, &format!("p{n}")).ifname(&format!("net{n}x")));
    let refused = adds.into_iter().find(|add| !add.run(lab).done.success());
    refused.unwrap_or_else(|| panic!("{PODS} ADDs found space on a full disk"))
}

fn status_conf(lab: &Lab) -> serde_json::Value {
    let mut conf = tests::cni::own_macvlan(&lab.socket());
    conf["cniVersion"] = "1.1.0".into();
    conf
}
