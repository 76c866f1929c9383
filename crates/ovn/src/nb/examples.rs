//! For tests: one row of every table with every column filled, and one with as little as possible.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::address::{Mac, PortAddress, Station};
use crate::names::Protocol;
use crate::wanted::{Key, NbRow};

fn pairs(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn dhcp_key(family: Family) -> Key {
    DhcpOptions::key_of(&DhcpFor::Switch("net1".into()), family)
}

pub(crate) fn station() -> Station {
    Station {
        mac: Mac::new([2, 0, 0, 0, 0, 7]),
        ips: vec!["10.0.1.7".parse().unwrap(), "fd00::7".parse().unwrap()],
    }
}

pub(crate) fn port(name: &str, switch: &str) -> LogicalSwitchPort {
    LogicalSwitchPort {
        name: name.into(),
        switch: switch.into(),
        kind: PortKind::Station,
        addresses: vec![PortAddress::Station(station())],
        port_security: vec![station()],
        dhcpv4: None,
        dhcpv6: None,
        pod: Some(("ns1".into(), "web1".into())),
    }
}

pub(crate) fn route(router: &str, prefix: &str, next_hop: &str) -> LogicalRouterStaticRoute {
    LogicalRouterStaticRoute {
        router: router.into(),
        route_table: String::new(),
        policy: RoutePolicy::Destination,
        prefix: prefix.parse().unwrap(),
        next_hop: next_hop.parse().unwrap(),
        output_port: None,
        symmetric_reply: false,
    }
}

pub(crate) fn policy(
    router: &str,
    priority: u16,
    r#match: &str,
    action: PolicyAction,
) -> LogicalRouterPolicy {
    LogicalRouterPolicy { router: router.into(), priority, r#match: r#match.into(), action, subnet: None }
}

pub(crate) fn acl(switch: &str, priority: u16, r#match: &str, action: AclAction) -> Acl {
    Acl {
        parent: AclParent::Switch(switch.into()),
        direction: Direction::ToPort,
        priority,
        r#match: r#match.into(),
        action,
        name: None,
        log: None,
        subnet: None,
    }
}

pub(crate) fn router(name: &str) -> LogicalRouter {
    LogicalRouter {
        name: name.into(),
        mac_binding_age: Some(300),
        dynamic_neigh_routers: true,
        always_learn_from_arp_request: false,
        load_balancers: BTreeSet::new(),
    }
}

pub(crate) fn switch(name: &str) -> LogicalSwitch {
    LogicalSwitch { name: name.into(), load_balancers: BTreeSet::new() }
}

pub(crate) fn balancer(name: &str) -> LoadBalancer {
    LoadBalancer {
        name: name.into(),
        protocol: Protocol::Tcp,
        vips: BTreeMap::from([("10.96.0.10:80".into(), BTreeSet::from(["10.0.1.7:8080".into()]))]),
        reject: true,
        selection_fields: BTreeSet::from([SelectionField::IpSource, SelectionField::IpDestination]),
        ip_port_mappings: pairs(&[("10.0.1.7", "web1.ns1:10.0.1.9")]),
    }
}

fn routers() -> Vec<Box<dyn NbRow>> {
    let balancer = LoadBalancer::key_of("vpc-a-tcp-load");
    vec![
        Box::new(LogicalRouter { load_balancers: BTreeSet::from([balancer.clone()]), ..router("a") }),
        Box::new(LogicalSwitch { name: "net1".into(), load_balancers: BTreeSet::from([balancer]) }),
        Box::new(LogicalRouterPort {
            name: "a-net1".into(),
            router: "a".into(),
            mac: Mac::new([2, 0, 0, 0, 0, 1]),
            networks: vec!["10.0.1.1/24".parse().unwrap(), "fd00::1/64".parse().unwrap()],
            peer: Some("b-a".into()),
            route_table: Some("rtb1".into()),
            ipv6_ra_configs: pairs(&[("address_mode", "slaac")]),
        }),
        Box::new(LogicalRouterStaticRoute {
            route_table: "rtb1".into(),
            policy: RoutePolicy::Source,
            output_port: Some("a-net1".into()),
            symmetric_reply: true,
            ..route("a", "10.0.1.9/16", "10.0.1.254")
        }),
        Box::new(route("a", "::/0", "fd00::fe")),
        Box::new(LogicalRouterPolicy {
            subnet: Some("net1".into()),
            ..policy("a", 31_000, "ip4.dst == 10.0.1.0/24", PolicyAction::Allow)
        }),
        Box::new(policy("a", 11, "ip4.src == 10.0.1.0/24", PolicyAction::Drop)),
        Box::new(policy(
            "a",
            10,
            "ip4.src == 10.0.2.0/24",
            PolicyAction::Reroute(["10.0.1.252", "10.0.1.253"].map(|ip| ip.parse().unwrap()).into()),
        )),
    ]
}

fn ports() -> Vec<Box<dyn NbRow>> {
    let proxied = BTreeSet::from(["10.0.1.200".parse().unwrap()]);
    let kinds = [
        PortKind::Router { router_port: "a-net1".into(), arp_proxy: proxied },
        PortKind::Localnet { network: "provider".into(), vlan: Some(100) },
        PortKind::Virtual { ip: "10.0.1.9".parse().unwrap(), parents: BTreeSet::from(["web1.ns1".into()]) },
    ];
    let mut rows: Vec<Box<dyn NbRow>> = Vec::new();
    for (kind, name) in kinds.into_iter().zip(["net1-a", "localnet.net1", "net1-vip-10.0.1.9"]) {
        let addresses = vec![PortAddress::Router, PortAddress::Unknown];
        rows.push(Box::new(LogicalSwitchPort { kind, addresses, pod: None, ..port(name, "net1") }));
    }
    let (dhcpv4, dhcpv6) = (Some(dhcp_key(Family::V4)), Some(dhcp_key(Family::V6)));
    rows.push(Box::new(LogicalSwitchPort { dhcpv4, dhcpv6, ..port("web1.ns1", "net1") }));
    rows.push(Box::new(Qos {
        switch: "net1".into(),
        port: "web1.ns1".into(),
        direction: Direction::FromPort,
        priority: 2003,
        rate: 3000,
        burst: Some(300),
    }));
    rows.push(Box::new(PortGroup {
        name: "pg".into(),
        ports: BTreeSet::from([LogicalSwitchPort::key_of("web1.ns1"), LogicalSwitchPort::key_of("net1-a")]),
    }));
    rows
}

fn rules() -> Vec<Box<dyn NbRow>> {
    let options = |family, scope| DhcpOptions {
        scope,
        family,
        cidr: "10.0.1.0/24".parse().unwrap(),
        options: pairs(&[("lease_time", "3600"), ("router", "10.0.1.1")]),
    };
    let mut rows: Vec<Box<dyn NbRow>> = vec![
        Box::new(options(Family::V4, DhcpFor::Switch("net1".into()))),
        Box::new(options(Family::V6, DhcpFor::Port { port: "web1.ns1".into(), switch: "net1".into() })),
        Box::new(balancer("vpc-a-tcp-load")),
        Box::new(LoadBalancerHealthCheck {
            load_balancer: "vpc-a-tcp-load".into(),
            vip: "10.96.0.10:80".into(),
            interval: 5,
            timeout: 20,
            success_count: 3,
            failure_count: 3,
            subnet: Some("net1".into()),
        }),
        Box::new(Acl {
            name: Some("net1".into()),
            log: Some(Severity::Warning),
            subnet: Some("net1".into()),
            ..acl("net1", 1000, "ip", AclAction::Drop)
        }),
        Box::new(Acl {
            parent: AclParent::PortGroup("pg".into()),
            direction: Direction::FromPort,
            ..acl("net1", 2000, "ip4", AclAction::AllowRelated)
        }),
    ];
    let actions = [AclAction::Allow, AclAction::AllowStateless, AclAction::Reject];
    let severities = [Severity::Debug, Severity::Info, Severity::Notice, Severity::Alert];
    for action in actions {
        rows.push(Box::new(acl("net1", 1, action.as_str(), action)));
    }
    for severity in severities {
        let log = Some(severity);
        rows.push(Box::new(Acl { log, ..acl("net1", 2, severity.as_str(), AclAction::Drop) }));
    }
    rows
}

/// Rows of every table, with every variant and every column.
pub(crate) fn all() -> Vec<Box<dyn NbRow>> {
    routers().into_iter().chain(ports()).chain(rules()).collect()
}
