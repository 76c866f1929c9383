//! The routes of the CNI socket. Upstream's two behave as upstream's server does, to the byte.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use daemon_api::request::{DecodeError, decode_own};
use daemon_api::{
    CallContext, CheckRequest, Fault, FaultKind, GcRequest, PodReply, PodRequest, StatusRequest, route,
};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::Serialize;

use super::http::{self, Answer, BodyError};
use crate::ledger::Ledger;
use crate::probes::trial;
use crate::sandbox::Sandboxes;
use crate::sandbox::arrivals::Arrival;
use crate::{audit, explain, objects, routes};

/// What can only be read; more of the path says what of it.
const READ: [&str; 4] = [route::OBJECTS, route::EXPLAIN_POD, route::ROUTES, route::PROBE];

/// Who makes a request.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The peer's user id.
    pub uid: u32,
    /// The request's place in the order of arrival.
    pub arrival: Arrival,
}

/// Answers one request and measures it. The work of a verb goes on when the peer leaves: a plugin that is killed
/// half-way must not leave half an interface.
pub async fn answer<L: Ledger>(all: Arc<Sandboxes<L>>, caller: Caller, request: Request<Incoming>) -> Answer {
    if caller.uid != 0 {
        return forbidden(&all, caller.uid);
    }
    let (started, path) = (Instant::now(), request.uri().path().to_owned());
    let answer = dispatch(all.clone(), caller.arrival, request).await;
    let label = path.strip_prefix("/api/v1/").and_then(|p| p.split('/').next()).unwrap_or("other");
    let label = if answer.status() == StatusCode::NOT_FOUND { "other" } else { label };
    all.metrics.answered(&format!("/api/v1/{label}"), answer.status().as_u16(), started.elapsed());
    answer
}

async fn dispatch<L: Ledger>(all: Arc<Sandboxes<L>>, arrival: Arrival, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let wanted = match path.as_str() {
        route::ADD | route::DEL | route::CHECK | route::STATUS | route::GC => Method::POST,
        route::AUDIT => Method::GET,
        other if READ.iter().any(|prefix| other.starts_with(prefix)) => Method::GET,
        _ => return http::text(StatusCode::NOT_FOUND, "404: Page Not Found"),
    };
    if request.method() != wanted {
        return not_allowed(&wanted);
    }
    if wanted == Method::GET {
        // The audit and the story look into every sandbox.
        let shown = tokio::task::spawn_blocking(move || read(&all, &path));
        return shown.await.unwrap_or_else(|_| broken_inside());
    }
    if let Some(refusal) = wrong_type(request.headers()) {
        return refusal;
    }
    let call = request.headers().get(route::CALL_HEADER).map(|header| CallContext::decode(header.as_bytes()));
    let body = match http::body(request.into_body()).await {
        Ok(body) => body,
        Err(error) => return unreadable(error),
    };
    let done = tokio::spawn(async move {
        let all = &*all;
        match path.as_str() {
            route::ADD => add(all, &body, call, arrival).await,
            route::DEL => del(all, &body, call, arrival).await,
            route::CHECK => {
                own(all, &body, |request: CheckRequest| async move { all.check(&request).await }).await
            }
            route::STATUS => {
                own(all, &body, |request: StatusRequest| async move { all.status(&request).await }).await
            }
            _ => own(all, &body, |request: GcRequest| async move { all.gc(&request).await.map(drop) }).await,
        }
    });
    done.await.unwrap_or_else(|_| broken_inside())
}

fn broken_inside() -> Answer {
    refusal(&Fault::new(FaultKind::Kernel, "the daemon failed inside; see its log"), true)
}

/// Only root may wire pods, and only root may see who holds what.
fn forbidden<L: Ledger>(all: &Sandboxes<L>, uid: u32) -> Answer {
    tracing::warn!(uid, "refused a peer of the CNI socket that is not root");
    all.metrics.refused_peers.inc();
    let fault = Fault::new(FaultKind::PeerNotRoot, format!("the peer of the socket is user {uid}, not root"));
    refusal(&fault.hint("run the plugin as root"), true)
}

