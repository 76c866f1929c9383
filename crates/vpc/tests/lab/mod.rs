//! Facts from YAML, and rows as text that a person can read.
#![allow(dead_code, reason = "each test file uses a part")]
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::sync::Arc;

use crds::{Subnet, Vpc};
use ovn::address::Mac;
use ovn::cell::Cell;
use ovn::wanted::{Row, Wanted};
use vpc::{Facts, PortFact};

/// Adds every Vpc and Subnet of a YAML text with several documents.
pub(crate) fn add(facts: &mut Facts, yaml: &str) {
    for document in yaml.split("---\n").filter(|document| !document.trim().is_empty()) {
        if document.contains("kind: Vpc\n") {
            let vpc: Vpc = serde_saphyr::from_str(document).unwrap();
            facts.vpcs.insert(vpc.name().to_owned(), Arc::new(vpc));
        } else {
            let subnet: Subnet = serde_saphyr::from_str(document).unwrap();
            facts.subnets.insert(subnet.name().to_owned(), Arc::new(subnet));
        }
    }
}

/// A pod's port in the default network.
pub(crate) fn port(namespace: &str, pod: &str, subnet: &str, ip: &str) -> PortFact {
    let mac = ip.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    PortFact {
        namespace: namespace.into(),
        pod: pod.into(),
        provider: "ovn".into(),
        interface: None,
        subnet: subnet.into(),
        addresses: ip.split(',').map(|ip| ip.parse().unwrap()).collect(),
        mac: Mac::new([2, 0, 0, 0, 0, mac]),
        out_of_pod: None,
        port_security: true,
        is_ours: false,
    }
}

/// The keys of all rows with their owners, one a line.
pub(crate) fn keys(wanted: &Wanted) -> String {
    lines(wanted.rows().map(|row| format!("{} {}", row.owner, row.key)))
}

/// The rows of one table, one a line: `column=value` without what is empty, without the tag.
pub(crate) fn rows(wanted: &Wanted, table: &str) -> String {
    lines(wanted.rows().filter(|row| row.key.table.name() == table).map(text))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn text(row: &Row) -> String {
    let parent = row.place.as_ref().map(|place| format!("[{}] ", place.parent.name)).unwrap_or_default();
    let columns =
        row.columns.iter().map(|(name, cell)| (name, cell_text(cell))).filter(|(_, text)| !text.is_empty());
    parent + &columns.map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(" ")
}

fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Whole(value) => bare(&format!("{value:?}")),
        Cell::WhereKnown(_) => String::new(),
        Cell::Keys(keys) => {
            let ours = |key: &str| key == "vendor" || key == "kube-ovn-owner";
            let set = keys.iter().filter(|(key, _)| !ours(key));
            let set: Vec<_> = set.filter_map(|(k, v)| Some(format!("{k}={}", v.as_ref()?))).collect();
            if set.is_empty() { String::new() } else { format!("{{{}}}", set.join(",")) }
        }
        Cell::Refs(keys) | Cell::SharedRefs(keys) => {
            keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }
    }
}

/// A value's `Debug` without the names of its types, and without the quotation marks.
fn bare(debug: &str) -> String {
    let (mut is_quoted, mut text, mut word) = (false, String::new(), String::new());
    for c in debug.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => text.push(c),
            '(' => word.clear(),
            ')' | ' ' => {}
            _ if c.is_alphabetic() => word.push(c),
            _ => {
                text.push_str(&std::mem::take(&mut word));
                text.push(c);
            }
        }
        if c == ')' && !is_quoted {
            text.push_str(&std::mem::take(&mut word));
        }
    }
    if text == "{}" { String::new() } else { text }
}
