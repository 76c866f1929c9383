//! Plays recorded exchanges of Kube-OVN's own binaries back: our request's body and our stdout must have their bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fake::{FakeDaemon, Seen, call};
use serde_json::Value;

const DNS_OF_THE_CONFIG: &str = r#""dns": {
        "nameservers": [
            "10.96.0.10"
        ],
        "domain": "d.lab",
        "search": [
            "a.lab"
        ],
        "options": [
            "ndots:5"
        ]
    }
}"#;

/// Where our stdout differs on purpose: the case, what of the recorded text becomes what, and why.
const DELIBERATE: [(&str, &[(&str, &str)]); 4] = [
    // The configuration's DNS is passed on; upstream drops it.
    ("06-add-veth-conf-routes-dns", &[("\"dns\": {}\n}", DNS_OF_THE_CONFIG)]),
    // An IPAM plugin's result has no interfaces and no indexes into them.
    (
        "37-add-ipam-direct",
        &[
            (
                "    \"interfaces\": [\n        {\n            \"name\": \"\",\n            \"sandbox\": \"/run/netns/ku-mac1\"\n        }\n    ],\n",
                "",
            ),
            ("            \"interface\": 0,\n", ""),
        ],
    ),
    (
        "72-add-dual-ipam-direct",
        &[
            (
                "    \"interfaces\": [\n        {\n            \"name\": \"\",\n            \"sandbox\": \"/run/netns/ku-dual1\"\n        }\n    ],\n",
                "",
            ),
            ("            \"interface\": 0,\n", ""),
        ],
    ),
    // Upstream calls an ADD that found no address in 40 s a success.
    (
        "54-add-bad-static-ip-says-success",
        &[(
            "    \"interfaces\": [\n        {\n            \"name\": \"\",\n            \"sandbox\": \"/run/netns/ku-inval\"\n        }\n    ],\n    \"dns\": {}\n}",
            "    \"code\": 11,\n    \"msg\": \"RPC failed\",\n    \"details\": \"the daemon answered success but made no interface; its log says what failed\"\n}",
        )],
    ),
];

struct Case {
    name: String,
    environment: Vec<(String, String)>,
    stdin: Value,
    exit: u64,
    request_body: String,
    answer: Vec<u8>,
    stdout: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire")
}

fn read(name: &str, kind: &str) -> Option<Vec<u8>> {
    fs::read(folder().join(format!("{name}.{kind}"))).ok()
}

fn text(name: &str, kind: &str) -> Option<String> {
    read(name, kind).map(|bytes| String::from_utf8(bytes).expect("recorded texts are UTF-8"))
}

fn cases() -> Vec<Case> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .expect("the recordings are there")
        .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .filter_map(|file| file.strip_suffix(".call.json").map(str::to_owned))
        .collect();
    names.sort();
    names.into_iter().map(case).collect()
}

fn case(name: String) -> Case {
    let call: Value =
        serde_json::from_slice(&read(&name, "call.json").expect("a call")).expect("a call in JSON");
    let variables: BTreeMap<String, String> =
        serde_json::from_value(call["env"].clone()).expect("variables are texts");
    let mut environment: Vec<_> = variables.into_iter().collect();
    environment.push(("CNI_PATH".into(), "/opt/cni/bin".into()));
    let request = text(&name, "req").expect("a request");
    let (_, body) = request.split_once("\r\n\r\n").expect("a request with a body");
    Case {
        environment,
        stdin: call["stdin"].clone(),
        exit: call["exit"].as_u64().expect("an exit status"),
        request_body: body.to_owned(),
        answer: read(&name, "resp").expect("an answer"),
        stdout: text(&name, "stdout"),
        name,
    }
}

impl Case {
    fn command(&self) -> &str {
        self.environment.iter().find(|(k, _)| k == "CNI_COMMAND").map_or("", |(_, v)| v)
    }

    /// The recorded configuration, with another socket.
    fn stdin_for(&self, socket: &Path) -> String {
        let mut stdin = self.stdin.clone();
        let is_delegated = stdin.get("ipam").is_some();
        let block = if is_delegated { &mut stdin["ipam"] } else { &mut stdin };
        block["server_socket"] = socket.to_string_lossy().into();
        stdin.to_string()
    }

    fn exit_wanted(&self) -> u64 {
        if self.name.starts_with("54-") { 1 } else { self.exit }
    }

    /// The recorded text, with the version in error objects, which the specification asks for and upstream leaves out.
    fn stdout_wanted(&self) -> Option<String> {
        let mut wanted = self.stdout.clone()?;
        if self.exit == 1 {
            let version = self.stdin["cniVersion"].as_str().expect("a version");
            wanted = wanted.replacen("{\n", &format!("{{\n    \"cniVersion\": \"{version}\",\n"), 1);
        }
        let changes = DELIBERATE.iter().find(|(name, _)| *name == self.name).map_or(&[][..], |(_, c)| c);
        for (from, to) in changes {
            assert!(wanted.contains(from), "{}: {from} is not recorded", self.name);
            wanted = wanted.replace(from, to);
        }
        Some(wanted)
    }

    fn play(&self) -> (cni_plugin::Outcome, Seen) {
        let daemon = FakeDaemon::answering(self.answer.clone());
        let stdin = self.stdin_for(&daemon.socket);
        let outcome = call(&self.environment, &stdin, Duration::from_secs(20));
        (outcome, daemon.seen().expect("a request"))
    }
}

#[test]
fn every_recorded_call_has_upstreams_bytes_on_the_socket_and_on_stdout() {
    let cases = cases();
    assert_eq!(cases.len(), 57);
    for case in cases {
        let (outcome, seen) = case.play();

        assert_eq!(seen.body, case.request_body, "{}", case.name);
        assert_eq!(u64::from(outcome.exit), case.exit_wanted(), "{}: {outcome:?}", case.name);
        if let Some(wanted) = case.stdout_wanted() {
            assert_eq!(outcome.stdout, wanted, "{}", case.name);
        }
        if case.command() == "DEL" {
            assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "{}", case.name);
        }
    }
}

#[test]
fn the_head_is_ours_with_the_call_context() {
    let (_, seen) = case("01-add-veth".into()).play();

    let lines: Vec<&str> = seen.head.lines().collect();
    assert_eq!(lines[0], "POST /api/v1/add HTTP/1.1");
    assert_eq!(lines[1], "Host: dummy");
    assert!(lines[2].starts_with("User-Agent: kube-ovn-cni/"), "{}", lines[2]);
    assert_eq!(lines[4], "Content-Type: application/json");
    let call = lines[5].strip_prefix("kube-ovn-call: ").expect("the call header");
    let call = daemon_api::CallContext::decode(call.as_bytes()).unwrap();
    assert_eq!((call.network.as_str(), call.deadline_ms), ("kube-ovn", 20_000));
    assert_eq!(lines[6..], ["Connection: close"]);
}
