//! ADD, CHECK, DEL, GC, STATUS → one request each.

use std::collections::BTreeMap;
use std::time::Duration;

use daemon_api::call;
use daemon_api::request::Dns;
use daemon_api::{CallContext, CheckRequest, GcRequest, PodRequest, StatusRequest, route};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::args::PodArgs;
use crate::env::Sandbox;
use crate::netconf::NetConf;

/// One request on the daemon's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The route.
    pub path: &'static str,
    /// The JSON body.
    pub body: Vec<u8>,
    /// The value of the header [`route::CALL_HEADER`].
    pub call: String,
}

/// A request that the daemon would not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the {part} for the daemon has {bytes} bytes, more than {limit}")]
pub struct TooLarge {
    /// Which part of the request.
    pub part: &'static str,
    /// Its size.
    pub bytes: usize,
    /// The most it may have.
    pub limit: usize,
}

/// Asks for an interface, or for addresses only.
///
/// # Errors
/// [`TooLarge`].
pub fn add(sandbox: &Sandbox, args: &PodArgs, conf: &NetConf, limit: Duration) -> Result<Request, TooLarge> {
    let call = full_call(sandbox, args, conf, limit);
    request(route::ADD, pod_request(sandbox, args, conf).encode(), &call)
}

/// Asks whether an attachment is as ADD made it.
///
/// # Errors
/// [`TooLarge`].
pub fn check(
    sandbox: &Sandbox,
    args: &PodArgs,
    conf: &NetConf,
    limit: Duration,
) -> Result<Request, TooLarge> {
    let call = full_call(sandbox, args, conf, limit);
    let body = CheckRequest {
        pod: pod_request(sandbox, args, conf),
        call: call.clone(),
        prev_result: Value::Object(conf.prev_result.clone().unwrap_or_default()),
    };
    request(route::CHECK, encode(&body), &call)
}

/// What a DEL says, on the socket as well as in the file that is left when nobody listens.
pub fn del_content(
    sandbox: &Sandbox,
    args: &PodArgs,
    conf: &NetConf,
    limit: Duration,
) -> (PodRequest, CallContext) {
    let mut pod = pod_request(sandbox, args, conf);
    pod.routes = None;
    pod.dns = Dns::default();
    pod.vf_driver = String::new();
    pod.vhost_user_socket_name = String::new();
    let call = CallContext {
        pod_uid: args.uid.clone(),
        netns_override: sandbox.netns_override,
        ..short_call(conf, limit)
    };
    (pod, call)
}

/// Undoes an ADD.
///
/// # Errors
/// [`TooLarge`].
pub fn del(pod: &PodRequest, call: &CallContext) -> Result<Request, TooLarge> {
    request(route::DEL, pod.encode(), call)
}

/// Asks whether an ADD would work now.
///
/// # Errors
/// [`TooLarge`].
pub fn status(conf: &NetConf, limit: Duration) -> Result<Request, TooLarge> {
    let call = CallContext { macvlan: conf.macvlan.clone(), ..short_call(conf, limit) };
    let body = StatusRequest {
        cni_type: conf.cni_type.clone(),
        provider: conf.provider.to_string(),
        call: call.clone(),
    };
    request(route::STATUS, encode(&body), &call)
}

/// Releases what is not in the runtime's list.
///
/// # Errors
/// [`TooLarge`].
pub fn gc(conf: &NetConf, limit: Duration) -> Result<Request, TooLarge> {
    let body =
        GcRequest { network: conf.name.to_string(), valid_attachments: conf.valid_attachments.clone() };
    request(route::GC, encode(&body), &short_call(conf, limit))
}

fn request(path: &'static str, body: Vec<u8>, call: &CallContext) -> Result<Request, TooLarge> {
    let call = call.encode();
    let too_large = |part, bytes, limit| TooLarge { part, bytes, limit };
    if call.len() > route::MAX_CALL_BYTES {
        return Err(too_large("call header", call.len(), route::MAX_CALL_BYTES));
    }
    if body.len() > route::MAX_BODY_BYTES {
        return Err(too_large("request", body.len(), route::MAX_BODY_BYTES));
    }
    Ok(Request { path, body, call })
}

/// Our requests hold only texts, lists and maps with text keys: nothing that `serde_json` could refuse.
fn encode<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

fn pod_request(sandbox: &Sandbox, args: &PodArgs, conf: &NetConf) -> PodRequest {
    let mut pod = PodRequest {
        cni_type: conf.cni_type.clone(),
        container_id: sandbox.container_id.to_string(),
        device_id: conf.device_id.clone(),
        dns: conf.dns.clone(),
        if_name: sandbox.ifname.to_string(),
        net_ns: sandbox.netns_text().to_owned(),
        pod_name: args.name.clone(),
        pod_namespace: args.namespace.clone(),
        provider: conf.provider.to_string(),
        routes: conf.routes.clone(),
        vf_driver: conf.vf_driver.clone(),
        vhost_user_socket_consumption: conf.vhost.consumption.clone(),
        vhost_user_socket_name: conf.vhost.socket_name.clone(),
        vhost_user_socket_volume_name: conf.vhost.volume_name.clone(),
    };
    // KubeVirt mounts its sockets at a place of its own.
    if pod.vhost_user_socket_consumption == "kubevirt" {
        "vhostuser-sockets".clone_into(&mut pod.vhost_user_socket_volume_name);
        sandbox.ifname.as_str().clone_into(&mut pod.vhost_user_socket_name);
    }
    pod
}

fn short_call(conf: &NetConf, limit: Duration) -> CallContext {
    CallContext {
        network: conf.name.to_string(),
        deadline_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        ..CallContext::default()
    }
}

fn full_call(sandbox: &Sandbox, args: &PodArgs, conf: &NetConf, limit: Duration) -> CallContext {
    CallContext {
        pod_uid: args.uid.clone(),
        annotations: network_annotations(&conf.annotations),
        ips: call::Asked {
            runtime_config: conf.runtime_config.ips.clone(),
            args: conf.args.ips.clone(),
            cni_args: args.ips.clone(),
        },
        macs: call::Asked {
            runtime_config: conf.runtime_config.macs.clone(),
            args: conf.args.macs.clone(),
            cni_args: args.macs.clone(),
        },
        tcp_ports: conf.tcp_ports.clone(),
        macvlan: conf.macvlan.clone(),
        netns_override: sandbox.netns_override,
        ..short_call(conf, limit)
    }
}

/// Only the keys the daemon could want: `<provider>.kubernetes.io/…`, and none of kubectl's, which hold whole manifests.
fn network_annotations(all: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_wanted = |key: &str| {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        domain != "kubectl.kubernetes.io" && (domain == "kubernetes.io" || domain.ends_with(".kubernetes.io"))
    };
    all.iter().filter(|(key, _)| is_wanted(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

#[cfg(test)]
mod tests;
