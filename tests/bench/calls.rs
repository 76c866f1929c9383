//! The interleaved rounds: every variant once per round, so that other load on the machine hits all of them alike.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tests::binaries::PLUGIN;
use tests::cni;
use tests::netns::Netns;

use crate::process::{Call, INTERFACE, timed};
use crate::samples::Samples;
use crate::stage::{self, Stage};
use crate::stub;

/// Rounds that fill the page cache and whatever else is only slow once; they are not counted.
const WARM_UP: usize = 3;

pub(crate) const HELLO: &str = "static hello (C)";
pub(crate) const VERSION: &str = "kube-ovn VERSION";
pub(crate) const STUBBED: &str = "kube-ovn ADD, answered at once by a stub";
pub(crate) const STATUS: &str = "kube-ovn STATUS, with a write to the ledger";
pub(crate) const REFERENCE_VERSION: &str = "macvlan VERSION";
pub(crate) const HOST_LOCAL: [&str; 2] = ["host-local ADD", "host-local DEL"];
pub(crate) const DELEGATED: [&str; 2] = ["kube-ovn as IPAM plugin ADD", "kube-ovn as IPAM plugin DEL"];
pub(crate) const REFERENCE: [&str; 2] = ["macvlan + host-local ADD", "macvlan + host-local DEL"];
pub(crate) const MACVLAN: [&str; 2] = ["macvlan + kube-ovn ADD", "macvlan + kube-ovn DEL"];
pub(crate) const OWN: [&str; 2] = ["kube-ovn alone (own macvlan) ADD", "kube-ovn alone (own macvlan) DEL"];
pub(crate) const FLOOR: [&str; 2] = ["bare kernel: two `ip -batch`", "bare kernel: one `ip -batch`"];

/// The configurations of all variants.
struct Confs {
    delegated: Value,
    stubbed: Value,
    own: Value,
    status: Value,
    reference: Value,
    reference_version: Value,
}

/// All variants in one pod.
struct Rounds {
    confs: Confs,
    hello: PathBuf,
    plugins: PathBuf,
    pod: Netns,
    samples: Samples,
}

type Variant = fn(&mut Rounds, &str);

const VARIANTS: [Variant; 10] = [
    |r, _| r.greet(),
    |r, c| r.call(VERSION, "VERSION", PLUGIN, |confs| &confs.reference_version, c),
    |r, c| r.call(REFERENCE_VERSION, "VERSION", "macvlan", |confs| &confs.reference_version, c),
    |r, c| r.call(STUBBED, "ADD", PLUGIN, |confs| &confs.stubbed, c),
    |r, c| r.call(STATUS, "STATUS", PLUGIN, |confs| &confs.status, c),
    |r, c| r.add_and_del(HOST_LOCAL, "host-local", |confs| &confs.reference, c),
    |r, c| r.add_and_del(DELEGATED, PLUGIN, |confs| &confs.delegated, c),
    |r, c| r.add_and_del(REFERENCE, "macvlan", |confs| &confs.reference, c),
    |r, c| r.add_and_del(MACVLAN, "macvlan", |confs| &confs.delegated, c),
    |r, c| r.add_and_del(OWN, PLUGIN, |confs| &confs.own, c),
];

/// Measures `rounds` rounds.
pub(crate) fn measure(stage: &Stage, rounds: usize) -> Samples {
    let stub = stage.dir.join("stub.sock");
    stub::serve(&stub);
    let mut all = Rounds {
        confs: Confs::new(stage, &stub),
        hello: stage::hello(&stage.dir),
        plugins: stage.plugins(),
        pod: Netns::create(&format!("{}-bench", stage.tag)),
        samples: Samples::default(),
    };
    for round in 0..WARM_UP + rounds {
        if round == WARM_UP {
            all.samples.clear();
        }
        // The kernel ends the removal of an interface behind its caller's back, so the order changes.
        for step in 0..=VARIANTS.len() {
            match VARIANTS.get((round + step) % (VARIANTS.len() + 1)) {
                Some(variant) => variant(&mut all, &format!("bench-{round}")),
                None => all.floor(),
            }
        }
    }
    all.samples
}

impl Confs {
    fn new(stage: &Stage, stub: &std::path::Path) -> Self {
        let own = cni::own_macvlan(&stage.socket());
        let mut status = own.clone();
        status["cniVersion"] = json!("1.1.0");
        Self {
            delegated: stage::delegated(&stage.socket(), cni::GUIDE_PROVIDER),
            stubbed: stage::delegated(stub, cni::GUIDE_PROVIDER),
            reference: stage::reference(&stage.dir),
            reference_version: json!({"cniVersion": "1.0.0"}),
            own,
            status,
        }
    }
}

impl Rounds {
    fn greet(&mut self) {
        let (took, _) = timed(Command::new(&self.hello).env_clear(), b"");
        self.samples.add(HELLO, took);
    }

    fn call(&mut self, name: &'static str, verb: &str, program: &str, conf: fn(&Confs) -> &Value, id: &str) {
        let took = self.timed(verb, program, conf, id);
        self.samples.add(name, took);
    }

    fn add_and_del(&mut self, names: [&'static str; 2], program: &str, conf: fn(&Confs) -> &Value, id: &str) {
        for (name, verb) in names.into_iter().zip(["ADD", "DEL"]) {
            self.call(name, verb, program, conf, id);
        }
    }

    fn timed(&self, verb: &str, program: &str, conf: fn(&Confs) -> &Value, id: &str) -> Duration {
        let (container, netns) = (format!("{id}-{program}"), self.pod.path());
        let call = Call {
            plugins: &self.plugins,
            conf: conf(&self.confs),
            program,
            container: &container,
            netns: &netns,
            pod: id,
            interface: INTERFACE,
        };
        call.timed(verb)
    }

    /// What the kernel needs for the same interface and address, with the least there can be around it.
    fn floor(&mut self) {
        let (pod, uplink) = (self.pod.name().to_owned(), tests::lab::UPLINK);
        let made = batch(
            &[],
            &format!("link add link {uplink} name {INTERFACE} netns {pod} type macvlan mode bridge\n"),
        );
        let inside = ["-n", &pod];
        let configured =
            batch(&inside, &format!("addr add 192.168.0.99/24 dev {INTERFACE}\nlink set {INTERFACE} up\n"));
        self.samples.add(FLOOR[0], made + configured);
        self.samples.add(FLOOR[1], batch(&inside, &format!("link del {INTERFACE}\n")));
    }
}

fn batch(arguments: &[&str], lines: &str) -> Duration {
    timed(Command::new("ip").args(arguments).args(["-batch", "-"]), lines.as_bytes()).0
}
