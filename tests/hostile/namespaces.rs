//! Checklist 12: `CNI_NETNS` has to be a network namespace, and not the node's own.

use std::fs;
use std::os::unix::fs::symlink;

use tests::daemon::Daemon;
use tests::lab::UPLINK;
use tests::service::Service;
use tests::{ledger, wait, witness};

use crate::{add, guide};

#[test]
fn what_is_no_network_namespace_is_refused() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let [link, file, fifo] = ["link", "file", "fifo"].map(|name| lab.dir().join(name));
    symlink(pod.path(), &link).unwrap();
    fs::write(&file, "").unwrap();
    tests::command::run(tests::command::words(&format!("mkfifo {}", fifo.display())), b"").expect_success();
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let table = [
        (format!("/run/netns/../netns/{}", pod.name()), 4, "two dots"),
        (pod.name().to_owned(), 4, "relative"),
        (text(&link), 4, "a symlink as last component"),
        (text(&file), 4, "a plain file"),
        (text(&fifo), 4, "a pipe: opening it must not hang"),
        (text(lab.dir()), 4, "a folder"),
        ("/dev/null".into(), 4, "a device"),
        ("/dev/zero".into(), 4, "a device"),
        (format!("/proc/{}/ns/ipc", std::process::id()), 4, "a namespace of another kind"),
        (format!("/proc/{}/ns/mnt", std::process::id()), 4, "a namespace of another kind"),
        (text(&lab.node.path()), 4, "the node's own"),
        ("/run/netns/no-such-netns".into(), 3, "not there"),
        ("/no/such/folder".into(), 3, "not there"),
        (format!("{}/x", text(&file)), 3, "a file on the way"),
    ];
    for (path, code, what) in &table {
        for verb in ["ADD", "CHECK"] {
            let conf = crate::own(&lab, serde_json::json!({"prevResult": {"cniVersion": "1.1.0"}}));
            let error = add(&lab, &pod).verb(verb).stdin(conf.to_string()).netns(path).run(&lab).error();
            assert_eq!(error["code"], *code, "{verb} {what}: {error}");
            assert!(error["msg"].as_str().unwrap().contains("CNI_NETNS"), "{what}: {error}");
        }
        // The runtime sends the DEL of the failed ADD with the same path.
        add(&lab, &pod).verb("DEL").netns(path).run(&lab).ok();
    }
    ledger::assert_empty(&lab);
    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
}

#[test]
fn the_paths_that_runtimes_use_are_taken() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let mut sleeper = pod.command("/usr/bin/sleep");
    sleeper.arg("1000");
    let sleeper = Service::start("sleep", sleeper, &lab.dir().join("sleep.log"));
    let proc = format!("/proc/{}/ns/net", sleeper.pid());
    let inode = |path: &str| fs::metadata(path).ok().map(|m| std::os::unix::fs::MetadataExt::ino(&m));
    let wanted = inode(pod.path().to_str().unwrap());
    wait::until("nsenter to enter", std::time::Duration::from_secs(30), || {
        (inode(&proc) == wanted).then_some(())
    });

    for path in [proc.clone(), format!("/var/run/netns/{}", pod.name())] {
        let add = add(&lab, &pod).netns(&path);
        add.run(&lab).ok();
        assert_eq!(witness::link_names(&pod), ["net1"], "{path}");
        add.verb("DEL").run(&lab).ok();
        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{path}");
        ledger::assert_empty(&lab);
    }
}

#[test]
fn the_nodes_own_namespace_is_taken_only_when_it_is_meant() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let call = add(&lab, &lab.node);
    assert_eq!(call.run(&lab).code(), 4);
    assert_eq!(witness::link_names(&lab.node), [UPLINK]);

    let meant = call.env("CNI_NETNS_OVERRIDE", "1");
    meant.run(&lab).ok();

    assert_eq!(witness::link_names(&lab.node), [UPLINK, "net1"]);
    meant.verb("DEL").run(&lab).ok();
    ledger::assert_empty(&lab);
}
