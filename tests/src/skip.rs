//! What a machine cannot run is reported, never passed over in silence.

use std::fs::OpenOptions;
use std::io::{Write, stderr};
use std::process::Command;
use std::{env, path::Path};

use crate::binaries::Binaries;
use crate::ovn;

/// Names a file to which every skipped test appends one line.
pub const REPORT: &str = "KUBE_OVN_SKIPPED";

/// What a whole OVN is run and looked at with.
const OVN_PROGRAMS: &[&str] = &[
    "ovsdb-server",
    "ovsdb-tool",
    "ovs-vswitchd",
    "ovn-northd",
    "ovn-controller",
    "ovn-nbctl",
    "ovs-vsctl",
    "ethtool",
];

/// What a test needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// To be root and to be allowed to make network namespaces.
    Root,
    /// Debian's reference plugins.
    ReferencePlugins,
    /// A kernel that can make macvlan interfaces.
    Macvlan,
    /// containerd, runc and a C compiler for the pause image.
    Containerd,
    /// podman with its CNI backend, and runc.
    Podman,
    /// Open vSwitch and OVN, central and node, and ethtool.
    Ovn,
    /// The product's programs built with the feature `crash-points`.
    CrashBinaries,
    /// A program on `PATH`.
    Program(&'static str),
}

/// True when the machine can do it. Otherwise says so, once per test and reason, and the test should return.
pub fn needs(requirement: Requirement) -> bool {
    let Some(reason) = missing(requirement) else {
        return true;
    };
    let thread = std::thread::current();
    let line = format!("SKIPPED {}: {reason}\n", thread.name().unwrap_or("a test"));
    // Written past libtest's capture, which hides the output of tests that pass.
    drop(stderr().write_all(line.as_bytes()));
    if let Some(report) = env::var_os(REPORT) {
        let file = OpenOptions::new().create(true).append(true).open(&report);
        let written = file.and_then(|mut f| f.write_all(line.as_bytes()));
        written.unwrap_or_else(|e| panic!("append to {}: {e}", Path::new(&report).display()));
    }
    false
}

/// True when the machine can do all of it; the first missing thing is reported.
pub fn needs_all(requirements: &[Requirement]) -> bool {
    requirements.iter().all(|&r| needs(r))
}

/// Why the machine cannot do it, `None` when it can.
fn missing(requirement: Requirement) -> Option<String> {
    match requirement {
        Requirement::Root if !nix::unistd::geteuid().is_root() => Some("not root".into()),
        Requirement::Root => fails("unshare", &["--net", "true"]).then(|| "no network namespaces".into()),
        Requirement::ReferencePlugins => absent(&["/usr/lib/cni/macvlan", "/usr/lib/cni/host-local"]),
        Requirement::Macvlan => {
            let trial =
                "ip link add v0 type veth peer name v1 && ip link add m0 link v0 type macvlan mode bridge";
            fails("unshare", &["--net", "sh", "-c", trial])
                .then(|| "the kernel makes no macvlan interfaces".into())
        }
        Requirement::Containerd => ["containerd", "ctr", "runc", "cc"].into_iter().find_map(not_on_path),
        Requirement::Podman => {
            ["podman", "runc"].into_iter().find_map(not_on_path).or_else(podman_without_cni)
        }
        Requirement::Ovn => OVN_PROGRAMS
            .iter()
            .find_map(|&program| not_on_path(program))
            .or_else(|| absent(&[ovn::NORTHBOUND_SCHEMA, ovn::SOUTHBOUND_SCHEMA, ovn::VSWITCH_SCHEMA])),
        Requirement::CrashBinaries if Binaries::crashing().is_none() => {
            Some("no programs with crash points: run `make test`".into())
        }
        Requirement::CrashBinaries => None,
        Requirement::Program(name) => not_on_path(name),
    }
}

fn not_on_path(program: &str) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(program).is_file());
    (!found).then(|| format!("{program} is not installed"))
}

/// podman 5 has given up CNI.
fn podman_without_cni() -> Option<String> {
    let output = Command::new("podman").arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!version.contains(" 4.") && !version.contains(" 3.")).then(|| format!("{version} has no CNI backend"))
}

fn absent(files: &[&str]) -> Option<String> {
    files.iter().find(|f| !Path::new(f).exists()).map(|f| format!("{f} is not installed"))
}

fn fails(program: &str, args: &[&str]) -> bool {
    !Command::new(program).args(args).output().is_ok_and(|o| o.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_on_the_path() {
        assert_eq!(missing(Requirement::Program("sh")), None);
        assert_eq!(
            missing(Requirement::Program("no-such-thing")),
            Some("no-such-thing is not installed".into())
        );
    }
}
