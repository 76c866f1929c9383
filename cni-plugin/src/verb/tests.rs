//! What of a call reaches the daemon. The bodies' bytes are compared with recorded ones in `tests/exchange/recorded.rs`.

use daemon_api::{ContainerId, IfName, NetnsPath};

use super::*;
use crate::args;
use crate::env::Verb;
use crate::netconf::Document;

const LIMIT: Duration = Duration::from_secs(55);

fn sandbox(args: &str) -> Sandbox {
    Sandbox {
        container_id: ContainerId::new("c1").unwrap(),
        ifname: IfName::new("net1").unwrap(),
        netns: Some(NetnsPath::new("/run/netns/x").unwrap()),
        args: args.into(),
        netns_override: true,
    }
}

fn conf(json: &str, verb: Verb) -> NetConf {
    NetConf::new(&Document::parse(json.as_bytes()).unwrap(), verb).unwrap()
}

fn added(cni_args: &str, json: &str) -> (PodRequest, CallContext) {
    let sandbox = sandbox(cni_args);
    let args = args::for_add(cni_args, &sandbox.container_id).unwrap();
    let request = add(&sandbox, &args, &conf(json, Verb::Add), LIMIT).unwrap();
    assert_eq!(request.path, route::ADD);
    (PodRequest::decode(&request.body).unwrap(), CallContext::decode(request.call.as_bytes()).unwrap())
}

#[test]
fn an_add_tells_the_daemon_everything_that_upstreams_body_has_no_key_for() {
    let (_, call) = added(
        "K8S_POD_NAME=p;K8S_POD_UID=u1;IP=10.0.0.7;MAC=02:00:00:00:00:03",
        r#"{"name":"lan","type":"kube-ovn","server_socket":"/s","master":"eth1",
            "runtimeConfig":{"ips":["10.0.0.5"],"mac":"02:00:00:00:00:01"},
            "args":{"cni":{"ips":["10.0.0.6"],"mac":"02:00:00:00:00:02"}}}"#,
    );

    let one = |text: &str| vec![text.to_owned()];
    let wanted = CallContext {
        network: "lan".into(),
        pod_uid: "u1".into(),
        ips: call::Asked {
            runtime_config: one("10.0.0.5"),
            args: one("10.0.0.6"),
            cni_args: one("10.0.0.7"),
        },
        macs: call::Asked {
            runtime_config: one("02:00:00:00:00:01"),
            args: one("02:00:00:00:00:02"),
            cni_args: one("02:00:00:00:00:03"),
        },
        macvlan: Some(call::MacvlanConf { master: "eth1".into(), ..Default::default() }),
        netns_override: true,
        deadline_ms: 55_000,
        ..CallContext::default()
    };
    assert_eq!(call, wanted);
}

#[test]
fn only_network_annotations_are_handed_over() {
    let keys = [
        ("ovn.kubernetes.io/ip_address", true),
        ("att1.ns1.ovn.kubernetes.io/logical_switch", true),
        ("kubernetes.io/ingress-bandwidth", true),
        ("kubectl.kubernetes.io/last-applied-configuration", false),
        ("evilkubernetes.io/x", false),
        ("kubernetes.io", false),
        ("example.com/kubernetes.io", false),
        ("secret", false),
    ];
    let all = keys.map(|(key, _)| (key.to_owned(), "v".to_owned())).into();

    let kept: Vec<String> = network_annotations(&all).into_keys().collect();

    let mut wanted: Vec<&str> = keys.iter().filter(|(_, w)| *w).map(|(k, _)| *k).collect();
    wanted.sort_unstable();
    assert_eq!(kept, wanted);
}

#[test]
fn annotations_beyond_the_headers_limit_are_refused() {
    let long = "x".repeat(route::MAX_CALL_BYTES);
    let json = format!(
        r#"{{"name":"n","type":"kube-ovn","server_socket":"/s","runtimeConfig":{{
            "io.kubernetes.cri.pod-annotations":{{"ovn.kubernetes.io/x":"{long}"}}}}}}"#
    );
    let sandbox = sandbox("");
    let args = args::for_add("", &sandbox.container_id).unwrap();

    let error = add(&sandbox, &args, &conf(&json, Verb::Add), LIMIT).unwrap_err();

    assert_eq!((error.part, error.limit), ("call header", route::MAX_CALL_BYTES));
}

#[test]
fn kubevirt_decides_where_its_socket_lies() {
    let json = r#"{"name":"n","type":"kube-ovn","server_socket":"/s","vhost_user_socket_consumption":"kubevirt",
        "vhost_user_socket_name":"mine","vhost_user_socket_volume_name":"mine","vf_driver":"vfio-pci"}"#;

    let (pod, _) = added("", json);
    assert_eq!(pod.vhost_user_socket_volume_name, "vhostuser-sockets");
    assert_eq!(pod.vhost_user_socket_name, "net1");

    let (pod, _) = del_content(&sandbox(""), &PodArgs::default(), &conf(json, Verb::Del), LIMIT);
    assert_eq!(pod.vhost_user_socket_volume_name, "vhostuser-sockets");
    assert_eq!((pod.vhost_user_socket_name.as_str(), pod.vf_driver.as_str()), ("", ""));
}

#[test]
fn check_status_and_gc_have_bodies_of_their_own() {
    let json = r#"{"cniVersion":"1.1.0","name":"n","type":"kube-ovn","server_socket":"/s","provider":"a.b",
        "deviceID":"0000:01:00.0","prevResult":{"cniVersion":"1.1.0"},
        "cni.dev/valid-attachments":[{"containerID":"c","ifname":"i"}]}"#;
    let sandbox = sandbox("");
    let args = args::for_add("", &sandbox.container_id).unwrap();

    let request = check(&sandbox, &args, &conf(json, Verb::Check), LIMIT).unwrap();
    let body: CheckRequest = daemon_api::request::decode_own(&request.body).unwrap();
    assert_eq!(request.path, route::CHECK);
    assert_eq!((body.pod.provider.as_str(), body.pod.device_id.as_str()), ("a.b", "0000:01:00.0"));
    assert_eq!(body.prev_result["cniVersion"], "1.1.0");

    let request = status(&conf(json, Verb::Status), LIMIT).unwrap();
    let body: StatusRequest = daemon_api::request::decode_own(&request.body).unwrap();
    assert_eq!((request.path, body.provider.as_str()), (route::STATUS, "a.b"));

    let request = gc(&conf(json, Verb::Gc), LIMIT).unwrap();
    let body: GcRequest = daemon_api::request::decode_own(&request.body).unwrap();
    assert_eq!((request.path, body.network.as_str()), (route::GC, "n"));
    assert_eq!(body.valid_attachments.unwrap()[0].container_id, "c");
}
