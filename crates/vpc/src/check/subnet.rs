//! One `Subnet` by itself: its text to checked values.

use std::collections::BTreeMap;

use crds::{Subnet, SubnetAcl, SubnetSpec};
use ipnet::IpNet;
use ovn::nb::{AclAction, Direction};

use super::option_kind::{DHCP_V4, DHCP_V6, ROUTER_ADVERTISEMENTS};
use super::options::options;
use super::{check_name, names, priority};
use crate::acl;
use crate::checked::{CheckedAcl, CheckedSubnet};
use crate::dhcp;
use crate::expression::Expression;
use crate::facts::Settings;
use crate::finding::{Effect, Fault, Findings, Reason};
use crate::net::{Net, nets, range};
use crate::switch::gateway_mac;

/// Reads a subnet of an OVN provider. `None` when it is refused; the findings say why.
pub(super) fn read(subnet: &Subnet, settings: &Settings, findings: &mut Findings) -> Option<CheckedSubnet> {
    let name = subnet.name();
    let spec = &subnet.spec;
    findings.require(check_name(name))?;
    let nets = findings.require(addresses(spec, settings))?;
    if !spec.vlan.is_empty() {
        findings.add(
            Effect::Refused,
            Fault::new(
                Reason::VlanNotServed,
                "subnets of a physical network are not served; remove spec.vlan to make it an overlay subnet",
            ),
        );
        return None;
    }
    let has_v4 = nets.iter().any(|net| net.cidr.addr().is_ipv4());
    let has_v6 = nets.iter().any(|net| net.cidr.addr().is_ipv6());
    let mtu = findings.keep(mtu(spec.mtu, has_v6)).flatten().unwrap_or(settings.mtu);
    let mut checked = CheckedSubnet {
        name: name.to_owned(),
        namespaces: spec.namespaces.clone(),
        router_mac: gateway_mac(name),
        route_table: (!spec.route_table.is_empty()).then(|| spec.route_table.clone()),
        private: spec.private,
        allow: allowed(spec, findings),
        allow_east_west: spec.allow_ew_traffic,
        acls: Vec::new(),
        dhcp_v4: None,
        dhcp_v6: None,
        router_advertisements: BTreeMap::new(),
        nets,
    };
    if spec.enable_dhcp {
        let v4 = options(&DHCP_V4, &spec.dhcp_v4_options, findings);
        let v6 = options(&DHCP_V6, &spec.dhcp_v6_options, findings);
        checked.dhcp_v4 = has_v4.then(|| dhcp::v4_options(&checked, mtu, v4));
        checked.dhcp_v6 = has_v6.then(|| dhcp::v6_options(&checked, v6));
    }
    if spec.enable_ipv6_ra && has_v6 {
        let given = options(&ROUTER_ADVERTISEMENTS, &spec.ipv6_ra_configs, findings);
        checked.router_advertisements = dhcp::router_advertisements(given);
    }
    checked.acls = acls(spec, &checked, findings);
    Some(checked)
}

/// The families of a subnet; also for subnets of other providers.
pub(super) fn addresses(spec: &SubnetSpec, settings: &Settings) -> Result<Vec<Net>, Fault> {
    let nets = nets(&spec.cidr_block, &spec.gateway)?;
    for address in &settings.probe_addresses {
        if let Some(net) = nets.iter().find(|net| net.cidr.contains(address)) {
            return Err(Fault::new(
                Reason::ProbeAddressInside,
                format!("{} contains {address}, from which probes come; choose another range", net.cidr),
            ));
        }
    }
    Ok(nets)
}

/// What the links of both families must carry (RFC 791, section 3.2; RFC 8200, section 5). `None` when nothing is asked for.
fn mtu(written: u32, has_v6: bool) -> Result<Option<u32>, Fault> {
    let least = if has_v6 { 1280 } else { 68 };
    if written == 0 || (least..=65_535).contains(&written) {
        return Ok((written != 0).then_some(written));
    }
    let of_v6 = if has_v6 { ", because of IPv6" } else { "" };
    Err(Fault::new(
        Reason::InvalidMtu,
        format!("mtu {written} is not from {least} to 65535{of_v6}; choose one, or leave it out"),
    ))
}

