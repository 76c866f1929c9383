//! podman 4 with its CNI backend on a lab's node: private configuration and storage, runc, a bare root folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde_json::Value;

use super::image;
use crate::command::{self, Done};
use crate::lab::Lab;

/// The limits a container asks for: at or below the hard ones of a root without `CAP_SYS_RESOURCE`.
const LIMITS: [&str; 4] = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];

/// podman's private world; its containers end with the value.
#[derive(Debug)]
pub struct Podman<'a> {
    lab: &'a Lab,
    folder: PathBuf,
}

/// What a podman command answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, trimmed.
    pub stdout: String,
    /// Its standard error, trimmed.
    pub stderr: String,
}

impl<'a> Podman<'a> {
    /// Writes the configuration, with the given network configuration lists under their own names.
    ///
    /// # Panics
    /// When the folder cannot be filled.
    #[track_caller]
    pub fn new(lab: &'a Lab, networks: &[Value]) -> Self {
        let folder = lab.folder("podman");
        for sub in ["net.d", "tmp", "rootfs/proc", "rootfs/sys", "rootfs/dev", "rootfs/etc", "rootfs/run"] {
            let path = folder.join(sub);
            fs::create_dir_all(&path).unwrap_or_else(|e| panic!("make {}: {e}", path.display()));
        }
        for network in networks {
            let name = network["name"].as_str().unwrap_or("network");
            write(&folder.join(format!("net.d/30-{name}.conflist")), &network.to_string());
        }
        let default = networks.first().and_then(|n| n["name"].as_str()).unwrap_or("none");
        write(&folder.join("containers.conf"), &configuration(&folder, &lab.plugins(), default));
        write(&folder.join("storage.conf"), &storage(&folder));
        fs::rename(image::compile_pause(&folder), folder.join("rootfs/pause"))
            .unwrap_or_else(|e| panic!("move the pause program: {e}"));
        Self { lab, folder }
    }

    /// Starts a detached container that does nothing, with further options such as `--ip`.
    #[track_caller]
    pub fn run(&self, name: &str, network: &str, options: &[&str]) -> Outcome {
        let rootfs = self.folder.join("rootfs").display().to_string();
        let first = ["run", "-d", "--name", name, "--network", network];
        let last = ["--rootfs", &rootfs, "/pause"];
        self.command(&[&first, LIMITS.as_slice(), options, &last].concat())
    }

    /// Removes a container, running or not.
    #[track_caller]
    pub fn remove(&self, name: &str) -> Outcome {
        self.command(&["rm", "-f", "-t", "1", name])
    }

    /// `podman inspect` of a container.
    ///
    /// # Panics
    /// When there is none of that name.
    #[track_caller]
    pub fn inspect(&self, name: &str) -> Value {
        let answer = self.command(&["inspect", name]);
        assert!(answer.status.success(), "podman inspect {name}: {}", answer.stderr);
        let list: Value = serde_json::from_str(&answer.stdout)
            .unwrap_or_else(|e| panic!("podman inspect {name} wrote no JSON: {e}"));
        list[0].clone()
    }

    /// Any podman command.
    ///
    /// Its output goes to files: the monitor of a detached container would hold a pipe open for ever.
    ///
    /// # Panics
    /// When podman cannot be started or hangs.
    #[track_caller]
    pub fn command(&self, args: &[&str]) -> Outcome {
        let (out, err) = (self.folder.join("out"), self.folder.join("err"));
        let mut command = self.lab.node.command("sh");
        command
            .args(["-c", r#"exec podman "$@" >"$OUT" 2>"$ERR" </dev/null"#, "sh"])
            .args(["--cgroup-manager=cgroupfs", "--tmpdir"])
            .arg(self.folder.join("tmp"))
            .args(args)
            .env("OUT", &out)
            .env("ERR", &err)
            .env("TMPDIR", self.folder.join("tmp"))
            .env("CONTAINERS_CONF", self.folder.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", self.folder.join("storage.conf"));
        let Done { status, .. } = command::run(command, b"");
        Outcome { status, stdout: read(&out), stderr: read(&err) }
    }
}

impl Drop for Podman<'_> {
    fn drop(&mut self) {
        self.command(&["rm", "-f", "-a", "-t", "1"]);
    }
}

/// File locks, because the others are one segment of shared memory for the whole machine.
fn configuration(folder: &Path, plugins: &Path, default: &str) -> String {
    format!(
        r#"[network]
network_backend = "cni"
cni_plugin_dirs = ["{}"]
network_config_dir = "{}/net.d"
default_network = "{default}"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
"#,
        plugins.display(),
        folder.display(),
    )
}

fn storage(folder: &Path) -> String {
    let folder = folder.display();
    format!("[storage]\ndriver = \"vfs\"\nrunroot = \"{folder}/run\"\ngraphroot = \"{folder}/root\"\n")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

#[track_caller]
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
}
