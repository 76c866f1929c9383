//! What the daemon's ledger holds, as `vpcctl` tells it.

use serde_json::Value;

use crate::binaries::VPCCTL;
use crate::command::{self, Done};
use crate::lab::{Lab, UPLINK};
use crate::{ovn, witness};

/// The `spec` of every `IP` object: one per interface that holds addresses.
#[track_caller]
pub fn claims(lab: &Lab) -> Vec<Value> {
    let list = witness::vpcctl_json(lab, "get ip");
    list["items"].as_array().into_iter().flatten().map(|item| item["spec"].clone()).collect()
}

/// The addresses of every claim, a pair as `v4,v6`, sorted by subnet and address.
#[track_caller]
pub fn held(lab: &Lab) -> Vec<String> {
    claims(lab).iter().filter_map(|claim| claim["ipAddress"].as_str().map(str::to_owned)).collect()
}

/// What `vpcctl ipam check` finds wrong, as text.
#[track_caller]
pub fn findings(lab: &Lab) -> Vec<String> {
    let audit = audit(lab);
    let findings = audit["findings"].as_array().into_iter().flatten();
    findings.map(|f| format!("{}: {}", f["subject"], f["problem"])).collect()
}

/// Asserts that the ledger agrees with the sandboxes and the kernel, and that no DEL waits on disk.
///
/// # Panics
/// When it does not.
#[track_caller]
pub fn assert_sound(lab: &Lab) {
    let audit = audit(lab);
    assert_eq!(audit["findings"], Value::Array(Vec::new()), "{audit:#}");
    assert_eq!(audit["pending_dels"], 0, "{audit:#}");
}

/// Asserts that no sandbox holds anything: no claim, no interface of ours on the node, nothing to report.
///
/// # Panics
/// When something is left.
#[track_caller]
pub fn assert_empty(lab: &Lab) {
    assert_sound(lab);
    assert_eq!(held(lab), Vec::<String>::new(), "claims are left");
    let mut links = witness::link_names(&lab.node);
    links.retain(|link| !ovn::LINKS.contains(&link.as_str()));
    assert_eq!(links, [UPLINK], "interfaces are left on the node");
}

/// `vpcctl ipam check` ends with 1 when it finds something, which is an answer too.
#[track_caller]
fn audit(lab: &Lab) -> Value {
    let mut check = std::process::Command::new(lab.binaries().path(VPCCTL));
    check.arg("--socket").arg(lab.socket()).args(["ipam", "check", "-o", "json"]);
    let done: Done = command::run(check, b"");
    serde_json::from_slice(&done.stdout).unwrap_or_else(|e| panic!("{e}: {done:?}"))
}
