//! Checklist 13, 48: the socket's peers, on both sides: strangers, sleepers, crowds, and a daemon that says nothing.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::thread;

use serde_json::json;
use tests::cni::Call;
use tests::command::{self, words};
use tests::daemon::Daemon;
use tests::skip::{Requirement, needs};
use tests::{ledger, raw, witness};

use crate::{add, guide, own};

#[test]
fn only_root_is_served_whatever_the_sockets_mode() {
    let Some(lab) = guide() else { return };
    if !needs(Requirement::Program("setpriv")) {
        return;
    }
    let daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    add(&lab, &pod).run(&lab).ok();
    let metadata = fs::metadata(lab.socket()).unwrap();
    assert_eq!((metadata.mode() & 0o777, metadata.uid()), (0o600, 0));
    // Somebody opens every door that a file system has.
    fs::set_permissions(lab.dir(), Permissions::from_mode(0o755)).unwrap();
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all curl -s --max-time 20";
    let ask = |method: &str, path: &str| {
        let line = format!(
            "{nobody} -X {method} -H Content-Type:application/json -o /dev/null -w %{{http_code}} --unix-socket {} http://d{path}",
            lab.socket().display()
        );
        command::run(words(&line), b"")
    };
    assert_eq!(ask("GET", "/api/v1/objects/ip").text(), "000", "the file is closed to others");
    fs::set_permissions(lab.socket(), Permissions::from_mode(0o666)).unwrap();

    for (method, path) in [("GET", "/api/v1/objects/ip"), ("GET", "/api/v1/audit"), ("POST", "/api/v1/del")] {
        let told = ask(method, path).text();
        assert!(told == "403" || told == "000", "{path}: {told}");
    }

    assert_eq!(daemon.metric("refused_peers_total"), Some(3.0));
    assert_eq!(ledger::held(&lab).len(), 1, "root is served");
    ledger::assert_sound(&lab);
}

#[test]
fn a_peer_that_stalls_in_a_request_holds_nobody_up() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pods: Vec<_> = (0..20).map(|i| lab.pod(&format!("p{i}"))).collect();
    let request = raw::post("/api/v1/add", &"x".repeat(500));
    let head = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let mut stalled: Vec<_> = [3, head, head + 4, request.len() - 1]
        .map(|cut| {
            let mut stream = raw::connect(&lab.socket());
            stream.write_all(&request[..cut]).unwrap();
            stream
        })
        .into();

    thread::scope(|scope| {
        for (i, pod) in pods.iter().enumerate() {
            let call = Call::add(&own(&lab, json!({}))).netns(pod.path());
            let (lab, name) = (&lab, format!("p{i}"));
            scope.spawn(move || call.container(&name).pod("default", &name).run(lab).ok());
        }
    });

    assert_eq!(ledger::held(&lab).len(), 20);
    ledger::assert_sound(&lab);
    for stream in &mut stalled {
        let answer = raw::read_answer(stream);
        assert!(answer.as_ref().is_none_or(|a| matches!(a.code(), 400 | 408)), "thrown out: {answer:?}");
    }
}

#[test]
fn six_hundred_idle_connections_do_not_lock_the_door() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let before = daemon.service().rss_kib().unwrap();
    let crowd: Vec<_> = (0..600).map(|_| raw::connect(&lab.socket())).collect();

    let call = add(&lab, &pod);
    call.run(&lab).ok();

    let grown = daemon.service().rss_kib().unwrap().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB for connections that say nothing");
    call.verb("DEL").run(&lab).ok();
    drop(crowd);
    ledger::assert_empty(&lab);
}

#[test]
fn a_peer_that_leaves_in_the_middle_leaves_a_whole_interface_or_none() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let call = add(&lab, &pod);
    for _ in 0..10 {
        // The runtime kills the plugin at its deadline; the daemon may be at any step by then.
        let running = call.spawn(&lab);
        running.kill9();
        running.wait(command::LIMIT);
    }

    // A DEL waits for the ADD that it follows.
    call.clone().verb("DEL").run(&lab).ok();

    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    ledger::assert_empty(&lab);
    call.run(&lab).ok();
    ledger::assert_sound(&lab);
}

#[test]
fn a_daemon_that_says_nothing_does_not_hang_the_plugin() {
    let Some(lab) = guide() else { return };
    let listener = UnixListener::bind(lab.socket()).unwrap();
    let silent = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // Held open until the plugin has given up and its end is closed.
        drop(std::io::copy(&mut &stream, &mut std::io::sink()));
    });

    let error = Call::status(&own(&lab, json!({}))).run(&lab).error();

    assert_eq!(error["code"], 50);
    assert!(error["details"].as_str().unwrap().contains("no answer from"), "{error}");
    silent.join().unwrap();
}

#[test]
fn a_daemon_that_hangs_up_or_talks_nonsense_is_told_from_a_refusal() {
    let Some(lab) = guide() else { return };
    let pod = lab.pod("p1");
    let listener = UnixListener::bind(lab.socket()).unwrap();
    let answers: [&[u8]; 5] = [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
    ];
    let told = thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 64 << 10];
            drop(std::io::Read::read(&mut stream, &mut request));
            drop(stream.write_all(answer));
        }
    });
    for answer in answers {
        let code = add(&lab, &pod).run(&lab).code();
        assert!(matches!(code, 6 | 11), "{:?}: {code}", String::from_utf8_lossy(answer));
    }
    told.join().unwrap();
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
}
