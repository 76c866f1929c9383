//! Fields that are accepted and do nothing here.

use crds::{Subnet, Vpc};

use crate::finding::{Findings, Reason};

/// Notes the fields of a Vpc that ask for something nobody does.
pub(super) fn of_vpc(vpc: &Vpc, findings: &mut Findings) {
    let spec = &vpc.spec;
    let mut fields = vpc.unread();
    let mut add = |asked: bool, field: String| {
        if asked {
            fields.push(field);
        }
    };
    add(spec.enable_external, "spec.enableExternal".to_owned());
    add(!spec.extra_external_subnets.is_empty(), "spec.extraExternalSubnets".to_owned());
    add(spec.enable_bfd, "spec.enableBfd".to_owned());
    for (index, route) in spec.static_routes.iter().enumerate() {
        // OVN keeps replies on the way of the request on gateway routers only; ours are distributed.
        add(!route.ecmp_mode.is_empty(), format!("spec.staticRoutes[{index}].ecmpMode"));
        add(!route.bfd_id.is_empty(), format!("spec.staticRoutes[{index}].bfdId"));
    }
    for (index, policy) in spec.policy_routes.iter().enumerate() {
        let is_unused = policy.action != "reroute" && !policy.next_hop_ip.is_empty();
        add(is_unused, format!("spec.policyRoutes[{index}].nextHopIP"));
    }
    note(fields, findings);
}

/// Notes the fields of a Subnet that ask for something nobody does.
pub(super) fn of_subnet(subnet: &Subnet, is_in_default_vpc: bool, findings: &mut Findings) {
    let spec = &subnet.spec;
    let has_v6 = spec.cidr_block.contains(':');
    let mut fields = subnet.unread();
    let asked = [
        (!is_in_default_vpc && !spec.gateway_type.is_empty(), "spec.gatewayType"),
        (!is_in_default_vpc && spec.nat_outgoing, "spec.natOutgoing"),
        (spec.logical_gateway, "spec.logicalGateway"),
        (spec.u2o_interconnection, "spec.u2oInterconnection"),
        (spec.enable_lb == Some(true), "spec.enableLb"),
        (spec.disable_inter_connection, "spec.disableInterConnection"),
        (!spec.private && !spec.allow_subnets.is_empty(), "spec.allowSubnets"),
        (spec.allow_ew_traffic && spec.acls.is_empty(), "spec.allowEWTraffic"),
        (!spec.enable_dhcp && !spec.dhcp_v4_options.is_empty(), "spec.dhcpV4Options"),
        (!spec.enable_dhcp && !spec.dhcp_v6_options.is_empty(), "spec.dhcpV6Options"),
        (spec.enable_ipv6_ra && !has_v6, "spec.enableIPv6RA"),
        (!spec.enable_ipv6_ra && !spec.ipv6_ra_configs.is_empty(), "spec.ipv6RAConfigs"),
    ];
    fields.extend(asked.into_iter().filter(|(asked, _)| *asked).map(|(_, field)| field.to_owned()));
    note(fields, findings);
    let told = match (spec.cidr_block.contains('.'), has_v6) {
        (true, true) => "Dual",
        (false, true) => "IPv6",
        (_, false) => "IPv4",
    };
    if !spec.protocol.is_empty() && spec.protocol != told {
        let message =
            format!("protocol is {:?}, and cidrBlock makes it {told}; correct one of them", spec.protocol);
        findings.note(Reason::FieldWithoutEffect, message);
    }
}

fn note(mut fields: Vec<String>, findings: &mut Findings) {
    if !fields.is_empty() {
        fields.sort();
        let message = format!("nothing acts on {}; remove what is not meant", fields.join(", "));
        findings.note(Reason::FieldWithoutEffect, message);
    }
}
