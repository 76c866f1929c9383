//! What is measured. Names that upstream's dashboards use are kept; buckets reach far enough to see a slow ADD.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use daemon_api::FaultKind;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::northbound::NorthboundMetrics;
use crate::probes::metrics::ProbeMetrics;

/// Seconds: 1 ms to 131 s. Upstream's end at 0.5 s, where its own ADDs begin.
const OPERATION_BUCKETS: [f64; 18] = [
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384,
    32.768, 65.536, 131.072,
];
/// Seconds: 10 µs to 10 s, for single steps and flushes.
const STEP_BUCKETS: [f64; 13] = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];

/// Labels of `cni_op_latency_seconds`, upstream's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    node_name: String,
    method: String,
    status_code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FaultLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SubnetLabel {
    subnet_name: String,
    protocol: &'static str,
    subnet_cidr: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;
type FloatGauge = Gauge<f64, AtomicU64>;

/// All metrics of the daemon. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    node_name: String,
    operations: Histograms<Operation>,
    steps: Histograms<StepLabel>,
    faults: Family<FaultLabel, Counter>,
    /// The ledger's.
    pub ledger: LedgerMetrics,
    /// The northbound database's.
    pub northbound: NorthboundMetrics,
    /// The probes' path.
    pub probes: ProbeMetrics,
    /// Claims freed because their sandbox was gone.
    pub swept: Counter,
    /// DELs replayed from disk.
    pub replayed: Counter,
    /// DELs on disk that are not replayed yet.
    pub pending: Gauge,
    /// Addresses that somebody outside answered for, before the ADD was answered.
    pub conflicts: Counter,
    /// The same, but too late for the ADD.
    pub late_conflicts: Counter,
    /// Peers refused because they are not root.
    pub refused_peers: Counter,
    /// Problems in the resource files.
    pub resource_problems: Gauge,
    used: Family<SubnetLabel, FloatGauge>,
    available: Family<SubnetLabel, FloatGauge>,
}

/// The ledger's metrics.
#[derive(Clone, Default)]
pub struct LedgerMetrics {
    flush: FlushHistogram,
    changes: Counter,
    failures: Counter,
}

#[derive(Clone)]
struct FlushHistogram(Histogram);

impl Default for FlushHistogram {
    fn default() -> Self {
        Self(Histogram::new(STEP_BUCKETS))
    }
}

impl LedgerMetrics {
    /// One transaction was tried.
    pub fn flushed(&self, changes: usize, took: Duration, is_durable: bool) {
        self.flush.0.observe(took.as_secs_f64());
        if is_durable {
            self.changes.inc_by(changes as u64);
        } else {
            self.failures.inc();
        }
    }
}

impl Metrics {
    /// Metrics of a node, registered.
    pub fn new(node_name: &str) -> (Self, Registry) {
        let metrics = Self {
            node_name: node_name.to_owned(),
            operations: Family::new_with_constructor(|| Histogram::new(OPERATION_BUCKETS)),
            steps: Family::new_with_constructor(|| Histogram::new(STEP_BUCKETS)),
            faults: Family::default(),
            ledger: LedgerMetrics::default(),
            northbound: NorthboundMetrics::default(),
            probes: ProbeMetrics::default(),
            swept: Counter::default(),
            replayed: Counter::default(),
            pending: Gauge::default(),
            conflicts: Counter::default(),
            late_conflicts: Counter::default(),
            refused_peers: Counter::default(),
            resource_problems: Gauge::default(),
            used: Family::default(),
            available: Family::default(),
        };
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        metrics.northbound.register(&mut registry);
        metrics.probes.register(&mut registry);
        (metrics, registry)
    }

    /// The node that labels the metrics.
    pub fn node_name(&self) -> &str {
        &self.node_name
    }

    fn register(&self, r: &mut Registry) {
        r.register("cni_op_latency_seconds", "Time of a CNI operation", self.operations.clone());
        r.register("cni_step_seconds", "Time of a step of a CNI operation", self.steps.clone());
        r.register("cni_faults", "Refused or failed CNI operations by kind", self.faults.clone());
        r.register("ledger_flush_seconds", "Time of a ledger transaction", self.ledger.flush.0.clone());
        r.register("ledger_changes", "Claims written to the ledger", self.ledger.changes.clone());
        r.register("ledger_failures", "Ledger transactions that failed", self.ledger.failures.clone());
        r.register("claims_swept", "Claims freed because their sandbox was gone", self.swept.clone());
        r.register(
            "pending_dels_replayed",
            "DELs that were left on disk and replayed",
            self.replayed.clone(),
        );
        r.register("pending_dels", "DELs left on disk and not replayed yet", self.pending.clone());
        r.register("address_conflicts", "Addresses an outside machine answered for", self.conflicts.clone());
        r.register("late_address_conflicts", "The same, after the ADD", self.late_conflicts.clone());
        r.register("refused_peers", "Socket peers that were not root", self.refused_peers.clone());
        r.register("resource_problems", "Problems in the resource files", self.resource_problems.clone());
        r.register("subnet_used_ip_count", "Used addresses of a subnet", self.used.clone());
        r.register("subnet_available_ip_count", "Free addresses of a subnet", self.available.clone());
    }

    /// One request was answered.
    pub fn answered(&self, method: &str, status: u16, took: Duration) {
        let labels = Operation {
            node_name: self.node_name.clone(),
            method: method.to_owned(),
            status_code: status.to_string(),
        };
        self.operations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// One step took this long.
    pub fn step(&self, step: &'static str, took: Duration) {
        self.steps.get_or_create(&StepLabel { step }).observe(took.as_secs_f64());
    }

    /// One request was refused or failed.
    pub fn faulted(&self, kind: FaultKind) {
        self.faults.get_or_create(&FaultLabel { kind: kind.label() }).inc();
    }

    /// The counters of a subnet. Counts beyond 2^53 lose their last digits, as every Prometheus value does.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus values are doubles")]
    pub fn subnet(&self, name: &str, protocol: &'static str, cidr: &str, used: u128, available: u128) {
        let labels = SubnetLabel { subnet_name: name.to_owned(), protocol, subnet_cidr: cidr.to_owned() };
        self.used.get_or_create(&labels).set(used as f64);
        self.available.get_or_create(&labels).set(available as f64);
    }

    /// Forgets all subnets, so that a deleted one is not reported for ever.
    pub fn clear_subnets(&self) {
        self.used.clear();
        self.available.clear();
    }
}

/// The text format of everything registered.
pub fn render(registry: &Registry) -> String {
    let mut page = String::with_capacity(8 << 10);
    // Writing to a String cannot fail.
    let _ = text::encode(&mut page, registry);
    page
}
