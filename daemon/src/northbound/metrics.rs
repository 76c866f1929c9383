//! What is measured of the northbound database.

use std::time::Duration;

use ovn::diff::Change;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds: 0.5 ms to 32 s.
const BUCKETS: [f64; 17] = [
    0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192,
    16.384, 32.768,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    change: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// The metrics. Cheap to clone.
#[derive(Clone)]
pub struct NorthboundMetrics {
    transactions: Family<Outcome, Counter>,
    rows: Family<Kind, Counter>,
    plans: Counter,
    /// Rows that cannot be made because of what is in the database.
    pub refusals: Gauge,
    connected: Gauge,
    delay: Histogram,
}

impl Default for NorthboundMetrics {
    fn default() -> Self {
        Self {
            transactions: Family::default(),
            rows: Family::default(),
            plans: Counter::default(),
            refusals: Gauge::default(),
            connected: Gauge::default(),
            delay: Histogram::new(BUCKETS),
        }
    }
}

impl NorthboundMetrics {
    /// Names them.
    pub fn register(&self, r: &mut Registry) {
        r.register("northbound_transactions", "Transactions by outcome", self.transactions.clone());
        r.register("northbound_rows", "Rows changed in OVN's northbound database", self.rows.clone());
        r.register("northbound_plans", "Plans made, with or without a change", self.plans.clone());
        r.register(
            "northbound_refusals",
            "Rows that others' rows keep from being made",
            self.refusals.clone(),
        );
        r.register(
            "northbound_connected",
            "1 while the database's rows are followed",
            self.connected.clone(),
        );
        r.register("northbound_change_seconds", "From a change here to the commit there", self.delay.clone());
    }

    pub(super) fn planned(&self) {
        self.plans.inc();
    }

    pub(super) fn committed(&self, change: &Change, took: Duration) {
        self.transactions.get_or_create(&Outcome { outcome: "committed" }).inc();
        for (kind, count) in
            [("inserted", change.inserted), ("updated", change.updated), ("removed", change.removed)]
        {
            self.rows.get_or_create(&Kind { change: kind }).inc_by(count as u64);
        }
        self.delay.observe(took.as_secs_f64());
    }

    pub(super) fn failed(&self, outcome: &'static str) {
        self.transactions.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn is_connected(&self, connected: bool) {
        self.connected.set(connected.into());
    }
}
