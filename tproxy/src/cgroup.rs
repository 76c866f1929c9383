//! Where the kubelet keeps its pods among the cgroups of the node.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::plan::Cgroup;

/// Where the tree of cgroup v2 is: alone, or beside version 1 (systemd's "hybrid" layout).
const TREES: [&str; 2] = ["", "unified"];
/// The kubelet's folder for all pods and its depth: of the cgroupfs and the systemd driver, and of both below a
/// `--cgroup-root` of `/kubelet`, as kind has it.
const FOLDERS: [(&str, u32); 4] = [
    ("kubepods", 1),
    ("kubepods.slice", 1),
    ("kubelet/kubepods", 2),
    ("kubelet.slice/kubelet-kubepods.slice", 2),
];

/// The groups of all pods, found below `root`, which is commonly `/sys/fs/cgroup` of the host; none when the layout is
/// another one, and then nothing tells a pod on the host's network that runs as root from the kubelet.
///
/// They are new whenever the kubelet makes them anew, so look again at every resync.
pub fn pod_cgroups(root: &Path) -> Vec<Cgroup> {
    let folders =
        TREES.iter().flat_map(|tree| FOLDERS.map(|(folder, level)| (root.join(tree).join(folder), level)));
    let found = folders.filter_map(|(path, level)| {
        let meta = path.metadata().ok().filter(std::fs::Metadata::is_dir)?;
        Some(Cgroup { level, id: meta.ino() })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_drivers_and_both_trees_are_known_and_an_unknown_layout_is_none() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(pod_cgroups(root.path()), []);

        for folder in ["kubepods.slice", "unified/kubelet/kubepods", "system.slice"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }

        let id = |folder: &str| root.path().join(folder).metadata().unwrap().ino();
        let wanted = [
            Cgroup { level: 1, id: id("kubepods.slice") },
            Cgroup { level: 2, id: id("unified/kubelet/kubepods") },
        ];
        assert_eq!(pod_cgroups(root.path()), wanted);
    }
}
