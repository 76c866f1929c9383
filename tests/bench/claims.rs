//! Claims per second of the ledger itself: in memory, and durable on a real disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use daemon::ledger::writer::LocalLedger;
use daemon::ledger::{Book, ClaimRequest, Ledger, Link, Owner, PortTraits, Sandbox, Segment, Served};
use daemon::metrics::{self, Metrics};
use daemon_api::{ContainerId, IfName, NetnsPath, PodRef, Provider};
use ipam::{SubnetSpec, Workload};

const SUBNET: &str = "wide";
/// Claims that come at once, as when a node starts its pods again.
const CROWD: usize = 64;
/// Claims, one after the other, of each round.
const QUEUE: usize = 10;
/// Claims in memory of each round.
const MANY: usize = 1000;

/// One way to claim: how many were made, how long that took, and how many flushes it cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    pub(crate) claims: u32,
    pub(crate) took: Duration,
    pub(crate) flushes: f64,
}

impl Rate {
    fn add(&mut self, claims: usize, took: Duration) {
        self.claims += u32::try_from(claims).unwrap_or_default();
        self.took += took;
    }

    pub(crate) fn per_second(&self) -> f64 {
        f64::from(self.claims) / self.took.as_secs_f64()
    }

    pub(crate) fn flushes_per_claim(&self) -> f64 {
        self.flushes / f64::from(self.claims)
    }
}

/// All ways, measured in interleaved rounds.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    /// Decisions in memory alone.
    pub(crate) memory: Rate,
    /// 4 KiB written and flushed, one after the other: what the disk can do.
    pub(crate) disk: Rate,
    /// Durable, one after the other.
    pub(crate) queue: Rate,
    /// Durable, 64 at once.
    pub(crate) crowd: Rate,
}

/// A ledger of its own on disk.
struct Durable {
    ledger: LocalLedger,
    /// The page of the daemon's own metrics.
    page: Box<dyn Fn() -> String>,
    made: usize,
}

/// Measures with files in `folder`, which is made and removed.
pub(crate) fn measure(folder: &Path, rounds: usize) -> Rates {
    fs::create_dir_all(folder).unwrap_or_else(|e| panic!("make {}: {e}", folder.display()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap_or_else(|e| panic!("start a runtime: {e}"));
    let rates = runtime.block_on(interleaved(folder, rounds));
    drop(fs::remove_dir_all(folder));
    rates
}

async fn interleaved(folder: &Path, rounds: usize) -> Rates {
    let mut rates = Rates::default();
    let plain = folder.join("plain");
    let mut plain = File::create(&plain).unwrap_or_else(|e| panic!("make {}: {e}", plain.display()));
    let mut queue = Durable::open(folder.join("queue.redb")).await;
    let mut crowd = Durable::open(folder.join("crowd.redb")).await;
    for _ in 0..rounds {
        rates.memory.add(MANY, in_memory());
        rates.disk.add(QUEUE, flushes(&mut plain));
        rates.queue.add(QUEUE, queue.one_by_one(QUEUE).await);
        rates.crowd.add(CROWD, crowd.at_once(CROWD).await);
    }
    rates.disk.flushes = f64::from(rates.disk.claims);
    rates.queue.flushes = queue.flushes();
    rates.crowd.flushes = crowd.flushes();
    rates
}

fn in_memory() -> Duration {
    let mut book = Book::load([]);
    book.respec(vec![served()]);
    let requests: Vec<_> = (0..MANY).map(request).collect();
    let begin = Instant::now();
    for request in &requests {
        let decision = book.decide(request).unwrap_or_else(|e| panic!("claim: {e}"));
        decision.changes.iter().for_each(|change| book.apply(change));
    }
    begin.elapsed()
}

fn flushes(file: &mut File) -> Duration {
    let begin = Instant::now();
    for _ in 0..QUEUE {
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).unwrap_or_else(|e| panic!("flush: {e}"));
    }
    begin.elapsed()
}

impl Durable {
    async fn open(path: PathBuf) -> Self {
        let (metrics, registry) = Metrics::new("bench");
        let ledger = LocalLedger::open(&path, metrics.ledger.clone())
            .unwrap_or_else(|e| panic!("open {}: {e}", path.display()));
        ledger.respec(vec![served()]).await.unwrap_or_else(|e| panic!("tell the subnet: {e}"));
        Self { ledger, page: Box::new(move || metrics::render(&registry)), made: 0 }
    }

    async fn one_by_one(&mut self, count: usize) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..count {
            took += self.at_once(1).await;
        }
        took
    }

    async fn at_once(&mut self, count: usize) -> Duration {
        let requests: Vec<_> = (self.made..self.made + count).map(request).collect();
        self.made += count;
        let begin = Instant::now();
        let answers: Vec<_> = requests.into_iter().map(|request| self.ledger.claim(request)).collect();
        for answer in answers {
            answer.await.unwrap_or_else(|e| panic!("claim: {e}"));
        }
        begin.elapsed()
    }

    /// Transactions so far, as the daemon's own metric counts them.
    fn flushes(&self) -> f64 {
        let page = (self.page)();
        let sample = page.lines().find_map(|l| l.strip_prefix("ledger_flush_seconds_count "));
        sample.and_then(|count| count.parse().ok()).unwrap_or(f64::NAN)
    }
}

fn served() -> Served {
    Served { spec: spec(), segment: Segment("provider/bench.ns".into()) }
}

fn spec() -> SubnetSpec {
    SubnetSpec::parse(SUBNET, "10.99.0.0/16", "10.99.0.1", &[])
        .unwrap_or_else(|e| panic!("parse a subnet: {e}"))
}

fn request(number: usize) -> ClaimRequest {
    let name = format!("pod-{number}");
    let valid = "the text is a valid one";
    ClaimRequest {
        owner: Owner {
            pod: PodRef::new("bench", &name).expect(valid),
            uid: format!("uid-{number}"),
            provider: Provider::new("wide.bench").expect(valid),
            interface: IfName::new("eth0").expect(valid),
        },
        workload: Workload::Pod,
        sandbox: Sandbox {
            container: ContainerId::new(&format!("container-{number}")).expect(valid),
            netns: NetnsPath::new(&format!("/run/netns/cni-{number}")).expect(valid),
            netns_id: (4, number as u64),
        },
        network: "bench".to_owned(),
        subnet: SUBNET.to_owned(),
        wishes: vec![ipam::Request::any_for(&spec())],
        link: Link::Macvlan,
        port: PortTraits::default(),
        are_probes_carried: false,
        on_chosen: None,
        now: 0,
    }
}
