//! The policies of a VPC's router: those of the spec, and those that keep traffic between the subnets on its way.

use ovn::nb::{LogicalRouterPolicy, PolicyAction};

use crate::checked::CheckedVpc;
use crate::net::digit;

/// The priority above which a policy acts on traffic inside the VPC; as upstream.
pub(crate) const SUBNET_PRIORITY: u16 = 31000;

/// `ip4.dst == <range> -> allow` for every subnet: policies come after routing and override it, so without these a
/// `reroute` of everything would also take the traffic between subnets.
pub(crate) fn allow_subnets(vpc: &CheckedVpc) -> Vec<LogicalRouterPolicy> {
    let of_subnet = |subnet: &crate::checked::CheckedSubnet| {
        let rows = subnet.nets.iter().map(|net| LogicalRouterPolicy {
            router: vpc.name.clone(),
            priority: SUBNET_PRIORITY,
            r#match: format!("ip{}.dst == {}", digit(&net.cidr), net.cidr),
            action: PolicyAction::Allow,
            subnet: Some(subnet.name.clone()),
        });
        rows.collect::<Vec<_>>()
    };
    vpc.subnets.values().flat_map(of_subnet).collect()
}

/// The policies of the spec.
pub(crate) fn policies(vpc: &CheckedVpc) -> Vec<LogicalRouterPolicy> {
    let row = |policy: &crate::checked::CheckedPolicy| LogicalRouterPolicy {
        router: vpc.name.clone(),
        priority: policy.priority,
        r#match: policy.match_text.clone(),
        action: policy.action.clone(),
        subnet: None,
    };
    vpc.policies.iter().map(row).collect()
}