type Call = Option<Result<CallContext, DecodeError>>;

async fn add<L: Ledger>(all: &Sandboxes<L>, body: &Bytes, call: Call, arrival: Arrival) -> Answer {
    let to_ours = call.is_some();
    let added = async {
        let (request, call) = parse(body, call, "add")?;
        all.add(&request, &call, arrival).await.map(|reply| (request, reply))
    };
    match added.await {
        Ok((request, reply)) => {
            tracing::info!(
                pod = %format_args!("{}/{}", request.pod_namespace, request.pod_name),
                interface = request.if_name, provider = request.provider, container = short(&request.container_id),
                addresses = %addresses(&reply), "added"
            );
            http::json(StatusCode::OK, reply.encode())
        }
        Err(fault) => {
            all.metrics.faulted(fault.kind);
            tracing::warn!(kind = fault.kind.label(), hint = fault.hint, "ADD refused: {}", fault.message);
            refusal(&fault, to_ours)
        }
    }
}

async fn del<L: Ledger>(all: &Sandboxes<L>, body: &Bytes, call: Call, arrival: Arrival) -> Answer {
    let to_ours = call.is_some();
    let deleted = async {
        let (request, call) = parse(body, call, "del")?;
        all.del(&request, &call, arrival).await.map(|released| (request, released))
    };
    match deleted.await {
        Ok((request, released)) => {
            tracing::info!(
                interface = request.if_name,
                container = short(&request.container_id),
                released = released.len(),
                "deleted"
            );
            http::empty(StatusCode::NO_CONTENT)
        }
        Err(fault) => {
            all.metrics.faulted(fault.kind);
            tracing::warn!(kind = fault.kind.label(), "DEL failed: {}", fault.message);
            refusal(&fault, to_ours)
        }
    }
}

async fn own<L, T, F, W>(all: &Sandboxes<L>, body: &Bytes, work: F) -> Answer
where
    L: Ledger,
    T: serde::de::DeserializeOwned,
    F: FnOnce(T) -> W,
    W: Future<Output = Result<(), Fault>>,
{
    let done = match decode_own(body) {
        Ok(request) => work(request).await,
        Err(error) => Err(Fault::new(FaultKind::BadRequest, format!("parse request: {error}"))),
    };
    match done {
        Ok(()) => http::empty(StatusCode::NO_CONTENT),
        Err(fault) => {
            all.metrics.faulted(fault.kind);
            tracing::warn!(kind = fault.kind.label(), hint = fault.hint, "refused: {}", fault.message);
            refusal(&fault, true)
        }
    }
}

fn parse(body: &Bytes, call: Call, verb: &str) -> Result<(PodRequest, CallContext), Fault> {
    let bad = |e: &DecodeError| Fault::new(FaultKind::BadRequest, format!("parse {verb} request failed {e}"));
    let request = PodRequest::decode(body).map_err(|e| bad(&e))?;
    Ok((request, call.transpose().map_err(|e| bad(&e))?.unwrap_or_default()))
}

fn probed(asked: &str) -> Option<(daemon_api::PodRef, Option<u16>)> {
    let mut parts = asked.split('/');
    let pod = daemon_api::PodRef::new(parts.next()?, parts.next()?).ok()?;
    match (parts.next(), parts.next()) {
        (None, _) => Some((pod, None)),
        (Some(port), None) => Some((pod, Some(port.parse().ok().filter(|port| *port > 0)?))),
        (Some(_), Some(_)) => None,
    }
}

