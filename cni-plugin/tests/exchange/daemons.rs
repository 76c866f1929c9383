//! Daemons that are absent, slow, broken, older or that refuse: what each verb makes of them.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::fake::{Behaviour, FakeDaemon, answer, call, config, environment};
use cni_plugin::Outcome;
use daemon_api::pending::PendingDel;
use daemon_api::{Fault, FaultKind, PodReply, route};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, UnixAddr};
use serde_json::Value;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);
const MADE: &str = r#"{"ips":[{"protocol":"IPv4","ip":"10.0.1.3","cidr":"10.0.1.0/24","gateway":"10.0.1.1"}],
    "mac_address":"02:00:00:00:00:01","mtu":1400,"nicname":"eth0","dns":{},"error":""}"#;

fn ask(command: &str, daemon: &FakeDaemon, limit: Duration) -> Outcome {
    call(&environment(command), &config(&daemon.socket), limit)
}

fn ask_nobody(command: &str, folder: &Path) -> Outcome {
    call(&environment(command), &config(&folder.join("absent.sock")), LONG)
}

fn error(outcome: &Outcome) -> (u64, String) {
    assert_eq!(outcome.exit, 1, "{outcome:?}");
    let object: Value = serde_json::from_str(&outcome.stdout).expect("an error object");
    assert_eq!(object["cniVersion"], "1.1.0");
    let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    (object["code"].as_u64().expect("a code"), format!("{}; {}", text("msg"), text("details")))
}

fn left(socket: &Path) -> Vec<PendingDel> {
    let Ok(folder) = fs::read_dir(route::pending_dir(socket)) else { return Vec::new() };
    folder
        .map(|entry| {
            let bytes = fs::read(entry.expect("a readable folder").path()).expect("a readable file");
            PendingDel::decode(&bytes).expect("a pending DEL")
        })
        .collect()
}

fn is_silent_success(outcome: &Outcome) -> bool {
    *outcome == Outcome::default()
}

#[test]
fn an_absent_daemon_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for (verb, code) in [("ADD", 11), ("CHECK", 11), ("GC", 11), ("STATUS", 50)] {
        let start = Instant::now();
        let (found, text) = error(&ask_nobody(verb, folder.path()));
        assert!(start.elapsed() < Duration::from_millis(100), "{verb}: {:?}", start.elapsed());
        assert_eq!(found, code, "{verb}");
        assert!(text.contains("absent.sock: No such file"), "{text}");
        assert!(text.contains("is kube-ovn-daemon running"), "{text}");
    }
}

#[test]
fn a_daemon_that_accepts_nobody_is_not_waited_for_beyond_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("full.sock");
    let (kind, address) = (SockType::Stream, UnixAddr::new(&socket).unwrap());
    let listener = socket::socket(AddressFamily::Unix, kind, SockFlag::SOCK_CLOEXEC, None).unwrap();
    socket::bind(listener.as_raw_fd(), &address).unwrap();
    socket::listen(&listener, Backlog::new(0).unwrap()).unwrap();
    // The kernel lets one more in than the backlog says.
    let _first = UnixStream::connect(&socket).unwrap();

    let (code, text) = error(&call(&environment("ADD"), &config(&socket), SHORT));

    assert_eq!(code, 11);
    assert!(text.contains("full.sock within 200 ms"), "{text}");
}

#[test]
fn a_del_that_nobody_takes_succeeds_and_is_left_once() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let outcome = ask_nobody("DEL", folder.path());
        assert_eq!((outcome.exit, outcome.stdout.as_str()), (0, ""));
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    }

    let left = left(&folder.path().join("absent.sock"));
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].pod.container_id.as_str(), left[0].pod.pod_name.as_str(), left[0].call.pod_uid.as_str()),
        ("c1", "p1", "u1")
    );
}

#[test]
fn a_del_that_can_neither_be_done_nor_left_is_an_io_failure() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("absent.sock.pending"), "in the way").unwrap();

    let (code, text) = error(&ask_nobody("DEL", folder.path()));

    assert_eq!(code, 5);
    assert!(text.contains("absent.sock.pending") && text.contains("No such file"), "{text}");
}

#[test]
fn a_del_is_left_whatever_the_daemon_refuses_it_with() {
    let fault = PodReply::refusal(&Fault::new(FaultKind::BadRequest, "no"), true).encode();
    let fault = String::from_utf8(fault).unwrap();
    for refusal in [answer(500, "{}"), answer(503, "busy"), answer(404, "no route"), answer(400, &fault)] {
        let daemon = FakeDaemon::answering(refusal);
        let outcome = ask("DEL", &daemon, LONG);
        assert_eq!((outcome.exit, outcome.stdout.as_str()), (0, ""));
        assert_eq!(left(&daemon.socket).len(), 1);
    }
}

#[test]
fn a_silent_daemon_is_given_up_at_the_deadline() {
    for (verb, code) in [("ADD", 11), ("CHECK", 11), ("GC", 11), ("STATUS", 50)] {
        let daemon = FakeDaemon::new(Behaviour::KeepsSilent);
        let start = Instant::now();
        let (found, text) = error(&ask(verb, &daemon, SHORT));
        assert!((SHORT..LONG / 4).contains(&start.elapsed()), "{verb}: {:?}", start.elapsed());
        assert_eq!(found, code, "{verb}");
        assert!(text.contains("within 200 ms"), "{text}");
    }
    let daemon = FakeDaemon::new(Behaviour::KeepsSilent);
    assert_eq!(ask("DEL", &daemon, SHORT).exit, 0);
    assert_eq!(left(&daemon.socket).len(), 1);
}

