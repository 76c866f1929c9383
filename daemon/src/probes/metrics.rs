//! What is measured of carried probes.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tproxy::{Carrier, Counted};

use crate::causes::chain;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// The metrics of the probes' path. Read from the kernel when they are asked for.
#[derive(Clone, Default)]
pub struct ProbeMetrics {
    pods: Gauge,
    endpoints: Gauge,
    clashes: Gauge,
    packets: Family<KindLabel, Gauge>,
}

impl ProbeMetrics {
    /// Registers all.
    pub fn register(&self, r: &mut Registry) {
        r.register("probe_pods", "Pods that probes are carried into", self.pods.clone());
        r.register(
            "probe_targets",
            "Addresses with ports that probes are carried to",
            self.endpoints.clone(),
        );
        r.register("probe_clashes", "Targets that two pods of the node have in common", self.clashes.clone());
        r.register(
            "probe_packets",
            "Connections carried, and packets refused by reason, since the rules were last written",
            self.packets.clone(),
        );
    }

    /// Brings them up to date.
    pub fn measure(&self, carrier: &Carrier) {
        let value = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (pods, endpoints) = carrier.counts();
        self.pods.set(value(pods));
        self.endpoints.set(value(endpoints));
        self.clashes.set(value(carrier.clashes().len()));
        match carrier.counters() {
            Ok(counters) => {
                for counted in Counted::ALL {
                    let packets = i64::try_from(counters.get(counted)).unwrap_or(i64::MAX);
                    self.packets.get_or_create(&KindLabel { kind: counted.word() }).set(packets);
                }
            }
            Err(error) => tracing::debug!(error = chain(&error), "read what the probes' rules have counted"),
        }
    }
}
