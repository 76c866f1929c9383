//! The doors between the crates: who may use whom, compared with what cargo says.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate of the workspace with those of ours that it may use. ARCHITECTURE.md tells why.
const DOORS: &[(&str, &[&str])] = &[
    ("daemon-api", &[]),
    ("crds", &[]),
    ("ipam", &[]),
    ("nft", &[]),
    ("netlink", &["nft"]),
    ("ovsdb", &[]),
    ("ovn", &["ovsdb"]),
    ("vpc", &["crds", "ovn"]),
    ("natgw", &["crds", "nft"]),
    ("tproxy", &["nft", "netlink"]),
    ("cni-plugin", &["daemon-api"]),
    ("daemon", &["daemon-api", "crds", "ipam", "nft", "netlink", "ovsdb", "ovn", "vpc", "natgw", "tproxy"]),
    ("controller", &["crds", "ipam", "ovsdb", "ovn", "vpc"]),
    ("vpcctl", &["daemon-api", "crds"]),
    // Its benchmarks alone use these: they measure the ledger, the planner and the rules of probes, and the kernel with
    // nothing around it. The witness of a test is never our own code.
    ("tests", &["daemon-api", "crds", "daemon", "ipam", "netlink", "nft", "ovn", "ovsdb", "tproxy", "vpc"]),
];

/// Crates of others that only one of ours may use directly, by the beginning of their names.
const RESERVED: &[(&str, &[&str])] = &[
    ("rtnetlink", &["netlink"]),
    ("netlink-", &["netlink"]),
    ("redb", &["daemon"]),
    ("kube", &["crds", "daemon", "controller", "vpcctl"]),
    ("k8s-openapi", &["crds", "daemon", "controller", "vpcctl"]),
];

struct Crate {
    name: String,
    /// What it is built with, and what only its tests are.
    uses: BTreeSet<String>,
    tests_use: BTreeSet<String>,
}

#[test]
fn every_crate_uses_only_what_the_table_allows() {
    let crates = crates();
    let ours: BTreeSet<_> = crates.iter().map(|c| c.name.clone()).collect();
    let mut faults = Vec::new();
    for Crate { name, uses, .. } in &crates {
        let Some((_, allowed)) = DOORS.iter().find(|(of, _)| of == name) else {
            faults.push(format!("{name} is not in the table"));
            continue;
        };
        let used = uses.intersection(&ours);
        faults.extend(used.filter(|u| !allowed.contains(&u.as_str())).map(|u| format!("{name} uses {u}")));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn kernel_and_store_and_cluster_have_one_door_each() {
    let crates = crates();
    let mut faults = Vec::new();
    for (name, used) in crates.iter().flat_map(|c| c.uses.iter().map(|u| (&c.name, u))) {
        let reserved = RESERVED.iter().find(|(prefix, _)| used.starts_with(prefix));
        if reserved.is_some_and(|(_, by)| !by.contains(&name.as_str())) {
            faults.push(format!("{name} uses {used}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn there_is_no_cycle_not_even_through_tests() {
    let mut left: BTreeMap<_, BTreeSet<_>> =
        crates().into_iter().map(|c| (c.name, c.uses.union(&c.tests_use).cloned().collect())).collect();
    loop {
        let names: BTreeSet<_> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, uses: &mut BTreeSet<String>| !uses.is_disjoint(&names));
        if left.is_empty() {
            return;
        }
        assert_ne!(left.len(), before, "a cycle among {names:?}");
    }
}

fn crates() -> Vec<Crate> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(crate_of).collect()
}

fn crate_of(package: &Value) -> Crate {
    let dependencies = package["dependencies"].as_array().unwrap();
    let names = |of_tests: bool| {
        let wanted = dependencies.iter().filter(move |d| (d["kind"] == "dev") == of_tests);
        wanted.filter_map(|d| d["name"].as_str().map(str::to_owned)).collect()
    };
    Crate { name: package["name"].as_str().unwrap().to_owned(), uses: names(false), tests_use: names(true) }
}
