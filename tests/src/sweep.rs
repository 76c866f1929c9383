//! Removal of what labs of ended test processes left behind, for example after a SIGKILL.

use std::fs;
use std::path::Path;
use std::sync::Once;

use crate::{netns, rundir};

/// The tag of a lab: the pid of the test process and a running number. At most 12 bytes.
pub fn tag(pid: u32, number: usize) -> String {
    format!("kt{pid}x{number}")
}

/// The pid in a name that begins with a [`tag`].
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix("kt")?.split_once('x')?.0.parse().ok()
}

/// Removes namespaces and run directories of labs whose process is gone; once per process.
pub fn once() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        names(netns::FOLDER).iter().for_each(|name| netns::remove(name));
        names("/tmp").iter().for_each(|name| rundir::remove(&Path::new("/tmp").join(name)));
    });
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|e| e.file_name().into_string().ok());
    names.filter(|name| owner(name).is_some_and(is_gone)).collect()
}

/// True when there is no such process, or only its remains that nobody has collected.
fn is_gone(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    // The state follows the name, which stands in parentheses and may contain anything (proc(5)).
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_its_owner() {
        assert_eq!(owner(&format!("{}-node", tag(4711, 3))), Some(4711));
    }

    #[test]
    fn a_living_process_is_not_gone() {
        assert!(!is_gone(std::process::id()));
        assert!(is_gone(u32::MAX));
    }

    #[test]
    fn other_names_have_no_owner() {
        for name in ["kt-netns.lock", "kt12-node", "cni-12x3", "ktax3", ""] {
            assert_eq!(owner(name), None, "{name}");
        }
    }
}
