//! What was made, behind what earlier plugins made → the result's JSON in the version asked for.
//!
//! The order of keys is upstream's: the specification's below 1.0.0, alphabetical from there on, each written out as a
//! struct because a map's order depends on how `serde_json` is built elsewhere.

use daemon_api::request::Dns;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::result::{Hop, Ip, Made, Prefix};
use crate::version::SpecVersion;

/// An entry of our own, or one of an earlier plugin's that is passed on as it is.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<T> {
    Earlier(Value),
    Own(T),
}

#[derive(Serialize)]
struct ResultV02 {
    #[serde(rename = "cniVersion")]
    cni_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip4: Option<IpV02>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip6: Option<IpV02>,
    dns: DnsV02,
}

/// The same up to 0.4.0.
#[derive(Serialize)]
struct DnsV02 {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nameservers: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    domain: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    search: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
}

#[derive(Serialize)]
struct IpV02 {
    ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<RouteJson>,
}

#[derive(Serialize)]
struct ResultV03 {
    #[serde(rename = "cniVersion")]
    cni_version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<Entry<InterfaceV03>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<Entry<IpV03>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Entry<RouteJson>>,
    dns: DnsV02,
}

#[derive(Serialize)]
struct InterfaceV03 {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    mac: String,
    sandbox: String,
}

#[derive(Serialize)]
struct IpV03 {
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<usize>,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
}

#[derive(Serialize)]
struct ResultV1 {
    #[serde(rename = "cniVersion")]
    cni_version: &'static str,
    #[serde(skip_serializing_if = "Dns::is_empty")]
    dns: Dns,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<Entry<InterfaceV1>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<Entry<IpV1>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Entry<RouteJson>>,
}

#[derive(Serialize)]
struct InterfaceV1 {
    #[serde(skip_serializing_if = "String::is_empty")]
    mac: String,
    #[serde(skip_serializing_if = "is_zero")]
    mtu: u32,
    name: String,
    sandbox: String,
}

#[derive(Serialize)]
struct IpV1 {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<usize>,
}

#[derive(Serialize)]
struct RouteJson {
    dst: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gw: Option<String>,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(mtu: &u32) -> bool {
    *mtu == 0
}

impl From<Dns> for DnsV02 {
    fn from(dns: Dns) -> Self {
        Self { nameservers: dns.nameservers, domain: dns.domain, search: dns.search, options: dns.options }
    }
}

impl From<&Hop> for RouteJson {
    fn from(hop: &Hop) -> Self {
        Self { dst: hop.dst.to_string(), gw: hop.gw.map(|gw| gw.to_string()) }
    }
}

/// The result of an ADD: `made`, appended to `earlier` (`prevResult`) when there is one.
pub fn result(version: SpecVersion, made: Made, earlier: Option<&Map<String, Value>>) -> String {
    let chain = Chain::new(earlier, version, made.interface.is_some());
    match version {
        SpecVersion::V0_1_0 | SpecVersion::V0_2_0 => json(&result_v02(version, made)),
        SpecVersion::V0_3_0 | SpecVersion::V0_3_1 | SpecVersion::V0_4_0 => {
            json(&result_v03(version, made, chain))
        }
        SpecVersion::V1_0_0 | SpecVersion::V1_1_0 => json(&result_v1(version, made, chain)),
    }
}

/// JSON with four spaces per level, as the reference implementation prints.
pub fn json<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::with_capacity(512);
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter));
    // What we print holds only texts, numbers, lists and maps with text keys, and a Vec takes any bytes.
    written.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// What earlier plugins of the chain made, in the form that `version` asks for.
struct Chain {
    interfaces: Vec<Value>,
    ips: Vec<Value>,
    routes: Vec<Value>,
    dns: Dns,
    /// The index of our interface, when we made one.
    own_index: Option<usize>,
}

