//! One process of OVN or Open vSwitch that a test ends and starts again, alone.

use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::lab::Lab;
use crate::service::Service;

/// How long a start may take on a busy machine. Nothing asserts on it.
const START: Duration = Duration::from_secs(60);

/// How a process is started, each time the same.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    program: String,
    netns: PathBuf,
    log: PathBuf,
    args: Vec<OsString>,
    environment: Vec<(String, PathBuf)>,
}

impl Recipe {
    /// A program in the foreground on the lab's node, so that it ends with the value and, if even the test is killed, with
    /// the sweep of the namespace.
    pub(super) fn new(lab: &Lab, program: &str, log: &Path) -> Self {
        // Standard error, which a failed test shows, has what is wrong; the file in the folder, which then stays, has all.
        let file = format!("--log-file={}", log.display());
        let args = ["-vsyslog:off", "-vconsole:warn", &file].map(OsString::from).to_vec();
        Self {
            program: program.to_owned(),
            netns: lab.node.path(),
            log: log.with_extension("err"),
            args,
            environment: Vec::new(),
        }
    }

    pub(super) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets a variable that names a folder.
    pub(super) fn folder(mut self, key: &str, folder: &Path) -> Self {
        self.environment.push((key.to_owned(), folder.to_owned()));
        self
    }

    #[track_caller]
    fn launch(&self) -> Service {
        let mut command = Command::new("/usr/bin/nsenter");
        command
            .arg(format!("--net={}", self.netns.display()))
            .arg("--")
            .arg(&self.program)
            .args(&self.args)
            .envs(self.environment.iter().map(|(key, folder)| (key, folder)));
        Service::start(&self.program, command, &self.log)
    }
}

/// The socket that a process serves once it works.
#[derive(Debug, Clone)]
pub(super) enum Socket {
    /// Always the same.
    At(PathBuf),
    /// `PROGRAM.PID.ctl` in this folder: ovn-controller 23.03 has no option for it.
    OfPid(PathBuf),
}

/// A process with the way to start it. It is killed when dropped: nothing of it is to outlive a test.
#[derive(Debug)]
pub struct Process {
    recipe: Recipe,
    socket: Socket,
    service: Service,
}

impl Process {
    #[track_caller]
    pub(super) fn start_of(recipe: Recipe, socket: Socket) -> Self {
        let service = recipe.launch();
        let mut process = Self { recipe, socket, service };
        process.await_start();
        process
    }

    /// Kills it at whatever it is doing (SIGKILL) and waits for its end.
    pub fn kill9(&mut self) {
        self.service.kill9();
    }

    /// Asks it to end (SIGTERM) and waits for that.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn stop(&mut self) {
        self.service.stop();
    }

    /// Starts it again as it was started first, and waits until it serves its socket.
    ///
    /// # Panics
    /// When it still runs, or does not start.
    #[track_caller]
    pub fn start(&mut self) {
        assert!(self.service.ended().is_some(), "{} still runs", self.recipe.program);
        self.service = self.recipe.launch();
        self.await_start();
    }

    /// [`Process::stop`] and [`Process::start`].
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// The process: pid, memory, log.
    pub fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    /// The socket on which it takes commands of `ovs-appctl -t`, or its database connections.
    pub(super) fn socket(&self) -> PathBuf {
        match &self.socket {
            Socket::At(path) => path.clone(),
            Socket::OfPid(folder) => {
                folder.join(format!("{}.{}.ctl", self.recipe.program, self.service.pid()))
            }
        }
    }

    #[track_caller]
    fn await_start(&mut self) {
        let socket = self.socket();
        self.service.wait_until(START, || UnixStream::connect(&socket).ok());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}
