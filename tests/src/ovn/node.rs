//! One node of an OVN: a lab's node with Open vSwitch, the integration bridge and ovn-controller.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cni;
use crate::command::{self, Done, words};
use crate::daemon::Daemon;
use crate::lab::Lab;
use crate::ledger;
use crate::netns::Netns;

use super::process::{Process, Recipe, Socket};
use super::{Database, Ovn, VSWITCH_SCHEMA, tool};

/// The integration bridge.
pub const INTEGRATION: &str = "br-int";

/// A lab's node as a node of an OVN.
#[derive(Debug)]
pub struct Node<'a> {
    // In the order in which they end: who reads before who is read.
    /// Turns the southbound database into flows of the integration bridge.
    pub controller: Process,
    /// The switch; it runs in the node's namespace, where the host ends of the pods' interfaces are.
    pub vswitchd: Process,
    /// The node's own database (`--ovs-db`).
    pub db: Database,
    lab: &'a Lab,
    northbound: String,
    encapsulation: String,
    folder: PathBuf,
}

impl<'a> Node<'a> {
    /// Starts the node, whose address for tunnels is made of its number.
    #[track_caller]
    pub(super) fn start(lab: &'a Lab, ovn: &Ovn, number: u8) -> Self {
        let folder = lab.folder("ovs");
        let encapsulation = format!("172.16.0.{number}");
        let db = Database::create(lab, &folder.join("db"), VSWITCH_SCHEMA);
        configure(&db, lab.tag(), &ovn.sb.endpoint(), &encapsulation);
        let vswitchd = start_vswitchd(lab, &db, &folder);
        let recipe = Recipe::new(lab, "ovn-controller", &folder.join("ovn-controller.log"))
            .arg(db.endpoint())
            .folder("OVS_RUNDIR", &folder)
            .folder("OVN_RUNDIR", &folder);
        let controller = Process::start_of(recipe, Socket::OfPid(folder.clone()));
        let northbound = ovn.nb.endpoint();
        let node = Self { controller, vswitchd, db, lab, northbound, encapsulation, folder };
        // Only `--wait=hv` of a registered node waits for it.
        ovn.sb(&["wait-until", "Chassis", lab.tag(), "other_config:datapath-type=netdev"]);
        node
    }

