//! A `/run` of the daemon's own: what a test cannot do under the machine's, such as the default socket or the netns
//! names of a recorded exchange.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use crate::lab::Lab;
use crate::netns::Netns;

/// Words to put before a program, so that it runs in a mount namespace in which the folder [`path`] is `/run`.
///
/// `namespaces` are all that is in `/run/netns` there, each under its given name.
///
/// # Panics
/// When the folder cannot be made.
#[track_caller]
pub fn wrapper(lab: &Lab, namespaces: &[(&str, &Netns)]) -> Vec<OsString> {
    let run = path(lab);
    let names = lab.folder("run/netns");
    lab.folder("run/openvswitch");
    let mut script = String::from("set -e\n");
    for (name, netns) in namespaces {
        let point = names.join(name);
        fs::write(&point, "").unwrap_or_else(|e| panic!("make {}: {e}", point.display()));
        script.push_str(&format!("mount --bind {} {}\n", netns.path().display(), point.display()));
    }
    script.push_str(&format!("mount --rbind {} /run\nexec \"$@\"\n", run.display()));
    ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", &script, "sh"].map(OsString::from).to_vec()
}

/// The folder that the daemon sees as `/run`.
pub fn path(lab: &Lab) -> PathBuf {
    lab.dir().join("run")
}
