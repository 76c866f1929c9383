//! Many pods: 200 that stay, and 20 that come at once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::binaries::PLUGIN;
use tests::netns::Netns;

use super::Ground;
use crate::process::{Call, INTERFACE};
use crate::samples::Samples;

/// Pods that come at once, as when a node starts.
pub(crate) const AT_ONCE: usize = 20;

pub(crate) const OURS: [&str; 2] = ["20 × kube-ovn veth ADD", "20 × kube-ovn veth DEL"];
pub(crate) const REFERENCE: [&str; 2] = ["20 × macvlan + host-local ADD", "20 × macvlan + host-local DEL"];

/// Pods that are there while others are measured. They share a sandbox, each with an interface of its own.
pub(super) struct Others {
    sandbox: Netns,
    plugins: PathBuf,
    conf: Value,
    count: usize,
}

impl Others {
    pub(super) fn arrive(ground: &Ground<'_>, count: usize) -> Self {
        let sandbox = Netns::create(&format!("{}-many", ground.stage.tag));
        let others = Self { sandbox, plugins: ground.plugins(), conf: ground.conf(), count };
        others.all("ADD");
        ground.settle();
        others
    }

    pub(super) fn leave(self) {
        self.all("DEL");
    }

    fn all(&self, verb: &str) {
        let netns = self.sandbox.path();
        for number in 0..self.count {
            let (id, interface) = (format!("other-{number}"), format!("e{number}"));
            let call = Call {
                plugins: &self.plugins,
                conf: &self.conf,
                program: PLUGIN,
                container: &id,
                netns: &netns,
                pod: &id,
                interface: &interface,
            };
            call.timed(verb);
        }
    }
}

/// The time from the first start until the last answer.
pub(super) fn at_once(ground: &Ground<'_>, rounds: usize) -> Samples {
    let pod = |number: usize| Netns::create(&format!("{}-p{number}", ground.stage.tag));
    let pods: Vec<Netns> = (0..AT_ONCE).map(pod).collect();
    let mut samples = Samples::default();
    let (ours, reference, plugins) = (ground.conf(), ground.reference(), ground.plugins());
    for round in 0..=rounds {
        // The first one is the warm-up.
        if round == 1 {
            samples.clear();
        }
        let stamp = super::stamp();
        for (names, program, conf) in [(OURS, PLUGIN, &ours), (REFERENCE, "macvlan", &reference)] {
            for (name, verb) in names.into_iter().zip(["ADD", "DEL"]) {
                ground.settle();
                samples.add(name, together(&pods, &plugins, (program, conf), verb, stamp));
            }
        }
    }
    samples
}

fn together(
    pods: &[Netns],
    plugins: &Path,
    (program, conf): (&str, &Value),
    verb: &str,
    stamp: u64,
) -> Duration {
    let input = conf.to_string();
    let commands = pods.iter().enumerate().map(|(number, pod)| {
        let (id, netns) = (format!("crowd-{stamp}-{number}"), pod.path());
        let call =
            Call { plugins, conf, program, container: &id, netns: &netns, pod: &id, interface: INTERFACE };
        call.command(verb)
    });
    let commands: Vec<_> = commands.collect();
    let begin = Instant::now();
    let running: Vec<Child> = commands
        .into_iter()
        .map(|mut command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap_or_else(|e| panic!("start {command:?}: {e}"));
            // A program that ends without reading its input closes the pipe: that is its right.
            drop(child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes())));
            child
        })
        .collect();
    for child in running {
        let done = child.wait_with_output().unwrap_or_else(|e| panic!("wait for {program} {verb}: {e}"));
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{program} {verb}: {}\n{text}", done.status);
    }
    begin.elapsed()
}
