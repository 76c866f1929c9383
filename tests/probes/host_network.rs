//! A pod on the host's network that runs as root is not the kubelet.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use tests::daemon::Daemon;
use tests::skip::{Requirement, needs};

use crate::isolation::gets;
use crate::lab;
use crate::server::Server;
use crate::stage::{OPEN, Stage};

/// Folders of the cgroup v2 tree, removed with the value.
struct Groups(Vec<PathBuf>);

impl Groups {
    /// A group of this test alone, in it what the kubelet calls `kubepods`, and in that a pod's.
    fn make() -> Option<Self> {
        let trees = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
        let tree = trees.into_iter().find(|tree| tree.join("cgroup.procs").is_file())?;
        let top = tree.join(format!("kube-ovn-test-{}", std::process::id()));
        let folders = vec![top.clone(), top.join("kubepods"), top.join("kubepods/pod1")];
        folders.iter().all(|folder| fs::create_dir(folder).is_ok()).then_some(Self(folders))
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        self.0.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

#[test]
fn root_in_a_pod_on_the_hosts_network_does_not_get_in() {
    let Some(lab) = lab() else { return };
    let Some(groups) = Groups::make() else {
        needs(Requirement::Program("a cgroup v2 tree that lets groups be made"));
        return;
    };
    // The daemon sees this test's group as the kubelet's `--cgroup-root`, and no other test's daemon sees it.
    let view = lab.folder("cgroup/kubelet");
    let script = format!(
        "mount --bind {} {} && mount --rbind {} /sys/fs/cgroup && exec \"$@\"",
        groups.0[0].display(),
        view.display(),
        view.parent().unwrap().display()
    );
    // The sandboxes that are made from now on are to be seen.
    let wrapper = ["/usr/bin/unshare", "--mount", "--propagation=slave", "/bin/sh", "-c", &script, "sh"]
        .map(OsString::from);
    let mut stage = Stage::with(&lab, &[]);
    stage.daemon.stop();
    let flags = stage.node.flags();
    let flags = [flags[0].as_str(), &flags[1], "--enable-tproxy"];
    stage.daemon = Daemon::start_in(&lab, wrapper.to_vec(), &flags);
    let pod = stage.pod("p", "net-a");
    let _server = Server::web(&pod, "p", OPEN);

    for to in pod.at(OPEN) {
        let [as_pod, as_kubelet] =
            [&groups.0[2], &groups.0[0]].map(|group| format!("echo $$ > {}/cgroup.procs;", group.display()));
        assert!(!gets(&lab, &as_pod, 0, to), "a pod at {to}");
        assert!(gets(&lab, &as_kubelet, 0, to), "the kubelet at {to}");
    }
}
