//! The binary itself: streams, exit status, every verb with every version.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(variables: &[(&str, &str)], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kube-ovn"))
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The plugin may have ended without reading.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
    child.wait_with_output().expect("the binary ends")
}

fn attachment(command: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("CNI_COMMAND", command),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/run/netns/x"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/opt/cni/bin"),
    ]
}

fn error(output: &Output) -> (u64, String) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let object: Value = serde_json::from_slice(&output.stdout).expect("an error object");
    assert!(object["cniVersion"].is_string());
    (object["code"].as_u64().expect("a code"), object["msg"].as_str().expect("a message").to_owned())
}

#[test]
fn a_person_gets_the_about_line_on_stderr() {
    let output = run(&[], "");

    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("CNI plugin kube-ovn ") && text.contains("0.1.0, 0.2.0"), "{text}");
}

#[test]
fn version_answers_in_one_line_whatever_else_is_set() {
    let dummy =
        [("CNI_COMMAND", "VERSION"), ("CNI_NETNS", "dummy"), ("CNI_IFNAME", "dummy"), ("CNI_PATH", "dummy")];
    let list = r#""supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}"#;
    for (stdin, version) in [
        (r#"{"cniVersion":"1.0.0"}"#, "1.0.0"),
        (r#"{"cniVersion":"0.3.1","name":"x"}"#, "0.3.1"),
        (r#"{"cniVersion":""}"#, "1.1.0"),
        ("{}", "1.1.0"),
        ("", "1.1.0"),
        ("not json", "1.1.0"),
        (r#"{"cniVersion":"2\"0"}"#, "2\\\"0"),
    ] {
        let output = run(&dummy, stdin);
        assert_eq!(output.status.code(), Some(0));
        let wanted = format!("{{\"cniVersion\":\"{version}\",{list}\n");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted, "{stdin}");
    }
}

#[test]
fn a_missing_command_is_code_4() {
    let variables = attachment("ADD");
    let (code, msg) = error(&run(&variables[1..], "{}"));

    assert_eq!((code, msg.as_str()), (4, "required env variables [CNI_COMMAND] missing"));
}

#[test]
fn every_verb_with_every_version_meets_an_absent_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("absent.sock");
    for version in ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", "9.9.9"] {
        let stdin = config(version, &socket);
        for verb in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
            let output = run(&attachment(verb), &stdin);
            let wanted = match (verb, version) {
                (_, "9.9.9") => 1,
                ("CHECK", v) if v < "0.4.0" => 1,
                ("GC" | "STATUS", v) if v < "1.1.0" => 1,
                ("STATUS", _) => 50,
                ("DEL", _) => {
                    assert_eq!(output.status.code(), Some(0), "{verb} {version}");
                    assert!(output.stdout.is_empty());
                    continue;
                }
                _ => 11,
            };
            assert_eq!(error(&output).0, wanted, "{verb} {version}");
        }
    }
}

fn config(version: &str, socket: &Path) -> String {
    format!(
        r#"{{"cniVersion":"{version}","name":"n","type":"kube-ovn","server_socket":"{}","prevResult":{{}},
            "cni.dev/valid-attachments":[]}}"#,
        socket.display()
    )
}

#[test]
fn configurations_that_cannot_be_used_have_their_codes() {
    for (stdin, code) in [
        ("", 6),
        ("{", 6),
        ("[]", 6),
        (r#"{"cniVersion":"1.0.0","name":"n","routes":{}}"#, 6),
        ("null", 7),
        (r#"{"cniVersion":"1.0.0","type":"kube-ovn","server_socket":"/s"}"#, 7),
        (r#"{"cniVersion":"1.0.0","name":"n","type":"kube-ovn"}"#, 7),
        (r#"{"cniVersion":"9.9.9","name":"n"}"#, 1),
    ] {
        assert_eq!(error(&run(&attachment("ADD"), stdin)).0, code, "{stdin}");
    }
    assert_eq!(error(&run(&attachment("DEL"), "{")).0, 6);
}

#[cfg(feature = "crash-points")]
#[test]
fn a_plugin_that_dies_before_it_prints_has_left_the_del() {
    use cni_plugin::crash;
    use daemon_api::route;

    for point in ["plugin-pending-written", "plugin-before-print"] {
        assert!(crash::POINTS.contains(&point));
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("absent.sock");
        let mut variables = attachment("DEL");
        variables.push((crash::VARIABLE, point));

        let output = run(&variables, &config("1.0.0", &socket));

        assert_eq!(output.status.code(), None, "killed by a signal");
        assert_eq!(std::fs::read_dir(route::pending_dir(&socket)).unwrap().count(), 1);
    }
}
