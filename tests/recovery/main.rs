//! What survives a restart, a damaged or full disk, a second daemon, and changes of the resources under way.
//!
//! Witnesses are `ip`, `ping`, `vpcctl`, the daemon's log and the files it leaves, never code of the product.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod away;
mod damage;
mod end;
mod pending;
mod resources;
mod restart;
mod rivals;
mod space;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::objects;
use tests::skip::{Requirement, needs_all};

/// Long enough for a machine that does much else. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab whose Subnet is 192.168.0.0/29 with the outside host as gateway; `None`, and a word about it, on a machine
/// that cannot do it.
fn lab() -> Option<Lab> {
    let lab = bare()?;
    lab.write_object("net.yaml", &subnet("net", "192.168.0.0/29", &[]));
    Some(lab)
}

/// The same lab without a Subnet.
fn bare() -> Option<Lab> {
    needs_all(&[Requirement::Root, Requirement::Macvlan]).then(Lab::new)
}

/// An IPv4 Subnet of the guide's provider with the gateway 192.168.0.1.
fn subnet(name: &str, cidr: &str, excluded: &[&str]) -> String {
    let spec = json!({
        "protocol": "IPv4", "provider": cni::GUIDE_PROVIDER,
        "cidrBlock": cidr, "gateway": "192.168.0.1", "excludeIps": excluded
    });
    objects::subnet(name, &spec)
}

/// The ADD of the pod `name` in `default`, whose container is called as it is, with our own macvlan.
fn add(lab: &Lab, netns: &Netns, name: &str) -> Call {
    Call::add(&cni::own_macvlan(&lab.socket())).container(name).netns(netns.path()).pod("default", name)
}

/// The DEL that follows an ADD.
fn del(add: &Call) -> Call {
    add.clone().verb("DEL")
}

/// Where the plugin leaves a DEL that the daemon cannot take.
fn pending_folder(lab: &Lab) -> PathBuf {
    lab.dir().join("d.sock.pending")
}

/// What `vpcctl get ip` tells, whole.
fn ips(lab: &Lab) -> Value {
    tests::witness::vpcctl_json(lab, "get ip")
}
