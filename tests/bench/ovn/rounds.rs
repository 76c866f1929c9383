//! The interleaved rounds of one pod's ADD and DEL, ours beside what they are compared with.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tests::binaries::PLUGIN;
use tests::netns::Netns;

use super::floor::Floor;
use super::{Ground, SWITCH};
use crate::process::{Call, INTERFACE, timed};
use crate::samples::Samples;

/// Rounds that are not counted.
const WARM_UP: usize = 2;

pub(crate) const OURS: [&str; 2] = ["kube-ovn veth ADD", "kube-ovn veth DEL"];
pub(crate) const REFERENCE: [&str; 2] = ["macvlan + host-local ADD", "macvlan + host-local DEL"];
pub(crate) const FLOOR: [&str; 2] = ["floor: kernel + RPC, ADD", "floor: kernel + RPC, DEL"];
pub(crate) const KERNEL: [&str; 2] = ["  of it the kernel", "  of it the kernel, DEL"];
pub(crate) const RPC: [&str; 2] =
    ["  of it two transactions and ovn-installed", "  of it two transactions, DEL"];
pub(crate) const SPAWNED: &str = "spawned: kernel + ovn-nbctl + ovs-vsctl + ovs-vsctl, ADD";

struct Rounds<'a> {
    ground: &'a Ground<'a>,
    ours: Value,
    reference: Value,
    floor: Floor,
    pod: Netns,
    samples: Samples,
}

type Variant = fn(&mut Rounds<'_>, &str);

const VARIANTS: [Variant; 4] = [
    |r, id| r.add_and_del(OURS, PLUGIN, id),
    |r, id| r.add_and_del(REFERENCE, "macvlan", id),
    |r, _| r.floor(),
    |r, _| r.spawned(),
];

/// Measures `rounds` rounds.
pub(super) fn measure(ground: &Ground<'_>, rounds: usize) -> Samples {
    let mut all = Rounds {
        ground,
        ours: ground.conf(),
        reference: ground.reference(),
        floor: Floor::open(&ground.northbound(), &ground.switch()),
        pod: Netns::create(&format!("{}-one", ground.stage.tag)),
        samples: Samples::default(),
    };
    for round in 0..WARM_UP + rounds {
        if round == WARM_UP {
            all.samples.clear();
        }
        for step in 0..VARIANTS.len() {
            VARIANTS[(round + step) % VARIANTS.len()](&mut all, &format!("one-{}", super::stamp()));
        }
    }
    all.samples
}

impl Rounds<'_> {
    fn add_and_del(&mut self, names: [&'static str; 2], program: &str, id: &str) {
        let conf = if program == PLUGIN { &self.ours } else { &self.reference };
        let (plugins, netns) = (self.ground.plugins(), self.pod.path());
        let call = Call {
            plugins: &plugins,
            conf,
            program,
            container: id,
            netns: &netns,
            pod: id,
            interface: INTERFACE,
        };
        for (name, verb) in names.into_iter().zip(["ADD", "DEL"]) {
            self.ground.settle();
            self.samples.add(name, call.timed(verb));
        }
    }

    fn floor(&mut self) {
        self.ground.settle();
        let added = self.floor.add(&self.pod.path());
        self.ground.settle();
        let deleted = self.floor.del();
        for (at, took) in [added, deleted].into_iter().enumerate() {
            self.samples.add(FLOOR[at], took.whole());
            self.samples.add(KERNEL[at], took.kernel);
            self.samples.add(RPC[at], took.rpc);
        }
    }

    /// As upstream does it, but for its questions: two programs, and a third that waits.
    fn spawned(&mut self) {
        self.ground.settle();
        let (northbound, switch) = (self.ground.northbound(), self.ground.switch());
        let kernel = self.floor.make_pair(&self.pod.path());
        let nbctl = format!("--db=unix:{} lsp-add {SWITCH} bare", northbound.display());
        let vsctl = format!("--db=unix:{}", switch.display());
        let plug =
            format!("{vsctl} add-port br-int bare_h -- set Interface bare_h external_ids:iface-id=bare");
        let wait = format!("{vsctl} wait-until Interface bare_h external_ids:ovn-installed=true");
        let took = kernel + tool("ovn-nbctl", &nbctl) + tool("ovs-vsctl", &plug) + tool("ovs-vsctl", &wait);
        self.samples.add(SPAWNED, took);
        self.ground.settle();
        self.floor.del();
    }
}

fn tool(program: &str, line: &str) -> Duration {
    timed(Command::new(program).args(line.split_whitespace()), b"").0
}
