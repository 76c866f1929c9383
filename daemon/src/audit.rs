//! The ledger compared with the living sandboxes and with what the kernel has in them.

use std::collections::BTreeSet;

use daemon_api::explain::{Audit, Finding};

use crate::ledger::{Claim, Ledger};
use crate::sandbox::Sandboxes;
use crate::sandbox::observed::{self, Presence};

/// Compares every claim. Blocks for a few system calls per claim.
pub fn audit<L: Ledger>(all: &Sandboxes<L>) -> Audit {
    let claims: Vec<Claim> = all.ledger.look(|book| book.claims().cloned().collect());
    let unserved = |claim: &Claim| all.ledger.look(|book| book.subnet(&claim.subnet).is_none());
    let mut findings = Vec::new();
    for claim in &claims {
        findings.extend(missing(claim));
        findings.extend(outside(all, claim));
        if unserved(claim) {
            findings.push(finding(
                claim,
                format!("subnet {} is not defined any more", claim.subnet),
                "define it again, or delete the pod; the address is freed with it",
            ));
        }
    }
    let set_aside = all.ledger.look(|book| {
        book.set_aside_addresses().map(|(segment, ip, _)| (segment.0.clone(), ip)).collect::<Vec<_>>()
    });
    findings.extend(set_aside.into_iter().map(|(segment, ip)| Finding {
        subject: ip.to_string(),
        problem: format!("a machine outside answers for this address of {segment}"),
        fix: "take it off that machine, or put it into excludeIps".to_owned(),
    }));
    Audit {
        claims: claims.len(),
        sandboxes: claims
            .iter()
            .filter_map(|c| Some(&c.sandbox.as_ref()?.container))
            .collect::<BTreeSet<_>>()
            .len(),
        parked: claims.iter().filter(|c| c.sandbox.is_none()).count(),
        pending_dels: all.pending.count(),
        findings,
    }
}

/// An address that the subnet had before its `cidrBlock` was changed.
fn outside<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> Option<Finding> {
    let is_in = |ip: &std::net::IpAddr| {
        all.ledger.look(|book| book.subnet(&claim.subnet).is_none_or(|subnet| subnet.spec().contains(*ip)))
    };
    let ip = claim.addresses.iter().find(|ip| !is_in(ip))?;
    let problem = format!("{ip} is not in subnet {} as it is now", claim.subnet);
    Some(finding(claim, problem, "delete the pod: its next sandbox gets an address of the subnet"))
}

fn missing(claim: &Claim) -> Option<Finding> {
    let sandbox = claim.sandbox.as_ref()?;
    match observed::presence(sandbox) {
        Presence::Alive => missing_interface(claim),
        Presence::Gone => Some(finding(
            claim,
            format!("its sandbox {} is gone", sandbox.netns),
            "nothing: the sweep frees it after two looks (--sweep-interval)",
        )),
        Presence::Unknown => Some(finding(
            claim,
            format!("its sandbox {} cannot be seen from here", sandbox.netns),
            "mount the runtime's namespace folder into the daemon's pod; until then the address is kept",
        )),
    }
}

fn missing_interface(claim: &Claim) -> Option<Finding> {
    let netns = claim.sandbox.as_ref().and_then(observed::living)?;
    let name = &claim.owner.interface;
    let fix = "delete the pod and let it be created again";
    match observed::interface(&netns, name) {
        Err(fault) => Some(finding(claim, fault.message, "see the daemon's log")),
        Ok(None) if claim.link.is_ours() => {
            Some(finding(claim, format!("interface {name} is missing in its sandbox"), fix))
        }
        // A delegated interface may be made a moment later, or under rules of its plugin.
        Ok(None) => None,
        Ok(Some(found)) => {
            let absent = claim.addresses.iter().find(|ip| !found.has_address(**ip))?;
            Some(finding(claim, format!("interface {name} does not have {absent}"), fix))
        }
    }
}

fn finding(claim: &Claim, problem: String, fix: &str) -> Finding {
    let addresses: Vec<String> = claim.addresses.iter().map(ToString::to_string).collect();
    Finding {
        subject: format!("{} of pod {} ({})", addresses.join(","), claim.owner.pod, claim.owner.interface),
        problem,
        fix: fix.to_owned(),
    }
}
