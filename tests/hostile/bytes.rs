//! The socket's bytes: what is no request, what is too long, and what would reach a path.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};
use tests::daemon::Daemon;
use tests::raw::{self, post};
use tests::{ledger, witness};

use crate::{add, guide};

/// The body of a request as the plugin of Kube-OVN writes it; every call of a test may change it.
fn body(keys: Value) -> Value {
    let mut body = json!({
        "cni_type": "macvlan", "container_id": "x1", "deviceID": "", "dns": {}, "if_name": "net1",
        "net_ns": "/run/netns/no-such-netns", "pod_name": "p", "pod_namespace": "default",
        "provider": tests::cni::GUIDE_PROVIDER, "routes": null, "vf_driver": "", "vhost_user_socket_consumption": "",
        "vhost_user_socket_name": "", "vhost_user_socket_volume_name": ""
    });
    body.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    body
}

#[test]
fn names_that_would_reach_a_path_are_refused_by_the_daemon_itself() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let keys = [
        json!({"container_id": "../../etc"}),
        json!({"container_id": ""}),
        json!({"container_id": "a\u{0}b"}),
        json!({"if_name": "../x"}),
        json!({"if_name": "a234567890123456"}),
        json!({"if_name": ""}),
        json!({"net_ns": format!("/run/netns/../netns/{}", pod.name())}),
        json!({"net_ns": ""}),
        json!({"net_ns": "relative"}),
        json!({"pod_name": "../../x"}),
        json!({"pod_name": ""}),
        json!({"pod_namespace": "a/b"}),
        json!({"provider": "a/../b"}),
        json!({"provider": 5}),
        json!({"routes": "x"}),
        json!({"routes": [{"dst": "x"}]}),
        json!({"dns": 5}),
    ];
    for keys in keys {
        let body = body(merged(json!({"net_ns": pod.path()}), &keys)).to_string();
        let answer = raw::exchange(&lab.socket(), &post("/api/v1/add", &body)).unwrap();
        assert_eq!(answer.code(), 400, "{keys}: {answer:?}");
        let reply: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(!reply["error"].as_str().unwrap().is_empty(), "{keys}: {reply}");
        ledger::assert_empty(&lab);
    }
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
}

fn merged(mut base: Value, more: &Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

#[test]
fn what_is_longer_than_a_request_may_be_is_refused() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let long = "y".repeat(2 << 20);
    let before = daemon.service().rss_kib().unwrap();

    let told = raw::exchange(&lab.socket(), &post("/api/v1/add", &long)).unwrap();
    assert_eq!(told.code(), 413, "a length beyond 1 MiB");
    let mut chunked = String::from(
        "POST /api/v1/add HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for _ in 0..40 {
        write!(chunked, "{:x}\r\n{}\r\n", 64 << 10, &long[..64 << 10]).unwrap();
    }
    let answer = raw::exchange(&lab.socket(), chunked.as_bytes());
    assert!(answer.is_none_or(|a| a.code() == 413), "a body without a length");
    let headers = format!("POST /api/v1/add HTTP/1.1\r\nHost: d\r\nX: {long}\r\n\r\n");
    let answer = raw::exchange(&lab.socket(), headers.as_bytes());
    assert!(answer.is_none_or(|a| a.code() == 431), "a head beyond 400 KiB");
    let path = format!("GET /{long} HTTP/1.1\r\nHost: d\r\n\r\n");
    let answer = raw::exchange(&lab.socket(), path.as_bytes());
    assert!(answer.is_none_or(|a| matches!(a.code(), 414 | 431)), "a path beyond every limit");
    let huge = "POST /api/v1/add HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 18446744073709551615\r\n\r\n";
    let answer = raw::exchange(&lab.socket(), huge.as_bytes());
    assert!(
        answer.as_ref().is_none_or(|a| matches!(a.code(), 400 | 413 | 431)),
        "a length beyond every machine: {answer:?}"
    );

    let grown = daemon.service().rss_kib().unwrap().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB kept");
    ledger::assert_empty(&lab);
}

#[test]
fn a_call_header_that_is_no_call_is_refused() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let body = body(json!({"net_ns": pod.path()})).to_string();
    for header in
        ["x", "{", "5", "{\"ips\":5}", "{\"annotations\":{\"a\":5}}", "{\"deadline_ms\":-1}", "\u{1}"]
    {
        let request = format!(
            "POST /api/v1/add HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nkube-ovn-call: {header}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = raw::exchange(&lab.socket(), request.as_bytes());
        assert!(answer.is_none_or(|a| a.code() == 400), "{header:?}");
    }
    ledger::assert_empty(&lab);
}

