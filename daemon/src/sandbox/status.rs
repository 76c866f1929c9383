//! STATUS: would an ADD of this network work now (CNI specification 1.1, section 4)?

use std::time::Duration;

use daemon_api::{Fault, FaultKind, IfName, Provider, StatusRequest};

use super::attachment::OWN_TYPE;
use super::{Sandboxes, wire};
use crate::ledger::Ledger;

/// How long the node's Open vSwitch may take to answer.
const ANSWERED: Duration = Duration::from_secs(1);

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
        self.can_wire(request).await?;
        self.ledger.probe().await.map_err(|e| not_available(Fault::from(e).message))
    }
}

impl<L: Ledger> Sandboxes<L> {
    /// In the own form: is there an interface to make a macvlan on, or else an Open vSwitch?
    async fn can_wire(&self, request: &StatusRequest) -> Result<(), Fault> {
        if request.cni_type != OWN_TYPE {
            return Ok(());
        }
        let Some(conf) = request.call.macvlan.clone().filter(|conf| !conf.master.is_empty()) else {
            let settings = self.vswitch.settings(ANSWERED).await;
            settings.map_err(|fault| not_available(fault.message).hint(fault.hint))?;
            return self.northbound.outage().map_or(Ok(()), |outage| Err(not_available(outage)));
        };
        let master = IfName::new(&conf.master)
            .map_err(|e| Fault::new(FaultKind::BadConfig, format!("master: {e}")))?;
        let found = self.blocking("master", move || wire::macvlan::master(&master)).await;
        found.map(drop).map_err(|fault| not_available(fault.message).hint(fault.hint))
    }
}

fn not_available(text: String) -> Fault {
    Fault::new(FaultKind::NotAvailable, text)
}
