//! One external command: started, fed, waited for with a deadline, its whole outcome kept.

use std::fmt;
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// No command of a test takes longer than this.
pub const LIMIT: Duration = Duration::from_secs(120);

/// How long the output of an ended command may be held open by a process that it left behind.
const HELD_OPEN: Duration = Duration::from_secs(5);

/// The outcome of a command.
#[derive(Clone)]
pub struct Done {
    /// The command as text, for messages.
    pub line: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Done {
    /// True when the command exited with 0.
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// Standard output as text, not trimmed.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Panics with everything known unless the command succeeded.
    ///
    /// # Panics
    /// When the command failed.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        assert!(self.success(), "{self:?}");
        self
    }

    /// Standard output as JSON; empty output is `null`.
    ///
    /// # Panics
    /// When the command failed or wrote something else.
    #[track_caller]
    pub fn json(self) -> Value {
        let done = self.expect_success();
        if done.stdout.iter().all(u8::is_ascii_whitespace) {
            return Value::Null;
        }
        serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|e| panic!("`{}` wrote no JSON: {e}\n{}", done.line, done.text()))
    }
}

impl fmt::Debug for Done {
    /// Readable in the message of a failed assertion.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, status, stderr, took, .. } = self;
        write!(f, "`{line}`: {status} after {took:?}\n{}{stderr}", self.text())
    }
}

/// A command that runs; it is killed when dropped.
#[derive(Debug)]
pub struct Running {
    line: String,
    pid: Pid,
    ended: Receiver<(ExitStatus, Duration)>,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    over: bool,
}

/// Runs a command with `stdin` as its input and waits for its end, at most [`LIMIT`].
///
/// # Panics
/// When it cannot be started or does not end in time.
#[track_caller]
pub fn run(command: Command, stdin: &[u8]) -> Done {
    start(command, stdin).wait(LIMIT)
}

/// Starts a command with `stdin` as its input.
///
/// # Panics
/// When it cannot be started.
#[track_caller]
pub fn start(mut command: Command, stdin: &[u8]) -> Running {
    let line = describe(&command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begin = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("start `{line}`: {e}"));
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or_else(|e| panic!("pid of `{line}`: {e}")));
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    if let Some(mut pipe) = child.stdin.take() {
        let input = stdin.to_vec();
        // A command that ends without reading its input closes the pipe: that is its right.
        thread::spawn(move || drop(pipe.write_all(&input)));
    }
    let (tell, ended) = channel();
    thread::spawn(move || {
        if let Ok(status) = child.wait() {
            let _ = tell.send((status, begin.elapsed()));
        }
    });
    Running { line, pid, ended, stdout, stderr, over: false }
}

impl Running {
    /// Kills the command at whatever instruction it is (SIGKILL).
    pub fn kill9(&self) {
        let _ = kill(self.pid, Signal::SIGKILL);
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it does not end within `limit`, or a process it left behind holds its output open.
    #[track_caller]
    pub fn wait(self, limit: Duration) -> Done {
        let Ok(ended) = self.ended.recv_timeout(limit) else {
            panic!("`{}` did not end within {limit:?}", self.line);
        };
        self.finish(ended)
    }

    /// Waits for the end and kills the command (SIGKILL) if it still runs after `patience`.
    ///
    /// # Panics
    /// When a process that it left behind holds its output open.
    #[track_caller]
    pub fn kill9_after(self, patience: Duration) -> Done {
        if let Ok(ended) = self.ended.recv_timeout(patience) {
            return self.finish(ended);
        }
        self.kill9();
        self.wait(LIMIT)
    }

    #[track_caller]
    fn finish(mut self, (status, took): (ExitStatus, Duration)) -> Done {
        self.over = true;
        let outputs = [&self.stdout, &self.stderr].map(|o| o.recv_timeout(HELD_OPEN));
        let [Ok(stdout), Ok(stderr)] = outputs else {
            panic!("`{}` ended but something it started holds its output open", self.line);
        };
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Done { line: self.line.clone(), status, stdout, stderr, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over && self.ended.try_recv().is_err() {
            self.kill9();
        }
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (tell, output) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            drop(pipe.read_to_end(&mut bytes));
        }
        let _ = tell.send(bytes);
    });
    output
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| w.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// A command from words separated by blanks; there is no quoting.
///
/// # Panics
/// When the line is empty.
#[track_caller]
pub fn words(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_else(|| panic!("an empty command line")));
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_and_both_outputs_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; echo oops >&2; exit 3"]);

        let done = run(command, b"in");

        assert_eq!((done.text().as_str(), done.stderr.as_str()), ("in", "oops\n"));
        assert_eq!(done.status.code(), Some(3));
    }

    #[test]
    fn a_command_that_ignores_a_large_input_ends() {
        assert!(run(Command::new("true"), &vec![b'x'; 4 << 20]).success());
    }

    #[test]
    fn a_command_that_is_quick_enough_is_not_killed() {
        assert!(start(words("true"), b"").kill9_after(LIMIT).success());
        assert_eq!(start(words("cat /dev/zero"), b"").kill9_after(Duration::ZERO).status.code(), None);
    }

    #[test]
    fn a_killed_command_has_no_exit_code() {
        let running = start(words("cat /dev/zero"), b"");

        running.kill9();

        // The pipe is full of zeros by then or not: both are fine.
        assert_eq!(running.wait(LIMIT).status.code(), None);
    }
}
