//! STATUS: would an ADD of this network work now (CNI specification 1.1, section 4)?

use daemon_api::{Fault, FaultKind, Provider, StatusRequest};

use super::Sandboxes;
use crate::ledger::Ledger;

impl<L: Ledger> Sandboxes<L> {
    /// Succeeds when an ADD would.
    ///
    /// # Errors
    /// [`FaultKind::NotAvailable`] with what stands in the way.
    pub async fn status(&self, request: &StatusRequest) -> Result<(), Fault> {
        let waits_for = self.readiness.waits_for();
        if !waits_for.is_empty() {
            return Err(not_available(format!("the daemon is starting: {}", waits_for.join(", "))));
        }
        let provider =
            Provider::new(&request.provider).map_err(|e| Fault::new(FaultKind::BadConfig, e.to_string()))?;
        let snapshot = self.snapshot();
        let names: Vec<&str> =
            snapshot.index.subnets_of_provider(provider.as_str()).map(|subnet| subnet.name()).collect();
        if names.is_empty() {
            return Err(not_available(format!("provider {provider} is not bound to any subnet"))
                .hint(format!("create a Subnet with spec.provider: {provider}")));
        }
        let has_room = self.ledger.look(|book| {
            names
                .iter()
                .filter_map(|name| book.subnet(name))
                .any(|subnet| subnet.counts().iter().all(|(_, counts)| counts.available > 0))
        });
        if !has_room {
            return Err(not_available(format!("no free address in {}", names.join(", ")))
                .hint("free addresses or enlarge the subnet; `vpcctl get subnet` shows the counters"));
        }
        self.ledger.probe().await.map_err(|e| not_available(Fault::from(e).message))
    }
}

fn not_available(text: String) -> Fault {
    Fault::new(FaultKind::NotAvailable, text)
}
