//! Many sandboxes at once, calls that overlap or are interrupted, and a subnet that is exactly full.
//!
//! Every call is the real plugin's. Witnesses are `ip`, `ping`, `vpcctl` and the tools of Open vSwitch and OVN, never code
//! of the product.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod at_once;
mod dice;
mod full;
mod interrupted;
mod overlapping;
mod pod;
mod veths;

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tests::cni::{self, Answer, Call};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::objects;
use tests::skip::{Requirement, needs_all};

/// Long enough for a machine that does much else. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab with one IPv4 Subnet of the guide's provider, whose gateway 192.168.0.1 is the outside host; `None`, and a
/// word about it, on a machine that cannot do it.
fn lab_with(prefix_length: u8) -> Option<Lab> {
    if !needs_all(&[Requirement::Root, Requirement::Macvlan, Requirement::ReferencePlugins]) {
        return None;
    }
    let lab = Lab::builder().outside(&[&format!("192.168.0.1/{prefix_length}")]).build();
    let spec = json!({
        "protocol": "IPv4", "provider": cni::GUIDE_PROVIDER,
        "cidrBlock": format!("192.168.0.0/{prefix_length}"), "gateway": "192.168.0.1"
    });
    lab.write_object("net.yaml", &objects::subnet("net", &spec));
    Some(lab)
}

/// Our own macvlan, or the reference one with our addresses: half of the pods have the one, half the other.
fn form(lab: &Lab, number: usize) -> Value {
    if number.is_multiple_of(2) { cni::own_macvlan(&lab.socket()) } else { cni::guide_nad(&lab.socket()) }
}

/// The ADD of the pod `name` in `default`, whose container is called as it is.
fn add(conf: &Value, netns: &Netns, name: &str) -> Call {
    Call::add(conf).container(name).netns(netns.path()).pod("default", name)
}

/// The DEL that follows an ADD.
fn del(add: &Call) -> Call {
    add.clone().verb("DEL")
}

/// Runs all calls at the same time; the answers are in the order of the calls.
fn at_once(lab: &Lab, calls: &[Call]) -> Vec<Answer> {
    thread::scope(|scope| {
        let running: Vec<_> = calls.iter().map(|call| scope.spawn(|| call.run(lab))).collect();
        running.into_iter().map(|call| call.join().unwrap()).collect()
    })
}
