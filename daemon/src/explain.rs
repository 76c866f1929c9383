//! The chain of facts behind a pod, from the last refusal to the kernel.

use daemon_api::PodRef;
use daemon_api::explain::{AttachmentStory, PodStory, Step, StepState};

use crate::ledger::{Claim, Ledger, Link};
use crate::northbound::{self, PortState};
use crate::probes::target;
use crate::sandbox::Sandboxes;
use crate::sandbox::failures::Failure;
use crate::sandbox::observed::{self, Interface, Presence};
use crate::sandbox::plan;
use crate::vswitch::progress::Progress;

/// Tells the story of a pod's attachments. Blocks for a few system calls per attachment.
pub fn pod<L: Ledger>(all: &Sandboxes<L>, pod: &PodRef) -> PodStory {
    let claims: Vec<Claim> = all.ledger.look(|book| book.claims_of_pod(pod).cloned().collect());
    let failed = all.failures.of(pod);
    let of_claims = claims.iter().map(|claim| attachment(all, claim));
    let of_failures = failed.iter().map(refused);
    PodStory {
        namespace: pod.namespace.clone(),
        name: pod.name.clone(),
        attachments: of_failures.chain(of_claims).collect(),
    }
}

fn refused(failure: &Failure) -> AttachmentStory {
    AttachmentStory {
        interface: failure.interface.to_string(),
        provider: failure.provider.to_string(),
        container_id: failure.container.to_string(),
        steps: vec![step("add", StepState::Fail, failure.fault.message.clone(), failure.fault.hint.clone())],
    }
}

fn attachment<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> AttachmentStory {
    let mut steps = vec![subnet(all, claim), of_claim(all, claim)];
    steps.extend(switch_port(all, claim));
    match &claim.sandbox {
        None => steps.push(step(
            "sandbox",
            StepState::Warn,
            "none: the address is parked for the workload's next pod".to_owned(),
            String::new(),
        )),
        Some(sandbox) => match observed::presence(sandbox) {
            Presence::Alive => {
                steps.push(ok("sandbox", format!("{} is alive", sandbox.netns)));
                steps.extend(kernel(claim));
                steps.extend(plugged(all, claim));
                steps.extend(probed(all, claim));
            }
            Presence::Gone => steps.push(step(
                "sandbox",
                StepState::Warn,
                format!("{} is gone", sandbox.netns),
                "wait: the sweep frees the address".to_owned(),
            )),
            Presence::Unknown => steps.push(step(
                "sandbox",
                StepState::Warn,
                format!("{} cannot be seen from here", sandbox.netns),
                "mount the runtime's namespace folder into the daemon's pod".to_owned(),
            )),
        },
    }
    AttachmentStory {
        interface: claim.owner.interface.to_string(),
        provider: claim.owner.provider.to_string(),
        container_id: claim.sandbox.as_ref().map_or_else(String::new, |s| s.container.to_string()),
        steps,
    }
}

fn subnet<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> Step {
    let name = &claim.subnet;
    let snapshot = all.snapshot();
    let (object, counts) =
        (snapshot.index.subnet(name), all.ledger.look(|b| b.subnet(name).map(ipam::Subnet::counts)));
    match (object, counts) {
        (Some(object), Some(counts)) => {
            let place = snapshot.index.place("Subnet", name);
            let from = place.map_or_else(String::new, |p| format!(" ({}:{})", p.file, p.line));
            let free: Vec<String> =
                counts.iter().map(|(family, c)| format!("{} {family} free", c.available)).collect();
            ok("subnet", format!("{name}{from}: {}, {}", object.spec.cidr_block, free.join(", ")))
        }
        (_, _) => step(
            "subnet",
            StepState::Fail,
            format!("{name} is not defined any more"),
            format!("define Subnet {name} again, or delete the pod"),
        ),
    }
}

fn of_claim<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> Step {
    let addresses: Vec<String> = claim.addresses.iter().map(ToString::to_string).collect();
    let mac = claim.mac.map_or_else(String::new, |mac| format!(", MAC {mac}"));
    let aside = all.ledger.look(|book| {
        let mut aside = book.set_aside_addresses();
        aside.any(|(segment, ip, _)| *segment == claim.segment && claim.addresses.contains(&ip))
    });
    if aside {
        return step(
            "claim",
            StepState::Fail,
            format!("{}: a machine outside answers for it", addresses.join(",")),
            "take the address off that machine, then delete the pod".to_owned(),
        );
    }
    ok("claim", format!("{}{mac}, claim {}", addresses.join(","), claim.id.0))
}

