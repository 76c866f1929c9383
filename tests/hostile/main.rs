//! Bad input on every door: stdin, environment, namespace paths, the socket's bytes and its peers.
//!
//! Whatever comes, the answer is an error that names what is wrong, the daemon lives on, and nothing is left behind:
//! no claim, no interface, no finding of `vpcctl ipam check`.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod bytes;
mod environment;
mod namespaces;
mod peers;
mod stalled;
mod stdin;
mod veths;

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::objects;
use tests::skip::{Requirement, needs_all};

/// A lab with the guide's Subnet; `None`, and a word about it, on a machine that cannot do it.
fn guide() -> Option<Lab> {
    needs_all(&[Requirement::Root, Requirement::Macvlan]).then(|| {
        let lab = Lab::new();
        lab.write_object("guide.yaml", objects::GUIDE);
        lab
    })
}

/// Our own macvlan in version 1.1.0, which allows every verb, with further keys.
fn own(lab: &Lab, keys: Value) -> Value {
    let mut conf = cni::own_macvlan(&lab.socket());
    conf["cniVersion"] = "1.1.0".into();
    let keys = keys.as_object().unwrap().clone();
    conf.as_object_mut().unwrap().extend(keys);
    conf
}

/// The ADD of a pod.
fn add(lab: &Lab, netns: &Netns) -> Call {
    Call::add(&own(lab, json!({}))).container("p1").netns(netns.path()).pod("default", "p1")
}
