//! The product's daemon on a lab's node.

use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::binaries::DAEMON;
use crate::command::Done;
use crate::lab::Lab;
use crate::service::Service;
use crate::witness;

/// Where the daemon serves metrics; every node has its own loopback interface, so the port may be fixed.
pub const METRICS: &str = "127.0.0.1:10665";

/// How long a start may take on a busy machine. Nothing asserts on it.
const START: Duration = Duration::from_secs(60);

/// A running `kube-ovn-daemon --standalone`; it ends with the value.
#[derive(Debug)]
pub struct Daemon<'a> {
    lab: &'a Lab,
    wrapper: Vec<OsString>,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    service: Service,
}

impl<'a> Daemon<'a> {
    /// Starts the daemon with further flags and waits until it is ready.
    ///
    /// # Panics
    /// When it ends or is not ready in time.
    #[track_caller]
    pub fn start(lab: &'a Lab, flags: &[&str]) -> Self {
        Self::start_with(lab, flags, &[]).wait_ready()
    }

    /// Starts the daemon with further flags and environment variables and does not wait.
    #[track_caller]
    pub fn start_with(lab: &'a Lab, flags: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_wrapped(lab, Vec::new(), flags, environment)
    }

    /// Starts the daemon through another program, whose words are put before it and which replaces itself by it, and
    /// waits until it is ready.
    ///
    /// # Panics
    /// When it ends or is not ready in time.
    #[track_caller]
    pub fn start_in(lab: &'a Lab, wrapper: Vec<OsString>, flags: &[&str]) -> Self {
        Self::start_wrapped(lab, wrapper, flags, &[]).wait_ready()
    }

    #[track_caller]
    fn start_wrapped(
        lab: &'a Lab,
        wrapper: Vec<OsString>,
        flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let flags: Vec<_> = flags.iter().map(|&f| f.to_owned()).collect();
        let environment: Vec<_> = environment.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let service = launch(lab, &wrapper, &flags, &environment);
        Self { lab, wrapper, flags, environment, service }
    }

    /// Waits until the daemon accepts connections and says that it is ready.
    ///
    /// # Panics
    /// When it ends before that or takes too long.
    #[track_caller]
    #[must_use]
    pub fn wait_ready(mut self) -> Self {
        self.await_readiness();
        self
    }

    /// Kills it at whatever it is doing (SIGKILL).
    pub fn kill9(&mut self) {
        self.service.kill9();
    }

    /// Asks it to end (SIGTERM) and returns its exit status.
    #[track_caller]
    pub fn stop(&mut self) -> std::process::ExitStatus {
        self.service.stop()
    }

    /// Starts it again with the same flags, without the environment of [`Daemon::start_with`], and waits.
    ///
    /// # Panics
    /// When it is not ready in time.
    #[track_caller]
    pub fn restart(&mut self) {
        if self.service.ended().is_none() {
            self.stop();
        }
        self.environment.clear();
        self.service = launch(self.lab, &self.wrapper, &self.flags, &self.environment);
        self.await_readiness();
    }

    /// The process.
    pub fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    /// The value of one sample of `/metrics`, e.g. `kube_ovn_claims{subnet="net1"}`.
    pub fn metric(&self, sample: &str) -> Option<f64> {
        witness::metric(&self.lab.node, METRICS, sample)
    }

    /// The answer of `curl` to a GET of a path like `/readyz`; it fails on status 400 and above.
    pub fn get(&self, path: &str) -> Done {
        witness::http_get(&self.lab.node, METRICS, path)
    }

    #[track_caller]
    fn await_readiness(&mut self) {
        let lab = self.lab;
        self.service.wait_until(START, || {
            UnixStream::connect(lab.socket()).ok()?;
            witness::http_get(&lab.node, METRICS, "/readyz").success().then_some(())
        });
    }
}

#[track_caller]
fn launch(lab: &Lab, wrapper: &[OsString], flags: &[String], environment: &[(String, String)]) -> Service {
    let program = OsString::from(lab.binaries().path(DAEMON));
    let mut words = wrapper.iter().chain([&program]);
    let mut command = lab.node.command(words.next().unwrap_or(&program));
    command
        .args(words)
        .arg(format!("--standalone={}", lab.objects().display()))
        .arg(format!("--state-dir={}", lab.state().display()))
        .arg(format!("--bind-socket={}", lab.socket().display()))
        .arg(format!("--metrics-addr={METRICS}"))
        .arg("--log-format=text")
        // The machine may run an OVN of its own, which is nobody's business here; a node's own flags come later and win.
        .args(["--ovs-db=", "--ovn-nb="])
        .args(flags)
        .envs(environment.iter().map(|(k, v)| (k, v)));
    Service::start(DAEMON, command, &lab.dir().join("daemon.log"))
}
