//! Where the measuring happens: inside the node's network namespace, so that no `nsenter` is part of a figure.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::binaries::{Binaries, DAEMON, PLUGIN, VPCCTL};
use tests::command;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::objects;
use tests::ovn::Ovn;

use crate::{ovn, probes};

/// Tells the inner process its stage.
const VARIABLE: &str = "BENCH_STAGE";

/// The provider of the subnet that has room for any number of claims.
pub(crate) const WIDE_PROVIDER: &str = "wide.bench";

/// What there is beside the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Macvlan,
    /// A whole OVN.
    Ovn,
    /// A whole OVN, and probes that are carried.
    Probes,
}

impl Kind {
    const ALL: [(Self, &str); 3] = [(Self::Macvlan, "macvlan"), (Self::Ovn, "ovn"), (Self::Probes, "probes")];
}

/// What the inner process needs to know of the lab around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) kind: Kind,
    /// A name that no other lab has.
    pub(crate) tag: String,
    /// The lab's folder.
    pub(crate) dir: PathBuf,
    /// The daemon.
    pub(crate) daemon: u32,
}

impl Stage {
    /// The stage that this process was started on; `None` in the outer process.
    pub(crate) fn given() -> Option<Self> {
        let text = std::env::var(VARIABLE).ok()?;
        let mut words = text.splitn(4, ' ');
        let word = words.next()?;
        let (kind, _) = Kind::ALL.into_iter().find(|(_, name)| *name == word)?;
        let (tag, daemon) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        Some(Self { kind, tag, daemon, dir: words.next()?.into() })
    }

    fn text(&self) -> String {
        let kind = Kind::ALL.into_iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name);
        format!("{kind} {} {} {}", self.tag, self.daemon, self.dir.display())
    }

    /// The folder of all plugins.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.dir.join("bin")
    }

    /// The daemon's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("d.sock")
    }

    /// Its resident memory in MB.
    pub(crate) fn daemon_megabytes(&self) -> f64 {
        let status = read(format!("/proc/{}/status", self.daemon));
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
        kib / 1024.0
    }
}

/// Measures what needs the kernel alone in a process inside the node. False when that failed.
pub(crate) fn of_macvlan() -> bool {
    let lab = Lab::new();
    lab.write_object("guide.yaml", objects::GUIDE);
    let wide = json!({"protocol": "IPv4", "provider": WIDE_PROVIDER, "cidrBlock": "10.99.0.0/16", "gateway": "10.99.0.1"});
    lab.write_object("wide.yaml", &objects::subnet("wide", &wide));
    let mut daemon = Daemon::start(&lab, &["--ovs-db=", "--ovn-nb="]);
    measured_inside(&lab, Kind::Macvlan, &mut daemon)
}

/// Measures pods on OVN likewise.
pub(crate) fn of_ovn() -> bool {
    on_ovn(&Lab::new(), Kind::Ovn, ovn::objects(), &[])
}

/// Measures probes likewise.
pub(crate) fn of_probes() -> bool {
    on_ovn(&probes::lab(), Kind::Probes, probes::objects(), &probes::FLAGS)
}

fn on_ovn(lab: &Lab, kind: Kind, objects: [(&str, String); 2], flags: &[&str]) -> bool {
    for (file, text) in objects {
        lab.write_object(file, &text);
    }
    let ovn = Ovn::start(lab);
    let node = ovn.node(lab);
    let mut daemon = node.daemon(flags);
    measured_inside(lab, kind, &mut daemon)
}

fn measured_inside(lab: &Lab, kind: Kind, daemon: &mut Daemon<'_>) -> bool {
    let (tag, dir) = (lab.tag().to_owned(), lab.dir().to_owned());
    let stage = Stage { kind, tag, dir, daemon: daemon.service().pid() };
    let own = std::env::current_exe().unwrap_or_else(|e| panic!("find the own program: {e}"));
    let mut inner: Command = lab.node.command(own);
    inner.env(VARIABLE, stage.text()).stdin(Stdio::null());
    inner.status().unwrap_or_else(|e| panic!("start the inner process: {e}")).success()
}

/// A static program that does nothing but greet: what a process costs at least.
pub(crate) fn hello(dir: &Path) -> PathBuf {
    let (source, program) = (dir.join("hello.c"), dir.join("hello"));
    let text = "#include <unistd.h>\nint main(void) { return write(1, \"hello\\n\", 6) != 6; }\n";
    std::fs::write(&source, text).unwrap_or_else(|e| panic!("write {}: {e}", source.display()));
    let line = format!("cc -static -O2 -o {} {}", program.display(), source.display());
    command::run(command::words(&line), b"").expect_success();
    program
}

/// The product's programs with their sizes in MB.
pub(crate) fn sizes() -> Vec<(&'static str, f64)> {
    let size = |name| {
        let path = Binaries::product().path(name);
        let bytes = std::fs::metadata(&path).map_or(0, |m| m.len());
        (name, u32::try_from(bytes >> 10).map_or(f64::NAN, f64::from) / 1024.0)
    };
    [PLUGIN, DAEMON, VPCCTL].map(size).to_vec()
}

/// Load average, kernel, processors: what a reader needs in order to judge the figures.
pub(crate) fn machine() -> String {
    let model = read("/proc/cpuinfo");
    let model = model.lines().find(|l| l.starts_with("model name")).unwrap_or_default();
    let model = model.split_once(": ").map_or("", |(_, name)| name);
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "Linux {}, {processors} processors {model}, {}",
        read("/proc/sys/kernel/osrelease").trim(),
        command::run(command::words("date -u +%F"), b"").text().trim()
    )
}

/// The load averages of 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// The kind of file system that `path` is on.
pub(crate) fn file_system(path: &Path) -> String {
    let mut command = Command::new("stat");
    command.args(["-f", "-c", "%T"]).arg(path);
    command::run(command, b"").text().trim().to_owned()
}

/// Our plugin as the IPAM plugin of another, with `provider`'s addresses.
pub(crate) fn delegated(socket: &Path, provider: &str) -> Value {
    let mut conf = tests::cni::guide_nad(socket);
    conf["cniVersion"] = json!("1.0.0");
    conf["ipam"]["provider"] = json!(provider);
    conf
}

/// The reference plugins: macvlan with addresses of host-local.
pub(crate) fn reference(dir: &Path) -> Value {
    json!({
        "cniVersion": "1.0.0", "name": "reference", "type": "macvlan",
        "master": tests::lab::UPLINK, "mode": "bridge",
        "ipam": {
            "type": "host-local",
            "dataDir": dir.join("host-local"),
            "ranges": [[{"subnet": "192.168.0.0/24", "rangeStart": "192.168.0.100"}]]
        }
    })
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
