//! The rules themselves: one pod's addition and removal, and the replacement of everything under probes.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netlink::{Handle, Nft};
use tests::command;
use tests::netns::Netns;
use tproxy::plan::Tables;
use tproxy::{Carrier, HostSide, Pod, PodKey, ProbeAddresses, Settings};

use crate::samples::Samples;

/// Pods whose probes are carried already.
pub(super) const MANY: u16 = 200;

pub(super) const ADD: [&str; 2] = ["one pod's rules added, alone", "  beside 200 others"];
pub(super) const REMOVE: [&str; 2] = ["one pod's rules removed, alone", "  of 201"];

/// Replacements of both tables.
pub(super) const REPLACEMENTS: usize = 30;

/// The kubelet's default.
const DEADLINE: Duration = Duration::from_secs(1);

/// Adds and removes a pod with two ports in two families, in a namespace of its own.
pub(super) fn measure(name: &str, rounds: usize) -> Samples {
    let space = Netns::create(name);
    let devices = devices(&space);
    let netns = netlink::Netns::open(&space.path()).unwrap_or_else(|e| panic!("open {name}: {e}"));
    let probe = ProbeAddresses {
        v4: Some(Ipv4Addr::new(192, 0, 0, 8)),
        v6: Some(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 8)),
    };
    let settings = Settings { probe, cgroup_root: PathBuf::from("/sys/fs/cgroup") };
    let carrier = must(Carrier::start(settings, netns));
    let mut samples = Samples::default();
    for (at, others) in [0, MANY].into_iter().enumerate() {
        let others = (1..=others).map(|number| pod(number, &devices));
        must(carrier.replace_all(others.collect()));
        let one = pod(0, &devices);
        for _ in 0..rounds {
            let begin = Instant::now();
            must(carrier.add(one.clone()));
            samples.add(ADD[at], begin.elapsed());
            let begin = Instant::now();
            must(carrier.remove(&one.key));
            samples.add(REMOVE[at], begin.elapsed());
        }
    }
    samples
}

/// Devices that stand for the pods' ends on the node, with their indexes.
fn devices(space: &Netns) -> BTreeMap<String, u32> {
    let lines: String = (0..=MANY).map(|n| format!("link add {} up type dummy\n", device(n))).collect();
    let mut batch = Command::new("ip");
    batch.args(["-n", space.name(), "-batch", "-"]);
    command::run(batch, lines.as_bytes()).expect_success();
    let links = netlink::Netns::open(&space.path()).ok().and_then(|netns| Handle::inside(&netns).ok());
    let links = links.and_then(|handle| handle.links().ok()).unwrap_or_default();
    links.into_iter().map(|link| (link.name, link.index)).collect()
}

fn device(number: u16) -> String {
    format!("pod{number}_h")
}

fn pod(number: u16, devices: &BTreeMap<String, u32>) -> Pod {
    let name = device(number);
    let [high, low] = number.to_be_bytes();
    Pod {
        key: PodKey::new("bench", format!("pod{number}")),
        vpc: "bench".into(),
        host_side: HostSide::new(&name, devices[&name]).unwrap_or_else(|e| panic!("{e}")),
        mac: [2, 0, 0, 0, high, low],
        addresses: [
            Ipv4Addr::new(10, 96, high, low).into(),
            Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, number).into(),
        ]
        .into(),
        ports: [8080, 8081].into(),
    }
}

/// Probes while everything is replaced.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// How long each replacement took.
    pub(super) took: Samples,
    /// How many probes there were.
    pub(super) probes: usize,
    /// How many of them said what is not so.
    pub(super) wrong: usize,
}

/// The name of the replacements' times.
pub(super) const REPLACED: &str = "both tables replaced in one batch";

/// Replaces this namespace's tables by themselves, back to back.
pub(super) fn replace_under_probes(open: SocketAddr, closed: SocketAddr) -> Replaced {
    let nft = must(Nft::here());
    let tables = Tables::ids().map(|id| must(nft.table(&id)).unwrap_or_else(|| panic!("no table {id}")));
    let is_over = AtomicBool::new(false);
    let mut replaced = Replaced::default();
    thread::scope(|scope| {
        let probers = [(open, true), (closed, false)].map(|(to, is_open)| {
            let is_over = &is_over;
            scope.spawn(move || {
                let (mut probes, mut wrong) = (0, 0);
                while !is_over.load(Ordering::Relaxed) {
                    probes += 1;
                    wrong += usize::from(!tells(to, is_open));
                }
                (probes, wrong)
            })
        });
        for _ in 0..REPLACEMENTS {
            let mut batch = nft::replace(&tables[0]);
            batch.append(nft::replace(&tables[1]));
            let begin = Instant::now();
            must(nft.apply(&batch));
            replaced.took.add(REPLACED, begin.elapsed());
        }
        is_over.store(true, Ordering::Relaxed);
        for prober in probers {
            let (probes, wrong) = prober.join().unwrap_or_else(|_| panic!("a prober panicked"));
            replaced.probes += probes;
            replaced.wrong += wrong;
        }
    });
    replaced
}

fn tells(to: SocketAddr, is_open: bool) -> bool {
    match TcpStream::connect_timeout(&to, DEADLINE) {
        Ok(_) => is_open,
        Err(error) => !is_open && error.kind() == io::ErrorKind::ConnectionRefused,
    }
}

#[track_caller]
fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}
