//! `vpcctl probe test`: a probe as the kubelet would make it, hop by hop. Blocking.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use daemon_api::PodRef;
use daemon_api::explain::{AttachmentStory, PodStory, Step, StepState};
use netlink::Handle;

use super::target;
use crate::ledger::{Claim, Ledger};
use crate::sandbox::{Sandboxes, observed};

/// How long a connection may take; the kubelet's own default.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open(Duration),
    Refused(Duration),
    TimedOut,
    Failed(io::ErrorKind),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(took) => write!(f, "open after {} µs", took.as_micros()),
            Self::Refused(took) => write!(f, "refused after {} µs", took.as_micros()),
            Self::TimedOut => write!(f, "no answer within {} s", PATIENCE.as_secs()),
            Self::Failed(kind) => write!(f, "{kind}"),
        }
    }
}

impl Verdict {
    /// Whether both say the same of the port.
    fn agrees_with(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// Tries the probe ports of a pod, or one port.
pub fn pod<L: Ledger>(all: &Sandboxes<L>, pod: &PodRef, port: Option<u16>) -> PodStory {
    let claims: Vec<Claim> = all.ledger.look(|book| book.claims_of_pod(pod).cloned().collect());
    let primary = claims.iter().find(|claim| claim.owner.interface.as_str() == "eth0");
    let attachments = primary.map_or_else(Vec::new, |claim| {
        let ports = port.map_or_else(|| claim.port.probe_ports.clone(), |port| BTreeSet::from([port]));
        let ends = ports.iter().flat_map(|port| claim.addresses.iter().map(|ip| SocketAddr::new(*ip, *port)));
        let tried: Vec<AttachmentStory> = ends.map(|end| story(claim, end, steps(all, claim, end))).collect();
        if tried.is_empty() { vec![unprobed(all, claim)] } else { tried }
    });
    PodStory { namespace: pod.namespace.clone(), name: pod.name.clone(), attachments }
}

fn story(claim: &Claim, end: SocketAddr, steps: Vec<Step>) -> AttachmentStory {
    let container_id = claim.sandbox.as_ref().map_or_else(String::new, |s| s.container.to_string());
    AttachmentStory {
        interface: end.to_string(),
        provider: claim.owner.provider.to_string(),
        container_id,
        steps,
    }
}

fn unprobed<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> AttachmentStory {
    let (detail, fix) = if all.probes.are_carried() {
        (
            "no port of the pod is probed",
            "list the ports in the pod's annotation ovn.kubernetes.io/probe_ports",
        )
    } else {
        ("probes are not carried on this node", "start the daemon with --enable-tproxy")
    };
    let ip = claim.addresses.first().copied().unwrap_or(IpAddr::from([0, 0, 0, 0]));
    story(claim, SocketAddr::new(ip, 0), vec![step("target", StepState::Fail, detail.to_owned(), fix)])
}

/// From the kernel's targets to the verdicts outside and inside.
fn steps<L: Ledger>(all: &Sandboxes<L>, claim: &Claim, end: SocketAddr) -> Vec<Step> {
    let mut steps = vec![carried(all, claim, end)];
    steps.extend(device(claim));
    steps.extend(way_back(all, claim, end.ip()));
    let inside = claim
        .sandbox
        .as_ref()
        .and_then(observed::living)
        .and_then(|netns| netns.run(move || connect(end)).ok());
    let outside = connect(end);
    if let Some(inside) = inside {
        steps.push(step("in the pod", StepState::Ok, inside.to_string(), ""));
    }
    let (state, fix) = match inside {
        Some(inside) if !outside.agrees_with(inside) => (
            StepState::Fail,
            "the kubelet does not see what is true inside; see the first step that is wrong",
        ),
        Some(_) | None if matches!(outside, Verdict::Open(_)) => (StepState::Ok, ""),
        Some(_) | None => (StepState::Fail, "the server in the pod does not answer on this port"),
    };
    steps.push(step("as the kubelet", state, outside.to_string(), fix));
    steps
}

fn carried<L: Ledger>(all: &Sandboxes<L>, claim: &Claim, end: SocketAddr) -> Step {
    let Some(carrier) = all.probes.carrier() else {
        let detail = "probes are not carried on this node".to_owned();
        return step("target", StepState::Fail, detail, "start the daemon with --enable-tproxy");
    };
    let key = target::key(&claim.owner.pod);
    let is_end = |endpoint: &tproxy::Endpoint| (endpoint.ip, endpoint.port) == (end.ip(), end.port());
    let held = carrier.carried(&key).filter(|held| held.endpoints.iter().any(is_end));
    if let Some(held) = held {
        let detail = format!("carried to {} (index {})", held.host_side.name(), held.host_side.index());
        return step("target", StepState::Ok, detail, "");
    }
    match carrier.clashes().into_iter().find(|clash| clash.refused == key && is_end(&clash.endpoint)) {
        Some(clash) => {
            step("target", StepState::Fail, clash.to_string(), "give one of the two another address or port")
        }
        None => step(
            "target",
            StepState::Fail,
            format!("{end} is no target"),
            "list the port in the pod's annotation ovn.kubernetes.io/probe_ports; only pods of custom VPCs are targets",
        ),
    }
}

fn device(claim: &Claim) -> Option<Step> {
    let name = target::device(claim)?;
    let again = "delete the pod and let it be created again";
    let found = Handle::here().and_then(|node| node.link(&name));
    Some(match found {
        Ok(Some(link)) if link.is_up => step("device", StepState::Ok, format!("{name} is up"), ""),
        Ok(Some(_)) => step("device", StepState::Fail, format!("{name} is down"), again),
        Ok(None) => step("device", StepState::Fail, format!("{name} is missing"), again),
        Err(error) => step("device", StepState::Warn, error.to_string(), ""),
    })
}

/// The pod's own way back to the probe address.
fn way_back<L: Ledger>(all: &Sandboxes<L>, claim: &Claim, ip: IpAddr) -> Option<Step> {
    let wanted =
        all.probes.pod_routes(claim).into_iter().find(|way| way.neighbour.is_ipv4() == ip.is_ipv4())?;
    let netns = claim.sandbox.as_ref().and_then(observed::living)?;
    let found = observed::interface(&netns, &claim.owner.interface).ok().flatten();
    let has_route = found.is_some_and(|found| found.routes.iter().any(|route| route.dst == wanted.route.dst));
    let (state, detail) = if has_route {
        (StepState::Ok, format!("the pod has a route to {}", wanted.neighbour))
    } else {
        (StepState::Warn, format!("the pod has no route to {} of its own", wanted.neighbour))
    };
    let fix = if has_route { "" } else { "restart the daemon: it gives the pods their routes at start" };
    Some(step("way back", state, detail, fix))
}

fn connect(end: SocketAddr) -> Verdict {
    let started = Instant::now();
    match TcpStream::connect_timeout(&end, PATIENCE) {
        Ok(_) => Verdict::Open(started.elapsed()),
        #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Verdict::Refused(started.elapsed()),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Verdict::TimedOut,
            other => Verdict::Failed(other),
        },
    }
}

fn step(name: &str, state: StepState, detail: String, fix: &str) -> Step {
    Step { name: name.to_owned(), state, detail, fix: fix.to_owned() }
}