impl Chain {
    fn new(earlier: Option<&Map<String, Value>>, version: SpecVersion, has_own: bool) -> Self {
        // An IPAM plugin answers the one that asked, not the chain.
        let earlier = earlier.filter(|_| has_own);
        let list =
            |key| earlier.and_then(|e| e.get(key)).and_then(Value::as_array).cloned().unwrap_or_default();
        let dns = earlier.and_then(|e| e.get("dns")).cloned().unwrap_or_default();
        let interfaces = list("interfaces");
        let mut ips = list("ips");
        ips.iter_mut().for_each(|ip| fit_version(ip, version));
        Self {
            own_index: has_own.then_some(interfaces.len()),
            interfaces,
            ips,
            routes: list("routes"),
            dns: serde_json::from_value(dns).unwrap_or_default(),
        }
    }

    fn dns(dns: Dns, earlier: Dns) -> Dns {
        if dns.is_empty() { earlier } else { dns }
    }
}

/// `version` of an address is required from 0.3.0 to 0.4.0 and gone from 1.0.0 on.
fn fit_version(ip: &mut Value, version: SpecVersion) {
    let Some(ip) = ip.as_object_mut() else { return };
    if version >= SpecVersion::V1_0_0 {
        ip.remove("version");
    } else if !ip.contains_key("version") {
        let is_v6 = ip.get("address").and_then(Value::as_str).is_some_and(|a| a.contains(':'));
        ip.insert("version".into(), if is_v6 { "6" } else { "4" }.into());
    }
}

fn joined<T>(earlier: Vec<Value>, own: impl IntoIterator<Item = T>) -> Vec<Entry<T>> {
    earlier.into_iter().map(Entry::Earlier).chain(own.into_iter().map(Entry::Own)).collect()
}

fn gateway(ip: &Ip) -> Option<String> {
    ip.gateway.map(|gw| gw.to_string())
}

/// One address per family: there is no room for more.
fn result_v02(version: SpecVersion, made: Made) -> ResultV02 {
    let of_family = |is_v4: bool| {
        let is_family = move |prefix: &Prefix| prefix.ip.is_ipv4() == is_v4;
        made.ips.iter().find(|ip| is_family(&ip.address)).map(|ip| IpV02 {
            ip: ip.address.to_string(),
            gateway: gateway(ip),
            routes: made.routes.iter().filter(|r| is_family(&r.dst)).map(RouteJson::from).collect(),
        })
    };
    ResultV02 {
        cni_version: version.as_str(),
        ip4: of_family(true),
        ip6: of_family(false),
        dns: made.dns.into(),
    }
}

fn result_v03(version: SpecVersion, made: Made, chain: Chain) -> ResultV03 {
    let interface = chain.own_index;
    let own_interface = made.interface.map(|i| InterfaceV03 { name: i.name, mac: i.mac, sandbox: i.sandbox });
    let own_ips = made.ips.iter().map(|ip| IpV03 {
        version: if ip.address.ip.is_ipv4() { "4" } else { "6" },
        interface,
        address: ip.address.to_string(),
        gateway: gateway(ip),
    });
    ResultV03 {
        cni_version: version.as_str(),
        interfaces: joined(chain.interfaces, own_interface),
        ips: joined(chain.ips, own_ips),
        routes: joined(chain.routes, made.routes.iter().map(RouteJson::from)),
        dns: Chain::dns(made.dns, chain.dns).into(),
    }
}

fn result_v1(version: SpecVersion, made: Made, chain: Chain) -> ResultV1 {
    let interface = chain.own_index;
    let own_interface =
        made.interface.map(|i| InterfaceV1 { mac: i.mac, mtu: i.mtu, name: i.name, sandbox: i.sandbox });
    let own_ips =
        made.ips.iter().map(|ip| IpV1 { address: ip.address.to_string(), gateway: gateway(ip), interface });
    ResultV1 {
        cni_version: version.as_str(),
        dns: Chain::dns(made.dns, chain.dns),
        interfaces: joined(chain.interfaces, own_interface),
        ips: joined(chain.ips, own_ips),
        routes: joined(chain.routes, made.routes.iter().map(RouteJson::from)),
    }
}

#[cfg(test)]
mod tests;
