//! The policy routes of a `Vpc`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crds::PolicyRoute;
use ovn::nb::{Family, PolicyAction};

use super::route::connected;
use super::{names, priority};
use crate::checked::{CheckedPolicy, CheckedVpc};
use crate::expression::Expression;
use crate::finding::{Effect, Fault, Findings, Reason};
use crate::net::items;
use crate::policy_route::{SUBNET_PRIORITY, allow_subnets};

/// Reads the policies of `vpc`, whose subnets and peerings are already there.
pub(super) fn policies(
    written: &[PolicyRoute],
    vpc: &CheckedVpc,
    findings: &mut Findings,
) -> Vec<CheckedPolicy> {
    let own: BTreeSet<(u16, String)> =
        allow_subnets(vpc).into_iter().map(|policy| (policy.priority, policy.r#match)).collect();
    let mut accepted: Vec<CheckedPolicy> = Vec::new();
    for (index, policy) in written.iter().enumerate() {
        let what = format!("policyRoutes[{index}] {} {}", policy.priority, policy.action);
        let read = policy_of(policy, vpc).map_err(|fault| fault.about(&what));
        let Some(Read { policy, expression, lost }) = findings.keep(read) else { continue };
        lost.into_iter().for_each(|fault| findings.add(Effect::PartLeftOut, fault.about(&what)));
        let unknown = names::unknown(&expression, |name| vpc.networks().any(|(_, port)| port == name));
        unknown.into_iter().for_each(|fault| findings.add(Effect::Note, fault.about(&what)));
        let same = |other: &&CheckedPolicy| {
            (other.priority, &other.match_text) == (policy.priority, &policy.match_text)
        };
        let first = accepted.iter().find(same);
        if first.is_some_and(|first| first.action == policy.action) {
            findings.note(Reason::Duplicate, format!("{what}: the same policy stands before it; remove one"));
            continue;
        }
        if first.is_some() || own.contains(&(policy.priority, policy.match_text.clone())) {
            let message = format!(
                "{what}: another policy has this priority and match and stays; choose another priority"
            );
            findings.add(Effect::PartLeftOut, Fault::new(Reason::Conflict, message));
            continue;
        }
        if policy.priority < SUBNET_PRIORITY && is_inside(&expression, vpc) {
            findings.note(
                Reason::PolicyNeverActs,
                format!(
                    "{what}: it never acts on traffic inside the VPC, and all its destinations are there; use acls of the \
                     Subnet, or a priority above {SUBNET_PRIORITY} for traffic between subnets"
                ),
            );
        }
        accepted.push(policy);
    }
    accepted.sort_by_key(|policy| std::cmp::Reverse(policy.priority));
    accepted
}

/// True when every destination of the match is an address of the VPC's subnets.
fn is_inside(expression: &Expression, vpc: &CheckedVpc) -> bool {
    let is_ours = |net: &ipnet::IpNet| {
        vpc.subnets.values().any(|subnet| subnet.nets.iter().any(|own| own.cidr.contains(net)))
    };
    expression.destinations().is_some_and(|all| !all.is_empty() && all.iter().all(is_ours))
}

/// A policy that was read.
struct Read {
    policy: CheckedPolicy,
    expression: Expression,
    /// The next hops that the router cannot send to. They are left out as long as another one remains.
    lost: Vec<Fault>,
}

fn policy_of(written: &PolicyRoute, vpc: &CheckedVpc) -> Result<Read, Fault> {
    let bad = |message: String| Fault::new(Reason::InvalidPolicy, message);
    let priority =
        priority(written.priority).ok_or_else(|| bad("priority is not from 0 to 32767".to_owned()))?;
    let match_text = written.match_expression.trim().to_owned();
    let expression = Expression::parse(&match_text)
        .map_err(|error| Fault::new(Reason::InvalidMatch, format!("match {match_text:?} {error}")))?;
    let mut lost = Vec::new();
    let action = match written.action.as_str() {
        "allow" => PolicyAction::Allow,
        "drop" => PolicyAction::Drop,
        "reroute" => {
            let (usable, unusable) = next_hops(&written.next_hop_ip, vpc)?;
            lost = unusable;
            fits(&expression, &usable)?;
            PolicyAction::Reroute(usable)
        }
        other => return Err(bad(format!("action {other:?} is none of allow, drop, reroute"))),
    };
    Ok(Read { policy: CheckedPolicy { priority, match_text, action }, expression, lost })
}

/// Refuses a next hop to which no packet that matches can be sent.
fn fits(expression: &Expression, next_hops: &BTreeSet<IpAddr>) -> Result<(), Fault> {
    let Some(next_hop) = next_hops.first() else { return Ok(()) };
    let (family, word) = if next_hop.is_ipv4() { (Family::V4, "IPv4") } else { (Family::V6, "IPv6") };
    if expression.admits(family) {
        return Ok(());
    }
    let message =
        format!("nextHopIP {next_hop} is for {word}, and match takes no {word} packet; change one of them");
    Err(Fault::new(Reason::InvalidPolicy, message))
}

/// The next hops that the router can send to, at least one, and why not to the others.
fn next_hops(written: &str, vpc: &CheckedVpc) -> Result<(BTreeSet<IpAddr>, Vec<Fault>), Fault> {
    let bad = |message: &str| Fault::new(Reason::InvalidPolicy, message);
    let (mut usable, mut unusable) = (BTreeSet::new(), Vec::new());
    for text in items(written) {
        let next_hop: IpAddr =
            text.parse().map_err(|_| bad(&format!("nextHopIP {text:?} is not an address")))?;
        match connected(vpc, &next_hop) {
            Ok(()) => {
                usable.insert(next_hop);
            }
            Err(fault) => unusable.push(fault),
        }
    }
    if usable.iter().any(IpAddr::is_ipv4) && usable.iter().any(IpAddr::is_ipv6) {
        return Err(bad("nextHopIP names addresses of two families; write a policy for each"));
    }
    if usable.is_empty() {
        return Err(unusable.into_iter().next().unwrap_or_else(|| bad("reroute needs a nextHopIP")));
    }
    Ok((usable, unusable))
}