/// The port in OVN's northbound database, for claims that have one.
fn switch_port<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> Option<Step> {
    let name = northbound::port::of_claim(claim)?.name();
    let outage = all.northbound.outage();
    let found = all.northbound.look(|model| Some(model?.port(&claim.owner.pod, &name)));
    let (state, detail, fix) = match (outage, found) {
        (_, None) => (StepState::Ok, format!("{name} is kept by somebody else"), String::new()),
        (_, Some(PortState::Refused(fault))) => {
            (StepState::Fail, format!("{name}: {}", fault.message), fault.hint)
        }
        (Some(outage), Some(_)) => (
            StepState::Warn,
            format!("{name}: {outage}"),
            "start ovn-central, or correct --ovn-nb".to_owned(),
        ),
        (None, Some(PortState::InPlace(addresses))) => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            (
                StepState::Ok,
                format!("{name} is in the northbound database: {}", addresses.join(",")),
                String::new(),
            )
        }
        (None, Some(PortState::Awaited)) => {
            (StepState::Warn, format!("{name} is not in the northbound database yet"), String::new())
        }
    };
    Some(step("port", state, detail, fix))
}

fn kernel(claim: &Claim) -> Vec<Step> {
    let name = &claim.owner.interface;
    let again = || "delete the pod and let it be created again".to_owned();
    let Some(netns) = claim.sandbox.as_ref().and_then(observed::living) else { return Vec::new() };
    match observed::interface(&netns, name) {
        Err(fault) => vec![step("interface", StepState::Fail, fault.message, fault.hint)],
        Ok(None) if claim.link == Link::Delegated => vec![step(
            "interface",
            StepState::Warn,
            format!("{name} is not there: the plugin that makes it failed, or names it differently"),
            "see the runtime's log for the plugin's error".to_owned(),
        )],
        Ok(None) => vec![step("interface", StepState::Fail, format!("{name} is missing"), again())],
        Ok(Some(found)) => present(claim, &found),
    }
}

/// The host's end of a veth in the node's Open vSwitch.
fn plugged<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> Option<Step> {
    let sandbox = claim.sandbox.as_ref().filter(|_| claim.link == Link::Veth)?;
    let device = plan::host_name(&sandbox.container, &claim.owner.interface);
    let again = || "delete the pod and let it be created again".to_owned();
    if !all.vswitch.is_current() {
        let detail = format!("{device}: the node's Open vSwitch does not answer; the packets may well flow");
        return Some(step("plugged", StepState::Warn, detail, "start its ovsdb-server".to_owned()));
    }
    let found = all.vswitch.local().interface(&device).map(|(_, interface)| interface);
    Some(match found {
        None => step("plugged", StepState::Fail, format!("{device} is in no bridge"), again()),
        Some(found) => {
            let port = found.iface_id.clone().unwrap_or_default();
            match Progress::of(&found).complaint() {
                None => ok("plugged", format!("{device} is port {port}, and OVN has installed its flows")),
                Some((what, fix)) => step(
                    "plugged",
                    StepState::Fail,
                    format!("{device} is port {port}: {what}"),
                    fix.to_owned(),
                ),
            }
        }
    })
}

/// Whether the kubelet's probes reach the pod.
fn probed<L: Ledger>(all: &Sandboxes<L>, claim: &Claim) -> Option<Step> {
    let carrier = all.probes.carrier().filter(|_| target::is_probed(claim))?;
    let key = target::key(&claim.owner.pod);
    if let Some(clash) = carrier.clashes().into_iter().find(|clash| clash.refused == key) {
        let fix = "give one of the two another address or port".to_owned();
        return Some(step("probes", StepState::Fail, clash.to_string(), fix));
    }
    Some(match carrier.carried(&key) {
        Some(held) => {
            let ends: Vec<String> = held.endpoints.iter().map(ToString::to_string).collect();
            ok("probes", format!("carried to {}", ends.join(", ")))
        }
        None => step(
            "probes",
            StepState::Fail,
            "the kubelet's probes do not reach the pod".to_owned(),
            "see the daemon's log".to_owned(),
        ),
    })
}

fn present(claim: &Claim, found: &Interface) -> Vec<Step> {
    let link = &found.link;
    let state = if link.is_up { StepState::Ok } else { StepState::Fail };
    let kind = link.kind.as_deref().unwrap_or("device");
    let up = if link.is_up { "up" } else { "down" };
    let fix = if link.is_up { String::new() } else { format!("bring {} up inside the pod", link.name) };
    let mut steps =
        vec![step("interface", state, format!("{} is a {kind}, {up}, MTU {}", link.name, link.mtu), fix)];
    for ip in &claim.addresses {
        let is_there = found.has_address(*ip);
        steps.push(if is_there {
            ok("address", format!("{ip} is on {}", link.name))
        } else {
            step(
                "address",
                StepState::Fail,
                format!("{ip} is missing on {}", link.name),
                "delete the pod and let it be created again".to_owned(),
            )
        });
    }
    let routes: Vec<String> = found
        .routes
        .iter()
        .map(|r| r.gateway.map_or_else(|| r.dst.to_string(), |gw| format!("{} via {gw}", r.dst)))
        .collect();
    steps.push(ok("route", if routes.is_empty() { "none".to_owned() } else { routes.join(", ") }));
    steps
}

fn ok(name: &str, detail: String) -> Step {
    step(name, StepState::Ok, detail, String::new())
}

fn step(name: &str, state: StepState, detail: String, fix: String) -> Step {
    Step { name: name.to_owned(), state, detail, fix }
}
