//! Pods on OVN: ADD and DEL of one, alone and beside 200 others, 20 at once, and the daemon's memory.

mod crowd;
mod floor;
mod report;
mod rounds;
mod rpc;

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::command::{self, words};
use tests::objects;

use crate::samples::Samples;
use crate::stage::{self, Stage};

/// The logical switch of all pods, ours and those by hand, and its gateway.
const SWITCH: &str = "wide";
const GATEWAY: &str = "10.98.0.1";

/// Pods on a full node.
const MANY: usize = 200;

/// What was measured on the stage.
pub(crate) struct Figures {
    /// One pod on a node without others.
    alone: Samples,
    /// The same beside [`MANY`] others.
    beside_many: Samples,
    /// [`crowd::AT_ONCE`] at once.
    at_once: Samples,
    /// The daemon's resident memory without pods, and with [`MANY`], in MB.
    megabytes: [f64; 2],
}

/// The objects that the daemon of this stage is given, by the names of their files.
pub(crate) fn objects() -> [(&'static str, String); 2] {
    let spec = json!({"vpc": "bench", "protocol": "IPv4", "cidrBlock": "10.98.0.0/16", "gateway": GATEWAY,
        "excludeIps": ["10.98.255.0..10.98.255.254"]});
    [
        ("vpc.yaml", objects::vpc("bench", &json!({"namespaces": ["bench"]}))),
        ("wide.yaml", objects::subnet(SWITCH, &spec)),
    ]
}

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub(crate) fn report(stage: &Stage, rounds: usize) {
    for table in report::tables(&measure(stage, rounds)) {
        println!("{}", table.text());
    }
}

fn measure(stage: &Stage, rounds: usize) -> Figures {
    let ground = Ground { stage };
    let idle = stage.daemon_megabytes();
    let alone = rounds::measure(&ground, rounds);
    let at_once = crowd::at_once(&ground, (rounds / 5).max(1));
    let others = crowd::Others::arrive(&ground, MANY);
    let full = stage.daemon_megabytes();
    let beside_many = rounds::measure(&ground, (rounds / 2).max(1));
    others.leave();
    Figures { alone, beside_many, at_once, megabytes: [idle, full] }
}

/// The lab's OVN, as its own node sees it.
struct Ground<'a> {
    stage: &'a Stage,
}

impl Ground<'_> {
    fn northbound(&self) -> PathBuf {
        self.stage.dir.join("ovn/nb.sock")
    }

    fn switch(&self) -> PathBuf {
        self.stage.dir.join("ovs/db.sock")
    }

    fn plugins(&self) -> PathBuf {
        self.stage.plugins()
    }

    /// A pod's interface on OVN.
    fn conf(&self) -> Value {
        tests::cni::own_ovn(&self.stage.socket())
    }

    /// The reference: macvlan and host-local.
    fn reference(&self) -> Value {
        stage::reference(&self.stage.dir)
    }

    /// Waits until Open vSwitch and OVN have done everything that was asked of them, so that nobody pays for another's
    /// clean-up. Not measured.
    fn settle(&self) {
        let (switch, northbound) = (self.switch(), self.northbound());
        for line in [
            // Any change makes ovs-vsctl wait for vswitchd.
            format!(
                "ovs-vsctl --db=unix:{} set Open_vSwitch . external_ids:bench={}",
                switch.display(),
                stamp()
            ),
            format!("ovn-nbctl --db=unix:{} --wait=hv sync", northbound.display()),
        ] {
            command::run(words(&line), b"").expect_success();
        }
    }
}

/// A number that was not given before.
fn stamp() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}
