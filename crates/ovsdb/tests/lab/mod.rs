//! Real ovsdb-servers in private directories, ended with their guards, and the tools of Open vSwitch and OVN as witnesses.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "each test file uses its part, panics and prints"
)]

pub mod pki;
pub mod tap;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ovsdb::client::{Client, Config};
use ovsdb::condition::Condition;
use ovsdb::monitor::{Watch, Watches};
use ovsdb::op::Operation;
use ovsdb::session::State;
use ovsdb::value::{Row, Value};
use ovsdb::view::{Batch, Monitor, Standing};
use tempfile::TempDir;

pub const SCHEMA: &str = "/usr/share/ovn/ovn-nb.ovsschema";
pub const NORTHBOUND: &str = "OVN_Northbound";
/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the servers and tools are there. A test without them says so, on stderr and in the file that `KUBE_OVN_SKIPPED`
/// names, and returns.
pub fn has_servers() -> bool {
    let missing = [
        ("openvswitch-common", "/usr/sbin/ovsdb-server"),
        ("ovn-common", "/usr/bin/ovn-nbctl"),
        ("ovn-central", SCHEMA),
        ("openssl", "/usr/bin/openssl"),
    ];
    let Some((package, _)) = missing.into_iter().find(|(_, path)| !Path::new(path).exists()) else {
        return true;
    };
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("SKIPPED: needs the package {package}: {name}");
    if let Some(list) = std::env::var_os("KUBE_OVN_SKIPPED") {
        let mut list = std::fs::File::options().append(true).create(true).open(list).unwrap();
        writeln!(list, "ovsdb {name}: needs the package {package}").unwrap();
    }
    false
}

pub fn run(program: &str, arguments: &[&str]) -> String {
    try_run(program, arguments).unwrap_or_else(|error| panic!("{program} {arguments:?}: {error}"))
}

pub fn try_run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let output =
        Command::new(program).args(arguments).env("PATH", path).stdin(Stdio::null()).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// One ovsdb-server with a northbound database.
pub struct Server {
    directory: PathBuf,
    name: String,
    extra: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// A server of a database of its own.
    pub fn alone(directory: &TempDir, name: &str) -> Self {
        let server = Self::of(directory, name);
        run("ovsdb-tool", &["create", &server.file("db"), SCHEMA]);
        server.started()
    }

    /// A cluster of one.
    pub fn cluster(directory: &TempDir, name: &str) -> Self {
        let server = Self::of(directory, name);
        run("ovsdb-tool", &["create-cluster", &server.file("db"), SCHEMA, &server.raft()]);
        server.started()
    }

    /// One more server of a cluster.
    pub fn join(directory: &TempDir, name: &str, others: &[&Self]) -> Self {
        let server = Self::of(directory, name);
        let (file, own) = (server.file("db"), server.raft());
        let others: Vec<String> = others.iter().map(|other| other.raft()).collect();
        let mut arguments = vec!["join-cluster", &file, NORTHBOUND, &own];
        arguments.extend(others.iter().map(String::as_str));
        run("ovsdb-tool", &arguments);
        server.started()
    }

    fn of(directory: &TempDir, name: &str) -> Self {
        Self { directory: directory.path().to_owned(), name: name.to_owned(), extra: Vec::new(), child: None }
    }

    fn started(mut self) -> Self {
        self.start();
        self
    }

    /// Listens in other ways as well from the next start on.
    pub fn restart_with(&mut self, options: &[String]) {
        self.kill();
        self.extra = options.to_vec();
        self.start();
    }

    pub fn start(&mut self) {
        let mut command = Command::new("/usr/sbin/ovsdb-server");
        command.arg(self.file("db")).arg(format!("--remote=p{}", self.endpoint()));
        command.arg(format!("--unixctl={}", self.file("ctl")));
        command.arg(format!("--log-file={}", self.file("log"))).arg("-vconsole:off").args(&self.extra);
        let _ = std::fs::remove_file(self.file("sock"));
        let _ = std::fs::remove_file(self.file("log"));
        self.child = Some(
            command
                .env("OVS_RUNDIR", &self.directory)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let endpoint = self.endpoint();
        run("ovsdb-client", &["-t", "60", "--no-leader-only", "wait", &endpoint, NORTHBOUND, "connected"]);
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal such as `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        run("kill", &[&format!("-{signal}"), &pid]);
    }

    pub fn endpoint(&self) -> String {
        format!("unix:{}", self.file("sock"))
    }

    pub fn socket(&self) -> PathBuf {
        self.file("sock").into()
    }

    fn raft(&self) -> String {
        format!("unix:{}", self.file("raft"))
    }

    fn file(&self, kind: &str) -> String {
        format!("{}/{}.{kind}", self.directory.display(), self.name)
    }

    /// Ports of listeners with port 0, in their order.
    pub fn ports(&self) -> Vec<u16> {
        let log = std::fs::read_to_string(self.file("log")).unwrap();
        log.lines().filter_map(|line| line.split("listening on port ").nth(1)?.trim().parse().ok()).collect()
    }

    pub fn nbctl(&self, arguments: &[&str]) -> String {
        let database = format!("--db={}", self.endpoint());
        run("ovn-nbctl", &[&["-t", "60", "--no-leader-only", &database], arguments].concat())
    }

    pub fn control(&self, arguments: &[&str]) -> String {
        let socket = self.file("ctl");
        run("ovs-appctl", &[&["-t", &socket], arguments].concat())
    }

    pub fn is_leader(&self) -> bool {
        self.control(&["cluster/status", NORTHBOUND]).contains("Role: leader")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn directory() -> TempDir {
    tempfile::Builder::new().prefix("ovsdb-").tempdir().unwrap()
}

pub fn config(endpoints: &str) -> Config {
    Config::new(endpoints.parse().unwrap(), NORTHBOUND)
}

pub fn watch(tables: &[(&str, &[&str])]) -> Watches {
    tables
        .iter()
        .map(|(table, columns)| ((*table).to_owned(), Watch::columns(columns.iter().copied())))
        .collect()
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

/// The next batch with current rows.
pub async fn current(monitor: &mut Monitor) -> Batch {
    loop {
        let batch = within(monitor.changed()).await.unwrap();
        if batch.standing == Standing::Current {
            return batch;
        }
    }
}

/// Waits for a state, and returns what is taken from it.
pub async fn state<T>(client: &Client, mut wanted: impl FnMut(&State) -> Option<T>) -> T {
    let mut states = client.state();
    within(async {
        loop {
            let found = wanted(&states.borrow_and_update());
            if let Some(found) = found {
                return found;
            }
            states.changed().await.unwrap();
        }
    })
    .await
}

pub fn row<const N: usize>(columns: [(&str, Value); N]) -> Row {
    columns.map(|(column, value)| (column.to_owned(), value)).into()
}

pub fn new_switch(name: &str) -> Operation {
    let row = row([("name", name.into())]);
    Operation::Insert { table: "Logical_Switch".into(), uuid_name: None, row }
}

pub fn tag_switch(name: &str, key: &str, value: &str) -> Operation {
    Operation::Update {
        table: "Logical_Switch".into(),
        conditions: vec![Condition::equal("name", name)],
        row: row([("external_ids", Value::map([(key, value)]))]),
    }
}

/// The names of some rows, sorted.
pub fn names<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<String> {
    let name = |row: &Row| row["name"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = rows.into_iter().map(name).collect();
    names.sort();
    names
}

/// The lines of a tool's output, sorted.
pub fn sorted(output: &str) -> Vec<String> {
    let mut lines: Vec<String> = output.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}
