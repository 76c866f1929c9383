//! Connections that began before their endpoint was carried, and would be shut out for as long as they are tracked.
//!
//! Such an entry is without translation, so its packets are not taken for the node's own (see the chain `to-pods`), and
//! whoever gets its source port next is shut out with it.

use std::collections::BTreeSet;

use netlink::{Family, TcpFlow};

use crate::observe::Ground;
use crate::plan::ProbeAddresses;
use crate::target::Endpoint;

impl Ground {
    /// Forgets what is tracked to `endpoints` without translation and without an answer; how many that were.
    pub(crate) fn sweep(
        &self,
        probe: ProbeAddresses,
        endpoints: &BTreeSet<Endpoint>,
    ) -> Result<usize, netlink::Error> {
        let mut flows = Vec::new();
        for family in probe.families() {
            flows.extend(self.conntrack.unanswered_tcp(family)?);
        }
        let mut count = 0;
        for flow in flows.iter().filter(|flow| is_stale(flow, probe, endpoints)) {
            count += usize::from(self.conntrack.delete(flow)?);
        }
        Ok(count)
    }
}

/// Of those without an answer; one that has one is somebody's connection to another host of that address.
fn is_stale(flow: &TcpFlow, probe: ProbeAddresses, endpoints: &BTreeSet<Endpoint>) -> bool {
    let to = Endpoint { ip: flow.destination.ip(), port: flow.destination.port() };
    endpoints.contains(&to) && probe.of(Family::of(to.ip)) != Some(flow.answers_to.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> TcpFlow {
        TcpFlow {
            source: "192.168.50.2:40000".parse().unwrap(),
            destination: "10.0.1.5:80".parse().unwrap(),
            answers_to: "192.168.50.2:40000".parse().unwrap(),
            zone: None,
        }
    }

    #[test]
    fn only_untranslated_connections_to_an_endpoint_are_stale() {
        let probe = ProbeAddresses { v4: Some([100, 64, 0, 9].into()), v6: None };
        let endpoints = [Endpoint { ip: "10.0.1.5".parse().unwrap(), port: 80 }].into();
        let is_stale = |flow| is_stale(&flow, probe, &endpoints);

        assert!(is_stale(flow()));
        assert!(!is_stale(TcpFlow { answers_to: "100.64.0.9:40000".parse().unwrap(), ..flow() }));
        assert!(!is_stale(TcpFlow { destination: "10.0.1.5:81".parse().unwrap(), ..flow() }));
    }
}
