//! Checklist 4 to 7: variables that are missing or cannot be used.

use tests::cni::Call;
use tests::daemon::Daemon;
use tests::{ledger, witness};

use crate::{add, guide};

#[test]
fn every_missing_variable_is_named_at_once() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let needed: [(&str, &[&str]); 5] = [
        ("ADD", &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]),
        ("CHECK", &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]),
        ("DEL", &["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]),
        ("GC", &["CNI_PATH"]),
        ("STATUS", &["CNI_PATH"]),
    ];
    for (verb, variables) in needed {
        let full = add(&lab, &pod).verb(verb);
        for variable in variables {
            for call in [full.clone().without(variable), full.clone().env(variable, "")] {
                assert_names(&call, &[variable], &lab);
            }
        }
        let without_any = variables.iter().fold(full, |call, variable| call.without(variable));
        assert_names(&without_any, variables, &lab);
    }
    ledger::assert_empty(&lab);
}

#[track_caller]
fn assert_names(call: &Call, variables: &[&str], lab: &tests::lab::Lab) {
    let error = call.run(lab).error();
    assert_eq!(error["code"], 4, "{error}");
    let msg = error["msg"].as_str().unwrap();
    assert!(variables.iter().all(|v| msg.contains(v)), "{variables:?}: {msg}");
}

#[test]
fn an_unknown_command_is_code_4() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");

    for verb in ["", "add", "ADD ", "UPDATE", "ADD;DEL"] {
        assert_eq!(add(&lab, &pod).verb(verb).run(&lab).code(), 4, "{verb:?}");
    }
    ledger::assert_empty(&lab);
}

#[test]
fn container_ids_and_interface_names_follow_the_specification() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let long = "a".repeat(300);
    for verb in ["ADD", "CHECK", "DEL"] {
        for id in ["-a", ".a", "_a", "a/b", "../../etc/passwd", "a b", "a\nb", "a;b", "ä", &long] {
            assert_names(&add(&lab, &pod).verb(verb).container(id), &["CNI_CONTAINERID"], &lab);
        }
        // The kernel makes `net0` of `net%d`: an interface that nobody would find again.
        let names = [
            "a234567890123456",
            "net%d",
            "%s",
            "a/b",
            "..",
            ".",
            "a:b",
            "a b",
            "a\tb",
            "a\nb",
            "\u{1b}[0m",
            &long,
        ];
        for name in names {
            assert_names(&add(&lab, &pod).verb(verb).ifname(name), &["CNI_IFNAME"], &lab);
        }
    }
    ledger::assert_empty(&lab);
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    // As long as they may be, and as short.
    for (id, name) in [("a", "a23456789012345"), ("0_x.y-z", "ä;$(x)"), (&"f".repeat(200), "-h")] {
        let call = add(&lab, &pod).container(id).ifname(name);
        call.run(&lab).ok();
        call.verb("DEL").run(&lab).ok();
    }
    ledger::assert_empty(&lab);
}