#[test]
fn paths_that_do_not_exist_are_404_and_verbs_that_do_not_fit_405() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let table = [
        ("GET /api/v1/objects/../../etc/passwd", 404),
        ("GET /api/v1/objects/secret", 404),
        ("GET /api/v1/objects/", 404),
        ("GET /api/v1/explain/pod/x", 404),
        ("GET /api/v1/explain/pod/a/../../b", 400),
        ("GET /api/v1/explain/pod/%2e%2e/x", 400),
        ("GET /debug/pprof/", 404),
        ("GET /", 404),
        ("DELETE /api/v1/add", 405),
        ("PUT /api/v1/gc", 405),
        ("GET /api/v1/gc", 405),
        ("POST /api/v1/objects/ip", 405),
        ("OPTIONS *", 404),
    ];
    for (line, code) in table {
        let request = format!("{line} HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(raw::exchange(&lab.socket(), request.as_bytes()).unwrap().code(), code, "{line}");
    }
}

/// A generator of numbers that are the same in every run (xorshift64, Marsaglia).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

#[test]
fn two_thousand_damaged_requests_change_nothing() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let living = add(&lab, &pod);
    let result = living.run(&lab).ok();
    let (held, links) = (ledger::held(&lab), witness::links(&pod));
    // Whatever the damage makes of them, none of these is about the living pod or could become an ADD.
    let call = json!({"network": "fuzz", "annotations": {"ovn.kubernetes.io/ip_address": "192.168.0.50"}});
    let check = json!({"pod": body(json!({})), "call": call, "prev_result": {"ips": [{"address": "192.168.0.50/24"}]}});
    let gc = json!({"network": "fuzz", "valid_attachments": [{"containerID": "x1", "ifname": "net1"}]});
    let status = json!({"cni_type": "macvlan", "provider": "x.y", "call": call});
    let whole = [
        post(
            "/api/v1/add",
            &body(json!({"routes": [{"dst": "0.0.0.0/0", "gw": "192.168.0.1"}]})).to_string(),
        ),
        post("/api/v1/del", &body(json!({})).to_string()),
        post("/api/v1/check", &check.to_string()),
        post("/api/v1/gc", &gc.to_string()),
        post("/api/v1/status", &status.to_string()),
        b"GET /api/v1/objects/ip HTTP/1.1\r\nHost: d\r\n\r\n".to_vec(),
        b"GET /api/v1/explain/pod/default/p1 HTTP/1.1\r\nHost: d\r\n\r\n".to_vec(),
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut codes = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..2_000 {
        let damaged = damaged(&whole, &mut dice);
        let answer = raw::exchange_and_end(&lab.socket(), &damaged);
        *codes.entry(answer.map_or(0, |a| a.code())).or_default() += 1;
    }

    assert!(daemon.service().ended().is_none(), "the daemon lives");
    assert!(
        codes.len() > 3 && codes.get(&400).is_some_and(|n| *n > 100),
        "the damage is of many kinds: {codes:?}"
    );
    assert!(!daemon.service().log().contains("panicked"), "no worker of it died: {codes:?}");
    assert_eq!((ledger::held(&lab), witness::links(&pod)), (held, links), "{codes:?}");
    ledger::assert_sound(&lab);
    assert_eq!(living.run(&lab).ok(), result);
    living.verb("DEL").run(&lab).ok();
    ledger::assert_empty(&lab);
}

/// A request with a few bytes of it changed, cut, doubled or put elsewhere; or no request at all.
fn damaged(whole: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const TOKENS: [&[u8]; 10] =
        [b"\"", b"{", b"}", b"null", b"\\u0000", b"\r\n", b"-1", b"/../", b"\xff", b"1e999"];
    let mut bytes = whole[dice.below(whole.len())].clone();
    if dice.below(20) == 0 {
        return (0..dice.below(600)).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
    }
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len().max(1));
        match dice.below(5) {
            0 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
            1 => bytes.truncate(at.max(1)),
            2 => drop(bytes.splice(at..at, TOKENS[dice.below(TOKENS.len())].iter().copied())),
            3 => drop(bytes.drain(at..(at + dice.below(8)).min(bytes.len()))),
            _ => {
                let piece = bytes[at..(at + 16).min(bytes.len())].to_vec();
                bytes.write_all(&piece).unwrap();
            }
        }
        if bytes.is_empty() {
            bytes.push(b'G');
        }
    }
    bytes
}
