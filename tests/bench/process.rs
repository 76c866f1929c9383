//! The time of one process, from before it is started until it has been waited for.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Runs a command to its end with `stdin` as its input; it has to succeed.
///
/// Input and output are pipes, as a runtime gives them. Nothing here keeps std from using `posix_spawn`.
pub(crate) fn timed(command: &mut Command, stdin: &[u8]) -> (Duration, Vec<u8>) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut stdout = Vec::new();
    let begin = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("start {command:?}: {e}"));
    if let Some(mut pipe) = child.stdin.take() {
        // A program that ends without reading its input closes the pipe: that is its right.
        drop(pipe.write_all(stdin));
    }
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut stdout).unwrap_or_else(|e| panic!("read from {command:?}: {e}"));
    }
    let status = child.wait().unwrap_or_else(|e| panic!("wait for {command:?}: {e}"));
    let took = begin.elapsed();
    assert!(status.success(), "{command:?}: {status}\n{}", String::from_utf8_lossy(&stdout));
    (took, stdout)
}

/// One call of a CNI plugin.
pub(crate) struct Call<'a> {
    pub(crate) plugins: &'a Path,
    pub(crate) conf: &'a Value,
    /// Called instead of the conf's `type`, as a main plugin calls its IPAM plugin.
    pub(crate) program: &'a str,
    pub(crate) container: &'a str,
    pub(crate) netns: &'a Path,
    pub(crate) pod: &'a str,
    pub(crate) interface: &'a str,
}

/// The interface that most calls are about.
pub(crate) const INTERFACE: &str = "eth0";

impl Call<'_> {
    /// The time of the call.
    pub(crate) fn timed(&self, verb: &str) -> Duration {
        timed(&mut self.command(verb), self.conf.to_string().as_bytes()).0
    }

    /// The call, not started yet.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(self.program_path());
        command
            .env_clear()
            .env("CNI_COMMAND", verb)
            .env("CNI_CONTAINERID", self.container)
            .env("CNI_NETNS", self.netns)
            .env("CNI_IFNAME", self.interface)
            .env("CNI_ARGS", tests::cni::kubernetes_args("bench", self.pod, "uid", self.container))
            .env("CNI_PATH", self.plugins);
        command
    }

    fn program_path(&self) -> PathBuf {
        self.plugins.join(self.program)
    }
}
