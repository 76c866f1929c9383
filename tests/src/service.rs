//! A long-running process of a lab: log file, signals, memory.

use std::fs::{self, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait;

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(20);

/// How many of its last log lines a failed test shows.
const SHOWN: usize = 120;

/// How much of each of them.
const WIDTH: usize = 300;

/// A process that writes to a log file and ends with the value at the latest.
#[derive(Debug)]
pub struct Service {
    name: String,
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Service {
    /// Starts `command`; both its outputs are appended to `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn start(name: &str, mut command: Command, log: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(log);
        let file = file.unwrap_or_else(|e| panic!("open {}: {e}", log.display()));
        let second = file.try_clone().unwrap_or_else(|e| panic!("clone {}: {e}", log.display()));
        command.stdin(Stdio::null()).stdout(file).stderr(second);
        let child = command.spawn().unwrap_or_else(|e| panic!("start {name}: {e}"));
        Self { name: name.to_owned(), child, log: log.to_owned(), ended: None }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything written so far, by earlier processes with the same log too.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// How it ended, `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits until `ready` answers.
    ///
    /// # Panics
    /// When the process ends before that, or after `within`.
    #[track_caller]
    pub fn wait_until<T>(&mut self, within: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
        let name = self.name.clone();
        wait::until(&format!("{name} to be ready"), within, || {
            if let Some(status) = self.ended() {
                panic!("{name} ended before it was ready: {status}");
            }
            ready()
        })
    }

    /// Stops it where it is (SIGSTOP): its sockets take connections, and nobody answers.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on after [`Service::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Kills it at once (SIGKILL) and waits for its end.
    pub fn kill9(&mut self) {
        if self.ended().is_none() {
            drop(self.child.kill());
            self.ended = self.child.wait().ok();
        }
    }

    /// Asks it to end (SIGTERM) and waits for that.
    ///
    /// # Panics
    /// When it has not ended after 20 s.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.terminate().unwrap_or_else(|| panic!("{} ignores SIGTERM for {GRACE:?}", self.name))
    }

    fn terminate(&mut self) -> Option<ExitStatus> {
        if self.ended().is_none() {
            self.signal(Signal::SIGTERM);
        }
        wait::until_or(GRACE, || self.ended())
    }

    /// Only for a process that has not been waited for: its pid is nobody else's.
    fn signal(&self, signal: Signal) {
        if let (None, Ok(pid)) = (self.ended, i32::try_from(self.pid())) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Resident memory in KiB (`VmRSS`), `None` when it has ended.
    pub fn rss_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// True when the process was ended by a signal.
    pub fn was_killed(&mut self) -> bool {
        self.ended().is_some_and(|s| s.signal().is_some())
    }
}

impl Drop for Service {
    #[expect(clippy::print_stderr, reason = "libtest shows it with the failed test")]
    fn drop(&mut self) {
        if self.terminate().is_none() {
            self.kill9();
        }
        if std::thread::panicking() {
            let log = self.log();
            let skipped = log.lines().count().saturating_sub(SHOWN);
            let shown = log.lines().skip(skipped).map(|l| l.chars().take(WIDTH).collect::<String>());
            let shown: Vec<_> = shown.collect();
            eprintln!("--- {} ({skipped} lines before)\n{}", self.log.display(), shown.join("\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::words;
    use crate::rundir::RunDir;

    #[test]
    fn a_service_logs_has_memory_and_ends_on_request() {
        let dir = RunDir::create(&format!("kt{}xservice", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo hello; exec cat /dev/zero > /dev/null"]);
        let mut service = Service::start("cat", command, &dir.path().join("log"));

        service.wait_until(Duration::from_secs(20), || Some(()));
        wait::until("the log", Duration::from_secs(20), || {
            fs::read(dir.path().join("log")).ok()?.first().copied()
        });

        assert!(service.rss_kib().unwrap() > 0);
        assert!(!service.stop().success() && service.was_killed());
        assert_eq!(service.log(), "hello\n");
    }

    #[test]
    #[should_panic(expected = "ended before it was ready")]
    fn a_service_that_ends_early_is_noticed() {
        let dir = RunDir::create(&format!("kt{}xearly", std::process::id()));
        let mut service = Service::start("true", words("true"), &dir.path().join("log"));

        service.wait_until(Duration::from_secs(20), || None::<()>);
    }
}