#[test]
fn a_daemon_that_dribbles_does_not_move_the_deadline() {
    let pieces = answer(200, MADE).chunks(1).map(<[u8]>::to_vec).collect();
    let daemon = FakeDaemon::new(Behaviour::Answers(pieces));
    let start = Instant::now();

    let (code, _) = error(&ask("ADD", &daemon, SHORT));

    assert_eq!(code, 11);
    assert!(start.elapsed() < LONG / 4, "{:?}", start.elapsed());
}

#[test]
fn connections_that_break_are_errors_or_left_dels() {
    let half = answer(200, MADE)[..60].to_vec();
    let breaks: [fn(Vec<u8>) -> Behaviour; 3] = [
        |_| Behaviour::ClosesAtOnce,
        |half| Behaviour::Answers(vec![half]),
        |_| Behaviour::Answers(vec![b"SSH-2.0-OpenSSH\r\n".to_vec()]),
    ];
    for behaviour in breaks {
        let daemon = FakeDaemon::new(behaviour(half.clone()));
        assert_eq!(error(&ask("ADD", &daemon, LONG)).0, 11);
        let daemon = FakeDaemon::new(behaviour(half.clone()));
        assert_eq!(ask("DEL", &daemon, LONG).exit, 0);
        assert_eq!(left(&daemon.socket).len(), 1);
    }
}

#[test]
fn an_answer_in_pieces_chunks_or_without_length_is_read() {
    let whole = answer(200, MADE);
    let pieces = vec![whole[..7].to_vec(), whole[7..50].to_vec(), whole[50..].to_vec()];
    let (first, second) = MADE.split_at(30);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let until_close = format!("HTTP/1.1 200 OK\r\n\r\n{MADE}");
    for pieces in [pieces, vec![chunked.into_bytes()], vec![until_close.into_bytes()]] {
        let daemon = FakeDaemon::new(Behaviour::Answers(pieces));
        let outcome = ask("ADD", &daemon, LONG);
        assert_eq!(outcome.exit, 0, "{outcome:?}");
        let result: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(result["ips"][0]["address"], "10.0.1.3/24");
    }
}

#[test]
fn a_daemon_that_refuses_before_it_has_read_everything_is_heard() {
    let annotation = "x".repeat(300 << 10);
    let fault = PodReply::refusal(&Fault::new(FaultKind::Busy, "too many calls"), true).encode();
    let refusal = answer(503, &String::from_utf8(fault).unwrap());
    let daemon = FakeDaemon::new(Behaviour::AnswersUnread(refusal));
    let config = config(&daemon.socket).replacen(
        '{',
        &format!(
            r#"{{"runtimeConfig":{{"io.kubernetes.cri.pod-annotations":{{"ovn.kubernetes.io/x":"{annotation}"}}}},"#
        ),
        1,
    );

    let outcome = call(&environment("ADD"), &config, LONG);

    // The kernel may have thrown the answer away together with the unread request; then it is a broken connection.
    let (code, text) = error(&outcome);
    assert_eq!(code, 11);
    assert!(text.contains("too many calls") || text.contains("send the request"), "{text}");
}

#[test]
fn our_daemons_fault_reaches_the_runtime() {
    let fault = Fault::new(FaultKind::SubnetExhausted, "subnet net1 has no free address").hint("add a CIDR");
    let body = String::from_utf8(PodReply::refusal(&fault, true).encode()).unwrap();
    for (verb, code) in [("ADD", 102), ("CHECK", 102), ("GC", 102), ("STATUS", 50)] {
        let daemon = FakeDaemon::answering(answer(500, &body));
        assert_eq!(
            error(&ask(verb, &daemon, LONG)),
            (code, "subnet net1 has no free address; add a CIDR".into())
        );
    }
}

#[test]
fn upstreams_daemon_does_not_offer_our_verbs() {
    for (verb, code, path) in
        [("CHECK", 11, route::CHECK), ("STATUS", 50, route::STATUS), ("GC", 11, route::GC)]
    {
        let daemon = FakeDaemon::answering(answer(404, "404: Page Not Found"));
        let (found, text) = error(&ask(verb, &daemon, LONG));
        assert_eq!(found, code);
        assert_eq!(
            text,
            format!("RPC failed; the daemon on {} does not offer {path}", daemon.socket.display())
        );
    }
}

#[test]
fn verbs_without_a_result_print_nothing() {
    for verb in ["CHECK", "DEL", "GC", "STATUS"] {
        for done in [answer(204, ""), answer(200, "{}")] {
            let daemon = FakeDaemon::answering(done);
            let outcome = ask(verb, &daemon, LONG);
            assert!(is_silent_success(&outcome), "{verb}: {outcome:?}");
            assert!(left(&daemon.socket).is_empty());
        }
    }
}

#[test]
fn a_del_without_arguments_or_namespace_is_sent() {
    let daemon = FakeDaemon::answering(answer(204, ""));
    let mut bare = environment("DEL");
    bare.retain(|(key, _)| key != "CNI_ARGS" && key != "CNI_NETNS");

    assert!(is_silent_success(&call(&bare, &config(&daemon.socket), LONG)));

    let seen = daemon.seen().unwrap();
    assert!(seen.body.contains(r#""net_ns":"","pod_name":"","pod_namespace":"""#), "{}", seen.body);
}

#[test]
fn a_success_with_an_error_or_without_a_reply_is_a_failure() {
    for (body, text) in [("", "without a reply"), (r#"{"error":"mirror"}"#, "request ip return 200 mirror")] {
        let daemon = FakeDaemon::answering(answer(200, body));
        let (code, found) = error(&ask("ADD", &daemon, LONG));
        assert_eq!(code, 11);
        assert!(found.contains(text), "{found}");
    }
    let daemon = FakeDaemon::answering(answer(200, "<html>"));
    assert_eq!(error(&ask("ADD", &daemon, LONG)).0, 6);
}