fn allowed(spec: &SubnetSpec, findings: &mut Findings) -> Vec<IpNet> {
    let read = |text: &String| {
        range(text).ok_or_else(|| {
            Fault::new(
                Reason::InvalidAllowSubnet,
                format!("allowSubnets entry {text:?} is not a range; write it as 10.0.2.0/24"),
            )
        })
    };
    let mut ranges: Vec<IpNet> =
        spec.allow_subnets.iter().filter_map(|text| findings.keep(read(text))).collect();
    ranges.sort();
    ranges.dedup();
    ranges
}

fn acls(spec: &SubnetSpec, subnet: &CheckedSubnet, findings: &mut Findings) -> Vec<CheckedAcl> {
    let mut accepted: Vec<CheckedAcl> = Vec::new();
    for (index, written) in spec.acls.iter().enumerate() {
        let what = format!("acls[{index}] {} {}", written.direction, written.priority);
        let read = acl_of(written).map_err(|fault| fault.about(&what));
        let Some((acl, expression)) = findings.keep(read) else { continue };
        // Ports of pods are called <pod>.<namespace>, and come and go; to the router's OVN applies no rules (ovn-nb(5)).
        let unknown = names::unknown(&expression, |name| name.contains('.'));
        unknown.into_iter().for_each(|fault| findings.add(Effect::Note, fault.about(&what)));
        let same = |other: &&CheckedAcl| {
            (other.direction, other.priority, &other.match_text)
                == (acl.direction, acl.priority, &acl.match_text)
        };
        match accepted.iter().find(same) {
            Some(first) if first.action == acl.action => {
                findings.note(Reason::Duplicate, format!("{what}: the same rule stands before it; remove one"));
            }
            Some(_) => findings.add(
                Effect::PartLeftOut,
                Fault::new(
                    Reason::Conflict,
                    format!("{what}: another rule of this direction, priority and match stands before it and stays"),
                ),
            ),
            None => accepted.push(acl),
        }
    }
    let own = acl::built_in(subnet);
    accepted.retain(|written| {
        let clash = own.iter().any(|row| {
            (row.direction, row.priority, &row.r#match)
                == (written.direction, written.priority, &written.match_text)
        });
        if clash {
            findings.add(
                Effect::PartLeftOut,
                Fault::new(
                    Reason::Conflict,
                    format!(
                        "acls {} {}: the subnet's own rule has this match; choose another priority",
                        written.direction.as_str(),
                        written.priority
                    ),
                ),
            );
        }
        !clash
    });
    accepted
}

fn acl_of(written: &SubnetAcl) -> Result<(CheckedAcl, Expression), Fault> {
    let bad = |message: String| Fault::new(Reason::InvalidAcl, message);
    let direction = [Direction::FromPort, Direction::ToPort]
        .into_iter()
        .find(|direction| direction.as_str() == written.direction)
        .ok_or_else(|| {
            bad(format!("direction {:?} is neither from-lport nor to-lport", written.direction))
        })?;
    let action = [
        AclAction::Allow,
        AclAction::AllowRelated,
        AclAction::AllowStateless,
        AclAction::Drop,
        AclAction::Reject,
    ]
    .into_iter()
    .find(|action| action.as_str() == written.action)
    .ok_or_else(|| {
        bad(format!(
            "action {:?} is none of allow, allow-related, allow-stateless, drop, reject",
            written.action
        ))
    })?;
    let priority =
        priority(written.priority).ok_or_else(|| bad("priority is not from 0 to 32767".to_owned()))?;
    let match_text = written.match_expression.trim().to_owned();
    let expression = Expression::parse(&match_text)
        .map_err(|error| Fault::new(Reason::InvalidMatch, format!("match {match_text:?} {error}")))?;
    if direction == Direction::FromPort && expression.asks_for("outport") {
        let message = "match asks for outport, which is not known yet in direction from-lport; use to-lport";
        return Err(Fault::new(Reason::InvalidMatch, message));
    }
    Ok((CheckedAcl { direction, priority, match_text, action }, expression))
}
