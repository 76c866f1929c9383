//! Ports of ours in the node's Open vSwitch whose sandbox is gone and which no claim wants: a DEL came while the database
//! did not answer, or the ledger was lost.
//!
//! # Guarantees
//! * A port is taken out only when two looks in a row found its sandbox's namespace gone. The ports of living pods stay,
//!   whoever made them: upstream's carry the same vendor tag.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ovn::vswitch::Local;

use super::{Sandboxes, plan};
use crate::ledger::{Claim, Ledger, Link};

/// How long the database may take. The next look comes soon enough.
const ANSWERED: Duration = Duration::from_secs(3);

/// The devices of ports that no claim wants and whose namespace is gone.
fn strays(local: &Local, wanted: &BTreeSet<String>, is_gone: impl Fn(&str) -> bool) -> BTreeSet<String> {
    local
        .interfaces()
        .map(|(_, interface)| interface)
        .filter(|interface| interface.is_ours && interface.pod.is_some() && !wanted.contains(&interface.name))
        .filter(|interface| interface.netns.as_deref().is_some_and(&is_gone))
        .map(|interface| interface.name)
        .collect()
}

/// A namespace whose folder is missing as well cannot be seen from here: nothing is known of it.
fn is_gone(netns: &str) -> bool {
    let path = Path::new(netns);
    let folder_is_there = path.starts_with("/proc") || path.parent().is_some_and(Path::is_dir);
    folder_is_there && matches!(path.try_exists(), Ok(false))
}

fn device(claim: &Claim) -> Option<String> {
    let sandbox = claim.sandbox.as_ref().filter(|_| claim.link == Link::Veth)?;
    Some(plan::host_name(&sandbox.container, &claim.owner.interface))
}

impl<L: Ledger> Sandboxes<L> {
    /// One look. `suspects` is what the last one found.
    pub async fn sweep_strays(&self, suspects: &mut BTreeSet<String>) {
        if !self.vswitch.is_current() {
            return;
        }
        let local = self.vswitch.local();
        let wanted = self.ledger.look(|book| book.claims().filter_map(device).collect());
        let found = self.blocking("sweep", move || Ok(strays(&local, &wanted, is_gone))).await;
        let found = found.unwrap_or_default();
        for device in found.intersection(suspects) {
            match self.remove_veth(device).await {
                Ok(()) => tracing::info!(device, "took out the port of a sandbox that is gone"),
                Err(fault) => tracing::warn!(device, %fault, "take out the port of a sandbox that is gone"),
            }
        }
        *suspects = found;
        if let Err(fault) = self.vswitch.sweep_limits(ANSWERED).await {
            tracing::warn!(%fault, "remove limits of ports that are gone");
        }
    }
}

#[cfg(test)]
mod tests {
    use ovn::vswitch::LocalTable;
    use ovsdb::value::{Row, Uuid, Value};

    use super::*;

    fn port(local: &mut Local, number: u8, name: &str, ids: &[(&str, &str)]) {
        let ids: Vec<(&str, &str)> = ids.to_vec();
        let row =
            Row::from([("name".to_owned(), Value::from(name)), ("external_ids".to_owned(), Value::map(ids))]);
        local.put(LocalTable::Interface, Uuid([number; 16]), row);
    }

    #[test]
    fn only_unwanted_ports_of_ours_whose_namespace_is_gone_are_strays() {
        let ids = |netns| {
            [("vendor", "kube-ovn"), ("pod_name", "p"), ("pod_namespace", "ns"), ("pod_netns", netns)]
        };
        let mut local = Local::new();
        port(&mut local, 1, "gone_h", &ids("/gone"));
        port(&mut local, 2, "alive_h", &ids("/alive"));
        port(&mut local, 3, "claimed_h", &ids("/gone"));
        port(&mut local, 4, "foreign", &ids("/gone")[1..]);
        port(&mut local, 5, "ovn0", &ids("/gone")[..1]);

        let found = strays(&local, &BTreeSet::from(["claimed_h".to_owned()]), |netns| netns == "/gone");

        assert_eq!(found, BTreeSet::from(["gone_h".to_owned()]));
    }

    #[test]
    fn what_cannot_be_seen_is_not_gone() {
        assert!(is_gone("/proc/999999999/ns/net") && is_gone("/tmp/no-such-namespace"));
        assert!(!is_gone("/no/such/folder/netns") && !is_gone("/proc/self/ns/net"));
    }
}