    /// The lab whose node it is.
    pub fn lab(&self) -> &'a Lab {
        self.lab
    }

    /// The name by which OVN knows it.
    pub fn chassis(&self) -> &'a str {
        self.lab.tag()
    }

    /// Its end of tunnels.
    pub fn encapsulation(&self) -> &str {
        &self.encapsulation
    }

    /// The daemon's flags that name this node's databases.
    pub fn flags(&self) -> [String; 2] {
        [format!("--ovs-db={}", self.db.endpoint()), format!("--ovn-nb={}", self.northbound)]
    }

    /// Starts our daemon on the node with [`Node::flags`] and further ones, and waits until it is ready.
    ///
    /// # Panics
    /// When it ends or is not ready in time.
    #[track_caller]
    pub fn daemon(&self, further: &[&str]) -> Daemon<'a> {
        self.daemon_with(further, &[]).wait_ready()
    }

    /// Starts our daemon as [`Node::daemon`] with further environment variables, and does not wait.
    #[track_caller]
    pub fn daemon_with(&self, further: &[&str], environment: &[(&str, &str)]) -> Daemon<'a> {
        let flags = self.flags();
        let flags: Vec<_> = flags.iter().map(String::as_str).chain(further.iter().copied()).collect();
        Daemon::start_with(self.lab, &flags, environment)
    }

    /// The network configuration of a pod's interface on the default network; see [`cni::own_ovn`].
    pub fn conf(&self) -> Value {
        cni::own_ovn(&self.lab.socket())
    }

    /// The names of the integration bridge's ports but tunnels and patches, sorted: those of pods.
    #[track_caller]
    pub fn ports(&self) -> Vec<String> {
        let names = self.vsctl(&["list-ports", INTEGRATION]);
        let pods = names.lines().filter(|name| !name.starts_with("ovn-") && !name.starts_with("patch-"));
        let mut pods: Vec<_> = pods.map(str::to_owned).collect();
        pods.sort();
        pods
    }

    /// Asserts that no pod has anything on the node: [`ledger::assert_empty`], and no port of the integration bridge.
    ///
    /// # Panics
    /// When something is left.
    #[track_caller]
    pub fn assert_empty(&self) {
        assert_eq!(self.ports(), Vec::<String>::new(), "ports are left on {INTEGRATION}");
        ledger::assert_empty(self.lab);
    }

    /// What `ovs-vsctl` prints; it has to succeed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn vsctl(&self, words: &[&str]) -> String {
        self.try_vsctl(words).expect_success().text()
    }

    /// The outcome of `ovs-vsctl`, whatever it is.
    #[track_caller]
    pub fn try_vsctl(&self, words: &[&str]) -> Done {
        tool("ovs-vsctl", &self.db, words)
    }

    /// The rows of the node's own database with their UUIDs.
    #[track_caller]
    pub fn rows(&self) -> super::Rows {
        super::Rows::of(&self.db, "Open_vSwitch")
    }

    /// The outcome of `ovs-ofctl VERB BRIDGE WORDS`, e.g. `dump-flows` of [`INTEGRATION`].
    #[track_caller]
    pub fn ofctl(&self, verb: &str, bridge: &str, words: &[&str]) -> Done {
        let mut command = Command::new("ovs-ofctl");
        let management = self.folder.join(format!("{bridge}.mgmt"));
        command.args(["-O", "OpenFlow15", verb]).arg(format!("unix:{}", management.display())).args(words);
        command::run(command, b"")
    }

    /// What vswitchd answers to `ovs-appctl`, e.g. `ofproto/trace`.
    #[track_caller]
    pub fn appctl(&self, words: &[&str]) -> Done {
        appctl(&self.folder.join("vswitchd.ctl"), words)
    }

    /// What ovn-controller answers to `ovn-appctl`, e.g. `connection-status`.
    #[track_caller]
    pub fn controller_appctl(&self, words: &[&str]) -> Done {
        appctl(&self.controller.socket(), words)
    }

    /// Waits until ovn-controller says that all flows of an interface are installed.
    ///
    /// # Panics
    /// When that takes a minute.
    #[track_caller]
    pub fn await_installed(&self, interface: &str) {
        self.vsctl(&["wait-until", "Interface", interface, "external_ids:ovn-installed=true"]);
    }

    pub(super) fn netns(&self) -> &'a Netns {
        &self.lab.node
    }
}

/// Tells Open vSwitch who it is and where OVN is, and makes the integration bridge.
#[track_caller]
fn configure(db: &Database, chassis: &str, southbound: &str, encapsulation: &str) {
    let ids = [
        format!("external_ids:system-id={chassis}"),
        format!("external_ids:hostname={chassis}"),
        format!("external_ids:ovn-remote={southbound}"),
        "external_ids:ovn-encap-type=geneve".into(),
        format!("external_ids:ovn-encap-ip={encapsulation}"),
        "external_ids:ovn-bridge-datapath-type=netdev".into(),
        "external_ids:ovn-openflow-probe-interval=0".into(),
        "external_ids:ovn-remote-probe-interval=0".into(),
    ];
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let bridge = format!(
        "-- add-br {INTEGRATION} -- set Bridge {INTEGRATION} datapath_type=netdev fail_mode=secure other_config:disable-in-band=true"
    );
    let bridge: Vec<_> = bridge.split_whitespace().collect();
    // Nobody is there yet to wait for. With the bridge in place, its socket tells when vswitchd works.
    let words = [&["--no-wait", "init", "--", "set", "Open_vSwitch", "."][..], &ids, &bridge].concat();
    tool("ovs-vsctl", db, &words).expect_success();
}

#[track_caller]
fn start_vswitchd(lab: &Lab, db: &Database, folder: &Path) -> Process {
    // Without --disable-system it would look for the kernel's module.
    let recipe = Recipe::new(lab, "ovs-vswitchd", &folder.join("vswitchd.log"))
        .arg(db.endpoint())
        .arg("--disable-system")
        .arg(format!("--unixctl={}", folder.join("vswitchd.ctl").display()))
        .folder("OVS_RUNDIR", folder)
        .folder("OVS_DBDIR", folder)
        .folder("OVS_LOGDIR", folder);
    Process::start_of(recipe, Socket::At(folder.join(format!("{INTEGRATION}.mgmt"))))
}

#[track_caller]
fn appctl(socket: &Path, line: &[&str]) -> Done {
    let mut command = words(&format!("ovs-appctl --timeout=60 -t {}", socket.display()));
    command.args(line);
    command::run(command, b"")
}