fn read<L: Ledger>(all: &Sandboxes<L>, path: &str) -> Answer {
    if path == route::AUDIT {
        return shown(&audit::audit(all));
    }
    if let Some(kind) = path.strip_prefix(route::OBJECTS) {
        return match kind {
            "subnet" | "subnets" => shown(&objects::subnets(all)),
            "ip" | "ips" => shown(&objects::ips(all)),
            "vpc" | "vpcs" => shown(&objects::vpcs(all)),
            _ => http::text(
                StatusCode::NOT_FOUND,
                format!("404: no objects of kind {kind:?}; known: subnet, ip, vpc\n"),
            ),
        };
    }
    if let Some(vpc) = path.strip_prefix(route::ROUTES) {
        return match routes::table(&all.northbound, vpc) {
            Ok(table) => shown(&table),
            Err(why) => http::text(StatusCode::NOT_FOUND, why),
        };
    }
    if let Some(asked) = path.strip_prefix(route::PROBE) {
        return match probed(asked) {
            Some((pod, port)) => shown(&trial::pod(all, &pod, port)),
            None => http::text(
                StatusCode::NOT_FOUND,
                format!("404: {asked} is not NAMESPACE/NAME or NAMESPACE/NAME/PORT\n"),
            ),
        };
    }
    let pod = path.strip_prefix(route::EXPLAIN_POD).and_then(|rest| rest.split_once('/'));
    match pod.map(|(namespace, name)| daemon_api::PodRef::new(namespace, name)) {
        Some(Ok(pod)) => shown(&explain::pod(all, &pod)),
        Some(Err(error)) => http::text(StatusCode::BAD_REQUEST, format!("400: {error}\n")),
        None => http::text(StatusCode::NOT_FOUND, "404: Page Not Found"),
    }
}

fn shown<T: Serialize>(value: &T) -> Answer {
    http::json(StatusCode::OK, daemon_api::reply::indented(value))
}

/// go-restful's order: method (405), content type of a request with a body (415), accept (406).
fn wrong_type(headers: &HeaderMap) -> Option<Answer> {
    let has_body = headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
        || headers.contains_key("transfer-encoding");
    let media_type = |value: &HeaderValue| {
        value.to_str().unwrap_or("").split(';').next().map(|t| t.trim().to_ascii_lowercase())
    };
    match headers.get(CONTENT_TYPE).map(media_type) {
        Some(Some(t)) if t == "application/json" || t == "*/*" => {}
        None if !has_body => {}
        Some(_) | None => {
            return Some(http::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "415: Unsupported Media Type"));
        }
    }
    let accepts = |value: &HeaderValue| {
        value.to_str().unwrap_or("").split(',').any(|t| {
            matches!(
                t.split(';').next().unwrap_or("").trim(),
                "" | "*/*" | "application/*" | "application/json"
            )
        })
    };
    match headers.get(ACCEPT).map(accepts) {
        Some(false) => Some(http::text(
            StatusCode::NOT_ACCEPTABLE,
            "406: Not Acceptable\n\nAvailable representations: application/json",
        )),
        Some(true) | None => None,
    }
}

fn not_allowed(wanted: &Method) -> Answer {
    let mut answer = http::text(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed");
    let value = if *wanted == Method::GET { "GET" } else { "POST" };
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(value));
    answer
}

fn unreadable(error: BodyError) -> Answer {
    let (status, text) = match error {
        BodyError::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "the request is longer than 1 MiB"),
        BodyError::Incomplete => (StatusCode::REQUEST_TIMEOUT, "the request did not arrive whole within 3 s"),
    };
    let fault = Fault::new(FaultKind::BadRequest, text);
    http::json(status, PodReply::refusal(&fault, true).encode())
}

fn refusal(fault: &Fault, to_our_plugin: bool) -> Answer {
    let status =
        StatusCode::from_u16(fault.kind.row().http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    http::json(status, PodReply::refusal(fault, to_our_plugin).encode())
}

/// The first 12 characters of a container id, as people know it from their runtime.
fn short(container: &str) -> &str {
    container.get(..12).unwrap_or(container)
}

fn addresses(reply: &PodReply) -> String {
    reply.ips.iter().flatten().map(|ip| ip.ip.as_str()).collect::<Vec<_>>().join(",")
}
