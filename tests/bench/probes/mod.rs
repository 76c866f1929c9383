//! The kubelet's probes: carried into a pod of a VPC, beside the same probes inside the pod and from pod to pod over OVN.

mod crowd;
mod kubelet;
mod neighbours;
mod report;
mod rules;
mod server;

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use tests::binaries::PLUGIN;
use tests::lab::{Lab, UPLINK};
use tests::netns::Netns;
use tests::objects;

use crate::process::{Call, INTERFACE};
use crate::samples::Samples;
use crate::stage::Stage;

/// The logical switch of both pods.
const SWITCH: &str = "probed";
/// The pod that is probed, and another one of its switch.
const PODS: [(&str, [u8; 4]); 2] = [("probed", [10, 97, 0, 2]), ("peer", [10, 97, 0, 3])];
/// A probed port with a server, and one without.
const OPEN: u16 = 8080;
const CLOSED: u16 = 8081;

/// A kubelet that probes inside the pod, the least there can be.
const INSIDE: &str = "inside the pod";
/// A routed pod's probe, were the node another pod.
const OVER_OVN: &str = "pod to pod over OVN";
/// The kubelet's own.
const CARRIED: &str = "carried";
const PATHS: [&str; 3] = [INSIDE, OVER_OVN, CARRIED];

/// What was measured on the stage.
struct Figures {
    probes: kubelet::Times,
    crowds: Vec<(&'static str, crowd::Crowd)>,
    rules: Samples,
    replaced: rules::Replaced,
    neighbours: Samples,
}

/// The objects that the daemon of this stage is given, by the names of their files.
pub(crate) fn objects() -> [(&'static str, String); 2] {
    let spec =
        json!({"vpc": "bench", "protocol": "IPv4", "cidrBlock": "10.97.0.0/24", "gateway": "10.97.0.1"});
    [
        ("vpc.yaml", objects::vpc("bench", &json!({"namespaces": ["bench"]}))),
        ("probed.yaml", objects::subnet(SWITCH, &spec)),
    ]
}

/// The daemon's further flags. It looks after its rules between the measurements, not in them.
pub(crate) const FLAGS: [&str; 2] = ["--enable-tproxy", "--sweep-interval=3600"];

/// A node with an address of its own, as every node has.
pub(crate) fn lab() -> Lab {
    let lab = Lab::builder().outside(&["172.18.0.1/16"]).build();
    lab.node.must(&format!("ip addr add 172.18.0.2/16 dev {UPLINK}"));
    lab
}

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub(crate) fn report(stage: &Stage, rounds: usize) {
    for table in report::tables(&measure(stage, rounds)) {
        println!("{}", table.text());
    }
}

fn measure(stage: &Stage, rounds: usize) -> Figures {
    let ground = Ground::make(stage);
    let probes = kubelet::measure(&ground, rounds);
    let crowds = PATHS.map(|path| (path, ground.on(path, || crowd::gets(ground.probed(OPEN))))).into();
    let neighbours = neighbours::measure(&ground, rounds);
    let replaced = rules::replace_under_probes(ground.probed(OPEN), ground.probed(CLOSED));
    let rules = rules::measure(&format!("{}-rules", stage.tag), rounds);
    ground.leave();
    Figures { probes, crowds, rules, replaced, neighbours }
}

/// Both pods, and a server in the probed one.
struct Ground<'a> {
    stage: &'a Stage,
    pods: [Netns; 2],
}

impl<'a> Ground<'a> {
    fn make(stage: &'a Stage) -> Self {
        let pods = PODS.map(|(name, _)| Netns::create(&format!("{}-{name}", stage.tag)));
        let ground = Self { stage, pods };
        ground.all("ADD");
        server::start(&ground.pods[0], OPEN);
        ground
    }

    fn leave(self) {
        self.all("DEL");
    }

    fn all(&self, verb: &str) {
        let plugins = self.stage.plugins();
        for ((name, ip), netns) in PODS.iter().zip(&self.pods) {
            let (conf, netns) = (self.conf(*ip), netns.path());
            let call = Call {
                plugins: &plugins,
                conf: &conf,
                program: PLUGIN,
                container: name,
                netns: &netns,
                pod: name,
                interface: INTERFACE,
            };
            call.timed(verb);
        }
    }

    fn conf(&self, ip: [u8; 4]) -> Value {
        let annotations = json!({
            "ovn.kubernetes.io/logical_switch": SWITCH,
            "ovn.kubernetes.io/ip_address": IpAddr::from(ip).to_string(),
            "ovn.kubernetes.io/probe_ports": format!("{OPEN},{CLOSED}"),
        });
        tests::cni::annotated(&tests::cni::own_ovn(&self.stage.socket()), &annotations)
    }

    fn probed(&self, port: u16) -> SocketAddr {
        (PODS[0].1, port).into()
    }

    fn peer(&self, port: u16) -> SocketAddr {
        (PODS[1].1, port).into()
    }

    /// Does `work` where a path begins.
    fn on<T: Send>(&self, path: &str, work: impl FnOnce() -> T + Send) -> T {
        match path {
            INSIDE => self.pods[0].inside(work),
            OVER_OVN => self.pods[1].inside(work),
            // This process is the node's.
            _ => work(),
        }
    }
}
