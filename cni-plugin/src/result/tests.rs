//! What a reply means, and replies that claim a success which is none.

use daemon_api::{ContainerId, IfName, NetnsPath};

use super::*;
use crate::env::Verb;
use crate::netconf::Document;

const OWN: &str =
    r#"{"name":"n","type":"kube-ovn","server_socket":"/s","dns":{"nameservers":["10.96.0.10"]}}"#;
const DELEGATED: &str = r#"{"name":"n","type":"macvlan","ipam":{"server_socket":"/s"}}"#;

fn read(conf: &str, reply: &str) -> Result<Made, ReplyError> {
    let sandbox = Sandbox {
        container_id: ContainerId::new("c").unwrap(),
        ifname: IfName::new("eth0").unwrap(),
        netns: Some(NetnsPath::new("/run/netns/x").unwrap()),
        args: String::new(),
        netns_override: false,
    };
    let conf = NetConf::new(&Document::parse(conf.as_bytes()).unwrap(), Verb::Add).unwrap();
    made(&PodReply::decode(reply.as_bytes()).unwrap(), &sandbox, &conf)
}

fn routes(made: &Made) -> Vec<String> {
    made.routes.iter().map(|r| format!("{} {:?}", r.dst, r.gw.map(|g| g.to_string()))).collect()
}

#[test]
fn the_replys_routes_replace_the_default_ones() {
    let made = read(
        OWN,
        r#"{"nicname":"eth0","ips":[{"ip":"10.0.0.2","cidr":"10.0.0.0/24","gateway":"10.0.0.1"}],
            "routes":[{"dst":"10.0.0.0/24"},{"gw":"fd00::1"}]}"#,
    )
    .unwrap();

    assert_eq!(routes(&made), ["10.0.0.0/24 None", "::/0 Some(\"fd00::1\")"]);
}

#[test]
fn without_routes_every_gateway_makes_a_default_route() {
    let made = read(
        OWN,
        r#"{"nicname":"eth0","ips":[{"ip":"10.0.0.2","cidr":"10.0.0.0/24","gateway":"10.0.0.1"},
            {"ip":"fd00::2","cidr":"fd00::/64"},{"ip":"fd01::2","cidr":"fd01::/64","gateway":"fd01::1"}]}"#,
    )
    .unwrap();

    assert_eq!(routes(&made), ["0.0.0.0/0 Some(\"10.0.0.1\")", "::/0 Some(\"fd01::1\")"]);
}

#[test]
fn the_replys_dns_wins_over_the_configurations() {
    let given = read(OWN, r#"{"nicname":"eth0","dns":{"nameservers":["10.0.0.53"]}}"#).unwrap();
    let none = read(OWN, r#"{"nicname":"eth0"}"#).unwrap();

    assert_eq!(given.dns.nameservers, ["10.0.0.53"]);
    assert_eq!(none.dns.nameservers, ["10.96.0.10"]);
}

#[test]
fn delegated_results_have_no_interface() {
    let made = read(DELEGATED, r#"{"nicname":"x","ips":[{"ip":"10.0.0.2","cidr":"10.0.0.0/24"}]}"#).unwrap();

    assert_eq!(made.interface, None);
}

#[test]
fn a_success_without_interface_or_address_is_none() {
    assert_eq!(read(OWN, "{}"), Err(ReplyError::NoInterface));
    assert_eq!(read(DELEGATED, r#"{"nicname":"x"}"#), Err(ReplyError::NoAddress));
    assert!(read(OWN, r#"{"nicname":"eth0"}"#).is_ok(), "an interface without addresses is a wish of some");
}

#[test]
fn unusable_values_are_named() {
    for (reply, what) in [
        (r#"{"ips":[{"ip":"10.0.0.300","cidr":"10.0.0.0/24"}]}"#, "address"),
        (r#"{"ips":[{"ip":"10.0.0.3","cidr":""}]}"#, "subnet"),
        (r#"{"ips":[{"ip":"10.0.0.3","cidr":"10.0.0.0/33"}]}"#, "subnet"),
        (r#"{"ips":[{"ip":"10.0.0.3","cidr":"fd00::/64"}]}"#, "address"),
        (r#"{"ips":[{"ip":"10.0.0.3","cidr":"10.0.0.0/24","gateway":"x"}]}"#, "gateway"),
        (r#"{"routes":[{}]}"#, "route destination"),
        (r#"{"routes":[{"dst":"10.0.0.0","gw":"10.0.0.1"}]}"#, "route destination"),
    ] {
        let reply = reply.replacen('{', r#"{"nicname":"eth0","#, 1);
        match read(OWN, &reply) {
            Err(ReplyError::Value { what: found, .. }) => assert_eq!(found, what, "{reply}"),
            other => panic!("{reply}: {other:?}"),
        }
    }
}
