//! What is really there, told by programs that share no code with the product.

use std::path::Path;

use serde_json::Value;

use crate::binaries::VPCCTL;
use crate::command::{self, Done};
use crate::lab::Lab;
use crate::netns::Netns;

/// Every interface of a namespace, as `ip -j -d link` tells it.
#[track_caller]
pub fn links(netns: &Netns) -> Vec<Value> {
    list(netns, "ip -j -d link")
}

/// One interface, `None` when there is none of that name.
#[track_caller]
pub fn link(netns: &Netns, name: &str) -> Option<Value> {
    links(netns).into_iter().find(|l| l["ifname"] == name)
}

/// The names of all interfaces but the loopback one, sorted.
#[track_caller]
pub fn link_names(netns: &Netns) -> Vec<String> {
    let mut names: Vec<_> =
        links(netns).iter().filter_map(|l| l["ifname"].as_str().map(str::to_owned)).collect();
    names.retain(|n| n != "lo");
    names.sort();
    names
}

/// The global addresses of an interface with their prefix lengths, IPv4 first, each family in the kernel's order.
#[track_caller]
pub fn addresses(netns: &Netns, interface: &str) -> Vec<String> {
    let links = list(netns, "ip -j addr");
    let found = links.iter().filter(|l| l["ifname"] == interface);
    let infos = found.filter_map(|l| l["addr_info"].as_array()).flatten().filter(|a| a["scope"] == "global");
    infos.filter_map(|a| Some(format!("{}/{}", a["local"].as_str()?, a["prefixlen"]))).collect()
}

/// The unicast routes of the main table of both families, as `ip -j route` tells them.
#[track_caller]
pub fn routes(netns: &Netns) -> Vec<Value> {
    [list(netns, "ip -j -4 route"), list(netns, "ip -j -6 route")].concat()
}

/// The next hop of the default route of a family (4 or 6), `None` when there is none.
#[track_caller]
pub fn default_gateway(netns: &Netns, family: u8) -> Option<String> {
    let routes = list(netns, &format!("ip -j -{family} route show default"));
    routes.iter().find_map(|r| r["gateway"].as_str().map(str::to_owned))
}

/// The neighbour table, as `ip -j neigh` tells it.
#[track_caller]
pub fn neighbours(netns: &Netns) -> Vec<Value> {
    list(netns, "ip -j neigh")
}

/// True when at least one of three echo requests is answered.
#[track_caller]
pub fn ping(from: &Netns, address: &str) -> bool {
    from.exec(&format!("ping -n -q -c 3 -i 0.2 -W 2 {address}")).success()
}

/// True when somebody on the interface's link answers for an IPv4 address.
#[track_caller]
pub fn arping(from: &Netns, interface: &str, address: &str) -> bool {
    from.exec(&format!("arping -q -c 3 -C 1 -w 3 -i {interface} {address}")).success()
}

/// The MAC that answers for an IPv6 address on the interface's link.
#[track_caller]
pub fn ndisc(from: &Netns, interface: &str, address: &str) -> Option<String> {
    let done = from.exec(&format!("ndisc6 -1 -n -q {address} {interface}"));
    done.success().then(|| done.text().trim().to_lowercase())
}

/// A GET by `curl` to an address and port in a namespace; it fails on status 400 and above.
#[track_caller]
pub fn http_get(netns: &Netns, authority: &str, path: &str) -> Done {
    netns.exec(&format!("curl -sSf --noproxy * -m 10 http://{authority}{path}"))
}

/// The value of one sample of a `/metrics` page, named with its labels as printed there.
#[track_caller]
pub fn metric(netns: &Netns, authority: &str, sample: &str) -> Option<f64> {
    let page = http_get(netns, authority, "/metrics").expect_success().text();
    page.lines().find_map(|l| l.strip_prefix(sample)?.strip_prefix(' ')?.trim().parse().ok())
}

/// What `vpcctl` answers about the lab's node.
#[track_caller]
pub fn vpcctl(lab: &Lab, line: &str) -> Done {
    let mut command = std::process::Command::new(lab.binaries().path(VPCCTL));
    command.arg("--socket").arg(lab.socket()).args(line.split_whitespace());
    command::run(command, b"")
}

/// What `vpcctl -o json` answers about the lab's node.
#[track_caller]
pub fn vpcctl_json(lab: &Lab, line: &str) -> Value {
    vpcctl(lab, &format!("{line} -o json")).json()
}

/// The names in a folder, sorted; empty when there is no folder.
pub fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[track_caller]
fn list(netns: &Netns, line: &str) -> Vec<Value> {
    let told = netns.exec(line).json();
    if told.is_null() {
        return Vec::new();
    }
    told.as_array().unwrap_or_else(|| panic!("`{line}` in {} told no list: {told}", netns.name())).clone()
}
