//! A network namespace that exists as long as the value.

use std::fs::File;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::command::{self, Done};

/// Where iproute2 and the runtimes keep the names.
pub const FOLDER: &str = "/run/netns";

/// iproute2 sets up [`FOLDER`] on first use, which two processes must not do at once.
const LOCK: &str = "/tmp/kt-netns.lock";

/// A named network namespace. Dropping it ends the processes in it and removes it.
#[derive(Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// Makes a namespace with its loopback interface up.
    ///
    /// # Panics
    /// When it exists already or cannot be made.
    #[track_caller]
    pub fn create(name: &str) -> Self {
        let lock = File::create(LOCK).unwrap_or_else(|e| panic!("open {LOCK}: {e}"));
        lock.lock().unwrap_or_else(|e| panic!("lock {LOCK}: {e}"));
        command::run(command::words(&format!("ip netns add {name}")), b"").expect_success();
        drop(lock);
        let netns = Self { name: name.to_owned() };
        netns.must("ip link set lo up");
        netns
    }

    /// The name under [`FOLDER`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for the namespace, as a runtime would pass it in `CNI_NETNS`.
    pub fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }

    /// A command that runs `program` in the namespace.
    ///
    /// `nsenter` replaces itself by the program, so the child's pid is the program's, and it leaves the mount
    /// namespace alone, unlike `ip netns exec`.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("/usr/bin/nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Runs words separated by blanks in the namespace and returns the outcome, whatever it is.
    #[track_caller]
    pub fn exec(&self, line: &str) -> Done {
        let mut words = line.split_whitespace();
        let mut command = self.command(words.next().unwrap_or("true"));
        command.args(words);
        command::run(command, b"")
    }

    /// As [`Netns::exec`], but the command has to succeed; returns its standard output.
    ///
    /// # Panics
    /// When the command fails.
    #[track_caller]
    pub fn must(&self, line: &str) -> String {
        self.exec(line).expect_success().text()
    }

    /// Runs `work` on a thread in the namespace: the sockets that it makes belong there, whoever uses them later.
    ///
    /// # Panics
    /// When the namespace cannot be entered, or `work` panics.
    #[track_caller]
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = self.path();
        let door = File::open(&path).unwrap_or_else(|e| panic!("open {}: {e}", path.display()));
        let entered = move || {
            enter(&door);
            work()
        };
        thread::scope(|scope| scope.spawn(entered).join()).unwrap_or_else(|e| resume_unwind(e))
    }

    /// Writes a sysctl of the namespace, e.g. `net.ipv4.ip_forward`.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn sysctl(&self, key: &str, value: &str) {
        self.must(&format!("sysctl -qw {key}={value}"));
    }
}

/// Moves this thread, which has to be one that ends soon, into a namespace.
#[expect(clippy::disallowed_methods, reason = "the ground's own sockets, without the product's door")]
fn enter(door: &File) {
    setns(door, CloneFlags::CLONE_NEWNET).unwrap_or_else(|e| panic!("enter a network namespace: {e}"));
}

impl Drop for Netns {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends the processes in a namespace by pid and removes its name.
pub(crate) fn remove(name: &str) {
    let pids = command::run(command::words(&format!("ip netns pids {name}")), b"");
    for pid in pids.text().split_whitespace().filter_map(|p| p.parse().ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    command::run(command::words(&format!("ip netns del {name}")), b"");
}
