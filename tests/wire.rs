//! The recorded exchanges of Kube-OVN v1.17.0, played at our daemon byte for byte.
//!
//! The daemon gets a `/run` of its own, so that the netns names of the recordings (`/run/netns/ku-…`) are there and not
//! a byte of a request is changed. Compared are the status line, the content type and the body after gunzip; `Date`, the
//! order of headers and the letter case of their names are not.

use serde_json::json;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::recorded;
use tests::skip::{Requirement, needs_all};
use tests::{ledger, objects, own_run, raw, witness};

/// Where we answer differently on purpose: number, our status, why.
const DIFFERENT: [(&str, u16, &str); 8] = [
    ("46", 400, "the pod is not looked up: without an API server the request is the only source"),
    ("53", 400, "as 46"),
    ("54", 400, "as 46; v1.17.0 answers 200 without an address after 40 s"),
    ("57", 400, "the JSON error has our parser's words, not Go's"),
    ("61", 400, "CHECK is a route of ours; this is no request of its form"),
    ("63", 400, "an ADD without a container id is refused for that first"),
    ("64", 400, "as 46; an ADD without a container id and interface name is refused"),
    ("65", 204, "v1.17.0 panics over a short container id"),
];

/// The ADDs of an OVN port in the default network: no such network on this node, so all are refused. `tests/veth/wire.rs`
/// plays them where there is one.
const OVN_ADDS: [&str; 15] =
    ["01", "02", "06", "08", "10", "12", "14", "16", "18", "25", "27", "28", "31", "32", "66"];

/// The same of the other tenants.
const OTHER_OVN_ADDS: [&str; 3] = ["68", "70", "76"];

#[test]
fn recorded_requests_get_the_recorded_answers() {
    if !needs_all(&[Requirement::Root, Requirement::Program("gzip")]) {
        return;
    }
    let lab = recorded_network();
    let pods = ["ku-mac1", "ku-dual1", "ku-veth1"].map(|name| (name, lab.pod(name)));
    let names = pods.each_ref().map(|(name, pod)| (*name, pod));
    let _daemon = Daemon::start_in(&lab, own_run::wrapper(&lab, &names), &[]);
    let mut same = Vec::new();
    for recorded in recorded::all() {
        let number = recorded.number();
        let answer = raw::exchange(&lab.socket(), &recorded.request);
        let answer = answer.unwrap_or_else(|| panic!("{}: no answer", recorded.name));
        if let Some((_, status, why)) = DIFFERENT.iter().find(|(n, ..)| *n == number) {
            assert_eq!(answer.code(), *status, "{} ({why}): {answer:?}", recorded.name);
        } else if OVN_ADDS.contains(&number) || OTHER_OVN_ADDS.contains(&number) {
            assert_eq!(answer.code(), 400, "{}: {answer:?}", recorded.name);
        } else {
            recorded.assert_same(&answer);
            same.push(number.to_owned());
        }
    }
    for delegated in
        ["35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "48", "72", "73", "74", "75"]
    {
        assert!(same.iter().any(|n| n == delegated), "{delegated} was not compared");
    }
    ledger::assert_empty(&lab);
    for (_, pod) in &pods {
        assert_eq!(witness::link_names(pod), Vec::<String>::new());
    }
}

/// The two networks of the recordings that only give addresses. All but one address are excluded: v1.17.0 keeps a pod's
/// address over a DEL, we give the one that was free longest.
fn recorded_network() -> Lab {
    let lab = Lab::new();
    let mac1 = json!({
        "provider": "mac1.ns1", "cidrBlock": "192.168.77.0/24", "gateway": "192.168.77.1",
        "excludeIps": ["192.168.77.3..192.168.77.254"]
    });
    let macd = json!({
        "provider": "macd.ns2", "protocol": "Dual", "cidrBlock": "192.168.78.0/24,fd00:78::/64",
        "gateway": "192.168.78.1,fd00:78::1",
        "excludeIps": ["192.168.78.3..192.168.78.254", "fd00:78::3..fd00:78::ffff:ffff:ffff:ffff"]
    });
    lab.write_object("mac1.yaml", &objects::subnet("mac1", &mac1));
    lab.write_object("macd.yaml", &objects::subnet("macd", &macd));
    lab
}
