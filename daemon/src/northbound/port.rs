//! A claim → the switch port that it wants. Pure.

use std::collections::BTreeMap;

use ovn::address::Mac;
use vpc::{Meter, PortFact};

use crate::ledger::claim::OwnerName;
use crate::ledger::{Claim, Limit, Link};

/// kbit in an Mbit.
const KILO: u32 = 1000;

/// The switch port of a claim; `None` for claims that are no ports of OVN, and for parked ones.
pub fn of_claim(claim: &Claim) -> Option<PortFact> {
    if claim.link != Link::Veth || claim.sandbox.is_none() {
        return None;
    }
    let owner = &claim.owner;
    Some(PortFact {
        namespace: owner.pod.namespace.clone(),
        pod: owner.pod.name.clone(),
        provider: owner.provider.to_string(),
        interface: claim.port.is_per_interface.then(|| owner.interface.to_string()),
        subnet: claim.subnet.clone(),
        addresses: claim.addresses.clone(),
        mac: Mac::new(claim.mac?.0),
        out_of_pod: claim.port.out_of_pod.map(meter),
        port_security: !claim.port.forwards,
        is_ours: false,
    })
}

/// A meter drops what is too much, so TCP comes near the rate only when a window's worth may exceed it for a moment.
fn meter(limit: Limit) -> Meter {
    let rate = limit.rate.max(1).saturating_mul(KILO);
    let burst = limit.burst.map_or_else(|| rate / 10 * 8, |burst| burst.saturating_mul(KILO));
    Meter { rate, burst: burst.max(1) }
}

/// The switch ports of claims. Two pods of one name that live at once, an old one and its successor, have one port between
/// them: the newest has it.
pub fn newest<'a>(claims: impl Iterator<Item = &'a Claim>) -> Vec<PortFact> {
    let mut newest: BTreeMap<OwnerName, (u64, PortFact)> = BTreeMap::new();
    for claim in claims {
        let Some(fact) = of_claim(claim) else { continue };
        let held = newest.entry(claim.owner.name()).or_insert_with(|| (claim.revision, fact.clone()));
        if held.0 < claim.revision {
            *held = (claim.revision, fact);
        }
    }
    newest.into_values().map(|(_, fact)| fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_in_megabits_is_a_meter_in_kilobits_with_four_fifths_of_a_second_to_spare() {
        assert_eq!(meter(Limit { rate: 50, burst: None }), Meter { rate: 50_000, burst: 40_000 });
        assert_eq!(meter(Limit { rate: 50, burst: Some(10) }), Meter { rate: 50_000, burst: 10_000 });
        assert_eq!(meter(Limit { rate: 0, burst: Some(0) }), Meter { rate: 1000, burst: 1 });
        assert_eq!(meter(Limit { rate: u32::MAX, burst: None }).rate, u32::MAX);
    }
}
