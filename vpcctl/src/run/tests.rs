use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::thread;

use tempfile::TempDir;

use super::*;

/// A daemon that answers known paths and refuses the rest.
struct FakeDaemon {
    dir: TempDir,
}

impl FakeDaemon {
    fn start(answers: &[(&'static str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        let listener = UnixListener::bind(dir.path().join("d.sock")).unwrap();
        let answers: BTreeMap<&str, String> =
            answers.iter().map(|(path, body)| (*path, (*body).into())).collect();
        // Ends with the test program.
        thread::spawn(move || {
            for peer in listener.incoming() {
                let mut peer = peer.unwrap();
                let mut asked = [0; 1024];
                let length = peer.read(&mut asked).unwrap();
                let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
                let path = asked.split(' ').nth(1).unwrap_or_default();
                let (status, body) = match answers.get(path) {
                    Some(body) => ("200 OK", body.as_str()),
                    None => ("404 Not Found", "{\"error\":\"that path\"}"),
                };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                peer.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { dir }
    }

    fn call(&self, line: &str) -> (u8, String, String) {
        call(line, Some(self.dir.path().join("d.sock").into_os_string()))
    }
}

fn call(line: &str, socket: Option<OsString>) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(line.split_whitespace().map(OsString::from), socket, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

const SUBNETS: &str = r#"{"apiVersion":"kubeovn.io/v1","kind":"SubnetList","items":[
    {"apiVersion":"kubeovn.io/v1","kind":"Subnet","metadata":{"name":"net1"},
     "spec":{"vpc":"vpc1","cidrBlock":"10.0.1.0/24","gateway":"10.0.1.1"},"status":{"v4availableIPs":253}}]}"#;
const NONE: &str = r#"{"apiVersion":"kubeovn.io/v1","kind":"IPList","items":[]}"#;

#[test]
fn get_asks_for_the_singular_and_prints_a_table() {
    let daemon = FakeDaemon::start(&[("/api/v1/objects/subnet", SUBNETS), ("/api/v1/objects/ip", NONE)]);

    let (code, out, err) = daemon.call("vpcctl get subnets");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("NAME   PROVIDER   VPC    VLAN") && out.contains("\nnet1 "), "{out}");

    assert_eq!(daemon.call("vpcctl get ip"), (0, String::new(), "No resources found\n".into()));
    assert_eq!(
        daemon.call("vpcctl get subnet net9"),
        (1, String::new(), "Error: subnets.kubeovn.io \"net9\" not found\n".into())
    );
}

#[test]
fn whois_joins_subnets_and_holders() {
    let daemon = FakeDaemon::start(&[("/api/v1/objects/subnet", SUBNETS), ("/api/v1/objects/ip", NONE)]);

    let (code, out, _) = daemon.call("vpcctl ipam whois 10.0.1.7");
    assert_eq!((code, out.as_str()), (0, "10.0.1.7 is free in subnet net1 of VPC vpc1\n"));
    assert_eq!(daemon.call("vpcctl ipam whois 192.0.2.1").0, 1);
}

#[test]
fn a_broken_story_and_an_unclean_ledger_are_findings() {
    let story = r#"{"namespace":"ns1","name":"web","attachments":[{"interface":"eth0","provider":"ovn",
        "container_id":"c1","steps":[{"name":"claim","state":"fail","detail":"none","fix":"add one"}]}]}"#;
    let audit = r#"{"claims":1,"sandboxes":0,"parked":0,"pending_dels":0,
        "findings":[{"subject":"10.0.1.5","problem":"leaked","fix":""}]}"#;
    let daemon = FakeDaemon::start(&[("/api/v1/explain/pod/ns1/web", story), ("/api/v1/audit", audit)]);

    let (code, out, _) = daemon.call("vpcctl explain pod ns1/web");
    assert!(code == 1 && out.contains("→ add one"), "{out}");
    let (code, out, _) = daemon.call("vpcctl explain pod ns1/web -o json");
    assert!(code == 1 && out.contains("\"state\": \"fail\""), "{out}");
    assert_eq!(daemon.call("vpcctl ipam check").0, 1);
    assert_eq!(daemon.call("vpcctl explain pod ns1/other").0, 1);
}

#[test]
fn without_a_daemon_the_socket_is_named_with_what_to_do() {
    let (code, out, err) = call("vpcctl get vpc", Some("/nonexistent/d.sock".into()));

    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("\"/nonexistent/d.sock\"") && err.contains("--socket"), "{err}");
}

#[test]
fn mistakes_are_usage_and_help_is_none() {
    for line in ["vpcctl", "vpcctl get", "vpcctl get pods", "vpcctl frob", "vpcctl get vpc -o xml"] {
        assert_eq!(call(line, None).0, 64, "{line}");
    }
    let (code, out, _) = call("vpcctl --help", None);
    assert!(code == 0 && out.contains("Exit codes"), "{out}");
    assert_eq!(call("vpcctl --version", None).0, 0);
}

#[test]
fn completion_is_made_for_the_name_it_is_called_by() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = call(&format!("/usr/bin/kubectl-vpc completion {shell}"), None);
        assert!(code == 0 && out.contains("kubectl-vpc") && out.contains("whois"), "{shell}");
    }
}
