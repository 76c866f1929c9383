//! A whole OVN for one test: northbound and southbound database, northd, and nodes with Open vSwitch of their own.
//!
//! Everything runs on the userspace datapath, in the private folder and the namespaces of labs, and ends with the values;
//! the machine's own `/run/openvswitch` and `/run/ovn` are never used. Tests may run side by side.
//!
//! ```ignore
//! if !needs_all(&[Requirement::Root, Requirement::Ovn]) { return }
//! let lab = Lab::new();
//! let mut ovn = Ovn::start(&lab);          // the databases and northd
//! let mut node = ovn.node(&lab);           // the lab's node: OVSDB, vswitchd, br-int, ovn-controller
//! let daemon = node.daemon(&[]);           // ours, with --ovs-db and --ovn-nb
//! let pod = lab.pod("a");
//! let wish = json!({"ovn.kubernetes.io/logical_switch": "net1"});
//! let conf = cni::annotated(&node.conf(), &wish);   // type kube-ovn, no master
//! Call::add(&conf).netns(pod.path()).pod("ns1", "a").run(&lab).ok();
//! ovn.sync();                              // every node has installed what the northbound database says
//! traffic::await_ping(&pod, "10.0.1.12");
//!
//! node.vswitchd.kill9();                   // each process alone: kill9, stop, start, restart
//! node.vswitchd.start();
//! let before = ovn.dump();
//! ovn.nb.wipe();                           // an empty northbound database, served at the same place
//! ovn.dump().assert_same(&before);         // all rows by name, without what changes by itself
//! ```
//!
//! A second node is a second lab of the same OVN: `let b = ovn.node(&other_lab)`, then [`Wire::between`] lays Geneve's
//! wire between the two. Each lab has its own daemon, socket, objects and ledger.

mod database;
mod dump;
mod node;
mod plug;
mod process;
mod wire;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::command::{self, Done};
use crate::lab::Lab;

pub use database::Database;
pub use dump::{Dump, Rows};
pub use node::{INTEGRATION, Node};
pub use plug::Plug;
pub use process::Process;
pub use wire::Wire;

use process::{Recipe, Socket};

/// Where Debian's `ovn-common` and `ovn-central` keep the schemas.
pub const NORTHBOUND_SCHEMA: &str = "/usr/share/ovn/ovn-nb.ovsschema";
/// Where Debian's `openvswitch-common` keeps the schema.
pub const VSWITCH_SCHEMA: &str = "/usr/share/openvswitch/vswitch.ovsschema";
/// See [`NORTHBOUND_SCHEMA`].
pub const SOUTHBOUND_SCHEMA: &str = "/usr/share/ovn/ovn-sb.ovsschema";

/// The interfaces that a node of an OVN has without any pod.
pub const LINKS: [&str; 4] = [INTEGRATION, "ovs-netdev", wire::BRIDGE, wire::PORT];

/// How long a tool waits for the database or for other processes, in seconds. Nothing asserts on it.
const TIMEOUT: &str = "--timeout=60";

/// The central part of OVN.
#[derive(Debug)]
pub struct Ovn {
    // In the order in which they end: who reads before who is read.
    /// Turns the northbound database into the southbound one.
    pub northd: Process,
    /// The northbound database: what is wanted.
    pub nb: Database,
    /// The southbound database: what the nodes read.
    pub sb: Database,
    nodes: AtomicU8,
}

impl Ovn {
    /// Starts both databases and northd in the lab's folder and on its node.
    ///
    /// # Panics
    /// When one of them does not start.
    #[track_caller]
    pub fn start(lab: &Lab) -> Self {
        let folder = lab.folder("ovn");
        let nb = Database::create(lab, &folder.join("nb"), NORTHBOUND_SCHEMA);
        let sb = Database::create(lab, &folder.join("sb"), SOUTHBOUND_SCHEMA);
        let control = folder.join("northd.ctl");
        let recipe = Recipe::new(lab, "ovn-northd", &folder.join("northd.log"))
            .arg(format!("--ovnnb-db={}", nb.endpoint()))
            .arg(format!("--ovnsb-db={}", sb.endpoint()))
            .arg(format!("--unixctl={}", control.display()))
            .folder("OVN_RUNDIR", &folder);
        let ovn =
            Self { northd: Process::start_of(recipe, Socket::At(control)), nb, sb, nodes: AtomicU8::new(0) };
        ovn.nb(&["init"]);
        ovn.sb(&["init"]);
        ovn
    }

    /// Makes the lab's node a node of this OVN, known to it by the lab's tag, and waits until it takes part.
    ///
    /// # Panics
    /// When one of its processes does not start.
    #[track_caller]
    pub fn node<'a>(&self, lab: &'a Lab) -> Node<'a> {
        let number = self.nodes.fetch_add(1, Ordering::Relaxed) + 1;
        let node = Node::start(lab, self, number);
        self.sync();
        node
    }

    /// Waits until every node has installed the flows of what the northbound database says now.
    ///
    /// # Panics
    /// When that takes a minute: also when a node that had registered has no running ovn-controller.
    #[track_caller]
    pub fn sync(&self) {
        self.nb(&["--wait=hv", "sync"]);
    }

    /// What `ovn-nbctl` prints; it has to succeed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn nb(&self, words: &[&str]) -> String {
        self.try_nb(words).expect_success().text()
    }

    /// The outcome of `ovn-nbctl`, whatever it is.
    #[track_caller]
    pub fn try_nb(&self, words: &[&str]) -> Done {
        tool("ovn-nbctl", &self.nb, words)
    }

    /// What `ovn-sbctl` prints; it has to succeed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn sb(&self, words: &[&str]) -> String {
        tool("ovn-sbctl", &self.sb, words).expect_success().text()
    }

    /// The content of the northbound database by names.
    #[track_caller]
    pub fn dump(&self) -> Dump {
        self.rows().dump()
    }

    /// The rows of the northbound database with their UUIDs: whether a row stayed the same or was made anew.
    #[track_caller]
    pub fn rows(&self) -> Rows {
        Rows::of(&self.nb, "OVN_Northbound")
    }

    /// Where the unix socket of the northbound database is.
    pub fn nb_socket(&self) -> PathBuf {
        self.nb.socket().to_owned()
    }
}

/// Runs one of the `*ctl` tools on a database.
#[track_caller]
fn tool(program: &str, database: &Database, words: &[&str]) -> Done {
    let mut command = Command::new(program);
    command.arg(format!("--db={}", database.endpoint())).arg(TIMEOUT).args(words);
    command::run(command, b"")
}
