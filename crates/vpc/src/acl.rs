//! The rules on a subnet's ports: privacy, its author's own, and the drop of probe answers.

use std::net::IpAddr;

use ovn::nb::{Acl, AclAction, AclParent, Direction, Severity};

use crate::checked::{CheckedSubnet, CheckedVpc};
use crate::facts::Settings;
use crate::net::digit;

/// What a private subnet drops. The priorities are upstream's.
const PRIVATE_DROP: u16 = 1000;
/// What a private subnet still lets in.
const PRIVATE_ALLOW: u16 = 1001;
/// Traffic inside the subnet, over the rules of its author.
const EAST_WEST: u16 = 1900;
/// What nodes send into private subnets of the default VPC.
const NODES: u16 = 3000;
/// Above everything a person can write.
const PROBES: u16 = 32767;

/// All rules of a subnet.
pub(crate) fn acls(vpc: &CheckedVpc, subnet: &CheckedSubnet, settings: &Settings) -> Vec<Acl> {
    let mut rows = built_in(subnet);
    rows.extend(subnet.acls.iter().map(|acl| Acl {
        subnet: Some(subnet.name.clone()),
        ..rule(subnet, acl.direction, acl.priority, &acl.match_text, acl.action)
    }));
    if vpc.is_default && subnet.private {
        for range in &settings.node_ranges {
            let text = format!("ip{}.src == {range}", digit(range));
            rows.push(rule(subnet, Direction::ToPort, NODES, &text, AclAction::AllowRelated));
        }
    }
    if !vpc.is_default {
        rows.extend(probe_drop(subnet, &settings.probe_addresses));
    }
    rows
}

/// The rules that follow from `private`, `allowSubnets` and `allowEWTraffic`.
pub(crate) fn built_in(subnet: &CheckedSubnet) -> Vec<Acl> {
    let mut rows = Vec::new();
    let ranges = subnet.nets.iter().map(|net| net.cidr);
    if subnet.private {
        rows.push(Acl {
            // OVN cuts the name in log lines at 63 bytes and refuses longer ones.
            name: Some(subnet.name.chars().take(63).collect()),
            log: Some(Severity::Warning),
            ..rule(subnet, Direction::ToPort, PRIVATE_DROP, "ip", AclAction::Drop)
        });
        for own in ranges.clone() {
            let ip = format!("ip{}", digit(&own));
            let within = format!("{ip}.src == {own} && {ip}.dst == {own}");
            rows.push(rule(subnet, Direction::ToPort, PRIVATE_ALLOW, &within, AclAction::AllowRelated));
            for other in subnet.allow.iter().filter(|other| digit(other) == digit(&own)) {
                let text = format!(
                    "({ip}.src == {own} && {ip}.dst == {other}) || ({ip}.src == {other} && {ip}.dst == {own})"
                );
                rows.push(rule(subnet, Direction::ToPort, PRIVATE_ALLOW, &text, AclAction::AllowRelated));
            }
        }
    }
    // Without rules to override, these would only switch connection tracking on.
    if subnet.allow_east_west && (subnet.private || !subnet.acls.is_empty()) {
        for own in ranges {
            let ip = format!("ip{}", digit(&own));
            let text = format!("{ip}.src == {own} && {ip}.dst == {own}");
            for direction in [Direction::ToPort, Direction::FromPort] {
                rows.push(rule(subnet, direction, EAST_WEST, &text, AclAction::AllowRelated));
            }
        }
    }
    rows
}

/// Drops the copy that a userspace datapath sees of every answer to a probe. The answer itself goes to the node
/// by another way; the kernel's datapath sees none of it. Planned as soon as the settings name probe addresses.
fn probe_drop(subnet: &CheckedSubnet, addresses: &[IpAddr]) -> Option<Acl> {
    let one = |address: &IpAddr| format!("ip{}.dst == {address}", if address.is_ipv4() { '4' } else { '6' });
    let text = addresses.iter().map(one).collect::<Vec<_>>().join(" || ");
    (!text.is_empty()).then(|| rule(subnet, Direction::FromPort, PROBES, &text, AclAction::Drop))
}

fn rule(
    subnet: &CheckedSubnet,
    direction: Direction,
    priority: u16,
    match_text: &str,
    action: AclAction,
) -> Acl {
    Acl {
        parent: AclParent::Switch(subnet.name.clone()),
        direction,
        priority,
        r#match: match_text.to_owned(),
        action,
        name: None,
        log: None,
        subnet: None,
    }
}
