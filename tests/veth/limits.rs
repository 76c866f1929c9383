//! `ingress_rate` and `egress_rate` limit what passes, whatever is sent, and go with the pod.
//!
//! The limits are so low that a busy machine passes many times as much; bounds are wide all the same.

use serde_json::{Value, json};
use tests::netns::Netns;
use tests::ovn::{Node, Ovn};
use tests::traffic::{self, Server};

use crate::lab;
use crate::pod::Pod;

/// Mbit/s.
const LIMIT: u32 = 8;

/// Bytes of a stream: 2 s at the limit.
const STREAM: usize = 2_000_000;

/// Bytes of one that is not limited, so many that a moment's halt does not matter.
const LONG: usize = 5 * STREAM;

/// A limit with a burst that is small beside what the tests send.
fn limit(direction: &str, rate: u32) -> Value {
    json!({
        format!("ovn.kubernetes.io/{direction}_rate"): rate.to_string(),
        format!("ovn.kubernetes.io/{direction}_burst"): "1",
    })
}

/// The rates of a flood of datagrams and of a stream of so many bytes from one pod to another one.
#[track_caller]
fn rates(from: &Netns, to: &Pod<'_>, bytes: usize) -> [f64; 2] {
    let (to, address) = (&to.netns, to.ip());
    let _server = Server::tcp(to, "limited", 80);
    traffic::await_ping(from, &address);
    let flood = traffic::flood(from, to, &format!("{address}:81"));
    [flood, traffic::stream(from, &format!("{address}:80"), bytes)]
}

#[track_caller]
fn assert_limited(rates: [f64; 2]) {
    let limit = f64::from(LIMIT);
    assert!(rates.iter().all(|rate| (0.3 * limit..1.6 * limit).contains(rate)), "UDP, TCP: {rates:?}");
}

#[track_caller]
fn assert_free(rates: [f64; 2]) {
    assert!(rates.iter().all(|rate| *rate > 5.0 * f64::from(LIMIT)), "UDP, TCP: {rates:?}");
}

#[test]
fn what_a_pod_receives_is_limited_and_what_it_sends_is_not() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let free = Pod::new(&node, "a").plugged();
    let limited = Pod::wishing(&node, "b", &limit("ingress", LIMIT)).plugged();

    assert_limited(rates(&free.netns, &limited, STREAM));

    assert_free(rates(&limited.netns, &free, LONG));
    assert_eq!(max_rates(&node), ["8000000"]);
    limited.deleted();
    assert_eq!(rows(&node), [0, 0], "the limit goes with the pod");
}

#[test]
fn what_a_pod_sends_is_limited_and_what_it_receives_is_not() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let free = Pod::new(&node, "a").plugged();
    let limited = Pod::wishing(&node, "b", &limit("egress", LIMIT)).plugged();

    assert_limited(rates(&limited.netns, &free, STREAM));

    assert_free(rates(&free.netns, &limited, LONG));
    assert_eq!(meters(&ovn), ["burst=1000 rate=8000"]);
    limited.deleted();
    tests::wait::until("the meter to go", crate::PATIENCE, || meters(&ovn).is_empty().then_some(()));
}

#[test]
fn a_repeated_add_brings_the_limits_up_to_date_and_leaves_the_device_alone() {
    let Some(lab) = lab() else { return };
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    let pod = Pod::new(&node, "a").plugged();
    let device = pod.device();
    let again = |annotations: &Value| {
        let conf = tests::cni::annotated(&node.conf(), annotations);
        pod.add.clone().stdin(conf.to_string()).run(&lab).ok();
        assert_eq!(pod.device(), device);
        (max_rates(&node), meters(&ovn))
    };
    let both = crate::merged(limit("ingress", 3), &limit("egress", 4));

    assert_eq!(again(&both), (vec!["3000000".to_owned()], vec!["burst=1000 rate=4000".to_owned()]));
    assert_eq!(again(&limit("ingress", 5)), (vec!["5000000".to_owned()], vec![]));
    assert_eq!(again(&json!({})), (vec![], vec![]));
    assert_eq!(rows(&node), [0, 0]);
    let refused = pod.add.clone().stdin(
        tests::cni::annotated(&node.conf(), &json!({"ovn.kubernetes.io/ingress_rate": "fast"})).to_string(),
    );
    assert_eq!(refused.run(&lab).code(), 106);
    assert_eq!(pod.device(), device, "an ADD that is refused takes nothing away");
    traffic::assert_ping(&pod.netns, "10.0.1.1");
}

/// How many rows the tables `QoS` and `Queue` of Open vSwitch have.
#[track_caller]
fn rows(node: &Node<'_>) -> [usize; 2] {
    ["QoS", "Queue"].map(|table| {
        let uuids = node.vsctl(&["--bare", "--columns=_uuid", "list", table]);
        uuids.split_whitespace().count()
    })
}

/// The `max-rate` of every queue that a port has.
#[track_caller]
fn max_rates(node: &Node<'_>) -> Vec<String> {
    let queues = node.vsctl(&["--bare", "--columns=other_config", "list", "Queue"]);
    let entries = queues.split_whitespace();
    entries.filter_map(|entry| entry.strip_prefix("max-rate=").map(str::to_owned)).collect()
}

/// What OVN's meters let pass, in kbit/s and kbit.
#[track_caller]
fn meters(ovn: &Ovn) -> Vec<String> {
    let told = ovn.nb(&["--bare", "--columns=bandwidth", "list", "QoS"]);
    told.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
