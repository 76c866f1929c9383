//! Checklist 29 to 38: DEL undoes what is there, whatever else is gone, and succeeds when there is nothing left.

use std::time::Duration;

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::{ledger, wait, witness};

use crate::{add, del, guide, merged, own};

/// Long enough for a machine that does much else. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn del_of_what_never_was_succeeds() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    for conf in [
        own(&lab, json!({})),
        own(&lab, json!({"provider": "nobody.nowhere"})),
        own(&lab, json!({"master": ""})),
    ] {
        let unknown = Call::del(&conf).netns("/run/netns/no-such-netns").pod("default", "ghost");
        assert_eq!(unknown.run(&lab).ok(), Value::Null);
        assert_eq!(unknown.netns("").args("").run(&lab).ok(), Value::Null);
    }
    ledger::assert_empty(&lab);
}

/// What is lost, and the call without it.
type Form = (&'static str, fn(Call) -> Call);

#[test]
fn kube_ovn_1_17_0_del_needs_no_netns_no_arguments_and_no_result() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let conf = own(&lab, json!({}));
    let forms: [Form; 6] = [
        ("empty netns", |c| c.netns("")),
        ("no netns", |c| c.without("CNI_NETNS")),
        ("unusable netns", |c| c.netns("../x")),
        ("no arguments", |c| c.args("")),
        ("unreadable arguments", |c| c.args("K8S_POD_NAME;x=/;=")),
        ("another pod's arguments", |c| c.pod("other", "pod")),
    ];
    for (number, (form, change)) in forms.into_iter().enumerate() {
        let name = format!("p{number}");
        let pod = lab.pod(&name);
        let add = add(&conf, &pod, &name);
        add.run(&lab).ok();

        assert_eq!(change(del(&add)).run(&lab).ok(), Value::Null, "{form}");

        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{form}");
        ledger::assert_empty(&lab);
    }
}

#[test]
fn del_releases_by_container_and_interface_only() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pods = [lab.pod("p1"), lab.pod("p2")];
    let conf = own(&lab, json!({}));
    let (first, second) = (add(&conf, &pods[0], "p1"), add(&conf, &pods[1], "p2"));
    first.run(&lab).ok();
    second.run(&lab).ok();
    let lost = own(&lab, json!({"name": "another", "provider": "nobody.nowhere", "master": ""}));

    // Nothing but these two texts is right: no pod, no network, no provider, no netns.
    Call::del(&lost).container("p1").ifname("net1").run(&lab).ok();

    assert_eq!(ledger::held(&lab), ["192.168.0.12"]);
    assert_eq!(witness::link_names(&pods[0]), Vec::<String>::new());
    for (container, ifname) in [("p2", "net2"), ("p3", "net1"), ("p1", "net1")] {
        Call::del(&conf)
            .container(container)
            .ifname(ifname)
            .netns(pods[1].path())
            .pod("default", "p2")
            .run(&lab)
            .ok();
    }
    assert_eq!(witness::link_names(&pods[1]), ["net1"]);
    ledger::assert_sound(&lab);
}

#[test]
fn del_after_the_netns_is_gone_or_its_path_is_anothers_releases_the_address() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    for conf in [own(&lab, json!({})), cni::guide_nad(&lab.socket())] {
        let pod = lab.pod("p1");
        let add_first = add(&conf, &pod, "p1");
        add_first.run(&lab).ok();
        drop(pod);
        del(&add_first).run(&lab).ok();
        ledger::assert_empty(&lab);
    }
    let conf = own(&lab, json!({}));
    let pod = lab.pod("p2");
    add(&conf, &pod, "p2").run(&lab).ok();
    drop(pod);
    let another = lab.pod("p2");
    add(&conf, &another, "p3").run(&lab).ok();

    del(&add(&conf, &another, "p2")).run(&lab).ok();

    assert_eq!(witness::link_names(&another), ["net1"], "the path led to another sandbox by then");
    assert_eq!(ledger::claims(&lab)[0]["podName"], "p3");
    ledger::assert_sound(&lab);
}

#[test]
fn del_after_the_interface_is_gone_releases_the_address() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let add = add(&own(&lab, json!({})), &pod, "p1");
    add.run(&lab).ok();
    pod.must("ip link del net1");

    del(&add).run(&lab).ok();

    ledger::assert_empty(&lab);
}

#[test]
fn del_after_the_subnet_is_gone_releases_the_address() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let add = add(&own(&lab, json!({})), &pod, "p1");
    add.run(&lab).ok();
    daemon.stop();
    lab.remove_object("guide.yaml");
    daemon.restart();

    del(&add).run(&lab).ok();

    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    ledger::assert_empty(&lab);
}

#[test]
fn m1146_del_with_the_daemon_down_succeeds_and_is_done_when_it_is_back() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pods = [lab.pod("p1"), lab.pod("p2")];
    let adds =
        [add(&own(&lab, json!({})), &pods[0], "p1"), add(&cni::guide_nad(&lab.socket()), &pods[1], "p2")];
    adds.iter().for_each(|add| drop(add.run(&lab).ok()));
    daemon.kill9();

    for add in &adds {
        let done = del(add).run(&lab).done;
        assert!(done.success() && done.stdout.is_empty(), "{done:?}");
        // The runtime asks again, and removes the sandbox.
        del(add).run(&lab).ok();
    }
    daemon.restart();

    wait::until("the DELs to be replayed", PATIENCE, || ledger::held(&lab).is_empty().then_some(()));
    assert_eq!(witness::link_names(&pods[0]), Vec::<String>::new());
    wait::until("the files to go", PATIENCE, || {
        witness::files(&lab.dir().join("d.sock.pending")).is_empty().then_some(())
    });
    ledger::assert_empty(&lab);
}

#[test]
fn a_del_that_was_left_behind_does_not_undo_the_next_add() {
    let Some(lab) = guide() else { return };
    let mut daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let add = add(&own(&lab, json!({})), &pod, "p1");
    add.run(&lab).ok();
    daemon.stop();
    del(&add).run(&lab).ok();
    daemon.restart();

    let result = add.run(&lab).ok();

    wait::until("the file to go", PATIENCE, || {
        witness::files(&lab.dir().join("d.sock.pending")).is_empty().then_some(())
    });
    assert_eq!(witness::addresses(&pod, "net1"), cni::addresses(&result));
    assert_eq!(ledger::held(&lab).len(), 1);
    ledger::assert_sound(&lab);
}

#[test]
fn del_after_an_add_that_failed_leaves_nothing() {
    let Some(lab) = guide() else { return };
    let _daemon = Daemon::start(&lab, &[]);
    let pod = lab.pod("p1");
    let broken = [
        own(&lab, json!({"provider": "nobody.nowhere"})),
        own(&lab, json!({"master": "no-such-link"})),
        own(&lab, json!({"routes": [{"dst": "no cidr"}]})),
        // The kernel refuses: the gateway is not on the link.
        own(&lab, json!({"routes": [{"dst": "203.0.113.0/24", "gw": "10.99.99.99"}]})),
        merged(
            cni::guide_nad(&lab.socket()),
            json!({"ipam": {"type": "kube-ovn", "server_socket": lab.socket()}}),
        ),
    ];
    for conf in broken {
        let add = add(&conf, &pod, "p1");
        assert!(!add.run(&lab).done.success(), "{conf}");
        del(&add).run(&lab).ok();
        assert_eq!(witness::link_names(&pod), Vec::<String>::new(), "{conf}");
        ledger::assert_empty(&lab);
    }
}

#[test]
fn cd5438_a_sandbox_that_vanishes_without_a_del_gives_its_address_back() {
    let Some(lab) = guide() else { return };
    let daemon = Daemon::start(&lab, &["--sweep-interval=1"]);
    let (gone, stays) = (lab.pod("p1"), lab.pod("p2"));
    let conf = own(&lab, json!({}));
    add(&conf, &gone, "p1").run(&lab).ok();
    add(&conf, &stays, "p2").run(&lab).ok();

    drop(gone);

    wait::until("the sweep", PATIENCE, || (ledger::held(&lab) == ["192.168.0.12"]).then_some(()));
    // Counted a moment after it is done.
    wait::until("the count", PATIENCE, || {
        daemon.metric("claims_swept_total").filter(|swept| (*swept - 1.0).abs() < f64::EPSILON)
    });
    ledger::assert_sound(&lab);
}
